//! What was measured.

use serde::Serialize;

use crate::cli::{Arguments, Row};
use crate::cores::Cores;
use crate::engines::{Engine, Setting};
use crate::machine::Machine;
use crate::statistics::median;
use crate::watch::Measurement;
use crate::workload::Workload;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) arguments: Arguments,
    pub(crate) throughput: Vec<Scenario>,
    /// Against producing alone, each process on cores of its own.
    pub(crate) apart: Option<Apart>,
    pub(crate) latency: Vec<LatencyRuns>,
    pub(crate) links: Vec<Link>,
    pub(crate) tls: Option<Scenario>,
    pub(crate) partitions: Option<ManyPartitions>,
    pub(crate) declared: Vec<DeclaredTopics>,
    /// What could not be measured.
    pub(crate) failures: Vec<Unmeasured>,
    /// What this machine is too small for.
    pub(crate) not_run: Vec<Unmeasured>,
    /// How long all of it took.
    pub(crate) minutes: f64,
}

impl Results {
    pub(crate) fn new(arguments: Arguments, machine: Machine) -> Self {
        Self {
            machine,
            arguments,
            throughput: Vec::new(),
            apart: None,
            latency: Vec::new(),
            links: Vec::new(),
            tls: None,
            partitions: None,
            declared: Vec::new(),
            failures: Vec::new(),
            not_run: Vec::new(),
            minutes: 0.0,
        }
    }
}

/// A group of rows without figures.
#[derive(Debug, Serialize)]
pub(crate) struct Unmeasured {
    pub(crate) row: Row,
    pub(crate) reason: String,
}

/// One workload over one way, by all engines.
#[derive(Debug, Serialize)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) workload: Workload,
    pub(crate) records: u64,
    /// The best way to produce alone, where that was measured.
    pub(crate) produce_only: Option<Setting>,
    pub(crate) engines: Vec<EngineRuns>,
}

impl Scenario {
    /// Not measured yet.
    pub(crate) fn new(name: String, workload: Workload, records: u64) -> Self {
        Self {
            name,
            workload,
            records,
            produce_only: None,
            engines: Vec::new(),
        }
    }
}

/// Scenarios in which no process takes time from another.
#[derive(Debug, Serialize)]
pub(crate) struct Apart {
    pub(crate) cores: Cores,
    pub(crate) scenarios: Vec<Scenario>,
}

/// A scenario over a long link.
#[derive(Debug, Serialize)]
pub(crate) struct Link {
    /// In milliseconds.
    pub(crate) round_trip: u64,
    #[serde(flatten)]
    pub(crate) scenario: Scenario,
}

/// One engine's runs.
#[derive(Debug, Serialize)]
pub(crate) struct EngineRuns {
    pub(crate) engine: Engine,
    pub(crate) runs: Vec<Measurement>,
}

/// Medians, each quantity by itself.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Figures {
    pub(crate) records_per_second: f64,
    pub(crate) cpu_seconds_per_million: f64,
    pub(crate) peak_rss_bytes: f64,
    pub(crate) first_record_seconds: f64,
    pub(crate) target_cpu_share: f64,
}

impl EngineRuns {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            runs: Vec::new(),
        }
    }

    /// The medians; of the whole run or of its later half, whichever is better for an engine that warms up.
    pub(crate) fn figures(&self) -> Figures {
        let of = |quantity: fn(&Measurement) -> f64| median(&self.runs, quantity);
        let whole = Figures {
            records_per_second: of(|run| run.records_per_second),
            cpu_seconds_per_million: of(|run| run.cpu_seconds_per_million),
            peak_rss_bytes: of(|run| run.peak_rss_bytes as f64),
            first_record_seconds: of(|run| run.first_record_seconds),
            target_cpu_share: of(|run| run.target_cpu_share),
        };
        if self.engine.warms_up() {
            Figures {
                records_per_second: whole
                    .records_per_second
                    .max(of(|run| run.later_records_per_second)),
                cpu_seconds_per_million: whole
                    .cpu_seconds_per_million
                    .min(of(|run| run.later_cpu_seconds_per_million)),
                ..whole
            }
        } else {
            whole
        }
    }
}

impl Scenario {
    pub(crate) fn figures(&self, engine: Engine) -> Option<Figures> {
        let runs = self
            .engines
            .iter()
            .find(|runs| runs.engine == engine && !runs.runs.is_empty())?;
        Some(runs.figures())
    }
}

/// What one run at a steady rate gave.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct LatencyRun {
    pub(crate) records: usize,
    pub(crate) p50_milliseconds: f64,
    pub(crate) p99_milliseconds: f64,
    pub(crate) max_milliseconds: f64,
}

/// One engine's runs at a steady rate.
#[derive(Debug, Serialize)]
pub(crate) struct LatencyRuns {
    pub(crate) engine: Engine,
    pub(crate) runs: Vec<LatencyRun>,
}

impl LatencyRuns {
    /// The median of the runs' medians, and that of their 99th percentiles.
    pub(crate) fn medians(&self) -> (f64, f64) {
        (
            median(&self.runs, |run| run.p50_milliseconds),
            median(&self.runs, |run| run.p99_milliseconds),
        )
    }
}

/// The built-in replicator with many partitions.
#[derive(Debug, Serialize)]
pub(crate) struct ManyPartitions {
    pub(crate) partitions: u64,
    pub(crate) topics: usize,
    pub(crate) records: u64,
    pub(crate) copy: Measurement,
    /// While copying and while idle after it.
    pub(crate) peak_rss_bytes: u64,
    pub(crate) idle_seconds: f64,
    /// CPU seconds a second while idle.
    pub(crate) idle_cpu_share: f64,
}

/// `plan` and `apply` with many declared topics.
#[derive(Debug, Serialize)]
pub(crate) struct DeclaredTopics {
    pub(crate) cluster: String,
    pub(crate) topics: u32,
    pub(crate) partitions: u32,
    /// `apply` that creates all of them.
    pub(crate) create_seconds: f64,
    /// `plan` that finds nothing to do.
    pub(crate) plan_seconds: f64,
    /// `apply` that changes one.
    pub(crate) one_change_seconds: f64,
    /// The largest of the three commands.
    pub(crate) peak_rss_bytes: u64,
}
