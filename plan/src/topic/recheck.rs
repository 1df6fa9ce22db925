//! The pure half of `apply`: what is left to do, given the live state right before a change.
//!
//! Each attribute of the live topic must be what the plan read, or already what the plan sets. Then
//! an apply that was interrupted, even in the middle of one change, resumes from the same saved
//! plan; anything else means that somebody changed the topic since, and the plan is stale.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::TopicState;
use super::config_value::same_option;
use crate::change::Change;
use crate::difference::Difference;
use crate::observed::{ConfigOrigin, ObservedTopic, Usage};

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
    differences(after, after, live).is_empty() && after.unset.iter().all(|key| !is_set(live, key))
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
    number(
        "replication_factor",
        before.replication_factor.map(u32::from),
        after.replication_factor.map(u32::from),
        u32::from(live.replication_factor),
    );
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
    compare(
        "active_groups",
        expected.active_groups.join(", "),
        found.active_groups.join(", "),
    );
    differences
}

/// Whether the topic itself has a value for the key.
fn is_set(live: &ObservedTopic, key: &str) -> bool {
    let entry = live.configs.get(key);
    entry.is_some_and(|entry| entry.origin == ConfigOrigin::Topic)
}

fn remaining(after: &TopicState, live: &ObservedTopic) -> Recheck {
    let mut steps = Vec::new();
    let configs: BTreeMap<String, String> = after
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
    if !configs.is_empty() || !unset.is_empty() {
        steps.push(Step::SetConfigs {
            set: configs,
            unset,
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

fn live_value<'a>(live: &'a ObservedTopic, key: &str) -> Option<&'a str> {
    live.configs
        .get(key)
        .and_then(|entry| entry.value.as_deref())
}

#[cfg(test)]
mod tests {
    use super::{Recheck, Step, recheck};
    use crate::change::Change;
    use crate::observed::{ConfigOrigin, ObservedConfig, ObservedTopic};
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
            internal: false,
            usage: None,
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
