//! The checks alone, on a history that is made up as it goes by.

use std::sync::Arc;
use std::time::Instant;

use conformance::{
    Generator, Journal, Panel, PartitionRule, RangeSet, RecordId, ReplayBound, Scope, Verdict,
    WorkloadSpec,
};

use crate::error::Result;
use crate::figures::Figures;

/// A day of a year that has passed: the times of the records follow from it.
const STARTED_MS: i64 = 1_760_000_000_000;
/// After so many records of a partition the last few come again, as after a restart.
const RESTART_EVERY: u64 = 250_000;
const AGAIN: u64 = 500;

/// What is made up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) records: u64,
    pub(crate) partitions: i32,
    pub(crate) value_bytes: u32,
    pub(crate) seed: u64,
    /// A record that the target never gets: proof that the judge looks.
    pub(crate) lost: Option<u64>,
}

/// Shows every record of a perfect mirror to the checks, partitions by turns, with replays.
pub(crate) fn judge(shape: Shape) -> Result<Figures> {
    let spec = WorkloadSpec {
        min_value_bytes: shape.value_bytes,
        max_value_bytes: shape.value_bytes,
        ..WorkloadSpec::new("orders", shape.records, shape.seed)
    };
    let mut journal = Journal::planned(spec, shape.partitions, STARTED_MS, shape.seed);
    let mut most = 0;
    for stream in 0..journal.streams.len() {
        let length = journal.stream_length(stream as u32);
        journal.streams[stream].written = length;
        journal.streams[stream].acknowledged = RangeSet::span(0, length);
        most = most.max(length);
    }
    let scope = Scope {
        journal: &journal,
        target_topic: Arc::from("copy"),
    };
    let bound = ReplayBound {
        restarts: Some(most / RESTART_EVERY),
        ..ReplayBound::default()
    };
    let mut panel = Panel::new(&scope, bound, PartitionRule::Same, true);
    let mut generator = Generator::new(&journal);
    let mut offsets = vec![0; journal.streams.len()];
    let began = Instant::now();
    let mut show = |stream: u32, sequence: u64| {
        let number = u64::from(stream) + sequence * shape.partitions as u64;
        if shape.lost == Some(number) {
            return;
        }
        let record = generator.record(RecordId { stream, sequence });
        let offset: &mut i64 = &mut offsets[stream as usize];
        panel.observe(stream as i32, *offset, &record.view());
        *offset += 1;
    };
    for sequence in 0..most {
        for stream in 0..shape.partitions as u32 {
            if sequence < journal.stream_length(stream) {
                show(stream, sequence);
            }
        }
        if (sequence + 1).is_multiple_of(RESTART_EVERY) {
            for again in sequence + 1 - AGAIN..=sequence {
                (0..shape.partitions as u32)
                    .filter(|stream| again < journal.stream_length(*stream))
                    .for_each(|stream| show(stream, again));
            }
        }
    }
    let results = panel.finish("orders → copy");
    let failed = results
        .iter()
        .filter(|result| !matches!(result.verdict, Verdict::Pass { .. }));
    Figures::of(panel.records(), began.elapsed(), failed.count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape {
        records: 2_000,
        partitions: 3,
        value_bytes: 100,
        seed: 5,
        lost: None,
    };

    #[test]
    fn a_perfect_mirror_passes_and_a_lost_record_is_found() {
        let whole = judge(SHAPE).expect("figures");
        assert_eq!((whole.records, whole.failed), (2_000, 0));
        let lost = Shape {
            lost: Some(1_234),
            ..SHAPE
        };
        assert_eq!(judge(lost).expect("figures").failed, 1);
    }
}
