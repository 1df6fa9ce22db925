//! `mirrorctl`: plans, applies, replicates and verifies mirrors of Apache Kafka clusters.
//!
//! The binary turns arguments into one library call, prints its result, and exits with a code that
//! says what happened. The work is done in the libraries.

mod ambari;
mod applicant;
mod audit;
mod cli;
mod commands;
mod complete;
mod connect;
mod copies;
mod exit;
mod failure;
mod fleet;
mod follow;
mod former;
mod halted;
mod in_place;
mod judge;
mod judge_security;
mod launch;
mod listen;
mod load;
mod lots;
mod output;
mod promotion;
mod reach;
mod rendered;
mod select;
mod serve;
mod session;
mod signals;
mod stage;
mod steered;
mod telemetry;
mod unheard;
mod values;
mod wire;

fn main() -> std::process::ExitCode {
    launch::launch()
}
