//! Turns what the walks over the partitions of a topic found into verdicts.

use crate::Error;
use crate::checks::{Delivery, ReplayBound};
use crate::compare::align::{Alignment, Open};
use crate::compare::compaction::{self, Settled};
use crate::compare::entry::Entry;
use crate::compare::{aborted, count, growth};
use crate::notes::TopicNotes;
use crate::record::{Record, content_difference, describe_timestamp};
use crate::verdict::{
    CheckResult, Counterexample, Failures, Figures, TopicPartitionOffset, Verdict, figures,
};
use crate::words::counted;

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

/// Where the walk over a partition began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Starts {
    /// The source has records no more that lay before its first one.
    pub(crate) source_is_cut: bool,
    /// The target likewise.
    pub(crate) target_is_cut: bool,
    /// Somebody chose where to begin.
    pub(crate) chosen: bool,
}

/// A partition, from where on it was walked, and what was found.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) partition: i32,
    pub(crate) starts: Starts,
    pub(crate) found: Alignment,
}

impl Walked {
    /// Whether retention explains that one side alone has this record: it lies before everything that both have, and the
    /// other side has lost its beginning.
    pub(crate) fn is_expired(&self, open: &Open) -> bool {
        let cut = match (open.source, open.target) {
            (Some(_), None) => self.starts.target_is_cut,
            (None, Some(_)) => self.starts.source_is_cut,
            (Some(_), Some(_)) | (None, None) => false,
        };
        cut && self.found.is_before_all(open)
    }
}

/// Gathers partitions.
pub(crate) struct Judge {
    pub(super) source_topic: String,
    pub(super) target_topic: String,
    bound: ReplayBound,
    pub(super) source_partitions: i32,
    pub(super) target_partitions: Option<i32>,
    pub(super) partitions: Vec<Walked>,
    /// Of a compacted topic what became of its keys.
    settled: Option<Vec<(i32, Settled)>>,
    /// What the mirror has noted about the topic.
    pub(super) notes: TopicNotes,
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
            settled: None,
            notes: TopicNotes::default(),
        }
    }

    pub(crate) fn add(&mut self, partition: i32, starts: Starts, found: Alignment) {
        self.partitions.push(Walked {
            partition,
            starts,
            found,
        });
    }

    /// The topic is compacted: cleaners leave different records on the two sides, and the same newest one of each key.
    pub(crate) fn compacted(&mut self, settled: Vec<(i32, Settled)>) {
        self.settled = Some(settled);
    }

    /// The mirror has reported gaps: what is in them is not lost without a word.
    pub(crate) fn noted(&mut self, notes: TopicNotes) {
        self.notes = notes;
    }

    /// Source records that are not on the target, by partition and offset, and that nobody has reported.
    pub(crate) fn lost(&self) -> impl Iterator<Item = (i32, i64)> {
        self.partitions.iter().flat_map(|walked| {
            let open = walked.found.open.iter();
            open.filter(|open| open.target.is_none() && !walked.is_expired(open))
                .filter_map(|open| open.source)
                .map(|ours| (walked.partition, ours.offset))
                .filter(|(partition, offset)| !self.notes.reports(*partition, *offset))
        })
    }

    /// The first record at or behind each wanted source offset: by partition, as `(wanted, source, target)`.
    pub(crate) fn places(&self) -> impl Iterator<Item = (i32, (i64, i64, i64))> {
        self.partitions.iter().flat_map(|walked| {
            let places = walked.found.places.iter();
            places.map(|place| (walked.partition, *place))
        })
    }

    pub(crate) fn records_read(&self) -> u64 {
        self.sum(|found| found.source_records + found.target_records)
    }

    /// The verdicts; records that differ are read again to be told in words.
    pub(crate) fn finish(&self, read_again: ReadAgain<'_>) -> Result<Vec<CheckResult>, Error> {
        let topics = (self.source_topic.as_str(), self.target_topic.as_str());
        let mut results = vec![
            self.result(
                "partitions",
                "both topics have the same number of partitions",
                self.judge_partitions(),
            ),
            self.result(
                "partition-growth",
                "every partition is copied from its first record on, also one that came later",
                self.unless_cleaned(self.if_comparable(growth::judge(
                    topics.0,
                    &self.partitions,
                    &self.notes,
                ))),
            ),
            self.result(
                "count",
                "every record of the source is on the target, and no other",
                self.unless_cleaned(count::judge(self)),
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
                self.unless_cleaned(self.judge_payload(read_again)?),
            ),
            self.result(
                "timestamp",
                "timestamps are kept",
                self.unless_cleaned(self.judge_timestamps()),
            ),
            self.result(
                "transactions",
                "nothing of an aborted transaction is on the target",
                self.if_comparable(aborted::judge(topics, &self.partitions)),
            ),
        ];
        if let Some(settled) = &self.settled {
            let title = "both sides hold the same newest record of each key";
            let judged = compaction::judge(topics, settled);
            results.push(self.result("compaction", title, self.if_comparable(judged)));
        }
        Ok(results)
    }

    /// A pass where there was nothing to see is none.
    fn if_comparable(&self, (verdict, figures): (Verdict, Figures)) -> (Verdict, Figures) {
        let verdict = match verdict {
            Verdict::Pass { evidence } => self.unless_empty(&Failures::default(), || evidence),
            other @ (Verdict::Fail { .. } | Verdict::Inconclusive { .. }) => {
                self.unless_unseen(other)
            }
        };
        (verdict, figures)
    }

    /// A target without any record is a matter of `count`.
    fn unless_unseen(&self, verdict: Verdict) -> Verdict {
        match self.unless_empty(&Failures::default(), String::new) {
            Verdict::Pass { .. } => verdict,
            unseen @ (Verdict::Inconclusive { .. } | Verdict::Fail { .. }) => unseen,
        }
    }

    /// Of a compacted topic, records that one side alone has are no fault by themselves, and where there are some, nothing
    /// tells which records belong together.
    fn unless_cleaned(&self, (verdict, figures): (Verdict, Figures)) -> (Verdict, Figures) {
        let open = self.sum(|found| found.open.len() as u64);
        let gave_up = self.partitions.iter().any(|it| it.found.gave_up);
        if self.settled.is_none() || (open == 0 && !gave_up) {
            return (verdict, figures);
        }
        let verdict = match verdict {
            Verdict::Fail { .. } => Verdict::Inconclusive {
                reason: "the topic is compacted, and its cleaners have left different records on the two sides: see \
                         `compaction`"
                    .to_owned(),
            },
            other @ (Verdict::Pass { .. } | Verdict::Inconclusive { .. }) => other,
        };
        (verdict, figures)
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

    fn judge_order(&self) -> (Verdict, Figures) {
        let mut failures = Failures::default();
        for Walked {
            partition, found, ..
        } in &self.partitions
        {
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
        for Walked {
            partition, found, ..
        } in &self.partitions
        {
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
            .map(|it| it.found.longest_replay)
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
        for Walked {
            partition, found, ..
        } in &self.partitions
        {
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
        for Walked {
            partition, found, ..
        } in &self.partitions
        {
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

    pub(super) fn source_records(&self) -> u64 {
        self.sum(|found| found.source_records)
    }

    pub(super) fn sum(&self, figure: impl Fn(&Alignment) -> u64) -> u64 {
        self.partitions.iter().map(|it| figure(&it.found)).sum()
    }

    pub(super) fn example(
        &self,
        partition: i32,
        source: Option<Entry>,
        target: Option<Entry>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Counterexample {
        let at =
            |topic: &str, entry: Entry| TopicPartitionOffset::new(topic, partition, entry.offset);
        Counterexample {
            source: source.map(|entry| at(&self.source_topic, entry)),
            target: target.map(|entry| at(&self.target_topic, entry)),
            record: None,
            expected: expected.into(),
            found: found.into(),
        }
    }
}
