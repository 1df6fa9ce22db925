//! `cargo xtask`: installs what the tests need, then runs them.

mod amazon;
mod cli;
mod commands;
mod containers;
mod deployment;
mod error;
mod needs;
mod process;
mod project;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            project::say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
