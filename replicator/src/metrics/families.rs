//! Every metric there is: name, kind, unit, labels, meaning, and where its values come from.

use prometheus_client::metrics::MetricType;

use crate::histogram::HistogramReading;
use crate::metrics::reading::{PartitionRow, RunReading};
use crate::metrics::watchlist::Held;
use crate::partition_figures::PartitionState;

/// A value of one sample.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Whole(u64),
    Real(f64),
    Histogram(HistogramReading),
}

/// A label beside those of the family's subject.
pub(super) type Extra = Option<(&'static str, &'static str)>;

/// Takes the samples of a family.
pub(super) type Emit<'e> = &'e mut dyn FnMut(Extra, Value);

/// What is the same for every kind of subject.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family<S: 'static> {
    /// With its unit, without `_total`.
    pub(super) name: &'static str,
    pub(super) kind: MetricType,
    pub(super) unit: Option<Unit>,
    /// Name of the label beside those of the subject.
    pub(super) extra: Option<&'static str>,
    pub(super) help: &'static str,
    pub(super) samples: fn(&S, Emit<'_>),
}

/// Base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Bytes,
}

/// The process itself.
#[derive(Debug)]
pub(super) struct ProcessReading {
    pub(super) started_seconds: f64,
    pub(super) resident_bytes: Option<u64>,
}

use MetricType::{Counter, Gauge, Histogram};
use Unit::{Bytes, Seconds};
use Value::{Real, Whole};

const fn family<S>(
    name: &'static str,
    kind: MetricType,
    unit: Option<Unit>,
    help: &'static str,
    samples: fn(&S, Emit<'_>),
) -> Family<S> {
    Family {
        name,
        kind,
        unit,
        extra: None,
        help,
        samples,
    }
}

impl<S> Family<S> {
    const fn by(mut self, label: &'static str) -> Self {
        self.extra = Some(label);
        self
    }
}

/// Without labels of a subject.
pub(super) const PROCESS: &[Family<ProcessReading>] = &[
    family(
        "mirrorctl_build_info",
        Gauge,
        None,
        "Always 1; the label says which version runs",
        |_: &ProcessReading, emit| {
            emit(Some(("version", env!("CARGO_PKG_VERSION"))), Whole(1));
        },
    )
    .by("version"),
    family(
        "mirrorctl_start_time_seconds",
        Gauge,
        Some(Seconds),
        "When the process started, in seconds since the epoch",
        |it, emit| emit(None, Real(it.started_seconds)),
    ),
    family(
        "mirrorctl_resident_memory_bytes",
        Gauge,
        Some(Bytes),
        "Resident memory of the process; absent where the system does not tell it",
        |it, emit| {
            if let Some(bytes) = it.resident_bytes {
                emit(None, Whole(bytes));
            }
        },
    ),
];

/// With the label `mirror`: of mirrors that are held back as a whole, which have no run.
pub(super) const HELD: &[Family<Held>] = &[family(
    "mirrorctl_held",
    Gauge,
    None,
    "1 for a mirror that copies nothing on purpose, by who says so: topology (state of the file), record (what was applied, on the target), both; absent for others",
    |it: &Held, emit| emit(Some(("by", it.by())), Whole(1)),
)
.by("by")];

/// With the labels `mirror`, `source` and `target`.
pub(super) const MIRROR: &[Family<RunReading>] = &[
    family(
        "mirrorctl_up",
        Gauge,
        None,
        "1 while the mirror prepares, copies or drains; 0 while it cannot start, and once it is over or could not go on",
        |it, emit| emit(None, Whole(u64::from(it.is_up()))),
    ),
    family(
        "mirrorctl_partitions",
        Gauge,
        None,
        "Partitions by state: running, waiting (a cluster refuses or is away), stalled (records are there and none moves), paused, complete (end of --once), failed (stopped for good, or of a topic that is refused)",
        |it: &RunReading, emit| {
            for state in PartitionState::ALL {
                emit(Some(("state", state.name())), Whole(it.in_state(state)));
            }
        },
    )
    .by("state"),
    family(
        "mirrorctl_latency_seconds",
        Histogram,
        Some(Seconds),
        "From the timestamp of the oldest record of a batch to the target's acknowledgement, one observation a batch. With CreateTime topics it contains what the producers' clocks are off and how long they kept the batch open; records ahead of our clock count as 0, records without a timestamp not at all",
        |it, emit| emit(None, Value::Histogram(it.latency.clone())),
    ),
    family(
        "mirrorctl_produce_seconds",
        Histogram,
        Some(Seconds),
        "From a produce request being written to its answer, replication on the target (acks=all) included",
        |it, emit| emit(None, Value::Histogram(it.produce.clone())),
    ),
    family(
        "mirrorctl_interruptions",
        Counter,
        None,
        "Copying of a partition interrupted and begun again from its position, by cause: source, source_refused, target, target_refused, sequence (the target lost track of our sequence numbers), internal",
        |it: &RunReading, emit| {
            for (class, count) in it.traffic.interruptions {
                emit(Some(("class", class.name())), Whole(count));
            }
        },
    )
    .by("class"),
    family(
        "mirrorctl_fetch_requests",
        Counter,
        None,
        "Fetch requests that the source answered, empty answers included",
        |it, emit| emit(None, Whole(it.traffic.fetch_requests)),
    ),
    family(
        "mirrorctl_fetched_bytes",
        Counter,
        Some(Bytes),
        "Bytes of record batches read from the source, those read again included",
        |it, emit| emit(None, Whole(it.traffic.fetched_bytes)),
    ),
    family(
        "mirrorctl_produce_requests",
        Counter,
        None,
        "Produce requests that were answered or failed",
        |it, emit| emit(None, Whole(it.traffic.produce_requests)),
    ),
    family(
        "mirrorctl_connections_opened",
        Counter,
        None,
        "Connections of the data path opened, by side: source, target",
        |it: &RunReading, emit| {
            emit(Some(("side", "source")), Whole(it.traffic.source_connections));
            emit(Some(("side", "target")), Whole(it.traffic.target_connections));
        },
    )
    .by("side"),
    family(
        "mirrorctl_joined_target_brokers",
        Gauge,
        None,
        "Target brokers that are sent everything over one connection, because that was tried and is no slower than several",
        |it, emit| emit(None, Whole(it.traffic.joined_brokers as u64)),
    ),
    family(
        "mirrorctl_in_flight_bytes",
        Gauge,
        Some(Bytes),
        "Byte budget in use: reserved for running fetches, or read and not yet acknowledged by the target",
        |it, emit| emit(None, Whole(it.budget.0)),
    ),
    family(
        "mirrorctl_byte_budget_bytes",
        Gauge,
        Some(Bytes),
        "The byte budget (byteBudget of the mirror)",
        |it, emit| emit(None, Whole(it.budget.1)),
    ),
    family(
        "mirrorctl_positions_committed",
        Counter,
        None,
        "Positions written to the positions topic and acknowledged",
        |it, emit| emit(None, Whole(it.traffic.positions_committed)),
    ),
    family(
        "mirrorctl_last_commit_timestamp_seconds",
        Gauge,
        Some(Seconds),
        "When positions were last committed, in seconds since the epoch; absent before the first time. An idle mirror has nothing to commit: see mirrorctl_commit_age_seconds for what is overdue",
        |it, emit| {
            if it.traffic.last_commit_ms > 0 {
                emit(None, Real(it.traffic.last_commit_ms as f64 / 1e3));
            }
        },
    ),
    family(
        "mirrorctl_throttle_limit_bytes",
        Gauge,
        Some(Bytes),
        "Bytes a second that the mirror may copy (throttle of the mirror); 0 without a limit",
        |it, emit| emit(None, Whole(it.traffic.throttle_limit)),
    ),
    family(
        "mirrorctl_throttled_seconds",
        Counter,
        Some(Seconds),
        "How long connections waited for the throttle, summed over them",
        |it, emit| emit(None, Real(it.traffic.throttled.as_secs_f64())),
    ),
    family(
        "mirrorctl_lag_objective_seconds",
        Gauge,
        Some(Seconds),
        "The declared objective (slo.lag of the mirror); absent where none is declared",
        |it, emit| {
            if let Some(objective) = it.run.lag_objective {
                emit(None, Real(objective.as_secs_f64()));
            }
        },
    ),
    family(
        "mirrorctl_mirror_copied_records",
        Counter,
        None,
        "Records acknowledged by the target, all partitions together",
        |it, emit| emit(None, Whole(it.sum(|partition| partition.records))),
    ),
    family(
        "mirrorctl_mirror_copied_bytes",
        Counter,
        Some(Bytes),
        "Bytes of record batches acknowledged by the target, all partitions together",
        |it, emit| emit(None, Whole(it.sum(|partition| partition.bytes))),
    ),
    family(
        "mirrorctl_mirror_batches",
        Counter,
        None,
        "As mirrorctl_batches_total, all partitions together",
        |it: &RunReading, emit| {
            emit(Some(("how", "passed")), Whole(it.sum(|partition| partition.passed)));
            emit(Some(("how", "rebuilt")), Whole(it.sum(|partition| partition.rebuilt)));
            emit(Some(("how", "filtered")), Whole(it.sum(|partition| partition.filtered)));
            emit(Some(("how", "merged")), Whole(it.sum(|partition| partition.merged)));
        },
    )
    .by("how"),
    family(
        "mirrorctl_mirror_lag_records",
        Gauge,
        None,
        "Sum of mirrorctl_lag_records over all partitions",
        |it, emit| emit(None, Whole(it.sum(|partition| partition.lag))),
    ),
    family(
        "mirrorctl_mirror_lag_seconds",
        Gauge,
        Some(Seconds),
        "Largest mirrorctl_lag_seconds of all partitions",
        |it, emit| emit(None, Real(it.lag_seconds())),
    ),
    family(
        "mirrorctl_mirror_lag_estimated_bytes",
        Gauge,
        Some(Bytes),
        "Sum of mirrorctl_lag_estimated_bytes over all partitions; absent while that of any is",
        |it, emit| {
            if let Some(bytes) = it.lag_bytes() {
                emit(None, Real(bytes));
            }
        },
    ),
    family(
        "mirrorctl_mirror_gaps",
        Counter,
        None,
        "Sum of mirrorctl_gaps_total over all partitions",
        |it, emit| emit(None, Whole(it.sum(|partition| partition.gaps))),
    ),
    family(
        "mirrorctl_mirror_gap_offsets",
        Counter,
        None,
        "Sum of mirrorctl_gap_offsets_total over all partitions",
        |it, emit| emit(None, Whole(it.sum(|partition| partition.gap_offsets))),
    ),
    family(
        "mirrorctl_mirror_quarantined_records",
        Counter,
        None,
        "Sum of mirrorctl_quarantined_records_total over all partitions",
        |it, emit| emit(None, Whole(it.sum(|partition| partition.quarantined))),
    ),
];

/// With the labels of the mirror, `topic` (on the source) and `partition`.
pub(super) const PARTITION: &[Family<PartitionRow>] = &[
    family(
        "mirrorctl_partition_well",
        Gauge,
        None,
        "1 where the partition is running or complete; 0 where it waits, is stalled, paused or failed",
        |it, emit| {
            let well = match it.reading.state {
                PartitionState::Running | PartitionState::Complete => 1,
                PartitionState::Waiting
                | PartitionState::Stalled
                | PartitionState::Paused
                | PartitionState::Failed => 0,
            };
            emit(None, Whole(well));
        },
    ),
    family(
        "mirrorctl_copied_records",
        Counter,
        None,
        "Records acknowledged by the target in an unbroken run since the process started",
        |it, emit| emit(None, Whole(it.reading.records)),
    ),
    family(
        "mirrorctl_copied_bytes",
        Counter,
        Some(Bytes),
        "Bytes of the record batches of those records, as sent (compressed)",
        |it, emit| emit(None, Whole(it.reading.bytes)),
    ),
    family(
        "mirrorctl_batches",
        Counter,
        None,
        "Record batches by what was done with them: passed (byte for byte), rebuilt (compacted, append time, a start inside a batch), filtered (markers and aborted transactional data, not sent), merged (small ones that were put into one with others). Batches sent again count again",
        |it: &PartitionRow, emit| {
            emit(Some(("how", "passed")), Whole(it.reading.passed));
            emit(Some(("how", "rebuilt")), Whole(it.reading.rebuilt));
            emit(Some(("how", "filtered")), Whole(it.reading.filtered));
            emit(Some(("how", "merged")), Whole(it.reading.merged));
        },
    )
    .by("how"),
    family(
        "mirrorctl_lag_records",
        Gauge,
        None,
        "Offsets between the position and the source's last stable offset: the number of records that are not on the target, or more where offsets have holes (compaction, markers)",
        |it, emit| emit(None, Whole(it.reading.lag)),
    ),
    family(
        "mirrorctl_lag_seconds",
        Gauge,
        Some(Seconds),
        "Age of the oldest record that is not on the target; 0 when caught up. Exactly: now minus the timestamp of the first record of the oldest batch that was sent and is not acknowledged; where all that was sent is acknowledged, minus the newest timestamp acknowledged; where the partition was caught up before, minus the moment its end was seen to move. Never negative",
        |it, emit| emit(None, Real(it.reading.lag_seconds)),
    ),
    family(
        "mirrorctl_lag_estimated_bytes",
        Gauge,
        Some(Bytes),
        "Estimate: mirrorctl_lag_records times the mean size of the records copied in this run (the partition's, or the mirror's where it has copied none); absent while nothing was copied and something is missing",
        |it, emit| {
            if let Some(bytes) = it.lag_bytes {
                emit(None, Real(bytes));
            }
        },
    ),
    family(
        "mirrorctl_position",
        Gauge,
        None,
        "Source offset up to which everything is acknowledged by the target",
        |it, emit| emit(None, Whole(u64::try_from(it.reading.position).unwrap_or(0))),
    ),
    family(
        "mirrorctl_last_stable_offset",
        Gauge,
        None,
        "The source's last stable offset, as last heard of",
        |it, emit| emit(None, Whole(u64::try_from(it.reading.end).unwrap_or(0))),
    ),
    family(
        "mirrorctl_commit_age_seconds",
        Gauge,
        Some(Seconds),
        "For how long something is acknowledged that no committed position covers; 0 when all is covered",
        |it, emit| emit(None, Real(it.reading.commit_age_seconds)),
    ),
    family(
        "mirrorctl_partition_interruptions",
        Counter,
        None,
        "Copying of this partition interrupted and begun again from its position",
        |it, emit| emit(None, Whole(it.reading.interruptions)),
    ),
    family(
        "mirrorctl_gaps",
        Counter,
        None,
        "Times that source offsets were passed over because they were lost (onDataLoss: continue)",
        |it, emit| emit(None, Whole(it.reading.gaps)),
    ),
    family(
        "mirrorctl_gap_offsets",
        Counter,
        None,
        "Offsets in those gaps",
        |it, emit| emit(None, Whole(it.reading.gap_offsets)),
    ),
    family(
        "mirrorctl_quarantined_records",
        Counter,
        None,
        "Records that went to the dead-letter topic instead (onOversize: quarantine)",
        |it, emit| emit(None, Whole(it.reading.quarantined)),
    ),
];
