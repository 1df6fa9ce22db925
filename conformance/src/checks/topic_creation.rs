//! `topic-creation`: the target topic exists with the source's partitions and configuration.

use std::collections::{BTreeMap, BTreeSet};

use crate::verdict::{CheckResult, Counterexample, Figures, Verdict, figures};
use crate::words::{count, counted};

/// A topic configuration entry as a cluster describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFact {
    /// The effective value; `None` when the cluster keeps it secret.
    pub value: Option<String>,
    /// Whether it was set on the topic itself.
    pub set_on_topic: bool,
}

/// What a cluster says about a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Judges the target topic against the source topic. `arrived` counts the run's records seen on
/// the target, as evidence that the topic was there for them.
pub fn topic_creation(
    subject: &str,
    source: &TopicFacts,
    target: Option<&TopicFacts>,
    excluded: &BTreeSet<String>,
    arrived: u64,
) -> CheckResult {
    let (verdict, figures) = judge(source, target, excluded, arrived);
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
    if target.partitions != wanted {
        let found = counted(target.partitions as u64, "partition");
        return (fail(counted(wanted as u64, "partition"), found), counts);
    }
    let (ours, theirs) = match (&source.config, &target.config) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(reason), _) => return (unreadable("source", reason), counts),
        (_, Err(reason)) => return (unreadable("target", reason), counts),
    };
    let mut compared: u64 = 0;
    for (name, fact) in ours
        .iter()
        .filter(|(name, fact)| fact.set_on_topic && !excluded.contains(*name))
    {
        compared += 1;
        let found = theirs.get(name).and_then(|fact| fact.value.as_ref());
        if found != fact.value.as_ref() {
            let words = |value: Option<&String>| match value {
                Some(value) => format!("{name}={value}"),
                None => format!("no {name}"),
            };
            return (fail(words(fact.value.as_ref()), words(found)), counts);
        }
    }
    let only_target = theirs
        .iter()
        .filter(|(name, fact)| fact.set_on_topic && !excluded.contains(*name))
        .filter(|(name, fact)| ours.get(*name).is_none_or(|ours| ours.value != fact.value))
        .count() as u64;
    counts.insert("settings-compared".to_owned(), compared);
    counts.insert("settings-of-target-only".to_owned(), only_target);
    let evidence = format!(
        "{} on both sides, {} equal, {} set on the target only; {} of the run arrived in it. That \
         it had this shape before its first record cannot be seen afterwards",
        counted(wanted as u64, "partition"),
        counted(compared, "topic setting"),
        count(only_target),
        counted(arrived, "record"),
    );
    (Verdict::Pass { evidence }, counts)
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
