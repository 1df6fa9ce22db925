//! What a check says, and the one shape everything about it is printed from.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stamp::RecordId;

/// A place in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TopicPartitionOffset {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

impl TopicPartitionOffset {
    /// An offset in a partition of a topic.
    pub(crate) fn new(topic: impl Into<String>, partition: i32, offset: i64) -> Self {
        Self {
            topic: topic.into(),
            partition,
            offset,
        }
    }
}

impl fmt::Display for TopicPartitionOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}@{}", self.topic, self.partition, self.offset)
    }
}

/// The first thing found that breaks a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counterexample {
    /// Where the record is on the source, if it is there and could be found.
    pub source: Option<TopicPartitionOffset>,
    /// Where the record is on the target, if it is there.
    pub target: Option<TopicPartitionOffset>,
    /// The stamped record this is about, if it is about one.
    pub record: Option<RecordId>,
    /// What the promise says should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Counterexample {
    /// What offsets of both sides show that belong together.
    pub(crate) fn between(
        (source_topic, target_topic): (&str, &str),
        partition: i32,
        (source, target): (i64, i64),
        expected: String,
        found: String,
    ) -> Self {
        Self {
            source: Some(TopicPartitionOffset::new(source_topic, partition, source)),
            target: Some(TopicPartitionOffset::new(target_topic, partition, target)),
            record: None,
            expected,
            found,
        }
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.found)?;
        if let Some(source) = &self.source {
            write!(f, "; source {source}")?;
        }
        if let Some(target) = &self.target {
            write!(f, "; target {target}")?;
        }
        Ok(())
    }
}

/// What a check concludes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Verdict {
    /// The promise held in everything that was seen.
    Pass {
        /// What was seen, in figures.
        evidence: String,
    },
    /// The promise was broken.
    Fail {
        /// How often.
        failures: u64,
        /// The first time, and all that is known about it.
        counterexample: Counterexample,
    },
    /// Nothing can be said.
    Inconclusive {
        /// Why not.
        reason: String,
    },
}

/// Named numbers a check counted.
pub type Figures = BTreeMap<String, u64>;

/// One check's result on one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The check, by its id in SPEC.md.
    pub id: String,
    /// What was checked: `source topic → target topic`.
    pub subject: String,
    /// The promise, in one line.
    pub title: String,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What the check counted.
    pub figures: Figures,
}

/// Keeps the first counterexample and counts the rest.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    count: u64,
    first: Option<Counterexample>,
}

impl Failures {
    pub(crate) fn add(&mut self, counterexample: impl FnOnce() -> Counterexample) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some(counterexample());
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Fail with the first counterexample, or what `otherwise` says when there was none.
    pub(crate) fn verdict(&self, otherwise: impl FnOnce() -> Verdict) -> Verdict {
        match &self.first {
            Some(counterexample) => Verdict::Fail {
                failures: self.count,
                counterexample: counterexample.clone(),
            },
            None => otherwise(),
        }
    }
}

/// Figures from pairs.
pub(crate) fn figures<const N: usize>(pairs: [(&str, u64); N]) -> Figures {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
