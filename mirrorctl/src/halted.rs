//! What stopped in runs while its neighbours went on, counted for what it is.

use std::fmt;

use replicator::{POSITIONS_TOPIC, PartitionFailure};

use crate::output::counted;

/// Numbers of what stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Halted {
    /// Partitions that stopped.
    partitions: usize,
    /// Topics that could not be made ready, so that none of their partitions began.
    topics: usize,
    /// Runs whose last positions could not be committed.
    uncommitted: usize,
}

impl Halted {
    /// Counts the failures of runs.
    pub(crate) fn of<'f>(failures: impl IntoIterator<Item = &'f PartitionFailure>) -> Self {
        let mut halted = Self::default();
        for failure in failures {
            match failure.partition {
                Some(_) => halted.partitions += 1,
                None if failure.topic == POSITIONS_TOPIC => halted.uncommitted += 1,
                None => halted.topics += 1,
            }
        }
        halted
    }

    /// Nothing stopped.
    pub(crate) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// What the next run does about it.
    pub(crate) fn hint(self) -> String {
        let mut words = Vec::new();
        if self.partitions > 0 {
            words.push(
                "the next run begins where each partition stopped, and stops there again for as long as the cause named above \
                 is there",
            );
        }
        if self.topics > 0 {
            words.push(
                "the next run looks at each topic again, and leaves it for as long as the cause named above is there",
            );
        }
        if self.uncommitted > 0 {
            words.push(
                "the next run goes on from the last positions that were committed: nothing is lost, and in at-least-once what \
                 came after them is copied again",
            );
        }
        words.join("; ")
    }
}

impl fmt::Display for Halted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stopped: Vec<String> = [(self.partitions, "partition"), (self.topics, "topic")]
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| counted(number, what))
            .collect();
        let mut words = Vec::new();
        if !stopped.is_empty() {
            words.push(format!("{} stopped before the end", stopped.join(" and ")));
        }
        if self.uncommitted > 0 {
            words.push("the last positions could not be committed".to_owned());
        }
        f.write_str(&words.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(topic: &str, partition: Option<i32>) -> PartitionFailure {
        PartitionFailure {
            topic: topic.to_owned(),
            partition,
            position: None,
            reason: "because".to_owned(),
        }
    }

    #[test]
    fn a_topic_and_positions_are_no_partitions() {
        let all = [
            failure("a", Some(0)),
            failure("b", None),
            failure(POSITIONS_TOPIC, None),
        ];
        let words = |failures: &[PartitionFailure]| Halted::of(failures).to_string();
        assert_eq!(words(&all[..1]), "1 partition stopped before the end");
        assert_eq!(
            words(&all),
            "1 partition and 1 topic stopped before the end; the last positions could not be committed"
        );
        assert_eq!(
            words(&all[2..]),
            "the last positions could not be committed"
        );
        assert!(!Halted::of(&all[2..]).hint().contains("stops there again"));
        assert!(Halted::of(&[]).is_nothing());
    }
}
