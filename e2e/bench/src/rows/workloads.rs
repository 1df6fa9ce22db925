//! One workload after the other, on the same brokers.

use std::time::Duration;

use super::produce_only::{TRIAL_STEPS, best_setting};
use super::rounds::{Rounds, steps, warm_up};
use crate::bed::{Bed, Copy, data_directory};
use crate::cli::Arguments;
use crate::cores::Cores;
use crate::engines::{Engine, SETTINGS};
use crate::error::Result;
use crate::held_memory::{free_bytes, is_memory};
use crate::progress::{Plan, Progress};
use crate::results::Scenario;
use crate::topics;

/// What the workloads are copied on, and by whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workloads<'a> {
    pub(crate) bed: &'a Bed,
    /// Where each process has to stay.
    pub(crate) cores: Option<&'a Cores>,
    /// Copies before it counts.
    pub(crate) warm_ups: u16,
    pub(crate) engines: &'a [Engine],
    pub(crate) arguments: &'a Arguments,
}

pub(crate) fn plan(arguments: &Arguments, engines: &[Engine], warm_ups: u16) -> Plan {
    let trials = if engines.contains(&Engine::ProduceOnly) {
        TRIAL_STEPS
    } else {
        0
    };
    Plan {
        steps: arguments.workloads().len() as u32
            * (1 + trials + steps(engines.len(), warm_ups, arguments.runs)),
        each: Duration::from_secs(4) + arguments.window() / 3,
    }
}

impl Workloads<'_> {
    /// What was measured before an error stays in `scenarios`.
    pub(crate) fn run(
        self,
        (plan, progress): (Plan, &mut Progress),
        scenarios: &mut Vec<Scenario>,
    ) -> Result<()> {
        let Self {
            bed,
            cores,
            warm_ups,
            engines,
            arguments,
        } = self;
        for workload in arguments.workloads() {
            let records = workload.records(arguments.percent);
            let what = format!("{}: writing {records} records", workload.describe());
            progress.step(plan, &what);
            let directory = data_directory()?;
            let free = free_bytes(&directory)?;
            workload.prepare(&bed.pair.source, records)?;
            let written = free.saturating_sub(free_bytes(&directory)?);
            let copy = Copy {
                bed,
                target: &bed.target,
                cores,
                workload,
                records,
                memory_bytes: if is_memory(&directory)? { written } else { 0 },
                window: Some(arguments.window()),
                tag: workload.tag(),
            };
            warm_up(&copy, engines, warm_ups, (plan, progress))?;
            let mut setting = SETTINGS[0];
            if engines.contains(&Engine::ProduceOnly) {
                setting = best_setting(&copy, (plan, progress))?;
            }
            let mut scenario = Scenario::new(workload.describe().to_owned(), workload, records);
            scenario.produce_only = engines.contains(&Engine::ProduceOnly).then_some(setting);
            let run = Rounds {
                engines,
                runs: arguments.runs,
                setting,
            }
            .run(&copy, (plan, progress), &mut scenario);
            scenarios.push(scenario);
            run?;
            topics::delete(&bed.source, &[workload.topic()])?;
        }
        Ok(())
    }
}
