//! `topic-creation`: the target topic exists with the source's partitions and configuration.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::first_looks::FirstLooks;
use crate::verdict::{CheckResult, Counterexample, Figures, Verdict, figures};
use crate::words::{count, counted};

/// A topic configuration entry as a cluster describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFact {
    /// The effective value; `None` when the cluster keeps it secret.
    pub value: Option<String>,
    /// Whether it was set on the topic itself.
    pub set_on_topic: bool,
}

/// What a cluster says about a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicFacts {
    /// Partitions.
    pub partitions: i32,
    /// Configuration by name, or why it could not be read.
    pub config: Result<BTreeMap<String, ConfigFact>, String>,
}

/// What `MirrorMaker` 2 leaves out too: settings that belong to one cluster.
pub fn default_config_exclusions() -> BTreeSet<String> {
    [
        "follower.replication.throttled.replicas",
        "leader.replication.throttled.replicas",
        "message.timestamp.difference.max.ms",
        "message.timestamp.before.max.ms",
        "message.timestamp.after.max.ms",
        "log.message.timestamp.before.max.ms",
        "log.message.timestamp.after.max.ms",
        "unclean.leader.election.enable",
        "min.insync.replicas",
    ]
    .map(str::to_owned)
    .into()
}

/// Judges the target topic against the source topic, as it is now and, where somebody `looked` from before its first record
/// on, as it was then. `arrived` counts the run's records seen on the target, as evidence that the topic was there for them.
pub fn topic_creation(
    subject: &str,
    source: &TopicFacts,
    target: Option<&TopicFacts>,
    excluded: &BTreeSet<String>,
    arrived: u64,
    looked: &FirstLooks,
) -> CheckResult {
    let (verdict, figures) = judge(source, target, excluded, arrived, looked);
    CheckResult {
        id: "topic-creation".to_owned(),
        subject: subject.to_owned(),
        title: "the target topic exists with the partitions and configuration of its source"
            .to_owned(),
        verdict,
        figures,
    }
}

fn judge(
    source: &TopicFacts,
    target: Option<&TopicFacts>,
    excluded: &BTreeSet<String>,
    arrived: u64,
    looked: &FirstLooks,
) -> (Verdict, Figures) {
    let wanted = source.partitions;
    let Some(target) = target else {
        let counts = figures([("source-partitions", wanted as u64)]);
        return (
            fail(
                format!("a topic with {}", counted(wanted as u64, "partition")),
                "no such topic".into(),
            ),
            counts,
        );
    };
    let mut counts = figures([
        ("source-partitions", wanted as u64),
        ("target-partitions", target.partitions as u64),
    ]);
    let (compared, only_target) = match beside(source, target, excluded) {
        Beside::Unreadable { side, reason } => return (unreadable(side, reason), counts),
        Beside::Differs { expected, found } => return (fail(expected, found), counts),
        Beside::Equal {
            compared,
            only_target,
        } => (compared, only_target),
    };
    counts.insert("settings-compared".to_owned(), compared);
    counts.insert("settings-of-target-only".to_owned(), only_target);
    // the source of then: it may have changed since, and the target after it
    if let (Some(ours), Some(theirs)) = (&looked.source, &looked.with_records)
        && let Beside::Differs { expected, found } = beside(ours, theirs, excluded)
    {
        return (
            fail(
                format!("{expected} before its first record"),
                format!("{found} when it held records already"),
            ),
            counts,
        );
    }
    let was_equal =
        |then: &TopicFacts| matches!(beside(source, then, excluded), Beside::Equal { .. });
    let before = if looked.while_empty.as_ref().is_some_and(was_equal) {
        "It had this shape when it was seen empty"
    } else {
        "That it had this shape before its first record was not seen"
    };
    let evidence = format!(
        "{} on both sides, {} equal, {} set on the target only; {} of the run arrived in it. {before}",
        counted(wanted as u64, "partition"),
        counted(compared, "topic setting"),
        count(only_target),
        counted(arrived, "record"),
    );
    (Verdict::Pass { evidence }, counts)
}

/// One topic beside the other.
enum Beside<'t> {
    Equal { compared: u64, only_target: u64 },
    Differs { expected: String, found: String },
    Unreadable { side: &'static str, reason: &'t str },
}

fn beside<'t>(
    source: &'t TopicFacts,
    target: &'t TopicFacts,
    excluded: &BTreeSet<String>,
) -> Beside<'t> {
    if target.partitions != source.partitions {
        return Beside::Differs {
            expected: counted(source.partitions as u64, "partition"),
            found: counted(target.partitions as u64, "partition"),
        };
    }
    let (ours, theirs) = match (&source.config, &target.config) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(reason), _) => {
            return Beside::Unreadable {
                side: "source",
                reason,
            };
        }
        (_, Err(reason)) => {
            return Beside::Unreadable {
                side: "target",
                reason,
            };
        }
    };
    let judged = |(name, fact): &(&String, &ConfigFact)| {
        fact.set_on_topic && !excluded.contains(name.as_str())
    };
    let mut compared: u64 = 0;
    for (name, fact) in ours.iter().filter(judged) {
        compared += 1;
        let found = theirs.get(name).and_then(|fact| fact.value.as_ref());
        if found != fact.value.as_ref() {
            let words = |value: Option<&String>| match value {
                Some(value) => format!("{name}={value}"),
                None => format!("no {name}"),
            };
            return Beside::Differs {
                expected: words(fact.value.as_ref()),
                found: words(found),
            };
        }
    }
    let only_target = theirs
        .iter()
        .filter(judged)
        .filter(|(name, fact)| ours.get(*name).is_none_or(|ours| ours.value != fact.value))
        .count() as u64;
    Beside::Equal {
        compared,
        only_target,
    }
}

fn fail(expected: String, found: String) -> Verdict {
    let counterexample = Counterexample {
        source: None,
        target: None,
        record: None,
        expected,
        found,
    };
    Verdict::Fail {
        failures: 1,
        counterexample,
    }
}

fn unreadable(side: &str, reason: &str) -> Verdict {
    let reason = format!("the {side} topic's configuration could not be read: {reason}");
    Verdict::Inconclusive { reason }
}
