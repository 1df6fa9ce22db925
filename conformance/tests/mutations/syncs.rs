//! What `MirrorMaker` 2 says are the same records.

use std::collections::BTreeSet;

use conformance::{CheckResult, SyncedOffset, Verdict, offset_syncs_hold};
use proptest::prelude::*;

fn result_of(result: &CheckResult) -> &'static str {
    match &result.verdict {
        Verdict::Pass { .. } => "pass",
        Verdict::Fail { .. } => "fail",
        Verdict::Inconclusive { .. } => "inconclusive",
    }
}

fn judged(offsets: &[SyncedOffset]) -> CheckResult {
    offset_syncs_hold("a → b", ("a", "b"), offsets)
}

fn sync(source: i64, target: i64, same: Option<bool>) -> SyncedOffset {
    SyncedOffset {
        partition: 0,
        source,
        target,
        target_end: 40,
        same,
    }
}

#[test]
fn offset_map_catches_syncs_that_are_not_true() {
    let yes = Some(true);
    let cases: [(&str, &[SyncedOffset], &str); 9] = [
        ("true", &[sync(1, 1, yes), sync(20, 25, yes)], "pass"),
        (
            "in another order",
            &[sync(20, 25, yes), sync(1, 1, yes)],
            "pass",
        ),
        (
            "shifted by one",
            &[sync(1, 1, yes), sync(20, 26, Some(false))],
            "fail",
        ),
        (
            "all shifted",
            &[sync(1, 2, Some(false)), sync(20, 26, Some(false))],
            "fail",
        ),
        (
            "two at one place",
            &[sync(1, 25, yes), sync(20, 25, yes)],
            "fail",
        ),
        ("falling", &[sync(1, 25, yes), sync(20, 24, yes)], "fail"),
        ("at the end", &[sync(1, 1, yes), sync(20, 40, None)], "fail"),
        (
            "one is gone",
            &[sync(1, 1, None), sync(20, 25, yes)],
            "pass",
        ),
        ("all are gone", &[sync(1, 1, None)], "inconclusive"),
    ];
    for (name, offsets, expected) in cases {
        let result = judged(offsets);
        assert_eq!(result_of(&result), expected, "{name}: {result:?}");
    }
    assert_eq!(result_of(&judged(&[])), "inconclusive");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Two logs of numbers; a sync is a pair of places in them.
    #[test]
    fn it_agrees_with_a_look_into_both_logs(
        theirs in prop::collection::vec(0_u8..30, 1..40),
        syncs in prop::collection::btree_map(0_i64..30, 0_i64..42, 0..8),
    ) {
        let end = theirs.len() as i64;
        let facts = syncs.iter().map(|(&source, &target)| SyncedOffset {
            partition: 0,
            source,
            target,
            target_end: end,
            // the source holds its own offsets as records
            same: theirs.get(target as usize).map(|it| i64::from(*it) == source),
        });
        let facts: Vec<SyncedOffset> = facts.collect();
        let mut wrong = BTreeSet::new();
        for (number, (source, target)) in syncs.iter().enumerate() {
            let found = theirs.get(*target as usize);
            if found.is_none_or(|found| i64::from(*found) != *source) {
                wrong.insert(number);
            }
            if number > 0 && syncs.values().nth(number - 1).unwrap() >= target {
                wrong.insert(number);
            }
        }
        let result = judged(&facts);
        let expected = match (syncs.is_empty(), wrong.is_empty()) {
            (true, _) => "inconclusive",
            (false, true) => "pass",
            (false, false) => "fail",
        };
        prop_assert_eq!(result_of(&result), expected, "{:?}", result);
    }
}
