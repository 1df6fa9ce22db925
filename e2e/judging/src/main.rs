//! How fast the judge is and how much memory it takes: `cargo xtask judging`.

mod arguments;
mod brokers;
mod error;
mod figures;
mod history;
mod memory;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, print, say};

fn main() -> ExitCode {
    match Arguments::parse().run() {
        Ok(answer) => {
            print(&answer.said);
            if answer.holds {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
