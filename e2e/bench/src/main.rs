//! Measures `mirrorctl replicate` against MirrorMaker 2 and against the brokers' own limit, in one run and on the same
//! brokers; `RESULTS.md` says how, and what came out.
//!
//! - [`rows`]: the groups of rows, one file each.
//! - [`engines`]: what copies, as child processes.
//! - [`produce_only`]: the brokers' limit; this program in a child process, too.
//! - [`watch`], [`arrivals`]: looking at an engine from outside.
//! - [`demands`]: what is asked of the replicator.

mod arrivals;
mod bed;
mod cli;
mod cores;
mod demands;
mod endpoint;
mod engines;
mod error;
mod events;
mod held_memory;
mod leftovers;
mod machine;
mod produce_only;
mod progress;
mod report;
mod results;
mod rows;
mod statistics;
mod topics;
mod watch;
mod workload;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Arguments, Cli, Part};
use crate::error::Result;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.part {
        Some(Part::ProduceOnly(arguments)) => produce_only::run(arguments)
            .map(|()| true)
            .map_err(Into::into),
        None => measure(&cli.arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            progress::failed(&error);
            ExitCode::FAILURE
        }
    }
}

/// Measures and reports; false when a row could not be measured.
fn measure(arguments: &Arguments) -> Result<bool> {
    let _sweeper = leftovers::sweep_at_exit()?;
    let results = rows::measure(arguments)?;
    report::print(&results, arguments.output);
    if arguments.write {
        let path = report::write(&results)?;
        progress::written(&path);
    }
    Ok(results.failures.is_empty())
}
