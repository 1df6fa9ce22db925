//! Measures `mirrorctl replicate` against MirrorMaker 2, in one run and on the same brokers.
//!
//! One broker on each side, loopback, replication factor 1, 8 partitions. The source topic of a workload is written
//! once, with large batches; two copies that do not count warm the brokers; then the engines take turns, each into a
//! fresh topic.
//!
//! - *Throughput*: records divided by the time from the last sample that saw an empty target to the first that saw
//!   every record. Starting the engine (a JVM, a group, a topic) is not part of it; it is reported as the time to the
//!   first record.
//! - *CPU*: user and system time of the engine's process from its start to the last record.
//! - *Memory*: the peak resident set of that process.

mod cli;
mod engines;
mod error;
mod measure;
mod report;
mod run;
mod statistics;
mod workload;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match run::run(&arguments) {
        Ok(report) => {
            report::print(&report, arguments.output);
            ExitCode::SUCCESS
        }
        Err(error) => {
            report::failed(&error);
            ExitCode::FAILURE
        }
    }
}
