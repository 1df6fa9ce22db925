//! The pure half of `apply`: what is left to do, given the live state right before a change.
//!
//! Each attribute of the live topic must be what the plan read, or already what the plan sets. Then
//! an apply that was interrupted, even in the middle of one change, resumes from the same saved
//! plan; anything else means that somebody changed the topic since, and the plan is stale.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::TopicState;
use super::config_value::same_option;
use super::rails::MIN_INSYNC_REPLICAS;
use crate::change::Change;
use crate::difference::Difference;
use crate::observed::{ConfigOrigin, ObservedPartition, ObservedTopic, Usage};

/// One request to the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Create the topic.
    Create(TopicState),
    /// Set these keys, and take those back to the brokers' default.
    SetConfigs {
        set: BTreeMap<String, String>,
        unset: BTreeSet<String>,
    },
    /// Move these partitions to these brokers.
    Reassign(BTreeMap<u32, Vec<i32>>),
    /// Grow to this many partitions.
    Grow { total: u32, existing: u32 },
    /// Delete the topic of this id.
    Delete { id: String },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(_) => f.write_str("create the topic"),
            Self::Delete { .. } => f.write_str("delete the topic"),
            Self::SetConfigs { set, unset } => {
                let pairs: Vec<String> = set.iter().map(|(k, v)| format!("{k}={v}")).collect();
                let unset: Vec<&str> = unset.iter().map(String::as_str).collect();
                if !pairs.is_empty() {
                    write!(f, "set {}", pairs.join(", "))?;
                }
                if !unset.is_empty() {
                    let and = if pairs.is_empty() { "" } else { ", " };
                    write!(f, "{and}reset {}", unset.join(", "))?;
                }
                Ok(())
            }
            Self::Reassign(targets) if targets.len() == 1 => f.write_str("move 1 partition"),
            Self::Reassign(targets) => write!(f, "move {} partitions", targets.len()),
            Self::Grow { total, existing } => {
                write!(f, "grow from {existing} to {total} partitions")
            }
        }
    }
}

/// What the live state means for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recheck {
    /// The live topic is already what the plan makes it.
    AlreadyDone,
    /// What is left to do, in this order.
    Remaining(Vec<Step>),
    /// Somebody changed the topic since the plan was made.
    Stale(Vec<Difference>),
}

/// Compares a change with the live topic (`None`: it does not exist).
pub(crate) fn recheck(change: &Change<TopicState>, live: Option<&ObservedTopic>) -> Recheck {
    match (change, live) {
        (Change::NoOp { .. }, _) | (Change::Delete { .. }, None) => Recheck::AlreadyDone,
        (Change::Create { after }, None) => Recheck::Remaining(vec![Step::Create(after.clone())]),
        (Change::Create { after }, Some(live)) => match differences(after, after, live) {
            unmet if unmet.is_empty() => Recheck::AlreadyDone,
            mut unmet => {
                unmet.insert(
                    0,
                    Difference {
                        attribute: "topic".to_owned(),
                        expected: None,
                        found: Some("a topic with other attributes".to_owned()),
                    },
                );
                Recheck::Stale(unmet)
            }
        },
        (Change::Delete { before }, Some(live)) => match differences(before, before, live) {
            unexpected if unexpected.is_empty() => Recheck::Remaining(vec![Step::Delete {
                id: live.id.clone(),
            }]),
            unexpected => Recheck::Stale(unexpected),
        },
        (Change::Update { .. }, None) => Recheck::Stale(vec![Difference {
            attribute: "topic".to_owned(),
            expected: Some("the topic".to_owned()),
            found: None,
        }]),
        (Change::Update { before, after }, Some(live)) => {
            let unexpected = differences(before, after, live);
            if unexpected.is_empty() {
                remaining(after, live)
            } else {
                Recheck::Stale(unexpected)
            }
        }
    }
}

/// Whether the live topic is what the change makes it.
pub(crate) fn reached(after: &TopicState, live: &ObservedTopic) -> bool {
    differences(after, after, live).is_empty()
        && after.unset.iter().all(|key| !is_set(live, key))
        && unmoved(after, live).is_empty()
}

/// The partitions that are not where they shall be, each with where that is.
pub(crate) fn unmoved(after: &TopicState, live: &ObservedTopic) -> BTreeMap<u32, Vec<i32>> {
    let is_there = |index: u32, target: &Vec<i32>| {
        let partition = live.placement.get(index as usize);
        partition.is_some_and(|it| it.replicas == *target && it.moving_to.is_none())
    };
    let moves = after.assignment.iter();
    moves
        .filter(|(index, target)| !is_there(**index, target))
        .map(|(index, target)| (*index, target.clone()))
        .collect()
}

/// The attributes of `live` that are as in neither of the two states.
fn differences(before: &TopicState, after: &TopicState, live: &ObservedTopic) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut number = |attribute: &str, before: Option<u32>, after: Option<u32>, live: u32| {
        let fits = |state: Option<u32>| state.is_none_or(|state| state == live);
        if !fits(before) && !fits(after) {
            differences.push(Difference {
                attribute: attribute.to_owned(),
                expected: before.map(|state| state.to_string()),
                found: Some(live.to_string()),
            });
        }
    };
    number(
        "partitions",
        before.partitions,
        after.partitions,
        live.partitions,
    );
    // half way through a move the smallest count tells nothing: each partition is looked at instead
    if after.assignment.is_empty() {
        number(
            "replication_factor",
            before.replication_factor.map(u32::from),
            after.replication_factor.map(u32::from),
            u32::from(live.replication_factor),
        );
    }
    if before.topic_id.as_ref().is_some_and(|id| *id != live.id) {
        differences.insert(
            0,
            Difference {
                attribute: "topic_id".to_owned(),
                expected: before.topic_id.clone(),
                found: Some(live.id.clone()),
            },
        );
    }
    for (index, target) in &after.assignment {
        let expected = before.assignment.get(index);
        let found = live.placement.get(*index as usize);
        let found = found.map(ObservedPartition::destination);
        // a move that was turned back leaves the same brokers in another order
        let as_read = match (found, expected) {
            (Some(found), Some(expected)) => same_brokers(found, expected),
            (None, _) | (_, None) => false,
        };
        if !as_read && found != Some(target) {
            let shown = |replicas: &[i32]| {
                let ids: Vec<String> = replicas.iter().map(i32::to_string).collect();
                ids.join(",")
            };
            differences.push(Difference {
                attribute: format!("replicas.{index}"),
                expected: expected.map(|replicas| shown(replicas)),
                found: found.map(shown),
            });
        }
    }
    for (key, value) in &after.configs {
        let found = live_value(live, key);
        let expected = before.configs.get(key).and_then(Option::as_deref);
        if !same_option(key, expected, found) && !same_option(key, value.as_deref(), found) {
            differences.push(Difference {
                attribute: format!("config.{key}"),
                expected: expected.map(str::to_owned),
                found: found.map(str::to_owned),
            });
        }
    }
    for key in &after.unset {
        let expected = before.configs.get(key).and_then(Option::as_deref);
        let found = live_value(live, key);
        if is_set(live, key) && !same_option(key, expected, found) {
            differences.push(Difference {
                attribute: format!("config.{key}"),
                expected: expected.map(str::to_owned),
                found: found.map(str::to_owned),
            });
        }
    }
    if let (Some(expected), Some(found)) = (&before.usage, &live.usage) {
        differences.extend(used(expected, found));
    }
    differences
}

/// Whoever wrote or read since would miss the topic.
fn used(expected: &Usage, found: &Usage) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut compare = |attribute: &str, expected: String, found: String| {
        if expected != found {
            differences.push(Difference {
                attribute: attribute.to_owned(),
                expected: Some(expected),
                found: Some(found),
            });
        }
    };
    compare(
        "end_offsets",
        expected.end_offsets.to_string(),
        found.end_offsets.to_string(),
    );
    compare("active_groups", groups(expected), groups(found));
    differences
}

fn groups(usage: &Usage) -> String {
    if usage.active_groups.is_empty() {
        return "none".to_owned();
    }
    usage.active_groups.join(", ")
}

/// Whether the topic itself has a value for the key.
fn is_set(live: &ObservedTopic, key: &str) -> bool {
    let entry = live.configs.get(key);
    entry.is_some_and(|entry| entry.origin == ConfigOrigin::Topic)
}

fn remaining(after: &TopicState, live: &ObservedTopic) -> Recheck {
    let mut steps = Vec::new();
    let mut configs: BTreeMap<String, String> = after
        .configs
        .iter()
        .filter_map(|(key, value)| Some((key, value.as_deref()?)))
        .filter(|(key, value)| !same_option(key, Some(value), live_value(live, key)))
        .map(|(key, value)| (key.clone(), value.to_owned()))
        .collect();
    // brokers can refuse a value: the step that cannot be taken back comes last
    let unset: BTreeSet<String> = after
        .unset
        .iter()
        .filter(|key| is_set(live, key))
        .cloned()
        .collect();
    let moves = unmoved(after, live);
    // more replicas must be in sync only once there are more, or nobody could write meanwhile
    let mut afterwards = BTreeMap::new();
    if !moves.is_empty()
        && let Some(minimum) = configs.get(MIN_INSYNC_REPLICAS)
        && is_raise(live_value(live, MIN_INSYNC_REPLICAS), minimum)
    {
        afterwards.extend(configs.remove_entry(MIN_INSYNC_REPLICAS));
    }
    if !configs.is_empty() || !unset.is_empty() {
        steps.push(Step::SetConfigs {
            set: configs,
            unset,
        });
    }
    if !moves.is_empty() {
        steps.push(Step::Reassign(moves));
    }
    if !afterwards.is_empty() {
        steps.push(Step::SetConfigs {
            set: afterwards,
            unset: BTreeSet::new(),
        });
    }
    if let Some(total) = after.partitions
        && total > live.partitions
    {
        steps.push(Step::Grow {
            total,
            existing: live.partitions,
        });
    }
    if steps.is_empty() {
        Recheck::AlreadyDone
    } else {
        Recheck::Remaining(steps)
    }
}

fn same_brokers(one: &[i32], other: &[i32]) -> bool {
    one.iter().collect::<BTreeSet<_>>() == other.iter().collect()
}

fn is_raise(live: Option<&str>, wanted: &str) -> bool {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    match (live.and_then(number), number(wanted)) {
        (Some(live), Some(wanted)) => wanted > live,
        (None, _) | (_, None) => false,
    }
}

fn live_value<'a>(live: &'a ObservedTopic, key: &str) -> Option<&'a str> {
    live.configs
        .get(key)
        .and_then(|entry| entry.value.as_deref())
}

#[cfg(test)]
mod tests {
    use super::{Recheck, Step, recheck};
    use crate::change::Change;
    use crate::observed::{ConfigOrigin, ObservedConfig, ObservedPartition, ObservedTopic};
    use crate::topic::TopicState;

    fn state(id: Option<&str>, partitions: u32, factor: u16, retention: &str) -> TopicState {
        TopicState {
            topic_id: id.map(str::to_owned),
            partitions: Some(partitions),
            replication_factor: Some(factor),
            configs: [("retention.ms".to_owned(), Some(retention.to_owned()))].into(),
            ..TopicState::default()
        }
    }

    fn on(replicas: &[i32]) -> ObservedPartition {
        ObservedPartition {
            replicas: replicas.to_vec(),
            in_sync: replicas.to_vec(),
            moving_to: None,
        }
    }

    fn live(id: &str, partitions: u32, factor: u16, retention: &str) -> ObservedTopic {
        ObservedTopic {
            id: id.to_owned(),
            partitions,
            replication_factor: factor,
            configs: [(
                "retention.ms".to_owned(),
                ObservedConfig {
                    value: Some(retention.to_owned()),
                    origin: ConfigOrigin::Topic,
                    sensitive: false,
                    read_only: false,
                },
            )]
            .into(),
            placement: vec![on(&[1]); partitions as usize],
            internal: false,
            usage: None,
            extent: None,
        }
    }

    fn update() -> Change<TopicState> {
        Change::Update {
            before: state(Some("A"), 6, 3, "1000"),
            after: state(Some("A"), 12, 3, "2000"),
        }
    }

    fn grow() -> Step {
        Step::Grow {
            total: 12,
            existing: 6,
        }
    }

    fn set() -> Step {
        Step::SetConfigs {
            set: [("retention.ms".to_owned(), "2000".to_owned())].into(),
            unset: [].into(),
        }
    }

    #[test]
    fn each_attribute_is_as_read_or_as_planned() {
        for (found, expected) in [
            (
                live("A", 6, 3, "1000"),
                Recheck::Remaining(vec![set(), grow()]),
            ),
            (live("A", 6, 3, "2000"), Recheck::Remaining(vec![grow()])),
            (live("A", 12, 3, "1000"), Recheck::Remaining(vec![set()])),
            (live("A", 12, 3, "2000"), Recheck::AlreadyDone),
        ] {
            assert_eq!(recheck(&update(), Some(&found)), expected, "{found:?}");
        }
    }

    #[test]
    fn anything_else_is_stale_and_named() {
        for (found, named) in [
            (live("B", 6, 3, "1000"), "topic_id: expected A, found B"),
            (live("A", 7, 3, "1000"), "partitions: expected 6, found 7"),
            (live("A", 24, 3, "2000"), "partitions: expected 6, found 24"),
            (
                live("A", 6, 2, "1000"),
                "replication_factor: expected 3, found 2",
            ),
            (
                live("A", 6, 3, "1500"),
                "config.retention.ms: expected 1000, found 1500",
            ),
        ] {
            let Recheck::Stale(differences) = recheck(&update(), Some(&found)) else {
                panic!("{found:?} is not what the plan read");
            };
            let text: Vec<String> = differences.iter().map(ToString::to_string).collect();
            assert_eq!(text, [named]);
        }
        assert!(
            matches!(recheck(&update(), None), Recheck::Stale(_)),
            "a topic that is gone"
        );
    }

    #[test]
    fn a_creation_is_done_only_when_the_topic_is_as_planned() {
        let create = Change::Create {
            after: state(None, 6, 3, "1000"),
        };
        assert!(matches!(recheck(&create, None), Recheck::Remaining(steps) if steps.len() == 1));
        assert_eq!(
            recheck(&create, Some(&live("A", 6, 3, "1000"))),
            Recheck::AlreadyDone
        );
        assert!(matches!(
            recheck(&create, Some(&live("A", 5, 3, "1000"))),
            Recheck::Stale(_)
        ));
        assert!(matches!(
            recheck(&create, Some(&live("A", 6, 3, "999"))),
            Recheck::Stale(_)
        ));

        let anything = Change::Create {
            after: TopicState::default(),
        };
        assert_eq!(
            recheck(&anything, Some(&live("A", 5, 1, "7"))),
            Recheck::AlreadyDone
        );
    }

    /// From one replica to two, and then one of them may be away no longer.
    fn move_of(minimum: (&str, &str)) -> Change<TopicState> {
        let state = |factor: u16, replicas: &[i32], minimum: &str| TopicState {
            replication_factor: Some(factor),
            assignment: (0..3).map(|index| (index, replicas.to_vec())).collect(),
            configs: [("min.insync.replicas".to_owned(), Some(minimum.to_owned()))].into(),
            ..TopicState::default()
        };
        Change::Update {
            before: state(1, &[1], minimum.0),
            after: state(2, &[1, 2], minimum.1),
        }
    }

    fn at(replicas: [&[i32]; 3], minimum: &str) -> ObservedTopic {
        let mut topic = live("A", 3, 1, "1000");
        topic.placement = replicas.into_iter().map(on).collect();
        let mut entry = topic.configs["retention.ms"].clone();
        entry.value = Some(minimum.to_owned());
        topic
            .configs
            .insert("min.insync.replicas".to_owned(), entry);
        topic
    }

    #[test]
    fn a_move_goes_on_where_it_was_interrupted_and_what_it_needs_in_sync_comes_last() {
        let steps =
            |change: &Change<TopicState>, live: &ObservedTopic| match recheck(change, Some(live)) {
                Recheck::Remaining(steps) => steps.iter().map(ToString::to_string).collect(),
                Recheck::AlreadyDone => vec!["done".to_owned()],
                Recheck::Stale(differences) => differences
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>(),
            };
        let raise = move_of(("1", "2"));
        assert_eq!(
            steps(&raise, &at([&[1], &[1], &[1]], "1")),
            ["move 3 partitions", "set min.insync.replicas=2"]
        );
        let cut = move_of(("2", "1"));
        assert_eq!(
            steps(&cut, &at([&[1], &[1], &[1]], "2")),
            ["set min.insync.replicas=1", "move 3 partitions"]
        );
        assert_eq!(
            steps(&raise, &at([&[1, 2], &[1], &[1, 2]], "1")),
            ["move 1 partition", "set min.insync.replicas=2"]
        );
        assert_eq!(
            steps(&raise, &at([&[1, 2], &[1, 2], &[1, 2]], "2")),
            ["done"]
        );
        assert_eq!(
            steps(&raise, &at([&[1, 2], &[3], &[1, 2]], "1")),
            ["replicas.1: expected 1, found 3"]
        );

        let mut reordered = raise.clone();
        if let Change::Update { before, .. } = &mut reordered {
            before.assignment.insert(1, vec![3, 4]);
        }
        assert_eq!(
            steps(&reordered, &at([&[1], &[4, 3], &[1]], "1"))[0],
            "move 3 partitions"
        );

        let mut on_its_way = at([&[1], &[1], &[1]], "1");
        on_its_way.placement[2].moving_to = Some(vec![1, 2]);
        assert_eq!(
            steps(&raise, &on_its_way),
            ["move 3 partitions", "set min.insync.replicas=2"],
            "begun is not done"
        );
        on_its_way.placement[2].moving_to = Some(vec![1, 3]);
        assert_eq!(
            steps(&raise, &on_its_way),
            ["replicas.2: expected 1, found 1,3"]
        );
    }

    /// A plan that holds a decrease is refused long before; should one ever get here, no request
    /// may come of it.
    #[test]
    fn a_decrease_never_becomes_a_request() {
        let decrease = Change::Update {
            before: state(Some("A"), 12, 3, "1000"),
            after: state(Some("A"), 6, 1, "1000"),
        };
        let found = recheck(&decrease, Some(&live("A", 12, 3, "1000")));
        assert!(!matches!(found, Recheck::Remaining(_)), "{found:?}");
    }
}
