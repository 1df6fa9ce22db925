//! Arguments.

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;

use crate::engines::{Delivery, Engine};
use crate::produce_only;
use crate::workload::Workload;

/// Measures `mirrorctl replicate` against MirrorMaker 2 and against the brokers' own limit
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask bench --",
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  cargo xtask bench -- --write\n  cargo xtask bench -- --rows throughput --workload lz4 --runs 1 --percent 10"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) part: Option<Part>,
    #[command(flatten)]
    pub(crate) arguments: Arguments,
}

/// What the benchmark starts of itself, in processes of their own.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// Send prepared batches to the target, and nothing else
    #[command(hide = true)]
    ProduceOnly(produce_only::Arguments),
}

/// What to measure, and how long.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Arguments {
    /// Which groups of rows, separated by commas; all when none is named
    #[arg(long, value_enum, value_delimiter = ',')]
    rows: Vec<Row>,
    /// Which workloads of the throughput rows; all when none is named
    #[arg(long, value_enum, value_delimiter = ',')]
    workload: Vec<Workload>,
    /// Which engines; all when none is named
    #[arg(long, value_enum, value_delimiter = ',')]
    engine: Vec<Engine>,
    /// How often each engine runs; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=20))]
    pub(crate) runs: u16,
    /// Percentage of each workload's records; 100 needs 16 GB of memory or disk for the brokers
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=200))]
    pub(crate) percent: u64,
    /// How long MirrorMaker 2 copies at most in a run, in seconds; also the unit of the other rows' times
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(2..=60))]
    pub(crate) seconds: u64,
    /// How many partitions the row with many has, in hundreds
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) hundred_partitions: u16,
    /// Cores of the target broker where each process has its own; the engine has one, the source broker another two or,
    /// where there is no more, one
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) target_cores: u16,
    /// What `mirrorctl` promises while it is measured
    #[arg(long, value_enum, default_value_t = Delivery::ExactlyOnce)]
    pub(crate) delivery: Delivery,
    /// Write e2e/bench/RESULTS.md
    #[arg(long)]
    pub(crate) write: bool,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Output::Human)]
    #[serde(skip)]
    pub(crate) output: Output,
}

impl Arguments {
    pub(crate) fn rows(&self) -> Vec<Row> {
        all_if_none(&self.rows)
    }

    pub(crate) fn workloads(&self) -> Vec<Workload> {
        all_if_none(&self.workload)
    }

    pub(crate) fn engines(&self) -> Vec<Engine> {
        all_if_none(&self.engine)
    }

    /// Those of the engines that really copy.
    pub(crate) fn copiers(&self) -> Vec<Engine> {
        let mut engines = self.engines();
        engines.retain(|engine| *engine != Engine::ProduceOnly);
        engines
    }

    /// How long an engine copies at most where its run is cut short.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// How long latency is watched in a run.
    pub(crate) fn latency_window(&self) -> Duration {
        Duration::from_secs(self.seconds) * 3 / 2
    }

    /// How long idleness is watched.
    pub(crate) fn idle_window(&self) -> Duration {
        Duration::from_secs(self.seconds) * 4
    }
}

fn all_if_none<T: ValueEnum + Clone>(named: &[T]) -> Vec<T> {
    if named.is_empty() {
        T::value_variants().to_vec()
    } else {
        named.to_vec()
    }
}

/// Groups of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Row {
    /// Records, CPU and memory of three workloads, and the brokers' own limit
    Throughput,
    /// The same workloads against the brokers' own limit, each process on cores of its own; needs four cores
    Cores,
    /// Added latency at 1,000 records a second
    Latency,
    /// 50 and 150 ms round trip to the target
    Links,
    /// TLS on both sides
    Tls,
    /// Thousands of partitions: memory, idle CPU
    Partitions,
    /// Thousands of declared topics: time and memory of `plan` and `apply`
    Declared,
}

/// Forms of the result.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Output {
    /// Tables
    Human,
    /// Every run and the medians, for programs
    Json,
}
