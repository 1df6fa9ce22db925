//! Sides that are read from memory, and what the judge makes of them.

use std::collections::BTreeSet;

use crate::Error;
use crate::checks::{Delivery, ReplayBound};
use crate::compare::align::{Alignment, Side, Wanted, align};
use crate::compare::entry::{Entry, TimestampRule};
use crate::compare::judge::{Judge, RecordPair, Starts};
use crate::record::{Record, RecordHasher, Timestamp};
use crate::verdict::{CheckResult, Verdict};

/// One side, from memory.
pub(super) struct Lane {
    entries: std::vec::IntoIter<Entry>,
}

impl Lane {
    pub(super) fn new(records: &[Record], rule: TimestampRule) -> Self {
        let mut hasher = RecordHasher::default();
        // offsets with holes, as compaction and transaction markers leave them
        let entries: Vec<Entry> = records
            .iter()
            .enumerate()
            .map(|(place, record)| Entry::new(&mut hasher, rule, place as i64 * 2, &record.view()))
            .collect();
        Self {
            entries: entries.into_iter(),
        }
    }
}

impl Side for Lane {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        Ok(self.entries.next())
    }

    fn stop_waiting(&mut self) {}
}

pub(super) fn original(records: usize) -> Vec<Record> {
    (0..records)
        .map(|number| Record {
            key: (number % 7 > 0).then(|| vec![(number % 11) as u8]),
            value: (number % 13 > 0).then(|| number.to_string().into_bytes()),
            headers: vec![(
                "h".to_owned(),
                (number % 5 > 0).then(|| vec![(number % 3) as u8]),
            )],
            timestamp: Timestamp::create(1_000_000 + number as i64),
        })
        .collect()
}

/// The walk over both.
pub(super) fn walk(
    ours: &[Record],
    theirs: &[Record],
    bound: ReplayBound,
    rule: TimestampRule,
) -> Alignment {
    let (mut source, mut target) = (Lane::new(ours, rule), Lane::new(theirs, rule));
    let wanted = Wanted {
        remembered: bound.window as usize,
        ..Wanted::default()
    };
    align(&mut source, &mut target, wanted, &mut || Ok(())).expect("no reader fails")
}

/// The verdicts, where the records of a difference are read from memory.
pub(super) fn finish(judge: &Judge, ours: &[Record], theirs: &[Record]) -> Vec<CheckResult> {
    let mut again = |pair: RecordPair| {
        let at = |records: &[Record], offset: i64| records.get(offset as usize / 2).cloned();
        Ok((at(ours, pair.source), at(theirs, pair.target)))
    };
    judge.finish(&mut again).expect("no reader fails")
}

pub(super) fn judge(
    ours: &[Record],
    theirs: &[Record],
    bound: ReplayBound,
    rule: TimestampRule,
) -> Vec<CheckResult> {
    let mut judge = Judge::new("a", "b", bound, 1, Some(1));
    judge.add(0, Starts::default(), walk(ours, theirs, bound, rule));
    finish(&judge, ours, theirs)
}

pub(super) fn failed(results: &[CheckResult]) -> BTreeSet<&str> {
    results
        .iter()
        .filter(|result| matches!(result.verdict, Verdict::Fail { .. }))
        .map(|result| result.id.as_str())
        .collect()
}

pub(super) fn figure(results: &[CheckResult], id: &str, name: &str) -> u64 {
    let result = results
        .iter()
        .find(|result| result.id == id)
        .expect("a result of this id");
    result.figures[name]
}

pub(super) const WITHIN: ReplayBound = ReplayBound {
    delivery: Delivery::AtLeastOnce,
    window: 300,
    restarts: Some(2),
};
pub(super) const ONCE: ReplayBound = ReplayBound {
    delivery: Delivery::ExactlyOnce,
    window: 300,
    restarts: None,
};

pub(super) fn replay(records: &mut Vec<Record>, end: usize, length: usize) {
    let again = records[end - length..end].to_vec();
    records.splice(end..end, again);
}

pub(super) fn result<'r>(results: &'r [CheckResult], id: &str) -> &'r Verdict {
    let found = results.iter().find(|result| result.id == id);
    &found.expect("a result of this id").verdict
}
