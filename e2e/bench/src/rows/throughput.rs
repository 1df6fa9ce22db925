//! Three workloads, and the brokers' own limit for each.

use std::time::Duration;

use super::rounds::{Rounds, steps};
use crate::bed::{Bed, Copy, spec};
use crate::cli::Arguments;
use crate::engines::{Engine, SETTINGS, Setting};
use crate::error::Result;
use crate::progress::{Plan, Progress, result};
use crate::results::{Results, Scenario};
use crate::topics;

/// Tries of ways to produce take this much of a workload.
const TRIAL_SHARE: u64 = 4;
/// The first tries meet a cold broker.
const TRIALS: usize = 2;

pub(crate) fn plan(arguments: &Arguments) -> Plan {
    let engines = arguments.engines();
    let trials = if engines.contains(&Engine::ProduceOnly) {
        (SETTINGS.len() * TRIALS) as u32
    } else {
        0
    };
    Plan {
        steps: arguments.workloads().len() as u32
            * (1 + trials + steps(engines.len(), arguments.runs)),
        each: Duration::from_secs(4) + arguments.window() / 3,
    }
}

pub(crate) fn measure(
    arguments: &Arguments,
    progress: &mut Progress,
    results: &mut Results,
) -> Result<()> {
    let bed = Bed::start(&spec(), arguments.delivery)?;
    let plan = plan(arguments);
    let engines = arguments.engines();
    for workload in arguments.workloads() {
        let records = workload.records(arguments.percent);
        let what = format!("{}: writing {records} records", workload.describe());
        progress.step(plan, &what);
        workload.prepare(&bed.pair.source, records)?;
        let copy = Copy {
            bed: &bed,
            target: &bed.target,
            workload,
            records,
            window: Some(arguments.window()),
            tag: workload.tag(),
        };
        let mut setting = SETTINGS[0];
        if engines.contains(&Engine::ProduceOnly) {
            setting = best_setting(&copy, (plan, progress))?;
        }
        let mut scenario = Scenario::new(workload.describe().to_owned(), workload, records);
        scenario.produce_only = engines.contains(&Engine::ProduceOnly).then_some(setting);
        let run = Rounds {
            engines: &engines,
            runs: arguments.runs,
            setting,
        }
        .run(&copy, (plan, progress), &mut scenario);
        results.throughput.push(scenario);
        run?;
        topics::delete(&bed.source, &[workload.topic()])?;
    }
    Ok(())
}

/// Tries every way to produce, some times in turn; the fastest is the limit to compare with.
fn best_setting(copy: &Copy<'_>, (plan, progress): (Plan, &mut Progress)) -> Result<Setting> {
    let mut best = (0.0, SETTINGS[0]);
    let trial = Copy {
        records: (copy.records / TRIAL_SHARE).max(1),
        tag: &format!("{}try", copy.tag),
        ..*copy
    };
    let tries = std::iter::repeat_n(SETTINGS, TRIALS).flatten();
    for (number, setting) in (1..).zip(tries) {
        let what = format!(
            "{}: produce-only, connections: {}, requests in flight: {}",
            copy.workload.describe(),
            setting.connections,
            setting.in_flight
        );
        progress.step(plan, &what);
        let rate = trial
            .run(Engine::ProduceOnly, number, setting)?
            .records_per_second;
        result(&format!("{rate:.0} records/s"));
        if rate > best.0 {
            best = (rate, setting);
        }
    }
    Ok(best.1)
}
