//! Histories of a target topic, and what the panel makes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use conformance::{
    CheckResult, Delivery, Generator, Journal, Panel, PartitionRule, RangeSet, Record, RecordId,
    ReplayBound, Scope, Verdict, WorkloadSpec,
};

pub(crate) const PARTITIONS: i32 = 3;
pub(crate) const PER_STREAM: u64 = 400;

/// A record as it lies on the target.
#[derive(Debug, Clone)]
pub(crate) struct Lying {
    pub(crate) partition: i32,
    pub(crate) record: Record,
}

pub(crate) fn journal(seed: u64) -> Journal {
    journal_of(seed, PER_STREAM)
}

/// Everything was acknowledged.
pub(crate) fn journal_of(seed: u64, per_stream: u64) -> Journal {
    let records = per_stream * PARTITIONS as u64;
    let spec = WorkloadSpec::new("orders", records, seed);
    let mut journal = Journal::planned(spec, PARTITIONS, 1_760_000_000_000, seed + 77);
    for stream in &mut journal.streams {
        stream.written = per_stream;
        stream.acknowledged = RangeSet::span(0, per_stream);
    }
    journal
}

/// The target of a perfect mirror: each partition in order.
pub(crate) fn clean(journal: &Journal) -> Vec<Lying> {
    let mut generator = Generator::new(journal);
    let mut history = Vec::new();
    for (number, stream) in journal.streams.iter().enumerate() {
        for sequence in 0..stream.written {
            let record = generator.record(RecordId {
                stream: number as u32,
                sequence,
            });
            history.push(Lying {
                partition: stream.partition,
                record,
            });
        }
    }
    history
}

pub(crate) fn bound(delivery: Delivery) -> ReplayBound {
    ReplayBound {
        delivery,
        window: 50,
        restarts: Some(2),
    }
}

pub(crate) fn judge(journal: &Journal, history: &[Lying], delivery: Delivery) -> Vec<CheckResult> {
    let scope = Scope {
        journal,
        target_topic: Arc::from("copy"),
    };
    let mut panel = Panel::new(&scope, bound(delivery), PartitionRule::Same, true);
    let mut offsets = BTreeMap::<i32, i64>::new();
    for lying in history {
        let offset = offsets.entry(lying.partition).or_default();
        panel.observe(lying.partition, *offset, &lying.record.view());
        *offset += 1;
    }
    panel.finish("orders → copy")
}

pub(crate) fn failed(results: &[CheckResult]) -> BTreeSet<&str> {
    results
        .iter()
        .filter(|result| matches!(result.verdict, Verdict::Fail { .. }))
        .map(|result| result.id.as_str())
        .collect()
}

pub(crate) fn find<'r>(results: &'r [CheckResult], id: &str) -> &'r CheckResult {
    results.iter().find(|result| result.id == id).unwrap()
}

/// Finds the first record at or after `from` that `fits`.
pub(crate) fn at(history: &[Lying], from: usize, fits: impl Fn(&Record) -> bool) -> usize {
    (from..history.len())
        .find(|index| fits(&history[*index].record))
        .unwrap()
}

pub(crate) type Mutate = fn(&mut Vec<Lying>);

/// Every mutant of one check, and which checks have to fail at it.
pub(crate) fn expect(mutants: &[(&str, Delivery, Mutate, &[&str])]) {
    let journal = journal(11);
    for (name, delivery, mutate, guilty) in mutants {
        let mut history = clean(&journal);
        mutate(&mut history);
        let results = judge(&journal, &history, *delivery);
        let guilty: BTreeSet<&str> = guilty.iter().copied().collect();
        assert_eq!(failed(&results), guilty, "{name}: {results:#?}");
        for result in &results {
            if let Verdict::Fail {
                failures,
                counterexample,
            } = &result.verdict
            {
                assert!(*failures > 0, "{name}");
                assert!(
                    counterexample.target.is_some() || result.id == "complete",
                    "{name}: a counterexample without its place: {counterexample:?}"
                );
            }
        }
    }
}

pub(crate) const ONCE: Delivery = Delivery::ExactlyOnce;
pub(crate) const AGAIN: Delivery = Delivery::AtLeastOnce;

/// Writes the `length` records before `end` once more at `end`.
pub(crate) fn replay(history: &mut Vec<Lying>, end: usize, length: usize) {
    let again = history[end - length..end].to_vec();
    history.splice(end..end, again);
}

/// A record that looks like one of this run, which the run has not written.
pub(crate) fn phantom(journal: &Journal, stream: u32, sequence: u64) -> Lying {
    let id = RecordId { stream, sequence };
    Lying {
        partition: 0,
        record: Generator::new(journal).record(id),
    }
}
