//! Arguments.

use clap::{Parser, ValueEnum};

use crate::engines::Engine;
use crate::workload::Workload;

/// Measures `mirrorctl replicate` against MirrorMaker 2 on the same brokers
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask bench --",
    after_help = "Example: cargo xtask bench -- --workload lz4 --runs 1"
)]
pub(crate) struct Arguments {
    /// Which workloads; all when none is named
    #[arg(long, value_enum)]
    workload: Vec<Workload>,
    /// Which engines; all when none is named
    #[arg(long, value_enum)]
    engine: Vec<Engine>,
    /// How often each engine runs each workload; the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=20))]
    pub(crate) runs: u16,
    /// Percentage of each workload's records to copy
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=200))]
    pub(crate) percent: u64,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Output::Human)]
    pub(crate) output: Output,
}

impl Arguments {
    pub(crate) fn workloads(&self) -> Vec<Workload> {
        all_if_none(&self.workload)
    }

    pub(crate) fn engines(&self) -> Vec<Engine> {
        all_if_none(&self.engine)
    }
}

fn all_if_none<T: ValueEnum + Clone>(named: &[T]) -> Vec<T> {
    if named.is_empty() {
        T::value_variants().to_vec()
    } else {
        named.to_vec()
    }
}

/// Forms of the result.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Output {
    /// A table
    Human,
    /// Every run and the medians, for programs
    Json,
}
