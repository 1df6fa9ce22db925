//! Turns what the walks over the partitions of a topic found into verdicts.

use crate::Error;
use crate::checks::{Delivery, ReplayBound};
use crate::compare::align::Alignment;
use crate::compare::entry::Entry;
use crate::record::{Record, content_difference, describe_timestamp};
use crate::verdict::{
    CheckResult, Counterexample, Failures, Figures, TopicPartitionOffset, Verdict, figures,
};
use crate::words::{count, counted};

/// The places of two records that should be equal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordPair {
    pub(crate) partition: i32,
    pub(crate) source: i64,
    pub(crate) target: i64,
}

/// Reads the two records of a difference again.
pub(crate) type ReadAgain<'r> =
    &'r mut dyn FnMut(RecordPair) -> Result<(Option<Record>, Option<Record>), Error>;

/// Gathers partitions.
pub(crate) struct Judge {
    source_topic: String,
    target_topic: String,
    bound: ReplayBound,
    source_partitions: i32,
    target_partitions: Option<i32>,
    partitions: Vec<(i32, Alignment)>,
}

impl Judge {
    pub(crate) fn new(
        source_topic: &str,
        target_topic: &str,
        bound: ReplayBound,
        source_partitions: i32,
        target_partitions: Option<i32>,
    ) -> Self {
        Self {
            source_topic: source_topic.to_owned(),
            target_topic: target_topic.to_owned(),
            bound,
            source_partitions,
            target_partitions,
            partitions: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, partition: i32, alignment: Alignment) {
        self.partitions.push((partition, alignment));
    }

    pub(crate) fn records_read(&self) -> u64 {
        self.sum(|found| found.source_records + found.target_records)
    }

    /// The verdicts; records that differ are read again to be told in words.
    pub(crate) fn finish(&self, read_again: ReadAgain<'_>) -> Result<Vec<CheckResult>, Error> {
        Ok(vec![
            self.result(
                "partitions",
                "both topics have the same number of partitions",
                self.judge_partitions(),
            ),
            self.result(
                "count",
                "every record of the source is on the target, and no other",
                self.judge_count(),
            ),
            self.result(
                "order",
                "records are in the same order in each partition",
                self.judge_order(),
            ),
            self.result(
                "duplicates",
                match self.bound.delivery {
                    Delivery::AtLeastOnce => {
                        "repeated records are counted and within the declared bound"
                    }
                    Delivery::ExactlyOnce => {
                        "no record is on the target more often than on the source"
                    }
                },
                self.judge_duplicates(),
            ),
            self.result(
                "payload",
                "key, value and headers in order are the same byte for byte",
                self.judge_payload(read_again)?,
            ),
            self.result("timestamp", "timestamps are kept", self.judge_timestamps()),
        ])
    }

    fn result(&self, id: &str, title: &str, (verdict, figures): (Verdict, Figures)) -> CheckResult {
        CheckResult {
            id: id.to_owned(),
            subject: format!("{} → {}", self.source_topic, self.target_topic),
            title: title.to_owned(),
            verdict,
            figures,
        }
    }

    fn judge_partitions(&self) -> (Verdict, Figures) {
        let wanted = self.source_partitions;
        let counts = figures([
            ("source-partitions", wanted as u64),
            (
                "target-partitions",
                self.target_partitions.unwrap_or(0) as u64,
            ),
        ]);
        let verdict = if self.target_partitions == Some(wanted) {
            Verdict::Pass {
                evidence: format!("{} on both sides", counted(wanted as u64, "partition")),
            }
        } else {
            Verdict::Fail {
                failures: 1,
                counterexample: Counterexample {
                    source: None,
                    target: None,
                    record: None,
                    expected: counted(wanted as u64, "partition"),
                    found: match self.target_partitions {
                        Some(found) => counted(found as u64, "partition"),
                        None => "no such topic".to_owned(),
                    },
                },
            }
        };
        (verdict, counts)
    }

    fn judge_count(&self) -> (Verdict, Figures) {
        let mut failures = Failures::default();
        let (mut lost, mut foreign) = (0, 0);
        for (partition, found) in &self.partitions {
            for open in &found.open {
                let (expected, saw) = match (open.source, open.target) {
                    (Some(_), None) => {
                        lost += 1;
                        ("the record on the target", "nothing")
                    }
                    (None, Some(_)) => {
                        foreign += 1;
                        ("only records of the source", "a record that is not there")
                    }
                    // altered: a matter of payload
                    (Some(_), Some(_)) | (None, None) => continue,
                };
                failures.add(|| self.example(*partition, open.source, open.target, expected, saw));
            }
        }
        let (ours, theirs) = (
            self.source_records(),
            self.sum(|found| found.target_records),
        );
        let mut counts = figures([
            ("source-records", ours),
            ("target-records", theirs),
            ("matched", self.sum(|found| found.matched)),
            ("lost", lost),
            ("foreign", foreign),
        ]);
        let given_up = self.sum(|found| u64::from(found.gave_up));
        if given_up > 0 {
            counts.insert("partitions-given-up".to_owned(), given_up);
        }
        let verdict = failures.verdict(|| {
            if self
                .target_partitions
                .is_none_or(|found| found < self.source_partitions)
            {
                let reason = "the target lacks partitions, whose records were not counted";
                return Verdict::Inconclusive {
                    reason: reason.to_owned(),
                };
            }
            if given_up > 0 {
                let reason = "too many differences to count every record to the end";
                return Verdict::Inconclusive {
                    reason: reason.to_owned(),
                };
            }
            let repeated = self.sum(|found| found.duplicates);
            Verdict::Pass {
                evidence: format!(
                    "{} on the source, {} on the target, {} of them repeated",
                    counted(ours, "record"),
                    count(theirs),
                    count(repeated)
                ),
            }
        });
        (verdict, counts)
    }

    fn judge_order(&self) -> (Verdict, Figures) {
        let mut failures = Failures::default();
        for (partition, found) in &self.partitions {
            for _ in 0..found.moved {
                failures.add(|| {
                    let (ours, theirs) = found.first_moved.unzip();
                    let expected = "the record at its place between its neighbours of the source";
                    self.example(*partition, ours, theirs, expected, "it elsewhere")
                });
            }
        }
        let matched = self.sum(|found| found.matched);
        let counts = figures([("in-order", matched), ("moved", failures.count())]);
        let evidence = || format!("{} in the order of the source", counted(matched, "record"));
        // records without an order to each other: a pass would say something about nothing
        let verdict = if matched == 0
            && failures.count() == 0
            && self.source_records() > 0
            && self.sum(|found| found.target_records) > 0
        {
            failures.verdict(|| Verdict::Inconclusive {
                reason: "no record of the source was found unchanged on the target, so there is \
                         no order to judge"
                    .to_owned(),
            })
        } else {
            self.unless_empty(&failures, evidence)
        };
        (verdict, counts)
    }

    fn judge_duplicates(&self) -> (Verdict, Figures) {
        let ReplayBound {
            delivery,
            window,
            restarts,
        } = self.bound;
        let mut failures = Failures::default();
        for (partition, found) in &self.partitions {
            let mut fail = |expected: String, saw: String| {
                let at = found.longest_replay_at;
                failures.add(|| self.example(*partition, None, at, expected, saw));
            };
            match delivery {
                Delivery::ExactlyOnce if found.duplicates > 0 => {
                    let saw = format!(
                        "{} of partition {partition} repeated",
                        counted(found.duplicates, "record")
                    );
                    fail("every record once".to_owned(), saw);
                }
                Delivery::AtLeastOnce if found.longest_replay > window => fail(
                    format!("replays of at most {}", counted(window, "record")),
                    format!("one of {}", counted(found.longest_replay, "record")),
                ),
                Delivery::AtLeastOnce if restarts.is_some_and(|most| found.replays > most) => fail(
                    format!(
                        "at most one replay a restart, {} in all",
                        restarts.unwrap_or(0)
                    ),
                    format!(
                        "{} of partition {partition}",
                        counted(found.replays, "replay")
                    ),
                ),
                Delivery::ExactlyOnce | Delivery::AtLeastOnce => {}
            }
        }
        let (repeated, replays) = (self.sum(|f| f.duplicates), self.sum(|f| f.replays));
        let longest = self
            .partitions
            .iter()
            .map(|(_, f)| f.longest_replay)
            .max()
            .unwrap_or(0);
        let counts = figures([
            ("duplicates", repeated),
            ("replays", replays),
            ("longest-replay", longest),
            ("bound", window),
        ]);
        let evidence = || self.bound.evidence(repeated, replays, longest);
        (self.unless_empty(&failures, evidence), counts)
    }

    fn judge_payload(&self, read_again: ReadAgain<'_>) -> Result<(Verdict, Figures), Error> {
        let mut altered = 0;
        let mut first = None;
        for (partition, found) in &self.partitions {
            for open in &found.open {
                if let (Some(ours), Some(theirs)) = (open.source, open.target) {
                    altered += 1;
                    first.get_or_insert((*partition, ours, theirs));
                }
            }
        }
        let equal = self.sum(|found| found.matched + found.moved + found.retimed);
        let counts = figures([("equal", equal), ("altered", altered)]);
        let Some((partition, ours, theirs)) = first else {
            let evidence = || format!("{} equal byte for byte", counted(equal, "record"));
            return Ok((self.unless_empty(&Failures::default(), evidence), counts));
        };
        let again = read_again(RecordPair {
            partition,
            source: ours.offset,
            target: theirs.offset,
        })?;
        let difference = match &again {
            (Some(ours), Some(theirs)) => content_difference(&ours.view(), &theirs.view()),
            (None, _) | (_, None) => None,
        };
        let (expected, found) = match difference {
            Some(difference) => (difference.expected, difference.found),
            None => ("the same content".to_owned(), "another hash".to_owned()),
        };
        let counterexample = self.example(partition, Some(ours), Some(theirs), expected, found);
        Ok((
            Verdict::Fail {
                failures: altered,
                counterexample,
            },
            counts,
        ))
    }

    fn judge_timestamps(&self) -> (Verdict, Figures) {
        let mut failures = Failures::default();
        for (partition, found) in &self.partitions {
            for _ in 0..found.retimed {
                failures.add(|| {
                    let (ours, theirs) = found.first_retimed.unzip();
                    let words = |entry: Option<Entry>| {
                        entry
                            .map(|e| describe_timestamp(e.timestamp))
                            .unwrap_or_default()
                    };
                    self.example(*partition, ours, theirs, words(ours), words(theirs))
                });
            }
        }
        let kept = self.sum(|found| found.matched + found.moved);
        let counts = figures([("kept", kept), ("shifted", failures.count())]);
        (
            self.unless_empty(&failures, || format!("{} kept", counted(kept, "timestamp"))),
            counts,
        )
    }

    fn unless_empty(&self, failures: &Failures, evidence: impl FnOnce() -> String) -> Verdict {
        failures.verdict(|| {
            if self.target_partitions.is_none() {
                let reason = "there is no target topic to look at".to_owned();
                Verdict::Inconclusive { reason }
            } else if self.source_records() > 0 && self.sum(|found| found.target_records) == 0 {
                let reason = "the target holds no record to compare".to_owned();
                Verdict::Inconclusive { reason }
            } else {
                Verdict::Pass {
                    evidence: evidence(),
                }
            }
        })
    }

    fn source_records(&self) -> u64 {
        self.sum(|found| found.source_records)
    }

    fn sum(&self, figure: impl Fn(&Alignment) -> u64) -> u64 {
        self.partitions.iter().map(|(_, found)| figure(found)).sum()
    }

    fn example(
        &self,
        partition: i32,
        source: Option<Entry>,
        target: Option<Entry>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Counterexample {
        let at = |topic: &str, entry: Entry| TopicPartitionOffset {
            topic: topic.to_owned(),
            partition,
            offset: entry.offset,
        };
        Counterexample {
            source: source.map(|entry| at(&self.source_topic, entry)),
            target: target.map(|entry| at(&self.target_topic, entry)),
            record: None,
            expected: expected.into(),
            found: found.into(),
        }
    }
}
