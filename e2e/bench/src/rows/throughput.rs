//! Three workloads, and the brokers' own limit for each.

use std::time::Duration;

use super::rounds::{rounds, steps};
use crate::bed::{Bed, Copy, spec};
use crate::cli::Arguments;
use crate::engines::{Engine, SETTINGS, Setting};
use crate::error::Result;
use crate::progress::{Plan, Progress, result};
use crate::results::{Results, Scenario};
use crate::topics;

/// Tries of ways to produce take this much of a workload.
const TRIAL_SHARE: u64 = 4;

pub(crate) fn plan(arguments: &Arguments) -> Plan {
    let engines = arguments.engines();
    let trials = if engines.contains(&Engine::ProduceOnly) {
        SETTINGS.len() as u32
    } else {
        0
    };
    Plan {
        steps: arguments.workloads().len() as u32
            * (1 + trials + steps(engines.len(), arguments.runs)),
        each: Duration::from_secs(4) + arguments.window() / 2,
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
        let series = rounds(&copy, &engines, arguments.runs, setting, (plan, progress))?;
        results.throughput.push(Scenario {
            name: workload.describe().to_owned(),
            workload,
            records,
            produce_only: engines.contains(&Engine::ProduceOnly).then_some(setting),
            engines: series,
        });
        topics::delete(&bed.source, &[workload.topic()])?;
    }
    Ok(())
}

/// Tries every way to produce, once; the fastest is the limit to compare with.
fn best_setting(copy: &Copy<'_>, (plan, progress): (Plan, &mut Progress)) -> Result<Setting> {
    let mut best = (0.0, SETTINGS[0]);
    let trial = Copy {
        records: (copy.records / TRIAL_SHARE).max(1),
        tag: &format!("{}try", copy.tag),
        ..*copy
    };
    // the first meets a cold broker: it is tried again
    for (number, setting) in (1..).zip(SETTINGS.into_iter().chain([SETTINGS[0]])) {
        let what = format!(
            "{}: produce-only with {} connections, {} requests in flight",
            copy.workload.describe(),
            setting.connections,
            setting.in_flight
        );
        if usize::from(number) <= SETTINGS.len() {
            progress.step(plan, &what);
        }
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
