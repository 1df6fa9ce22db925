//! Arguments, and what they lead to.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::brokers;
use crate::error::Result;
use crate::history::{self, Shape};

/// Measures the judge: its rate beside kafka-consumer-perf's, and its memory
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask judging --",
    after_help = "Examples:\n  cargo xtask judging -- history --records 100000000\n  cargo xtask judging -- brokers --records 10000000"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// The checks alone, on a generated history
    History {
        #[command(flatten)]
        workload: Workload,
        /// Leave this record out, by its number: then a check has to fail
        #[arg(long, value_name = "NUMBER")]
        lose: Option<u64>,
    },
    /// Reading and checking on a real broker, and kafka-consumer-perf on the same topic by turns
    Brokers {
        #[command(flatten)]
        workload: Workload,
        /// How often both read the topic; the median counts
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
    },
    /// What `brokers` starts to read and check, in a process of its own
    #[command(hide = true)]
    Check {
        /// Where the broker is
        bootstrap: String,
        /// What was written
        journal: PathBuf,
    },
    /// What `brokers` starts to write, in a process of its own
    #[command(hide = true)]
    Write {
        /// Where the broker is
        bootstrap: String,
        /// Where to keep what was written
        journal: PathBuf,
        #[command(flatten)]
        workload: Workload,
    },
}

/// How much of what.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Workload {
    /// Records
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) records: u64,
    /// Partitions
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) partitions: i32,
    /// Bytes of a value
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) bytes: u32,
    /// Decides the records
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What came out, and whether what is promised holds.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) said: String,
    pub(crate) holds: bool,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Answer> {
        match &self.task {
            Task::History { workload, lose } => {
                let figures = history::judge(Shape {
                    records: workload.records,
                    partitions: workload.partitions,
                    value_bytes: workload.bytes,
                    seed: workload.seed,
                    lost: *lose,
                })?;
                Ok(Answer {
                    said: figures.in_words(),
                    holds: figures.holds(),
                })
            }
            Task::Brokers { workload, rounds } => brokers::measure(*workload, *rounds),
            Task::Check { bootstrap, journal } => brokers::check(bootstrap, journal),
            Task::Write {
                bootstrap,
                journal,
                workload,
            } => brokers::write(bootstrap, journal, *workload),
        }
    }
}

/// What goes on, for who waits.
#[expect(clippy::print_stderr, reason = "the one place that says something")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::print_stdout, reason = "the one place that prints the result")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}
