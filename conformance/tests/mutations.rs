//! A verifier that cannot fail is worthless: each mutant of a clean history has to be caught by
//! the checks it concerns and by no other, and clean histories raise no alarm.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use conformance::{
    CheckResult, ConfigFact, Delivery, Generator, Journal, Panel, PartitionRule, RangeSet, Record,
    RecordId, ReplayBound, STAMP_HEADER, Scope, TimestampKind, TopicFacts, Verdict, WorkloadSpec,
    default_config_exclusions, topic_creation,
};
use proptest::prelude::*;

const PARTITIONS: i32 = 3;
const PER_STREAM: u64 = 400;

/// A record as it lies on the target.
#[derive(Debug, Clone)]
struct Lying {
    partition: i32,
    record: Record,
}

fn journal(seed: u64) -> Journal {
    let records = PER_STREAM * PARTITIONS as u64;
    let spec = WorkloadSpec::new("orders", records, seed);
    let mut journal = Journal::planned(spec, PARTITIONS, 1_760_000_000_000, seed + 77);
    for stream in &mut journal.streams {
        stream.written = PER_STREAM;
        stream.acknowledged = RangeSet::span(0, PER_STREAM);
    }
    journal
}

/// The target of a perfect mirror: each partition in order.
fn clean(journal: &Journal) -> Vec<Lying> {
    let mut generator = Generator::new(journal);
    let mut history = Vec::new();
    for (number, stream) in journal.streams.iter().enumerate() {
        for sequence in 0..stream.written {
            let record = generator.record(RecordId {
                stream: number as u32,
                sequence,
            });
            history.push(Lying {
                partition: stream.partition,
                record,
            });
        }
    }
    history
}

fn bound(delivery: Delivery) -> ReplayBound {
    ReplayBound {
        delivery,
        window: 50,
        restarts: Some(2),
    }
}

fn judge(journal: &Journal, history: &[Lying], delivery: Delivery) -> Vec<CheckResult> {
    let scope = Scope {
        journal,
        target_topic: Arc::from("copy"),
    };
    let mut panel = Panel::new(&scope, bound(delivery), PartitionRule::Same, true);
    let mut offsets = BTreeMap::<i32, i64>::new();
    for lying in history {
        let offset = offsets.entry(lying.partition).or_default();
        panel.observe(lying.partition, *offset, &lying.record.view());
        *offset += 1;
    }
    panel.finish("orders → copy")
}

fn failed(results: &[CheckResult]) -> BTreeSet<&str> {
    results
        .iter()
        .filter(|result| matches!(result.verdict, Verdict::Fail { .. }))
        .map(|result| result.id.as_str())
        .collect()
}

fn find<'r>(results: &'r [CheckResult], id: &str) -> &'r CheckResult {
    results.iter().find(|result| result.id == id).unwrap()
}

/// Finds the first record at or after `from` that `fits`.
fn at(history: &[Lying], from: usize, fits: impl Fn(&Record) -> bool) -> usize {
    (from..history.len())
        .find(|index| fits(&history[*index].record))
        .unwrap()
}

type Mutate = fn(&mut Vec<Lying>);

/// Every mutant of one check, and which checks have to fail at it.
fn expect(mutants: &[(&str, Delivery, Mutate, &[&str])]) {
    let journal = journal(11);
    for (name, delivery, mutate, guilty) in mutants {
        let mut history = clean(&journal);
        mutate(&mut history);
        let results = judge(&journal, &history, *delivery);
        let guilty: BTreeSet<&str> = guilty.iter().copied().collect();
        assert_eq!(failed(&results), guilty, "{name}: {results:#?}");
        for result in &results {
            if let Verdict::Fail {
                failures,
                counterexample,
            } = &result.verdict
            {
                assert!(*failures > 0, "{name}");
                assert!(
                    counterexample.target.is_some() || result.id == "complete",
                    "{name}: a counterexample without its place: {counterexample:?}"
                );
            }
        }
    }
}

const ONCE: Delivery = Delivery::ExactlyOnce;
const AGAIN: Delivery = Delivery::AtLeastOnce;

#[test]
fn complete_catches_lost_records() {
    expect(&[
        ("one lost", AGAIN, |h| drop(h.remove(500)), &["complete"]),
        (
            "the first lost",
            AGAIN,
            |h| drop(h.remove(0)),
            &["complete"],
        ),
        ("the last lost", AGAIN, |h| drop(h.pop()), &["complete"]),
        (
            "a stretch lost",
            AGAIN,
            |h| drop(h.drain(450..480)),
            &["complete"],
        ),
        (
            "a partition lost",
            AGAIN,
            |h| h.retain(|l| l.partition != 1),
            &["complete"],
        ),
        (
            "one lost, its neighbour twice: the count is right",
            AGAIN,
            |h| h[500] = h[499].clone(),
            &["complete"],
        ),
    ]);
}

#[test]
fn order_catches_records_out_of_order() {
    expect(&[
        (
            "neighbours swapped",
            AGAIN,
            |h| h.swap(100, 101),
            &["order"],
        ),
        ("far ones swapped", ONCE, |h| h.swap(10, 300), &["order"]),
        (
            "one late",
            AGAIN,
            |h| {
                let late = h.remove(600);
                h.insert(640, late);
            },
            &["order"],
        ),
        (
            "one early",
            AGAIN,
            |h| {
                let early = h.remove(640);
                h.insert(600, early);
            },
            &["order"],
        ),
        (
            "a batch backwards",
            AGAIN,
            |h| h[800..816].reverse(),
            &["order"],
        ),
    ]);
}

/// Writes the `length` records before `end` once more at `end`.
fn replay(history: &mut Vec<Lying>, end: usize, length: usize) {
    let again = history[end - length..end].to_vec();
    history.splice(end..end, again);
}

#[test]
fn duplicates_catches_too_many() {
    expect(&[
        (
            "one repeat, exactly-once",
            ONCE,
            |h| replay(h, 200, 1),
            &["duplicates"],
        ),
        (
            "the last once more, exactly-once",
            ONCE,
            |h| replay(h, 400, 1),
            &["duplicates"],
        ),
        (
            "a replay over the bound",
            AGAIN,
            |h| replay(h, 200, 51),
            &["duplicates"],
        ),
        (
            "a whole partition again",
            AGAIN,
            |h| replay(h, 1200, 400),
            &["duplicates"],
        ),
        (
            "three replays at two restarts",
            AGAIN,
            |h| {
                replay(h, 300, 5);
                replay(h, 200, 5);
                replay(h, 100, 5);
            },
            &["duplicates"],
        ),
        (
            "the same stretch three times more at two restarts",
            AGAIN,
            |h| {
                replay(h, 300, 5);
                replay(h, 305, 5);
                replay(h, 310, 5);
            },
            &["duplicates"],
        ),
    ]);
}

#[test]
fn repeats_within_the_bound_are_counted_and_fine() {
    let journal = journal(3);
    let mut history = clean(&journal);
    replay(&mut history, 700, 50);
    replay(&mut history, 300, 20);
    replay(&mut history, 100, 1);
    let results = judge(&journal, &history, AGAIN);
    assert!(failed(&results).is_empty(), "{results:#?}");
    let duplicates = find(&results, "duplicates");
    assert_eq!(duplicates.figures["duplicates"], 71);
    assert_eq!(duplicates.figures["replays"], 3);
    assert_eq!(duplicates.figures["replays-of-worst-partition"], 2);
    assert_eq!(duplicates.figures["longest-replay"], 50);
    let Verdict::Pass { evidence } = &duplicates.verdict else {
        panic!("{duplicates:?}")
    };
    assert_eq!(
        evidence,
        "71 duplicates in 3 replays, longest 50; each replay is within 50, and no partition has \
         more of them than the 2 restarts"
    );
}

#[test]
fn payload_catches_altered_records() {
    fn full(history: &[Lying]) -> usize {
        at(history, 500, |r| {
            r.key.as_ref().is_some_and(|k| !k.is_empty())
                && r.value.as_ref().is_some_and(|v| v.len() > 8)
                && r.headers.len() > 2
                && r.headers[0] != r.headers[1]
        })
    }
    fn alter(history: &mut [Lying], change: fn(&mut Record)) {
        let index = full(history);
        change(&mut history[index].record);
    }
    expect(&[
        (
            "a byte of the key",
            AGAIN,
            |h| alter(h, |r| r.key.as_mut().unwrap()[0] ^= 1),
            &["payload"],
        ),
        (
            "no key",
            AGAIN,
            |h| alter(h, |r| r.key = None),
            &["payload"],
        ),
        (
            "a bit of the value",
            AGAIN,
            |h| alter(h, |r| r.value.as_mut().unwrap()[7] ^= 0x80),
            &["payload"],
        ),
        (
            "a value cut short",
            AGAIN,
            |h| alter(h, |r| r.value.as_mut().unwrap().truncate(3)),
            &["payload"],
        ),
        (
            "a value become null",
            AGAIN,
            |h| alter(h, |r| r.value = None),
            &["payload"],
        ),
        (
            "null become empty",
            AGAIN,
            |h| {
                let index = at(h, 0, |r| r.value.is_none());
                h[index].record.value = Some(Vec::new());
            },
            &["payload"],
        ),
        (
            "empty become null",
            AGAIN,
            |h| {
                let index = at(h, 0, |r| r.value == Some(Vec::new()));
                h[index].record.value = None;
            },
            &["payload"],
        ),
        (
            "null key become empty",
            AGAIN,
            |h| {
                let index = at(h, 0, |r| r.key.is_none());
                h[index].record.key = Some(Vec::new());
            },
            &["payload"],
        ),
        (
            "null header become empty",
            AGAIN,
            |h| {
                let index = at(h, 0, |r| r.headers.iter().any(|header| header.1.is_none()));
                let header = h[index].record.headers.iter_mut().find(|h| h.1.is_none());
                header.unwrap().1 = Some(Vec::new());
            },
            &["payload"],
        ),
        (
            "a header lost",
            AGAIN,
            |h| alter(h, |r| drop(r.headers.remove(0))),
            &["payload"],
        ),
        (
            "headers swapped",
            AGAIN,
            |h| alter(h, |r| r.headers.swap(0, 1)),
            &["payload"],
        ),
        (
            "a header renamed",
            AGAIN,
            |h| alter(h, |r| r.headers[0].0.push('s')),
            &["payload"],
        ),
        (
            "a header added before",
            AGAIN,
            |h| alter(h, |r| r.headers.insert(0, ("origin".into(), None))),
            &["payload"],
        ),
        (
            "a header added behind",
            AGAIN,
            |h| alter(h, |r| r.headers.push(("origin".into(), None))),
            &["payload"],
        ),
        (
            "values exchanged",
            AGAIN,
            |h| {
                let value = h[20].record.value.clone();
                h[20].record.value = std::mem::replace(&mut h[41].record.value, value);
            },
            &["payload"],
        ),
        // without its stamp a record is not found either
        (
            "the stamp lost",
            AGAIN,
            |h| alter(h, |r| r.headers.retain(|header| header.0 != STAMP_HEADER)),
            &["complete", "payload"],
        ),
        (
            "the stamp cut short",
            AGAIN,
            |h| {
                alter(h, |r| {
                    r.headers
                        .last_mut()
                        .unwrap()
                        .1
                        .as_mut()
                        .unwrap()
                        .truncate(36);
                });
            },
            &["complete", "payload"],
        ),
        (
            "the hash in the stamp altered",
            AGAIN,
            |h| {
                alter(h, |r| {
                    r.headers.last_mut().unwrap().1.as_mut().unwrap()[36] ^= 1;
                });
            },
            &["payload"],
        ),
    ]);
}

#[test]
fn timestamp_catches_shifted_times() {
    expect(&[
        (
            "a millisecond later",
            AGAIN,
            |h| h[5].record.timestamp.millis += 1,
            &["timestamp"],
        ),
        (
            "the wall clock",
            AGAIN,
            |h| {
                for lying in h {
                    lying.record.timestamp.millis = 1_760_000_009_999;
                }
            },
            &["timestamp"],
        ),
        (
            "log-append time",
            AGAIN,
            |h| h[900].record.timestamp.kind = TimestampKind::LogAppend,
            &["timestamp"],
        ),
        (
            "none",
            AGAIN,
            |h| {
                h[900].record.timestamp.kind = TimestampKind::Absent;
                h[900].record.timestamp.millis = -1;
            },
            &["timestamp"],
        ),
        (
            "seconds instead of milliseconds",
            AGAIN,
            |h| h[7].record.timestamp.millis /= 1000,
            &["timestamp"],
        ),
    ]);
}

#[test]
fn partition_map_catches_misplaced_records() {
    expect(&[
        (
            "one misplaced",
            AGAIN,
            |h| h[3].partition = 2,
            &["partition-map"],
        ),
        (
            "two exchanged across partitions",
            ONCE,
            |h| {
                let (one, other) = (h[100].clone(), h[500].clone());
                h[100].record = other.record;
                h[500].record = one.record;
            },
            &["partition-map"],
        ),
        (
            "two partitions exchanged",
            ONCE,
            |h| {
                for lying in h {
                    lying.partition = match lying.partition {
                        0 => 1,
                        1 => 0,
                        other => other,
                    };
                }
            },
            &["partition-map"],
        ),
        (
            "a partition folded into another",
            AGAIN,
            |h| {
                for lying in h.iter_mut().filter(|lying| lying.partition == 2) {
                    lying.partition = 0;
                }
            },
            &["partition-map"],
        ),
    ]);
}

#[test]
fn topic_creation_catches_what_is_missing_or_different() {
    fn facts(partitions: i32, config: &[(&str, &str, bool)]) -> TopicFacts {
        let config = config.iter().map(|(name, value, set)| {
            let fact = ConfigFact {
                value: Some((*value).to_owned()),
                set_on_topic: *set,
            };
            ((*name).to_owned(), fact)
        });
        TopicFacts {
            partitions,
            config: Ok(config.collect()),
        }
    }
    let source = facts(
        8,
        &[
            ("cleanup.policy", "compact", true),
            ("retention.ms", "1000", true),
            ("min.insync.replicas", "2", true),
            ("segment.bytes", "1073741824", false),
        ],
    );
    let cases: [(&str, Option<TopicFacts>, &str); 9] = [
        ("equal", Some(source.clone()), "pass"),
        (
            "excluded and default settings differ",
            Some(facts(
                8,
                &[
                    ("cleanup.policy", "compact", true),
                    ("retention.ms", "1000", true),
                    ("min.insync.replicas", "1", true),
                    ("segment.bytes", "5", false),
                ],
            )),
            "pass",
        ),
        (
            "equal by the broker's default",
            Some(facts(
                8,
                &[
                    ("cleanup.policy", "compact", true),
                    ("retention.ms", "1000", false),
                ],
            )),
            "pass",
        ),
        ("missing", None, "no such topic"),
        (
            "created with the broker's default",
            Some(facts(1, &[])),
            "1 partition",
        ),
        (
            "one partition more",
            Some(TopicFacts {
                partitions: 9,
                ..source.clone()
            }),
            "9 partitions",
        ),
        (
            "a setting with another value",
            Some(facts(
                8,
                &[
                    ("cleanup.policy", "compact", true),
                    ("retention.ms", "1001", true),
                ],
            )),
            "retention.ms=1001",
        ),
        (
            "a setting missing",
            Some(facts(8, &[("cleanup.policy", "compact", true)])),
            "no retention.ms",
        ),
        (
            "not readable",
            Some(TopicFacts {
                partitions: 8,
                config: Err("denied".to_owned()),
            }),
            "inconclusive",
        ),
    ];
    for (name, target, expected) in cases {
        let exclusions = default_config_exclusions();
        let result = topic_creation("a → b", &source, target.as_ref(), &exclusions, 5);
        let found = match &result.verdict {
            Verdict::Pass { .. } => "pass",
            Verdict::Fail { counterexample, .. } => &counterexample.found,
            Verdict::Inconclusive { .. } => "inconclusive",
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn an_empty_target_is_incomplete_and_says_nothing_about_the_rest() {
    let journal = journal(5);
    let results = judge(&journal, &[], AGAIN);
    assert_eq!(failed(&results), BTreeSet::from(["complete"]));
    let open = results
        .iter()
        .filter(|r| matches!(r.verdict, Verdict::Inconclusive { .. }))
        .count();
    assert_eq!(open, results.len() - 1);
}

#[test]
fn writes_of_unknown_fate_may_be_there_or_not() {
    let mut journal = journal(5);
    let whole = clean(&journal);
    journal.streams[1].acknowledged = RangeSet::span(0, 398);
    journal.streams[1].unknown = RangeSet::span(398, 400);
    let complete = judge(&journal, &whole, ONCE);
    assert!(failed(&complete).is_empty(), "{complete:#?}");
    let without: Vec<Lying> = whole
        .iter()
        .enumerate()
        .filter(|(i, _)| ![798, 799].contains(i))
        .map(|(_, l)| l.clone())
        .collect();
    let results = judge(&journal, &without, ONCE);
    assert!(failed(&results).is_empty(), "{results:#?}");
    assert_eq!(find(&results, "complete").figures["unknown-writes"], 2);
    assert_eq!(find(&results, "complete").figures["unknown-writes-seen"], 0);
}

#[test]
fn records_of_another_run_are_left_alone() {
    let (ours, theirs) = (journal(5), journal(6));
    let mut history = clean(&theirs);
    history.extend(clean(&ours));
    history.extend(clean(&theirs));
    let results = judge(&ours, &history, ONCE);
    assert!(failed(&results).is_empty(), "{results:#?}");
    assert_eq!(find(&results, "payload").figures["other-runs"], 2400);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any interleaving of the partitions and any replays within the bound raise no alarm.
    #[test]
    fn clean_histories_raise_no_alarm(
        seed in 0..u64::MAX - 77,
        picks in prop::collection::vec(0_usize..3, 1200),
        replays in prop::collection::btree_map(0_i32..3, (60_usize..400, 1_usize..50), 0..3),
    ) {
        let journal = journal(seed);
        let mut lanes: Vec<Vec<Lying>> = vec![Vec::new(); 3];
        for lying in clean(&journal) {
            lanes[lying.partition as usize].push(lying);
        }
        for (partition, (end, length)) in replays {
            replay(&mut lanes[partition as usize], end, length);
        }
        let mut lanes: Vec<_> = lanes.into_iter().map(Vec::into_iter).collect();
        let mut history = Vec::new();
        for pick in picks {
            history.extend(lanes[pick].next());
        }
        for lane in lanes {
            history.extend(lane);
        }
        let results = judge(&journal, &history, AGAIN);
        prop_assert!(results.iter().all(|r| matches!(r.verdict, Verdict::Pass { .. })), "{:#?}", results);
    }

    /// Wherever a record is lost, `complete` and nothing else names it.
    #[test]
    fn any_lost_record_is_named(seed in 0..u64::MAX - 77, index in 0_usize..1200) {
        let journal = journal(seed);
        let mut history = clean(&journal);
        history.remove(index);
        let results = judge(&journal, &history, ONCE);
        prop_assert_eq!(failed(&results), BTreeSet::from(["complete"]));
        let Verdict::Fail { failures, counterexample } = &find(&results, "complete").verdict else {
            panic!("passed");
        };
        let lost = RecordId { stream: (index / 400) as u32, sequence: (index % 400) as u64 };
        prop_assert_eq!((*failures, counterexample.record), (1, Some(lost)));
    }
}
