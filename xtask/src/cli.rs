//! Arguments.

use clap::{Parser, Subcommand};

use crate::commands::install;
use crate::error::Result;

/// Installs what the tests need, then runs them
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what the tests need: Apache Kafka's jars (Maven) and kcat
    Install,
}

impl Cli {
    pub(crate) fn run(self) -> Result<()> {
        match self.command {
            Task::Install => install::core(),
        }
    }
}
