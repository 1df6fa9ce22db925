//! The same scenarios, on every engine, judged by `mirrorctl verify`: what holds, what does not, and the first record that
//! shows it.

mod board;
mod cli;
mod contract;
mod engine;
mod error;
mod fault;
mod run;
mod scenario;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::Arguments::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::say(&format!("scoreboard: {error}"));
            ExitCode::FAILURE
        }
    }
}
