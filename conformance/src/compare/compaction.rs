//! `compaction`: of a compacted topic both sides hold the same newest record of each key.

use std::fmt::Write as _;

use crate::compare::latest::{Pair, Unlike};
use crate::verdict::{Counterexample, Failures, Figures, TopicPartitionOffset, Verdict, figures};
use crate::words::{add_if_any, counted};

/// What became of the keys of one partition.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) keys: u64,
    /// One key in 2^halvings was looked at.
    pub(crate) halvings: u32,
    /// Written by the source while the judge looked, and not equal yet.
    pub(crate) in_motion: u64,
    /// Held by one side alone, where retention may have taken them from the other.
    pub(crate) may_have_expired: u64,
    pub(crate) unlike: Vec<Unlike>,
}

impl Settled {
    /// Of the keys that were unlike before those that are so by now. `expires` says that retention takes records as well, so
    /// that a key on one side alone says nothing.
    pub(crate) fn new(pair: &Pair, before: &[Unlike], expires: bool) -> Self {
        let mut settled = Self {
            keys: pair.compared(),
            halvings: pair.halvings(),
            ..Self::default()
        };
        for before in before {
            let now = pair.look(before.key);
            let one_sided = now.source.is_none() || now.target.is_none();
            if now.alike() {
            } else if now.in_motion(before) {
                settled.in_motion += 1;
            } else if expires && one_sided {
                settled.may_have_expired += 1;
            } else {
                settled.unlike.push(now);
            }
        }
        settled
    }
}

/// Judges a topic's partitions.
pub(crate) fn judge(
    (source_topic, target_topic): (&str, &str),
    partitions: &[(i32, Settled)],
) -> (Verdict, Figures) {
    let mut failures = Failures::default();
    let sum = |of: fn(&Settled) -> u64| partitions.iter().map(|(_, it)| of(it)).sum::<u64>();
    for (partition, settled) in partitions {
        for unlike in &settled.unlike {
            failures.add(|| example(source_topic, target_topic, *partition, unlike));
        }
    }
    let halvings = partitions.iter().map(|(_, it)| it.halvings).max();
    let share = 1_u64 << halvings.unwrap_or(0);
    let (keys, in_motion) = (sum(|it| it.keys), sum(|it| it.in_motion));
    let expired = sum(|it| it.may_have_expired);
    let counts = figures([
        ("keys", keys),
        ("unlike", failures.count()),
        ("in-motion", in_motion),
        ("may-have-expired", expired),
        ("one-key-in", share),
    ]);
    let verdict = failures.verdict(|| {
        let mut evidence = format!(
            "{} with the same newest record",
            counted(keys - in_motion - expired, "key")
        );
        add_if_any(&mut evidence, in_motion, "still being written");
        add_if_any(
            &mut evidence,
            expired,
            "on one side alone, which retention may have taken from the other",
        );
        if share > 1 {
            // writing to a String cannot fail
            let _ = write!(
                evidence,
                "; of a large partition one key in {share} was kept in memory"
            );
        }
        Verdict::Pass { evidence }
    });
    (verdict, counts)
}

fn example(
    source_topic: &str,
    target_topic: &str,
    partition: i32,
    unlike: &Unlike,
) -> Counterexample {
    let place = |topic: &str, offset| TopicPartitionOffset::new(topic, partition, offset);
    let (expected, found) = match (unlike.source, unlike.target) {
        (Some(ours), None) if !ours.tombstone => {
            ("the newest record of a key", "no record of the key")
        }
        (Some(ours), Some(_)) if ours.tombstone => (
            "a key that the source has deleted to be deleted",
            "a value of it",
        ),
        (Some(_), Some(theirs)) if theirs.tombstone => {
            ("the newest record of a key", "the key deleted")
        }
        (None, _) => (
            "no key that the source does not have (any more)",
            "a value of it",
        ),
        (Some(_), _) => ("the newest record of a key", "another one"),
    };
    Counterexample {
        source: unlike.source.map(|held| place(source_topic, held.offset)),
        target: unlike.target.map(|held| place(target_topic, held.offset)),
        record: None,
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
