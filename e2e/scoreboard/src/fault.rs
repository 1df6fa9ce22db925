//! Carries out the steps of a scenario.

use std::time::{Duration, Instant};

use e2e::{KafkaCluster, Pair};
use rustix::process::Signal;

use crate::cli::say;
use crate::engine::Engine;
use crate::error::Result;
use crate::scenario::{Fault, Step, Victim};

/// The broker of a cluster with one.
const BROKER: u16 = 1;

/// Takes each step at its time after `began`, and leaves everything running. Returns how often the engine began anew.
pub(crate) fn carry_out(
    steps: &[Step],
    began: Instant,
    engine: &mut Engine<'_>,
    pair: &Pair,
) -> Result<u64> {
    let mut restarts = 0;
    for step in steps {
        let due = Duration::from_secs_f64(step.at);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        say(&format!("  {step}"));
        match step.target {
            Victim::Engine => {
                to_engine(step.fault, engine)?;
                restarts += u64::from(step.fault == Fault::Start);
            }
            Victim::Source => to_broker(step.fault, &pair.source)?,
            Victim::Target => to_broker(step.fault, &pair.target)?,
        }
    }
    Ok(restarts)
}

fn to_engine(fault: Fault, engine: &mut Engine<'_>) -> Result<()> {
    match fault {
        Fault::Kill => engine.kill(),
        Fault::Terminate => engine.terminate(),
        Fault::Start => engine.start(),
        Fault::Freeze => engine.signal(Signal::STOP),
        Fault::Thaw => engine.signal(Signal::CONT),
    }
}

fn to_broker(fault: Fault, cluster: &KafkaCluster) -> Result<()> {
    match fault {
        Fault::Kill => cluster.kill_broker(BROKER)?,
        Fault::Terminate => cluster.stop_broker(BROKER)?,
        Fault::Start => cluster.restart_broker(BROKER)?,
        Fault::Freeze => cluster.pause_broker(BROKER)?,
        Fault::Thaw => cluster.resume_broker(BROKER)?,
    }
    Ok(())
}
