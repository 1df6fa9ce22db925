//! A topic that was created again, and what a mirror has noted about it.

use std::collections::BTreeMap;

use conformance::{
    CheckResult, GapKind, NotedGap, NotedPosition, TopicNotes, Verdict, topic_reset,
};
use proptest::prelude::*;

fn result_of(result: &CheckResult) -> &'static str {
    match &result.verdict {
        Verdict::Pass { .. } => "pass",
        Verdict::Fail { .. } => "fail",
        Verdict::Inconclusive { .. } => "inconclusive",
    }
}

fn position(topic: &str, offset: i64) -> NotedPosition {
    NotedPosition {
        offset,
        target_topic: "b".to_owned(),
        source_topic_id: topic.to_owned(),
        target_offset: None,
        stopped: None,
    }
}

fn gone(partition: i32, topic: &str, from: i64) -> NotedGap {
    NotedGap {
        partition,
        kind: GapKind::TopicReset,
        source_topic_id: topic.to_owned(),
        from,
        to: None,
        resumed_at: 0,
    }
}

fn judged(positions: &[NotedPosition], gaps: &[NotedGap], ends: &[i64]) -> CheckResult {
    let notes = TopicNotes {
        positions: (0..).zip(positions.iter().cloned()).collect(),
        gaps: gaps.to_vec(),
    };
    let ends: BTreeMap<i32, i64> = (0..).zip(ends.iter().copied()).collect();
    topic_reset("a → b", "a", &notes, &ends)
}

#[test]
fn topic_reset_catches_positions_of_a_topic_that_is_gone() {
    let stopped = NotedPosition {
        stopped: Some("the topic was recreated".to_owned()),
        ..position("first", 90)
    };
    let at = |offset| position("first", offset);
    let cases: [(&str, CheckResult, &str); 12] = [
        (
            "caught up",
            judged(&[at(90), at(70)], &[], &[90, 70]),
            "pass",
        ),
        ("behind", judged(&[at(80)], &[], &[90]), "pass"),
        ("created again, empty", judged(&[at(90)], &[], &[0]), "fail"),
        (
            "created again, shorter",
            judged(&[at(90)], &[], &[89]),
            "fail",
        ),
        (
            "one partition of two",
            judged(&[at(90), at(70)], &[], &[90, 3]),
            "fail",
        ),
        (
            "created again with fewer partitions",
            judged(&[at(90), at(70)], &[], &[95]),
            "fail",
        ),
        (
            "it stopped, and says why",
            judged(&[stopped], &[], &[0]),
            "pass",
        ),
        (
            "begun anew, and reported",
            judged(&[position("second", 5)], &[gone(0, "first", 90)], &[7]),
            "pass",
        ),
        (
            "reported, and copied on as if nothing had happened",
            judged(&[at(91)], &[gone(0, "first", 90)], &[95]),
            "fail",
        ),
        (
            "reported, and on its way",
            judged(&[at(90)], &[gone(0, "first", 90)], &[95]),
            "inconclusive",
        ),
        (
            "one partition has begun anew, the other not yet",
            judged(
                &[position("second", 5), at(3)],
                &[gone(0, "first", 90)],
                &[7, 7],
            ),
            "inconclusive",
        ),
        ("nothing noted", judged(&[], &[], &[7]), "inconclusive"),
    ];
    for (name, result, expected) in cases {
        assert_eq!(result_of(&result), expected, "{name}: {result:?}");
    }
    let Verdict::Fail {
        failures,
        counterexample,
    } = judged(&[at(90), at(70)], &[], &[3, 4]).verdict
    else {
        panic!("passed");
    };
    assert_eq!(failures, 2);
    assert_eq!(counterexample.source.unwrap().offset, 3);
}

/// A position, its topic, whether it says why it stopped, how many records the source partition has.
type Row = (i64, u8, bool, i64);

fn guilty(rows: &[Row], resets: &[(usize, u8, i64)]) -> u64 {
    let mut wrong = 0;
    for (offset, _, stopped, end) in rows {
        // every offset below the position has to be one that the source gave out
        let unknown = (0..*offset).any(|it| it >= *end);
        wrong += u64::from(unknown && !stopped);
    }
    for (partition, topic, from) in resets {
        if let Some((offset, now, ..)) = rows.get(*partition) {
            wrong += u64::from(now == topic && offset != from);
        }
    }
    wrong
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn topic_reset_agrees_with_a_look_at_every_offset(
        rows in prop::collection::vec((0_i64..12, 0_u8..3, any::<bool>(), 0_i64..12), 1..5),
        resets in prop::collection::vec((0_usize..5, 0_u8..3, 0_i64..12), 0..4),
    ) {
        let names = ["x", "y", "z"];
        let positions: Vec<NotedPosition> = rows.iter().map(|(offset, topic, stopped, _)| NotedPosition {
            stopped: stopped.then(|| "why".to_owned()),
            ..position(names[*topic as usize], *offset)
        }).collect();
        let ends: Vec<i64> = rows.iter().map(|it| it.3).collect();
        let gaps: Vec<NotedGap> = resets.iter().map(|(partition, topic, from)| gone(*partition as i32, names[*topic as usize], *from)).collect();
        let result = judged(&positions, &gaps, &ends);
        let found = match &result.verdict {
            Verdict::Fail { failures, .. } => *failures,
            Verdict::Pass { .. } | Verdict::Inconclusive { .. } => 0,
        };
        prop_assert_eq!(found, guilty(&rows, &resets), "{:?}", result);
    }
}
