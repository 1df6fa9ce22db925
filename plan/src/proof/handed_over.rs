//! `mirrored-back` and `handed-over`: what mirrors said about the topics that they fill, or filled until they were promoted.
//!
//! The replicator ends loops by that, and begins the way back after a promotion where it ended. Both leave topics alone that
//! somebody may wait for, so the plan says it first.

use std::collections::BTreeMap;

use topology::StartOffset;

use super::evidence::{Filled, Told};
use super::finding::{Finding, FindingId, Severity};
use super::outlook::{Flow, Outlook, Pair};

pub(super) fn judge(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (flow, pairs) in &outlook.flows {
        let Taken { for_good, not_yet } = handed_over(flow, pairs);
        // one topic, one next step
        let others = pairs
            .iter()
            .filter(|pair| !not_yet.contains_key(pair.topic));
        let back = mirrored_back(flow, others);
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
        if !not_yet.is_empty() {
            let message = "target topics were handed over to applications by a promotion, and another mirror still brings back \
                           what they write: the way home begins where that one's promotion ends";
            let finding = Finding::new(
                FindingId::HandedOver,
                Severity::Blocked,
                mirror,
                message.to_owned(),
                not_yet.into_values().collect(),
            );
            findings.push(finding.hint(
                "first apply the promotion of the mirror that brings it back (`state: promoted`) without this mirror, while its \
                 `mirrorctl replicate` runs; then wait until `mirrorctl status` says that its promotion is complete; then \
                 declare this one, under a name that was not used before",
            ));
        }
        if !for_good.is_empty() {
            let message = "target topics were handed over to applications by a promotion: copying into them again would repeat \
                           what they hold and mix the rest with what was written since";
            let finding = Finding::new(
                FindingId::HandedOver,
                Severity::Blocked,
                mirror,
                message.to_owned(),
                for_good,
            );
            findings.push(finding.hint(
                "what applications write there now is copied back by a mirror the other way round. To copy in this direction \
                 all the same: choose other names on the target (`replicationPolicy`); or delete the topics there to copy anew, \
                 which loses what applications wrote; or declare `startOffset: latest` or a timestamp, which leaves out what \
                 lies before that",
            ));
        }
    }
    findings
}

/// Topics of the source that another mirror fills from the target.
fn mirrored_back<'a, 'p: 'a>(
    flow: &Flow<'_>,
    pairs: impl Iterator<Item = &'a Pair<'p>>,
) -> Vec<String> {
    let target = &flow.to.cluster_id;
    let cases = pairs.filter_map(|pair| {
        let by = filled(&flow.from.filled, pair.topic)
            .find(|it| it.released.is_none() && it.origins.contains(target))?;
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
fn handed_over<'a>(flow: &Flow<'_>, pairs: &'a [Pair<'_>]) -> Taken<'a> {
    let Flow {
        mirror, from, to, ..
    } = flow;
    let mut taken = Taken::default();
    if mirror.start_offset != StartOffset::Earliest {
        return taken;
    }
    for pair in pairs {
        let is_own = |it: &&Filled| {
            it.mirror == mirror.name
                && it.source_cluster_id == from.cluster_id
                && it.source_topic == pair.topic
        };
        let begun = |it: &Filled| is_own(&it) && it.released.is_none() && !it.promoted;
        // after it was promoted the other way round, it begins where that ended
        let comes_back = way_back(flow, pair).any(|it| it.released.is_some());
        if comes_back || filled(&to.filled, &pair.target).any(begun) {
            continue;
        }
        let is_taken = |it: &&Filled| it.released.is_some() || it.promoted;
        let Some(by) = filled(&to.filled, &pair.target).find(is_taken) else {
            continue;
        };
        let case = format!(
            "{} of {}: filled by mirror {} until it was promoted",
            pair.target, mirror.target, by.mirror
        );
        // what the applications write there goes back still: home comes after that one's promotion
        match way_back(flow, pair).next() {
            Some(back) => {
                let on_its_way = if back.promoted {
                    ", and its promotion is not over"
                } else {
                    ""
                };
                let case = format!("{case}; mirror {} brings it back{on_its_way}", back.mirror);
                taken.not_yet.insert(pair.topic, case);
            }
            None => taken.for_good.push(case),
        }
    }
    taken
}

/// Target topics that applications write to since a promotion.
#[derive(Default)]
struct Taken<'a> {
    /// Nothing goes back.
    for_good: Vec<String>,
    /// Another mirror still brings back what they write; by topic of the source.
    not_yet: BTreeMap<&'a str, String>,
}

/// What other mirrors said that fill, or filled, the topic of the source from that of the target.
fn way_back<'a>(flow: &Flow<'a>, pair: &Pair<'a>) -> impl Iterator<Item = &'a Filled> {
    let (to, target) = (&flow.to.cluster_id, pair.target.clone());
    filled(&flow.from.filled, pair.topic)
        .filter(move |it| it.source_cluster_id == *to && it.source_topic == target)
}

fn filled<'a>(told: &'a Told<Vec<Filled>>, topic: &'a str) -> impl Iterator<Item = &'a Filled> {
    let filled = told.iter().flatten();
    filled.filter(move |it| it.target_topic == topic)
}

#[cfg(test)]
mod tests {
    use register::Released;

    use super::*;
    use crate::proof::testbed::{Bed, topic};

    /// Deleting what applications wrote, or leaving it out, is no advice where it is on its way back.
    #[test]
    fn who_wants_to_go_home_is_told_to_promote_the_way_back_first() {
        let mut bed = Bed::new("").source(topic("t", &[])).target(topic("t", &[]));
        bed.site("a").filled = Ok(vec![by("back", "b", false, false)]);
        bed.site("b").filled = Ok(vec![by("there", "a", PROMOTED, RELEASED)]);
        let found = bed.judge();
        let taken = found.iter().find(|it| it.id == FindingId::HandedOver);
        let taken = taken.expect("it is refused");
        let case =
            "t of b: filled by mirror there until it was promoted; mirror back brings it back";
        assert_eq!(taken.evidence, [case]);
        let hint = taken.hint.as_deref().unwrap_or_default();
        assert!(hint.contains("first apply the promotion"), "{hint}");
        assert!(!hint.contains("delete"), "{hint}");
        // and nothing else: to promote with this mirror beside it is what is refused
        let back = found.iter().any(|it| it.id == FindingId::MirroredBack);
        assert!(!back, "{found:?}");
    }

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
            released: released.then(|| Released {
                at_ms: 1,
                source_topic_id: String::new(),
                partitions: None,
            }),
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
                "home, before the way back is promoted",
                "",
                vec![other(false, false)],
                vec![former(PROMOTED, RELEASED)],
                vec![TAKEN],
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
