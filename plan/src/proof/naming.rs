//! `mirror-cycle` and `mirror-hops`: records that travel further than one mirror takes them.
//!
//! Clusters are told apart by their ids, because two aliases may be one cluster, and the topics that are there now are
//! followed, because whether two patterns overlap cannot be decided in general. What a topology shows by itself is reported
//! when it is loaded.

use std::collections::BTreeMap;

use super::finding::{Finding, FindingId, Severity};
use super::outlook::{Flow, Outlook};

/// Steps that following topics takes at most, over all of them: for the pathological file.
const MOST_STEPS: usize = 2_000_000;

/// A way of flows, and the topics that go it.
type Ways = BTreeMap<(FindingId, Vec<usize>), Example>;

#[derive(Debug)]
struct Example {
    way: String,
    topics: usize,
}

struct Walk<'a> {
    flows: Vec<Flow<'a>>,
    steps: usize,
    ways: Ways,
}

pub(super) fn judge(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut walk = Walk {
        flows: outlook.flows.iter().map(|(flow, _)| *flow).collect(),
        steps: 0,
        ways: Ways::new(),
    };
    for (at, (flow, pairs)) in outlook.flows.iter().enumerate() {
        let own = flow.from.cluster_id == flow.to.cluster_id;
        let to = &flow.to.cluster_id;
        let goes_on = |other: &Flow<'_>| other.from.cluster_id == *to;
        if !own && !walk.flows.iter().any(goes_on) {
            continue;
        }
        for pair in pairs {
            let way = format!("{} of {}", pair.topic, flow.source);
            walk.step(&mut vec![at], &pair.target, &way);
        }
    }
    walk.findings()
}

impl<'a> Walk<'a> {
    /// The topic `name` has arrived by the last flow of `way`.
    fn step(&mut self, way: &mut Vec<usize>, name: &str, told: &str) {
        self.steps += 1;
        let Some(flow) = way.last().and_then(|at| self.flows.get(*at)).copied() else {
            return;
        };
        let told = format!("{told} → {name} of {}", flow.mirror.target);
        if self.visited(way, &flow) {
            self.note(FindingId::MirrorCycle, way, told);
            return;
        }
        if way.len() > 1 {
            self.note(FindingId::MirrorHops, way, told.clone());
        }
        for next in 0..self.flows.len() {
            let onward: Flow<'a> = self.flows[next];
            if onward.from.cluster_id != flow.to.cluster_id || self.steps > MOST_STEPS {
                continue;
            }
            if let Some(name) = onward.mirror.target_topic(onward.source, name) {
                way.push(next);
                self.step(way, &name, &told);
                way.pop();
            }
        }
    }

    /// Whether a way has been on the cluster that its last flow leads to.
    fn visited(&self, way: &[usize], last: &Flow<'_>) -> bool {
        let sources = way.iter().map(|at| &self.flows[*at].from.cluster_id);
        sources.into_iter().any(|id| *id == last.to.cluster_id)
    }

    fn note(&mut self, id: FindingId, way: &[usize], told: String) {
        let known = self.ways.entry((id, way.to_vec()));
        known
            .and_modify(|example| example.topics += 1)
            .or_insert(Example {
                way: told,
                topics: 1,
            });
    }

    fn findings(self) -> Vec<Finding> {
        let mut cases: BTreeMap<(FindingId, &str), Vec<String>> = BTreeMap::new();
        for ((id, way), Example { way: told, topics }) in &self.ways {
            // the mirror that is declared last is the one that closes the way
            let last = way.iter().max().map(|at| self.flows[*at].mirror);
            let Some(mirror) = last else {
                continue;
            };
            let more = match topics - 1 {
                0 => String::new(),
                1 => ", and 1 topic more".to_owned(),
                more => format!(", and {more} topics more"),
            };
            let case = format!("{told}{more}");
            cases.entry((*id, &mirror.name)).or_default().push(case);
        }
        let finding = |((id, mirror), cases): ((FindingId, &str), Vec<String>)| {
            let (severity, message) = if id == FindingId::MirrorCycle {
                let message = "records would come back to a cluster that they have been on";
                (Severity::Blocked, message)
            } else {
                let message =
                    "records that a mirror brought travel on: every mirror on the way has to run";
                (Severity::Warning, message)
            };
            Finding::new(id, severity, mirror, message.to_owned(), cases).hint(
                "leave what was mirrored out: `topicsExcludePattern` with the names that other mirrors give",
            )
        };
        cases.into_iter().map(finding).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::testbed::{Bed, topic};

    const CLUSTERS: &str = "clusters:\n- {alias: a, bootstrapServers: [\"h:1\"]}\n- {alias: b, bootstrapServers: [\"h:2\"]}\n\
        - {alias: c, bootstrapServers: [\"h:3\"]}\nmirrors:\n";

    fn cases(bed: &Bed) -> Vec<(FindingId, Severity, String)> {
        let found = bed.judge().into_iter();
        let of_kind =
            found.filter(|it| matches!(it.id, FindingId::MirrorCycle | FindingId::MirrorHops));
        of_kind
            .flat_map(|it| {
                let (id, severity) = (it.id, it.severity);
                it.evidence
                    .into_iter()
                    .map(move |case| (id, severity, case))
            })
            .collect()
    }

    fn bed(mirrors: &[&str], ids: [&str; 3]) -> Bed {
        let mut bed = Bed::of(&format!("{CLUSTERS}- {}\n", mirrors.join("\n- ")));
        for (alias, id) in ["a", "b", "c"].into_iter().zip(ids) {
            if bed.evidence.sites.contains_key(alias) {
                id.clone_into(&mut bed.site(alias).cluster_id);
            }
        }
        bed.on("a", topic("t1", &[])).on("a", topic("t2", &[]))
    }

    const CYCLE: (FindingId, Severity) = (FindingId::MirrorCycle, Severity::Blocked);
    const HOPS: (FindingId, Severity) = (FindingId::MirrorHops, Severity::Warning);

    #[test]
    fn ways_are_followed_from_cluster_to_cluster_by_id() {
        let identity = "replicationPolicy: {type: identity}}";
        let one = format!("{{name: one, source: a, target: b, {identity}");
        let on = format!("{{name: two, source: b, target: c, {identity}");
        let narrow =
            format!("{{name: two, source: b, target: c, topicsPattern: \"x.*\", {identity}");
        let named = "{name: one, source: a, target: b}";
        let back = "{name: two, source: b, target: c}";
        let different = ["A", "B", "C"];
        let round = ["A", "B", "A"];
        let more = ", and 1 topic more";
        for (about, mirrors, ids, found) in [
            ("one mirror", vec![one.as_str()], different, None),
            (
                "one cluster under two names",
                vec![&one],
                ["A", "A", "C"],
                Some((CYCLE, "t1 of a → t1 of b")),
            ),
            (
                "a chain",
                vec![&one, &on],
                different,
                Some((HOPS, "t1 of a → t1 of b → t1 of c")),
            ),
            (
                "a chain that leaves them out",
                vec![&one, &narrow],
                different,
                None,
            ),
            (
                "round by another name",
                vec![&one, &on],
                round,
                Some((CYCLE, "t1 of a → t1 of b → t1 of c")),
            ),
            (
                "the alias in the name is another one",
                vec![named, back],
                round,
                Some((CYCLE, "t1 of a → a.t1 of b → b.a.t1 of c")),
            ),
            (
                "there and back under one alias ends",
                vec![named, "{name: two, source: b, target: a}"],
                different,
                None,
            ),
        ] {
            let found: Vec<(FindingId, Severity, String)> = found
                .into_iter()
                .map(|((id, severity), way)| (id, severity, format!("{way}{more}")))
                .collect();
            assert_eq!(cases(&bed(&mirrors, ids)), found, "{about}");
        }
    }

    #[test]
    fn thousands_of_topics_are_one_case() {
        let mut bed = bed(
            &[
                "{name: one, source: a, target: b}",
                "{name: two, source: b, target: c}",
            ],
            ["A", "B", "C"],
        );
        for number in 0..5_000 {
            bed = bed.on("a", topic(&format!("t{number}"), &[]));
        }
        let found = cases(&bed);
        assert_eq!(found.len(), 1);
        assert!(found[0].2.ends_with(", and 4999 topics more"), "{found:?}");
    }
}
