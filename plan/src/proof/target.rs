//! `target-collision`: two source topics that become one on the target. A topology has no way to ask for that: positions,
//! order and partition counts of the two would not fit together.

use std::collections::BTreeMap;

use super::finding::{Finding, FindingId, Severity};
use super::outlook::Outlook;

/// Where a target topic comes from: mirror, alias and id of the source, topic.
type Origin<'a> = (&'a str, &'a str, &'a str, &'a str);

pub(super) fn judge(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut writers: BTreeMap<(&str, &str), Vec<Origin<'_>>> = BTreeMap::new();
    for (flow, pairs) in &outlook.flows {
        for pair in pairs {
            // by id: two aliases may be one cluster
            let place = (flow.to.cluster_id.as_str(), pair.target.as_str());
            let origin = (
                flow.mirror.name.as_str(),
                flow.source,
                flow.from.cluster_id.as_str(),
                pair.topic,
            );
            writers.entry(place).or_default().push(origin);
        }
    }
    let mut cases: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((_, topic), origins) in &writers {
        let [first, others @ ..] = origins.as_slice() else {
            continue;
        };
        // the mirror that is declared last is the one that is too many
        for other in others {
            cases.entry(other.0).or_default().push(format!(
                "{topic}: {} of {} ({}) and {} of {} ({})",
                first.3, first.1, first.0, other.3, other.1, other.0
            ));
        }
    }
    let finding = |(mirror, cases): (&str, Vec<String>)| {
        Finding::new(
            FindingId::TargetCollision,
            Severity::Blocked,
            mirror,
            "two source topics would be written to one target topic".to_owned(),
            cases,
        )
        .hint("`replicationPolicy: {type: default}` puts the source's alias before the name; or choose patterns that do not overlap")
    };
    cases.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::testbed::{Bed, topic};

    fn cases(bed: &Bed) -> Vec<String> {
        let found = bed.judge().into_iter();
        let of_kind = found.filter(|finding| finding.id == FindingId::TargetCollision);
        of_kind.flat_map(|finding| finding.evidence).collect()
    }

    /// `a` and `c` into `b`, one of them with a rule that renames.
    fn two(ids: [&str; 3]) -> Bed {
        let mut bed = Bed::of(
            "clusters:\n- {alias: a, bootstrapServers: [\"h:1\"]}\n- {alias: b, bootstrapServers: [\"h:2\"]}\n\
             - {alias: c, bootstrapServers: [\"h:3\"]}\n- {alias: d, bootstrapServers: [\"h:4\"]}\nmirrors:\n\
             - {name: one, source: a, target: b, topicsPattern: \"x.*\", replicationPolicy: {type: identity}}\n\
             - {name: two, source: c, target: d, topicsPattern: \"y.*\", replicationPolicy: {type: rename, rules: \
             [{from: \"y(.)special\", to: \"x$1\"}]}}\n",
        );
        let [a, b, d] = ids;
        for (alias, id) in [("a", a), ("b", b), ("d", d)] {
            id.clone_into(&mut bed.site(alias).cluster_id);
        }
        bed
    }

    #[test]
    fn live_topics_that_meet_on_one_cluster_are_refused() {
        let meets = |bed: Bed| {
            bed.on("a", topic("x1", &[]))
                .on("c", topic("y1special", &[]))
        };
        // nothing static could know either: neither that d is b, nor that such a topic exists
        let bed = meets(two(["a", "same", "same"]));
        assert_eq!(cases(&bed), ["x1: x1 of a (one) and y1special of c (two)"]);
        assert_eq!(bed.judge()[0].address, "mirror.two");

        assert_eq!(cases(&meets(two(["a", "b", "d"]))), Vec::<String>::new());
        let apart = two(["a", "same", "same"])
            .on("a", topic("x1", &[]))
            .on("c", topic("y2special", &[]));
        assert_eq!(cases(&apart), Vec::<String>::new());
    }
}
