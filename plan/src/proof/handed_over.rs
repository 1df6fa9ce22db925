//! `mirrored-back` and `handed-over`: what mirrors said about the topics that they fill, or filled until they were promoted.
//!
//! The replicator ends loops by that, and begins the way back after a promotion where it ended. Both leave topics alone that
//! somebody may wait for, so the plan says it first.

use topology::StartOffset;

use super::evidence::{Filled, Told};
use super::finding::{Finding, FindingId, Severity};
use super::outlook::{Flow, Outlook, Pair};

pub(super) fn judge(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (flow, pairs) in &outlook.flows {
        let (back, taken) = (mirrored_back(flow, pairs), handed_over(flow, pairs));
        let mirror = &flow.mirror.name;
        if !back.is_empty() {
            let message = "topics whose records come from the target are left out, so that nothing goes round for ever";
            let finding = Finding::new(
                FindingId::MirroredBack,
                Severity::Warning,
                mirror,
                message.to_owned(),
                back,
            );
            findings.push(finding.hint(
                "promote the mirror that fills them (`state: promoted`): when its replicator has ended the promotion, they are \
                 released and copied back; where none ran, start `mirrorctl replicate` with it once, which writes that down",
            ));
        }
        if !taken.is_empty() {
            let message = "target topics were handed over to applications by a promotion: copying into them again would repeat \
                           what they hold and mix the rest with what was written since";
            let finding = Finding::new(
                FindingId::HandedOver,
                Severity::Blocked,
                mirror,
                message.to_owned(),
                taken,
            );
            findings.push(finding.hint(
                "choose other names on the target (`replicationPolicy`), delete the topics there to copy anew, or declare \
                 `startOffset: latest` or a timestamp to copy into them all the same; what applications write there now is \
                 copied back by a mirror the other way round",
            ));
        }
    }
    findings
}

/// Topics of the source that another mirror fills from the target.
fn mirrored_back(flow: &Flow<'_>, pairs: &[Pair<'_>]) -> Vec<String> {
    let target = &flow.to.cluster_id;
    let cases = pairs.iter().filter_map(|pair| {
        let by = filled(&flow.from.filled, pair.topic)
            .find(|it| !it.released && it.origins.contains(target))?;
        let (source, target) = (flow.source, &flow.mirror.target);
        Some(format!(
            "{} of {source} is filled from {target} by mirror {}{}",
            pair.topic,
            by.mirror,
            if by.promoted {
                ", which is promoted, and whose promotion is not over"
            } else {
                ""
            }
        ))
    });
    cases.collect()
}

/// Topics of the target that a promoted mirror filled, and that this one does not fill yet.
fn handed_over(flow: &Flow<'_>, pairs: &[Pair<'_>]) -> Vec<String> {
    let Flow {
        mirror, from, to, ..
    } = flow;
    if mirror.start_offset != StartOffset::Earliest {
        return Vec::new();
    }
    let cases = pairs.iter().filter_map(|pair| {
        let is_own = |it: &&Filled| {
            it.mirror == mirror.name
                && it.source_cluster_id == from.cluster_id
                && it.source_topic == pair.topic
        };
        let begun = |it: &Filled| is_own(&it) && !it.released && !it.promoted;
        // after it was promoted the other way round, it begins where that ended
        let comes_back = filled(&from.filled, pair.topic).any(|it| {
            it.released && it.source_cluster_id == to.cluster_id && it.source_topic == pair.target
        });
        if comes_back || filled(&to.filled, &pair.target).any(begun) {
            return None;
        }
        let by = filled(&to.filled, &pair.target).find(|it| it.released || it.promoted)?;
        Some(format!(
            "{} of {}: filled by mirror {} until it was promoted",
            pair.target, mirror.target, by.mirror
        ))
    });
    cases.collect()
}

fn filled<'a>(told: &'a Told<Vec<Filled>>, topic: &'a str) -> impl Iterator<Item = &'a Filled> {
    let filled = told.iter().flatten();
    filled.filter(move |it| it.target_topic == topic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::testbed::{Bed, topic};

    const PROMOTED: bool = true;
    const RELEASED: bool = true;

    /// What `mirror` said on a cluster about its topic `t`, filled from the topic `t` of `from`.
    fn by(mirror: &str, from: &str, promoted: bool, released: bool) -> Filled {
        Filled {
            mirror: mirror.to_owned(),
            source_cluster_id: from.to_owned(),
            source_topic: "t".to_owned(),
            target_topic: "t".to_owned(),
            origins: vec![from.to_owned()],
            promoted,
            released,
        }
    }

    /// The mirror `m` from `a` to `b`, with what was said on each.
    fn found(settings: &str, on_a: &[Filled], on_b: &[Filled]) -> Vec<(FindingId, Severity)> {
        let mut bed = Bed::new(settings)
            .source(topic("t", &[]))
            .target(topic("t", &[]));
        bed.site("a").filled = Ok(on_a.to_vec());
        bed.site("b").filled = Ok(on_b.to_vec());
        let found = bed.judge().into_iter();
        found.map(|it| (it.id, it.severity)).collect()
    }

    #[test]
    fn what_a_mirror_leaves_out_and_what_would_be_filled_again_is_said() {
        const BACK: (FindingId, Severity) = (FindingId::MirroredBack, Severity::Warning);
        const TAKEN: (FindingId, Severity) = (FindingId::HandedOver, Severity::Blocked);
        let other = |promoted, released| by("n", "b", promoted, released);
        let own = |promoted, released| by("m", "a", promoted, released);
        let former = |promoted, released| by("n", "a", promoted, released);
        for (about, settings, on_a, on_b, expected) in [
            ("nothing said", "", vec![], vec![], vec![]),
            (
                "another fills it",
                "",
                vec![other(false, false)],
                vec![],
                vec![BACK],
            ),
            (
                "not over yet",
                "",
                vec![other(PROMOTED, false)],
                vec![],
                vec![BACK],
            ),
            (
                "the way back",
                "",
                vec![other(PROMOTED, RELEASED)],
                vec![],
                vec![],
            ),
            ("its own", "", vec![], vec![own(false, false)], vec![]),
            (
                "forgotten",
                "",
                vec![],
                vec![own(false, RELEASED)],
                vec![TAKEN],
            ),
            (
                "renamed",
                "",
                vec![],
                vec![former(PROMOTED, RELEASED)],
                vec![TAKEN],
            ),
            (
                "renamed at once",
                "",
                vec![],
                vec![former(PROMOTED, false)],
                vec![TAKEN],
            ),
            (
                "one beside it",
                "",
                vec![],
                vec![former(false, false)],
                vec![],
            ),
            (
                "begun long ago",
                "",
                vec![],
                vec![former(PROMOTED, RELEASED), own(false, false)],
                vec![],
            ),
            (
                "there again",
                "",
                vec![other(PROMOTED, RELEASED)],
                vec![former(PROMOTED, RELEASED)],
                vec![],
            ),
            (
                "as it is told",
                "startOffset: latest",
                vec![],
                vec![former(PROMOTED, RELEASED)],
                vec![],
            ),
        ] {
            assert_eq!(found(settings, &on_a, &on_b), expected, "{about}");
        }
    }
}
