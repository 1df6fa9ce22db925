//! The promises that are judged by tables of facts, judged once more offset by offset and flag by flag: both have to agree on
//! random tables.

use std::collections::{BTreeMap, BTreeSet};

use conformance::{
    CheckResult, ConfigFact, CopiedTopic, GapKind, LostRecord, NotedGap, NotedPosition,
    OversizeFacts, TopicFacts, TopicNotes, Verdict, config_sync, delete_policy, one_hop, oversize,
};
use proptest::prelude::*;

/// How often a promise was broken; `None` where nothing can be said.
fn broken(result: &CheckResult) -> Option<u64> {
    match &result.verdict {
        Verdict::Pass { .. } => Some(0),
        Verdict::Fail { failures, .. } => Some(*failures),
        Verdict::Inconclusive { .. } => None,
    }
}

const KEYS: [&str; 5] = [
    "cleanup.policy",
    "max.message.bytes",
    "min.insync.replicas",
    "retention.ms",
    "segment.bytes",
];

/// A setting of each key, or none: its value, where that is shown, and whether it is set on the topic.
type Settings = Vec<Option<(Option<u8>, bool)>>;

fn settings() -> impl Strategy<Value = Settings> {
    let value = prop_oneof![9 => (0_u8..3).prop_map(Some), 1 => Just(None)];
    let setting = prop_oneof![4 => (value, any::<bool>()).prop_map(Some), 1 => Just(None)];
    prop::collection::vec(setting, KEYS.len())
}

fn topic(settings: &Settings) -> TopicFacts {
    let mut config = BTreeMap::new();
    for (key, setting) in KEYS.iter().zip(settings) {
        if let Some((value, set_on_topic)) = setting {
            let value = value.map(|value| value.to_string());
            let fact = ConfigFact {
                value,
                set_on_topic: *set_on_topic,
            };
            config.insert((*key).to_owned(), fact);
        }
    }
    TopicFacts {
        partitions: 1,
        config: Ok(config),
    }
}

fn settings_that_stayed_behind(
    source: &Settings,
    target: &Settings,
    follows: &[bool],
) -> BTreeSet<usize> {
    let mut behind = BTreeSet::new();
    for key in 0..KEYS.len() {
        let wanted = match source[key] {
            Some((Some(value), true)) if follows[key] => value,
            _ => continue,
        };
        match target[key] {
            Some((Some(found), _)) if found == wanted => {}
            _ => drop(behind.insert(key)),
        }
    }
    behind
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn config_sync_agrees_with_a_look_at_every_key(
        source in settings(),
        target in settings(),
        follows in prop::collection::vec(any::<bool>(), KEYS.len()),
    ) {
        let wanted = |key: &str| KEYS.iter().position(|it| *it == key).is_some_and(|at| follows[at]);
        let result = config_sync("a → b", &topic(&source), Some(&topic(&target)), &wanted);
        let behind = settings_that_stayed_behind(&source, &target, &follows);
        prop_assert_eq!(broken(&result), Some(behind.len() as u64), "{:?}", result);
        if let Verdict::Fail { counterexample, .. } = &result.verdict {
            let first = KEYS[*behind.first().unwrap()];
            prop_assert!(counterexample.expected.starts_with(&format!("{first}=")), "{}", counterexample);
        }
    }

    #[test]
    fn a_mirror_that_keeps_settings_equal_raises_no_alarm(
        source in settings(),
        others in settings(),
        follows in prop::collection::vec(any::<bool>(), KEYS.len()),
    ) {
        let keep = |at: usize| follows[at] && source[at].is_some_and(|(_, set)| set);
        let target = (0..KEYS.len()).map(|at| if keep(at) { source[at] } else { others[at] }).collect();
        let wanted = |key: &str| KEYS.iter().position(|it| *it == key).is_some_and(|at| follows[at]);
        let result = config_sync("a → b", &topic(&source), Some(&topic(&target)), &wanted);
        prop_assert_eq!(broken(&result), Some(0), "{:?}", result);
    }

    /// Topics are named by what they went through, the oldest last.
    #[test]
    fn loop_agrees_with_names_taken_apart(
        topics in prop::collection::vec(prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "t", ""]), 1..6), 0..12),
    ) {
        let names: BTreeSet<String> = topics.iter().map(|parts| parts.join(".")).collect();
        let came_back = names.iter().filter(|name| {
            let parts: Vec<&str> = name.split('.').collect();
            parts.len() > 2 && parts[0] == "a" && parts[1] == "b"
        });
        let came_back: Vec<&String> = came_back.collect();
        let result = one_hop("m", "a.b.", names.iter().map(String::as_str));
        prop_assert_eq!(broken(&result), Some(came_back.len() as u64), "{:?}", result);
        if let Verdict::Fail { counterexample, .. } = &result.verdict {
            prop_assert!(counterexample.found.starts_with(came_back[0].as_str()), "{}", counterexample);
        }
    }

    #[test]
    fn delete_policy_agrees_with_a_table_of_all_eight_cases(flags in prop::collection::vec(any::<(bool, bool, bool)>(), 0..12)) {
        let copied = flags.iter().enumerate().map(|(number, &(source_is_gone, target_is_there, goes))| CopiedTopic {
            source: format!("t{number}"),
            target: format!("a.t{number}"),
            source_is_gone,
            target_is_there,
            goes,
        });
        let copied: Vec<CopiedTopic> = copied.collect();
        let wrong = flags.iter().map(|it| match it {
            (true, true, true) | (true, false, false) => 1,
            (true, true, false) | (true, false, true) | (false, _, _) => 0,
        });
        let result = delete_policy("m", &copied);
        prop_assert_eq!(broken(&result), Some(wrong.sum::<u64>()), "{:?}", result);
    }
}

const LIMIT: u64 = 1_000;
const OFFSETS: i64 = 24;

fn noted_gap() -> impl Strategy<Value = NotedGap> {
    let kind = prop_oneof![3 => Just(GapKind::Oversize), 1 => Just(GapKind::Deleted)];
    let topic = prop_oneof![4 => Just("now"), 1 => Just("before")];
    (0_i32..2, kind, topic, 0..OFFSETS, 1_i64..3).prop_map(
        |(partition, kind, topic, from, length)| {
            let to = match kind {
                GapKind::Oversize => from + 1,
                _ => from + length,
            };
            NotedGap {
                partition,
                kind,
                source_topic_id: topic.to_owned(),
                from,
                to: Some(to),
                resumed_at: to,
            }
        },
    )
}

fn large_records() -> impl Strategy<Value = OversizeFacts> {
    let lost =
        (0_i32..2, 0..OFFSETS, 998_u64..1_003).prop_map(|(partition, offset, bytes)| LostRecord {
            partition,
            offset,
            bytes,
        });
    (
        prop::collection::btree_map(0_i32..2, 0..OFFSETS, 0..3),
        prop::collection::vec(noted_gap(), 0..5),
        prop::collection::btree_set((0_i32..2, 0..OFFSETS), 0..20),
        prop::collection::vec(lost, 0..5),
        prop_oneof![5 => Just(Some(LIMIT)), 1 => Just(None)],
    )
        .prop_map(|(positions, gaps, quarantined, lost, limit)| {
            let positions = positions.into_iter().map(|(partition, offset)| {
                let position = NotedPosition {
                    offset,
                    target_topic: "b".to_owned(),
                    source_topic_id: "now".to_owned(),
                    target_offset: None,
                    stopped: None,
                };
                (partition, position)
            });
            OversizeFacts {
                notes: TopicNotes {
                    positions: positions.collect(),
                    gaps,
                },
                quarantined,
                source_topic: "a".to_owned(),
                quarantine_topic: "b.quarantine".to_owned(),
                lost,
                limit,
            }
        })
}

/// Reports without their record, and large records that were passed by without a report.
fn vanished(facts: &OversizeFacts) -> u64 {
    let mut wrong = 0;
    for gap in &facts.notes.gaps {
        let position = facts.notes.positions.get(&gap.partition);
        let speaks_of_now = position.is_some_and(|it| it.source_topic_id == gap.source_topic_id);
        let kept = facts
            .quarantined
            .iter()
            .any(|it| *it == (gap.partition, gap.from));
        wrong += u64::from(gap.kind == GapKind::Oversize && speaks_of_now && !kept);
    }
    for lost in &facts.lost {
        let Some(limit) = facts.limit else { continue };
        let Some(position) = facts.notes.positions.get(&lost.partition) else {
            continue;
        };
        let mut reported = BTreeSet::new();
        for gap in &facts.notes.gaps {
            if gap.partition == lost.partition && gap.source_topic_id == position.source_topic_id {
                reported.extend(gap.from..gap.to.unwrap());
            }
        }
        let passed = lost.offset < position.offset;
        wrong += u64::from(lost.bytes > limit && passed && !reported.contains(&lost.offset));
    }
    wrong
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn oversize_agrees_with_a_look_at_every_offset(facts in large_records()) {
        let result = oversize("a → b", &facts);
        prop_assert_eq!(broken(&result), Some(vanished(&facts)), "{:?}\n{:?}", result, facts);
    }

    /// Every large record is put aside and reported, and the mirror stands behind it or before it.
    #[test]
    fn large_records_that_are_put_aside_raise_no_alarm(
        large in prop::collection::btree_set(0..OFFSETS, 0..6),
        stands_at in 0..OFFSETS,
    ) {
        let gaps = large.iter().filter(|offset| **offset < stands_at).map(|&from| NotedGap {
            partition: 0,
            kind: GapKind::Oversize,
            source_topic_id: "now".to_owned(),
            from,
            to: Some(from + 1),
            resumed_at: from + 1,
        });
        let gaps: Vec<NotedGap> = gaps.collect();
        let position = NotedPosition {
            offset: stands_at,
            target_topic: "b".to_owned(),
            source_topic_id: "now".to_owned(),
            target_offset: None,
            stopped: None,
        };
        let facts = OversizeFacts {
            quarantined: gaps.iter().map(|gap| (0, gap.from)).collect(),
            notes: TopicNotes { positions: BTreeMap::from([(0, position)]), gaps },
            source_topic: "a".to_owned(),
            quarantine_topic: "b.quarantine".to_owned(),
            lost: large.iter().map(|&offset| LostRecord { partition: 0, offset, bytes: LIMIT + 1 }).collect(),
            limit: Some(LIMIT),
        };
        prop_assert_eq!(broken(&oversize("a → b", &facts)), Some(0));
    }
}
