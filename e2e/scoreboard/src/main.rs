//! The same scenarios, on every engine, judged by `mirrorctl verify`: what holds, what does not, and the first record that
//! shows it.

mod beside;
mod board;
mod both_ways;
mod cli;
mod contract;
mod engine;
mod error;
mod events;
mod external;
mod fault;
mod judge;
mod looked_at;
mod memory;
mod random;
mod ready;
mod results;
mod run;
mod scenario;
mod step;
mod written;

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
