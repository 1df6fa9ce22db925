//! From where on partitions were copied, judged once more by a look at every record.

use proptest::prelude::*;

use super::lane::{ONCE, WITHIN, figure, finish, original, result, walk};
use crate::compare::entry::TimestampRule;
use crate::compare::judge::{Judge, Starts};
use crate::notes::{GapKind, NotedGap, NotedPosition, TopicNotes};
use crate::record::Record;
use crate::verdict::Verdict;

/// A partition: how many records it has on the source, which of them the target holds, where its walk began, and which
/// places the mirror has reported as gaps.
#[derive(Debug, Clone)]
struct Partition {
    records: usize,
    kept: Vec<bool>,
    starts: Starts,
    reported: Vec<bool>,
}

const MOST: usize = 40;

fn partition() -> impl Strategy<Value = Partition> {
    let kept = prop_oneof![
        // from the first on, from somewhere on, and here and there
        Just(vec![true; MOST]),
        (0..MOST).prop_map(|from| (0..MOST).map(|at| at >= from).collect()),
        prop::collection::vec(any::<bool>(), MOST),
    ];
    let starts = prop_oneof![
        4 => Just((false, false)),
        1 => Just((true, false)),
        1 => Just((false, true)),
    ];
    let reported = prop_oneof![
        2 => Just(vec![false; MOST]),
        1 => prop::collection::vec(any::<bool>(), MOST),
    ];
    (0..MOST, kept, starts, reported).prop_map(
        |(records, kept, (target_is_cut, chosen), reported)| Partition {
            records,
            kept,
            starts: Starts {
                target_is_cut,
                chosen,
                ..Starts::default()
            },
            reported,
        },
    )
}

/// Records before the first one that the target has, of partitions whose beginning there is to see.
fn not_copied(partitions: &[Partition]) -> u64 {
    let mut missing = 0;
    for it in partitions {
        if it.starts.target_is_cut || it.starts.chosen {
            continue;
        }
        for place in 0..it.records {
            if it.kept[place] {
                break;
            }
            missing += u64::from(!it.reported[place]);
        }
    }
    missing
}

fn notes(partitions: &[Partition]) -> TopicNotes {
    let mut notes = TopicNotes::default();
    for (number, it) in (0_i32..).zip(partitions) {
        let position = NotedPosition {
            offset: 2 * MOST as i64,
            target_topic: "b".to_owned(),
            source_topic_id: "id".to_owned(),
            target_offset: None,
            stopped: None,
        };
        notes.positions.insert(number, position);
        for (place, _) in it.reported.iter().enumerate().filter(|it| *it.1) {
            // offsets are twice the places
            let from = 2 * place as i64;
            notes.gaps.push(NotedGap {
                partition: number,
                kind: GapKind::Deleted,
                source_topic_id: "id".to_owned(),
                from,
                to: Some(from + 1),
                resumed_at: from + 1,
            });
        }
    }
    notes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn it_agrees_with_a_look_at_every_record(partitions in prop::collection::vec(partition(), 1..4)) {
        let count = partitions.len() as i32;
        let mut judge = Judge::new("a", "b", WITHIN, count, Some(count));
        for (number, it) in (0_i32..).zip(&partitions) {
            let ours = original(it.records);
            let theirs: Vec<Record> = ours.iter().zip(&it.kept).filter(|it| *it.1).map(|it| it.0.clone()).collect();
            judge.add(number, it.starts, walk(&ours, &theirs, ONCE, TimestampRule::Exact));
        }
        judge.noted(notes(&partitions));
        let results = finish(&judge, &[], &[]);
        let missing = not_copied(&partitions);
        prop_assert_eq!(figure(&results, "partition-growth", "lost-before-the-first"), missing, "{:#?}", results);
        let copied = partitions.iter().any(|it| it.kept[..it.records].contains(&true));
        let fails = matches!(result(&results, "partition-growth"), Verdict::Fail { .. });
        // a target without any record is `count`'s
        prop_assert_eq!(fails, copied && missing > 0, "{:#?}", results);
        let hidden = partitions.iter().filter(|it| it.starts.target_is_cut || it.starts.chosen).count();
        if hidden == 0 && missing == 0 && copied {
            let passes = matches!(result(&results, "partition-growth"), Verdict::Pass { .. });
            prop_assert!(passes, "{:#?}", results);
        }
    }
}
