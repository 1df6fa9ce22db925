//! What a mirror promises beyond its records: settings, reports of gaps, large records, translated offsets, deletes, hops.

use std::collections::BTreeMap;

use conformance::{
    CheckResult, ConfigFact, CopiedTopic, GapKind, LostRecord, MappedOffset, MissingFacts,
    NotedGap, NotedPosition, OversizeFacts, TopicFacts, TopicNotes, Verdict, config_sync,
    delete_policy, offset_map, one_hop, oversize, retention_gap, retention_gap_of_missing,
};
use proptest::prelude::*;

use crate::history::journal;

/// What a check says: `pass`, `inconclusive`, or what was found.
fn said(result: &CheckResult) -> String {
    match &result.verdict {
        Verdict::Pass { .. } => "pass".to_owned(),
        Verdict::Inconclusive { .. } => "inconclusive".to_owned(),
        Verdict::Fail { counterexample, .. } => counterexample.found.clone(),
    }
}

type Settings<'s> = &'s [(&'s str, &'s str, bool)];

fn topic(settings: Settings<'_>) -> TopicFacts {
    let config = settings.iter().map(|(name, value, set_on_topic)| {
        let fact = ConfigFact {
            value: Some((*value).to_owned()),
            set_on_topic: *set_on_topic,
        };
        ((*name).to_owned(), fact)
    });
    TopicFacts {
        partitions: 1,
        config: Ok(config.collect()),
    }
}

#[test]
fn config_sync_catches_settings_that_did_not_follow() {
    let source: Settings<'_> = &[
        ("cleanup.policy", "compact", true),
        ("retention.ms", "1000", true),
        ("min.insync.replicas", "2", true),
        ("segment.bytes", "100", false),
    ];
    let cases: [(&str, Settings<'_>, &str); 8] = [
        ("equal", source, "pass"),
        (
            "what is excluded or only a default differs",
            &[
                ("cleanup.policy", "compact", true),
                ("retention.ms", "1000", false),
                ("min.insync.replicas", "1", true),
                ("segment.bytes", "5", false),
            ],
            "pass",
        ),
        (
            "more is set on the target",
            &[
                ("cleanup.policy", "compact", true),
                ("retention.ms", "1000", true),
                ("max.message.bytes", "9", true),
            ],
            "pass",
        ),
        (
            "one value stayed behind",
            &[
                ("cleanup.policy", "compact", true),
                ("retention.ms", "999", true),
            ],
            "retention.ms=999",
        ),
        (
            "another policy",
            &[
                ("cleanup.policy", "delete", true),
                ("retention.ms", "1000", true),
            ],
            "cleanup.policy=delete",
        ),
        (
            "one is missing",
            &[("cleanup.policy", "compact", true)],
            "no retention.ms",
        ),
        (
            "gone back to the default",
            &[
                ("cleanup.policy", "compact", true),
                ("retention.ms", "604800000", false),
            ],
            "retention.ms=604800000",
        ),
        ("none is set", &[], "no cleanup.policy"),
    ];
    let follows = |key: &str| key != "min.insync.replicas";
    for (name, target, expected) in cases {
        let result = config_sync("a → b", &topic(source), Some(&topic(target)), &follows);
        assert_eq!(said(&result), expected, "{name}");
    }
    let unread = TopicFacts {
        partitions: 1,
        config: Err("denied".to_owned()),
    };
    for (source, target) in [(&unread, Some(&unread)), (&topic(source), None)] {
        assert_eq!(
            said(&config_sync("a → b", source, target, &follows)),
            "inconclusive"
        );
    }
}

fn position(offset: i64) -> NotedPosition {
    NotedPosition {
        offset,
        target_topic: "b".to_owned(),
        source_topic_id: "id".to_owned(),
        target_offset: None,
        stopped: None,
    }
}

fn gap(kind: GapKind, from: i64, to: i64) -> NotedGap {
    NotedGap {
        partition: 0,
        kind,
        source_topic_id: "id".to_owned(),
        from,
        to: Some(to),
        resumed_at: to,
    }
}

fn notes(offset: i64, gaps: &[NotedGap]) -> TopicNotes {
    TopicNotes {
        positions: BTreeMap::from([(0, position(offset))]),
        gaps: gaps.to_vec(),
    }
}

#[test]
fn retention_gap_catches_reports_that_are_not_true() {
    let deleted = |from, to| gap(GapKind::Deleted, from, to);
    let resumed_early = NotedGap {
        resumed_at: 8,
        ..deleted(5, 9)
    };
    let endless = NotedGap {
        to: None,
        ..deleted(5, 9)
    };
    let of_another_topic = NotedGap {
        source_topic_id: "another".to_owned(),
        ..deleted(5, 90)
    };
    let cases: [(&str, TopicNotes, i64, &str); 10] = [
        ("nothing happened", notes(20, &[]), 0, "pass"),
        ("gone and reported", notes(20, &[deleted(5, 9)]), 9, "pass"),
        ("gone later", notes(20, &[]), 15, "pass"),
        (
            "of the topic before",
            notes(20, &[of_another_topic]),
            0,
            "pass",
        ),
        (
            "a large record is another matter",
            notes(20, &[gap(GapKind::Oversize, 5, 6)]),
            0,
            "pass",
        ),
        (
            "reported, and still there",
            notes(20, &[deleted(5, 9)]),
            5,
            "a source that begins at offset 5",
        ),
        (
            "one offset too many reported",
            notes(20, &[deleted(5, 10)]),
            9,
            "a source that begins at offset 9",
        ),
        (
            "copying went on inside",
            notes(20, &[resumed_early]),
            9,
            "offsets 5 to 9, and copying went on at 8",
        ),
        (
            "without an end",
            notes(20, &[endless]),
            9,
            "a gap from offset 5 without one",
        ),
        ("not passed yet", notes(5, &[]), 9, "inconclusive"),
    ];
    for (name, notes, first, expected) in cases {
        let result = retention_gap("a → b", "a", &notes, &BTreeMap::from([(0, first)]));
        assert_eq!(said(&result), expected, "{name}");
    }
}

#[test]
fn retention_gap_catches_what_was_skipped_without_a_report() {
    let mut journal = journal(3);
    for stream in &mut journal.streams {
        stream.anchors = vec![(0, 0)];
    }
    let judged = |missing: &[(u32, u64, u64)], first: i64, gaps: &[NotedGap]| {
        let facts = MissingFacts {
            journal: &journal,
            missing: missing.to_vec(),
            source_firsts: BTreeMap::from([(0, first), (1, first), (2, first)]),
            only_ours: true,
            notes: notes(400, gaps),
        };
        retention_gap_of_missing("a → b", &facts)
    };
    let deleted = |from, to| gap(GapKind::Deleted, from, to);
    let silent = "it neither on the source, nor on the target, nor in the ledger";
    let cases: [(&str, CheckResult, &str); 8] = [
        ("nothing missing", judged(&[], 50, &[]), "pass"),
        (
            "reported",
            judged(&[(0, 10, 50)], 50, &[deleted(10, 50)]),
            "pass",
        ),
        (
            "missing, and the source has it",
            judged(&[(0, 60, 70)], 50, &[]),
            "pass",
        ),
        ("skipped", judged(&[(0, 10, 50)], 50, &[]), silent),
        (
            "one more than reported",
            judged(&[(0, 9, 50)], 50, &[deleted(10, 50)]),
            silent,
        ),
        (
            "the last not reported",
            judged(&[(0, 10, 50)], 50, &[deleted(10, 49)]),
            silent,
        ),
        (
            "of another partition",
            judged(&[(1, 10, 50)], 50, &[deleted(10, 50)]),
            silent,
        ),
        (
            "only the first half is reported",
            judged(&[(0, 10, 20), (0, 30, 40)], 50, &[deleted(10, 20)]),
            silent,
        ),
    ];
    for (name, result, expected) in cases {
        assert_eq!(said(&result), expected, "{name}");
    }
    let result = judged(&[(0, 10, 50)], 50, &[deleted(10, 49)]);
    let Verdict::Fail {
        failures: 1,
        counterexample,
    } = result.verdict
    else {
        panic!("{result:?}");
    };
    assert_eq!(counterexample.source.unwrap().offset, 49);
}

#[test]
fn oversize_catches_large_records_that_vanished() {
    let large = |offset| LostRecord {
        partition: 0,
        offset,
        bytes: 2_000,
    };
    let small = LostRecord {
        bytes: 10,
        ..large(7)
    };
    let facts =
        |notes: TopicNotes, quarantined: &[(i32, i64)], lost: &[LostRecord]| OversizeFacts {
            notes,
            quarantined: quarantined.iter().copied().collect(),
            source_topic: "a".to_owned(),
            quarantine_topic: "b.quarantine".to_owned(),
            lost: lost.to_vec(),
            limit: Some(1_000),
        };
    let aside = |from| gap(GapKind::Oversize, from, from + 1);
    let vanished =
        "a position behind it, and no report; it has 2,000 bytes, the target topic takes 1000";
    let unkept = "a report that it was put aside, and no such record";
    let cases: [(&str, OversizeFacts, &str); 8] = [
        ("nothing large", facts(notes(20, &[]), &[], &[]), "pass"),
        (
            "put aside",
            facts(notes(20, &[aside(7)]), &[(0, 7)], &[large(7)]),
            "pass",
        ),
        (
            "the mirror stopped before it",
            facts(notes(7, &[]), &[], &[large(7)]),
            "pass",
        ),
        (
            "a small one is missing, which is not this",
            facts(notes(20, &[]), &[], &[small]),
            "pass",
        ),
        ("skipped", facts(notes(20, &[]), &[], &[large(7)]), vanished),
        (
            "skipped beside a reported one",
            facts(notes(20, &[aside(7)]), &[(0, 7)], &[large(8)]),
            vanished,
        ),
        (
            "reported and not kept",
            facts(notes(20, &[aside(7)]), &[], &[large(7)]),
            unkept,
        ),
        (
            "another one kept",
            facts(notes(20, &[aside(7)]), &[(0, 8), (1, 7)], &[]),
            unkept,
        ),
    ];
    for (name, facts, expected) in cases {
        assert_eq!(said(&oversize("a → b", &facts)), expected, "{name}");
    }
}

fn mapped(source: i64, target: i64, next: Option<(i64, i64)>) -> MappedOffset {
    MappedOffset {
        partition: 0,
        source,
        target,
        next,
        target_end: 17,
    }
}

#[test]
fn offset_map_catches_offsets_that_skip_fall_or_go_back_too_far() {
    let cases: [(&str, &[MappedOffset], &str); 10] = [
        (
            "exact",
            &[mapped(10, 7, Some((10, 7))), mapped(20, 17, Some((20, 17)))],
            "pass",
        ),
        ("a little back", &[mapped(10, 5, Some((12, 9)))], "pass"),
        ("at the end", &[mapped(10, 17, None)], "pass"),
        (
            "past the end",
            &[mapped(10, 18, None)],
            "18, which skips what comes next",
        ),
        (
            "one at the end",
            &[mapped(10, 7, Some((10, 7))), mapped(20, 17, None)],
            "pass",
        ),
        (
            "shifted by one",
            &[mapped(10, 8, Some((10, 7)))],
            "8, which skips it",
        ),
        (
            "all shifted",
            &[
                mapped(10, 107, Some((10, 7))),
                mapped(20, 117, Some((20, 17))),
            ],
            "107, which skips it",
        ),
        (
            "falling",
            &[
                mapped(10, 17, Some((10, 17))),
                mapped(20, 16, Some((20, 17))),
            ],
            "16",
        ),
        (
            "falling at the end",
            &[mapped(10, 17, Some((10, 17))), mapped(20, 16, None)],
            "16",
        ),
        (
            "too far back",
            &[mapped(10, 1, Some((10, 7)))],
            "source offset 10 translated to 1, 6 before the next record",
        ),
    ];
    for (name, offsets, expected) in cases {
        let result = offset_map("a → b", ("a", "b"), offsets, 5);
        assert_eq!(said(&result), expected, "{name}");
    }
    let elsewhere = MappedOffset {
        partition: 1,
        ..mapped(20, 1, Some((20, 1)))
    };
    let result = offset_map(
        "a → b",
        ("a", "b"),
        &[mapped(10, 7, Some((10, 7))), elsewhere],
        5,
    );
    assert_eq!(
        said(&result),
        "pass",
        "partitions have offsets of their own"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// A target that holds each record, some of them twice: the place of each is a right translation, in any order.
    #[test]
    fn right_translations_raise_no_alarm(
        steps in prop::collection::vec((1_i64..4, 1_i64..3), 1..60),
        back in prop::collection::vec(0_i64..5, 60),
        order in any::<u64>(),
    ) {
        let (mut source, mut target) = (0, 0);
        let mut offsets = Vec::new();
        let mut least = 0;
        for ((ahead, repeated), back) in steps.into_iter().zip(back) {
            source += ahead;
            target += repeated;
            least = least.max(target - back).max(0);
            offsets.push(mapped(source, least, Some((source, target))));
        }
        let middle = (order % offsets.len() as u64) as usize;
        offsets.rotate_left(middle);
        prop_assert_eq!(said(&offset_map("a → b", ("a", "b"), &offsets, 5)), "pass");
    }

    /// Whatever the ledger says truly raises no alarm, and the check agrees with a look at every single offset.
    #[test]
    fn ledgers_are_judged_as_by_every_offset(
        gaps in prop::collection::vec((0_i64..40, 1_i64..10), 0..4),
        first in 0_i64..50,
        at in 0_i64..60,
    ) {
        let ledger: Vec<NotedGap> = gaps.iter().map(|(from, length)| gap(GapKind::Deleted, *from, from + length)).collect();
        let result = retention_gap("a → b", "a", &notes(at, &ledger), &BTreeMap::from([(0, first)]));
        let untrue = gaps.iter().any(|(from, length)| (*from..from + length).any(|offset| offset >= first));
        let behind = (at..first).next().is_some_and(|offset| {
            !gaps.iter().any(|(from, length)| (*from..from + length).contains(&offset))
        });
        let expected = if untrue { "fail" } else if behind { "inconclusive" } else { "pass" };
        let found = said(&result);
        let found = if ["pass", "inconclusive"].contains(&found.as_str()) { found } else { "fail".to_owned() };
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn delete_policy_catches_copies_that_should_have_gone_or_stayed() {
    let copied = |source_is_gone, target_is_there, goes| CopiedTopic {
        source: "t".to_owned(),
        target: "a.t".to_owned(),
        source_is_gone,
        target_is_there,
        goes,
    };
    let cases = [
        ("both there", copied(false, true, true), "pass"),
        ("both there, and kept", copied(false, true, false), "pass"),
        ("deleted as declared", copied(true, false, true), "pass"),
        ("kept as declared", copied(true, true, false), "pass"),
        ("not created yet", copied(false, false, false), "pass"),
        (
            "should have gone",
            copied(true, true, true),
            "it is still there",
        ),
        (
            "should have stayed",
            copied(true, false, false),
            "it is gone",
        ),
    ];
    for (name, topic, expected) in cases {
        let topics = [copied(false, true, false), topic];
        assert_eq!(said(&delete_policy("m", &topics)), expected, "{name}");
    }
    let fine = [
        copied(true, true, false),
        copied(true, false, true),
        copied(false, true, true),
    ];
    let among = |wrong: &[CopiedTopic]| {
        let topics: Vec<CopiedTopic> = fine.iter().chain(wrong).cloned().collect();
        match delete_policy("m", &topics).verdict {
            Verdict::Fail { failures, .. } => failures,
            Verdict::Pass { .. } => 0,
            Verdict::Inconclusive { .. } => panic!("always judged"),
        }
    };
    let (stays, went) = (copied(true, true, true), copied(true, false, false));
    assert_eq!(among(&[]), 0);
    assert_eq!(
        among(std::slice::from_ref(&stays)),
        1,
        "one that stayed among others"
    );
    assert_eq!(
        among(std::slice::from_ref(&went)),
        1,
        "one that went among others"
    );
    assert_eq!(
        among(&[stays.clone(), stays.clone(), stays.clone()]),
        3,
        "none went"
    );
    assert_eq!(among(&[went.clone(), went.clone()]), 2, "all went");
    assert_eq!(among(&[stays, went]), 2, "each the other way round");
}

#[test]
fn loop_catches_what_came_back() {
    let judged = |topics: &[&str]| said(&one_hop("m", "a.b.", topics.iter().copied()));
    assert_eq!(judged(&[]), "pass");
    assert_eq!(
        judged(&["t", "a.t", "b.a.t", "a.c.t", "x.a.b.t", "a.bt"]),
        "pass"
    );
    for loops in ["a.b.t", "a.b.a.b.t", "a.b."] {
        let found = judged(&["t", loops, "a.t"]);
        assert!(
            found.starts_with(&format!("{loops}, a copy of a copy")),
            "{found}"
        );
    }
}
