//! The same workloads, each process on cores of its own: what is compared is what the target takes, not who gets how
//! much of a core.

use super::workloads::{self, Workloads};
use crate::bed::{Bed, spec};
use crate::cli::{Arguments, Row};
use crate::cores::{Cores, on};
use crate::engines::Engine;
use crate::error::Result;
use crate::progress::{Plan, Progress, result};
use crate::results::{Apart, Results, Unmeasured};

/// On few cores the brokers' JVMs take longer to compile what they do often: throughput was still
/// rising after the tenth copy.
pub(crate) const WARM_UPS: u16 = 8;

fn engines(arguments: &Arguments) -> Vec<Engine> {
    let mut engines = arguments.engines();
    engines.retain(|engine| matches!(engine, Engine::Mirrorctl | Engine::ProduceOnly));
    engines
}

pub(crate) fn plan(arguments: &Arguments) -> Plan {
    workloads::plan(arguments, &engines(arguments), WARM_UPS)
}

pub(crate) fn measure(
    arguments: &Arguments,
    progress: &mut Progress,
    results: &mut Results,
) -> Result<()> {
    let Some(cores) = Cores::share_out(arguments.target_cores)? else {
        let reason = format!("fewer than {} cores may be used here", Cores::NEEDED);
        result(&format!("cores: not run: {reason}"));
        results.not_run.push(Unmeasured {
            row: Row::Cores,
            reason,
        });
        return Ok(());
    };
    // a JVM that sees one core at its start chooses another collector
    let bed = Bed::start(&spec(), arguments.delivery)?;
    let mut scenarios = Vec::new();
    let run = on(&cores.source, || {
        Workloads {
            bed: &bed,
            cores: Some(&cores),
            warm_ups: WARM_UPS,
            engines: &engines(arguments),
            arguments,
        }
        .run((plan(arguments), progress), &mut scenarios)
    });
    results.apart = Some(Apart { cores, scenarios });
    run
}
