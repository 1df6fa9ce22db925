//! The checks that watch the records of the target go by, as one.

use std::sync::Arc;

use crate::checks::{
    Complete, Duplicates, KeyOrder, NoPhantom, Order, PartitionMap, PartitionRule, Payload,
    ReplayBound, ReplayShape, TimestampKept,
};
use crate::history::{Origin, Sighting};
use crate::journal::Journal;
use crate::record::RecordView;
use crate::stamp::RecordId;
use crate::verdict::{CheckResult, Figures, TopicPartitionOffset, Verdict};

/// What a check concludes, and what it counted on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The conclusion.
    pub verdict: Verdict,
    /// The counts.
    pub figures: Figures,
}

impl Finding {
    /// Nothing of the run was seen on the target, so that most promises cannot be judged.
    pub(crate) fn nothing_seen(figures: Figures) -> Self {
        let reason = "no record of this run was seen on the target".to_owned();
        Self {
            verdict: Verdict::Inconclusive { reason },
            figures,
        }
    }
}

/// A promise that is judged by watching records. Pure: no clock, no cluster.
pub trait Check {
    /// The id in SPEC.md.
    fn id(&self) -> &'static str;
    /// The promise, in one line.
    fn title(&self) -> &'static str;
    /// One record of the target, in offset order within its partition.
    fn observe(&mut self, sighting: &Sighting<'_>);
    /// The conclusion over everything observed so far.
    fn finish(&self) -> Finding;
}

/// What every check knows about the run it judges.
#[derive(Debug, Clone)]
pub struct Scope<'j> {
    /// What was written.
    pub journal: &'j Journal,
    /// The topic that is read.
    pub target_topic: Arc<str>,
}

impl Scope<'_> {
    pub(crate) fn at(&self, sighting: &Sighting<'_>) -> TopicPartitionOffset {
        TopicPartitionOffset::new(&*self.target_topic, sighting.partition, sighting.offset)
    }
}

/// Every check of a run, fed together.
pub struct Panel<'j> {
    journal: &'j Journal,
    complete: Complete<'j>,
    others: Vec<Box<dyn Check + 'j>>,
    records: u64,
    other_runs: u64,
    unstamped: u64,
}

impl<'j> Panel<'j> {
    /// A panel over fresh checks. `only_ours` says that the source topic holds nothing but this
    /// run's records, so that an unstamped record on the target is one that lost its stamp.
    pub fn new(
        scope: &Scope<'j>,
        bound: ReplayBound,
        rule: PartitionRule,
        only_ours: bool,
    ) -> Self {
        Self {
            journal: scope.journal,
            complete: Complete::new(scope.clone()),
            others: vec![
                Box::new(NoPhantom::new(scope.clone())),
                Box::new(Order::new(scope.clone())),
                Box::new(KeyOrder::new(scope.clone())),
                Box::new(Duplicates::new(scope.clone(), bound)),
                Box::new(ReplayShape::new(scope.clone())),
                Box::new(if only_ours {
                    Payload::of_exclusive_topic(scope.clone())
                } else {
                    Payload::of_shared_topic(scope.clone())
                }),
                Box::new(TimestampKept::new(scope.clone())),
                Box::new(PartitionMap::new(scope.clone(), rule)),
            ],
            records: 0,
            other_runs: 0,
            unstamped: 0,
        }
    }

    /// Shows one record of the target to every check.
    pub fn observe(&mut self, partition: i32, offset: i64, record: &RecordView<'_>) {
        let sighting = Sighting::new(self.journal, partition, offset, record);
        self.records += 1;
        match sighting.origin {
            Origin::OtherRun => self.other_runs += 1,
            Origin::Unstamped => self.unstamped += 1,
            Origin::Ours { .. } | Origin::Unwritten(_) | Origin::Damaged => {}
        }
        self.complete.observe(&sighting);
        for check in &mut self.others {
            check.observe(&sighting);
        }
    }

    /// Acknowledged records not seen so far.
    pub fn missing(&self) -> u64 {
        self.complete.missing()
    }

    /// What they are: stream, first sequence, the one after the last.
    pub fn missing_ranges(&self) -> Vec<(u32, u64, u64)> {
        self.complete.missing_ranges()
    }

    /// What was written.
    pub fn journal(&self) -> &'j Journal {
        self.journal
    }

    /// Records observed so far, whoever wrote them.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The results of every check, in the order of SPEC.md.
    pub fn finish(&self, subject: &str) -> Vec<CheckResult> {
        let complete: &dyn Check = &self.complete;
        let all = std::iter::once(complete).chain(self.others.iter().map(|check| &**check as _));
        all.map(|check: &dyn Check| {
            let mut finding = check.finish();
            if self.other_runs > 0 {
                finding
                    .figures
                    .insert("other-runs".to_owned(), self.other_runs);
            }
            if self.unstamped > 0 {
                finding
                    .figures
                    .insert("unstamped".to_owned(), self.unstamped);
            }
            CheckResult {
                id: check.id().to_owned(),
                subject: subject.to_owned(),
                title: check.title().to_owned(),
                verdict: finding.verdict,
                figures: finding.figures,
            }
        })
        .collect()
    }
}

/// A record that breaks a promise, before its place on the source is looked up.
pub(crate) fn at_target(
    target: TopicPartitionOffset,
    record: Option<RecordId>,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> crate::verdict::Counterexample {
    crate::verdict::Counterexample {
        source: None,
        target: Some(target),
        record,
        expected: expected.into(),
        found: found.into(),
    }
}
