//! `way-back-refused` and `way-back-incomplete`: what the way back after a promotion will leave alone, or leave out.
//!
//! The replicator begins it where the promotion ended, by the same function, and refuses a topic where nobody can say where
//! that is. The plan says so before, with the offsets.

use std::collections::BTreeMap;

use register::{Begin, Doubt, Released, begins, unexplained};
use topology::StartOffset;

use super::finding::{Finding, FindingId, Severity, address};
use super::outlook::{Flow, Outlook, Pair};
use crate::rails;

pub(super) fn judge(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (flow, pairs) in &outlook.flows {
        let mut refused = Vec::new();
        let mut advice = Vec::new();
        let mut untold = Vec::new();
        let mut incomplete = Vec::new();
        for pair in pairs {
            let Some((by, released)) = of(flow, pair) else {
                continue;
            };
            let (source, target) = (flow.source, flow.mirror.target.as_str());
            match beginning(pair, released) {
                // it is filled anew
                Some(Ok(begins)) if begins.iter().all(|(_, it)| *it == Begin::AsDeclared) => {}
                Some(Ok(_)) => {
                    let more = unexplained(released).into_iter();
                    incomplete.extend(more.map(|(partition, handed)| {
                        format!(
                            "{} of {source}, partition {partition}: {}",
                            pair.topic,
                            handed.unexplained_words(by, source, target)
                        )
                    }));
                }
                // the replicator asks again, and may be told
                Some(Err(doubt @ Doubt::Untold { .. })) => {
                    let words = doubt.words(&pair.target, source, target);
                    untold.push(format!("{} of {source}: {words}", pair.topic));
                }
                Some(Err(
                    doubt @ (Doubt::Unseen
                    | Doubt::Disturbed { .. }
                    | Doubt::Diverged { .. }
                    | Doubt::Shortened { .. }
                    | Doubt::Recreated),
                )) => {
                    let words = doubt.words(&pair.target, source, target);
                    refused.push(format!("{} of {source}: {words}", pair.topic));
                    advice.push(doubt.advice(released, &pair.target, source, target));
                }
                // where it ends was not told, which is said
                None => {}
            }
        }
        findings.extend(refusal(flow, refused, advice.into_iter().next()));
        if !untold.is_empty() {
            let message = "whether the way back after a promotion can begin is not known";
            let (id, severity) = (FindingId::NotProven, Severity::Warning);
            let mirror = &flow.mirror.name;
            findings.push(Finding::new(
                id,
                severity,
                mirror,
                message.to_owned(),
                untold,
            ));
        }
        if !incomplete.is_empty() {
            let message = "what was written to these topics before the promotion, and did not come from the old source, does \
                           not go back: the way back begins behind it";
            let finding = Finding::new(
                FindingId::WayBackIncomplete,
                Severity::Warning,
                &flow.mirror.name,
                message.to_owned(),
                incomplete,
            );
            findings.push(finding.hint(
                "`mirrorctl verify --mode compare` of the promoted mirror shows which records these are; what is missed at home \
                 has to be written there again",
            ));
        }
    }
    findings
}

fn refusal(flow: &Flow<'_>, cases: Vec<String>, advice: Option<String>) -> Option<Finding> {
    let advice = advice?;
    let mirror = &flow.mirror.name;
    if flow.mirror.start_offset == StartOffset::Earliest {
        let message = "where the way back after a promotion begins cannot be known: the replicator would leave these topics \
                       alone, and copy the others";
        let (id, severity) = (FindingId::WayBackRefused, Severity::Blocked);
        let finding = Finding::new(id, severity, mirror, message.to_owned(), cases);
        let meanwhile = rails::exclude(&address(mirror));
        return Some(finding.hint(format!(
            "{advice}. All the rest is applied meanwhile with {meanwhile}"
        )));
    }
    let message = "where the way back after a promotion begins cannot be known: it begins as `startOffset` says, which may \
                   repeat records or leave some out";
    let (id, severity) = (FindingId::WayBackIncomplete, Severity::Warning);
    Some(Finding::new(
        id,
        severity,
        mirror,
        message.to_owned(),
        cases,
    ))
}

/// The promotion after which this topic goes back where it came from, and the mirror that was promoted. Nothing where the way
/// back has begun, or the old topic is gone.
pub(super) fn of<'a>(flow: &Flow<'a>, pair: &Pair<'a>) -> Option<(&'a str, &'a Released)> {
    let Flow {
        mirror, from, to, ..
    } = flow;
    pair.to?;
    let mut into_target = to.filled.iter().flatten();
    let has_begun = into_target.any(|it| {
        it.mirror == mirror.name
            && it.source_cluster_id == from.cluster_id
            && it.source_topic == pair.topic
            && it.target_topic == pair.target
            && it.released.is_none()
    });
    if has_begun {
        return None;
    }
    let came = from.filled.iter().flatten().filter(|it| {
        it.target_topic == pair.topic
            && it.source_cluster_id == to.cluster_id
            && it.source_topic == pair.target
    });
    came.filter_map(|it| Some((it.mirror.as_str(), it.released.as_ref()?)))
        .max_by_key(|(_, released)| released.at_ms)
}

/// Where its partitions begin; nothing where that was not told.
fn beginning(pair: &Pair<'_>, released: &Released) -> Option<Result<Vec<(i32, Begin)>, Doubt>> {
    let (from, to) = (pair.from?, pair.to?);
    let told = to.ends.as_ref()?;
    let ends: BTreeMap<i32, Option<i64>> = (0..from.partitions)
        .map(|index| {
            let partition = index as i32;
            // one that is yet to be added is empty
            let end = told.get(&partition).copied();
            let end = end.or_else(|| (index >= to.partitions).then_some(0));
            (partition, end)
        })
        .collect();
    Some(begins(released, to.id == released.source_topic_id, &ends))
}

#[cfg(test)]
mod tests {
    use register::HandedOver;

    use super::*;
    use crate::proof::evidence::{Filled, TopicEvidence};
    use crate::proof::testbed::{Bed, topic};

    /// What the promoted mirror `there` said on `a` about its topic `t`, filled from that of `b`: how far each partition of
    /// that was copied, and where this one ended then.
    fn there(ends: &[(i64, Option<i64>)]) -> Filled {
        let ends = ends
            .iter()
            .map(|&(source_offset, target_offset)| HandedOver {
                source_offset,
                target_offset,
            });
        Filled {
            mirror: "there".to_owned(),
            source_cluster_id: "b".to_owned(),
            source_topic: "t".to_owned(),
            target_topic: "t".to_owned(),
            origins: vec!["b".to_owned()],
            promoted: true,
            released: Some(Released {
                at_ms: 1_763_740_800_000,
                source_topic_id: "old".to_owned(),
                partitions: Some((0..).zip(ends).collect()),
            }),
        }
    }

    /// The way back `m` from `a` to `b`, whose topic ends there now.
    fn bed(settings: &str, said: Filled, ends: &[i64]) -> Bed {
        let partitions =
            |topic: &mut (String, TopicEvidence)| topic.1.partitions = ends.len() as u32;
        let (mut here, mut old) = (topic("t", &[]), topic("t", &[]));
        partitions(&mut here);
        partitions(&mut old);
        old.1.id = "old".to_owned();
        old.1.ends = Some((0..).zip(ends.iter().copied()).collect());
        let mut bed = Bed::new(settings).source(here).target(old);
        bed.site("a").filled = Ok(vec![said]);
        bed
    }

    const REFUSED: FindingId = FindingId::WayBackRefused;
    const INCOMPLETE: FindingId = FindingId::WayBackIncomplete;

    #[test]
    fn a_way_back_that_will_be_refused_is_said_with_its_offsets() {
        let diverged = bed("", there(&[(100, Some(100)), (7, Some(7))]), &[103, 7]);
        let cases = diverged.cases(REFUSED);
        assert_eq!(cases.len(), 1, "{cases:?}");
        assert_eq!(cases[0].0, Severity::Blocked);
        for words in ["t of a:", "copied to offset 100 and ends at 103"] {
            assert!(cases[0].1.contains(words), "{words} in {cases:?}");
        }
        let finding = diverged.judge().into_iter().find(|it| it.id == REFUSED);
        let hint = finding.and_then(|it| it.hint).expect("a hint");
        for words in ["2025-11-21T16:00:00Z", "`--exclude mirror.m`"] {
            assert!(hint.contains(words), "{words} in {hint}");
        }
        // as it is told
        let told = bed("startOffset: latest", there(&[(100, Some(100))]), &[103]);
        assert_eq!(told.cases(REFUSED), []);
        assert!(told.cases(INCOMPLETE)[0].1.contains("ends at 103"));
    }

    /// The replicator asks again.
    #[test]
    fn an_end_that_is_not_told_blocks_nothing() {
        let mut bed = bed("", there(&[(100, Some(100)), (7, Some(7))]), &[100, 7]);
        let old = bed.site("b").topics.get_mut("t").expect("it is there");
        old.ends = Some([(0, 100)].into());
        assert_eq!(bed.cases(REFUSED), []);
        let untold = bed.cases(FindingId::NotProven);
        assert_eq!(untold.len(), 1, "{untold:?}");
        let (severity, case) = &untold[0];
        assert_eq!(*severity, Severity::Warning);
        assert!(case.contains("where partition 1 of `t`"), "{case}");
    }

    #[test]
    fn what_others_wrote_before_is_said_to_be_left_out() {
        let foreign = bed("", there(&[(100, Some(105)), (7, Some(7))]), &[100, 7]);
        assert_eq!(foreign.cases(REFUSED), []);
        let cases = foreign.cases(INCOMPLETE);
        assert_eq!(cases.len(), 1, "{cases:?}");
        assert!(
            cases[0].1.contains("partition 0: It ended at offset 105"),
            "{cases:?}"
        );
    }

    #[test]
    fn a_way_back_that_can_begin_or_has_begun_needs_no_word() {
        let silent = |bed: &Bed| bed.cases(REFUSED).is_empty() && bed.cases(INCOMPLETE).is_empty();
        let (clear, late) = ([(100, Some(100))], [(100, Some(105))]);
        assert!(silent(&bed("", there(&clear), &[100])));
        // filled anew
        assert!(silent(&bed("", there(&late), &[0])));
        let mut begun = bed("", there(&clear), &[105]);
        assert!(!silent(&begun));
        let own = Filled {
            mirror: "m".to_owned(),
            source_cluster_id: "a".to_owned(),
            released: None,
            ..there(&clear)
        };
        begun.site("b").filled = Ok(vec![own]);
        assert!(silent(&begun), "it grows by what is copied");
    }
}
