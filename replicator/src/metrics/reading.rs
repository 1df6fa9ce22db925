use crate::histogram::HistogramReading;
use crate::metrics::watchlist::Watched;
use crate::partition_figures::{PartitionReading, PartitionState};
use crate::progress::Phase;
use crate::traffic::TrafficReading;

/// One run at one moment, each partition read once, so that the families of a scrape agree.
#[derive(Debug)]
pub(super) struct RunReading {
    pub(super) run: Watched,
    pub(super) phase: Phase,
    pub(super) partitions: Vec<PartitionRow>,
    pub(super) traffic: TrafficReading,
    pub(super) latency: HistogramReading,
    pub(super) produce: HistogramReading,
    /// In use, in all.
    pub(super) budget: (u64, u64),
}

/// One partition.
#[derive(Debug)]
pub(super) struct PartitionRow {
    pub(super) reading: PartitionReading,
    /// Records missing times the mean size of a record; `None` where nothing says how large one is.
    pub(super) lag_bytes: Option<f64>,
}

impl RunReading {
    pub(super) fn of(run: Watched) -> Self {
        let progress = &run.progress;
        let partitions = progress.readings();
        let records: u64 = partitions.iter().map(|partition| partition.records).sum();
        let bytes: u64 = partitions.iter().map(|partition| partition.bytes).sum();
        let partitions = partitions
            .into_iter()
            .map(|reading| PartitionRow {
                lag_bytes: lag_bytes(&reading, mean(bytes, records)),
                reading,
            })
            .collect();
        Self {
            phase: progress.phase(),
            traffic: progress.traffic().read(),
            latency: progress.traffic().latency.read(),
            produce: progress.traffic().produce.read(),
            budget: progress.budget(),
            partitions,
            run,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        match self.phase {
            Phase::Preparing | Phase::Copying | Phase::Draining | Phase::StandingBy => true,
            Phase::Done | Phase::Failed => false,
        }
    }

    pub(super) fn sum(&self, figure: fn(&PartitionReading) -> u64) -> u64 {
        self.partitions.iter().map(|it| figure(&it.reading)).sum()
    }

    pub(super) fn in_state(&self, state: PartitionState) -> u64 {
        let those = self
            .partitions
            .iter()
            .filter(|it| it.reading.state == state);
        those.count() as u64
    }

    pub(super) fn lag_seconds(&self) -> f64 {
        let lags = self.partitions.iter().map(|it| it.reading.lag_seconds);
        lags.fold(0.0, f64::max)
    }

    pub(super) fn lag_bytes(&self) -> Option<f64> {
        let mut lags = self.partitions.iter().map(|it| it.lag_bytes);
        // not `sum`, which begins at -0.0
        lags.try_fold(0.0, |sum, lag| Some(sum + lag?))
    }
}

/// By the mean record of the partition, or of the run where the partition has copied none yet.
fn lag_bytes(partition: &PartitionReading, of_run: Option<f64>) -> Option<f64> {
    if partition.lag == 0 {
        return Some(0.0);
    }
    mean(partition.bytes, partition.records)
        .or(of_run)
        .map(|bytes| (partition.lag as f64 * bytes).round())
}

fn mean(bytes: u64, records: u64) -> Option<f64> {
    (records > 0).then(|| bytes as f64 / records as f64)
}
