//! Rounds of engines in turn.

use crate::bed::Copy;
use crate::engines::{Engine, SETTINGS, Setting};
use crate::error::Result;
use crate::progress::{Plan, Progress, result};
use crate::results::{EngineRuns, Scenario};

/// Copies that do not count; after them the brokers' speed rises little.
pub(crate) const WARM_UPS: u16 = 4;

/// Copies that do not count: the brokers' own code is slow until the JVM has compiled it, and whoever came first would
/// pay for all. They are the first engine's, if there is one.
pub(crate) fn warm_up(
    copy: &Copy<'_>,
    engines: &[Engine],
    times: u16,
    (plan, progress): (Plan, &mut Progress),
) -> Result<()> {
    let Some(first) = engines.first() else {
        return Ok(());
    };
    let warming = Copy {
        tag: &format!("{}warm", copy.tag),
        ..*copy
    };
    for run in 1..=times {
        progress.step(plan, &format!("{}: warming the brokers", copy.describe()));
        warming.run(*first, run, SETTINGS[0])?;
    }
    Ok(())
}

/// Every engine runs once a round. Who begins changes from round to round, so that a change of the machine's mood
/// meets every engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds<'a> {
    pub(crate) engines: &'a [Engine],
    pub(crate) runs: u16,
    pub(crate) setting: Setting,
}

impl Rounds<'_> {
    /// What was measured before an error stays in `scenario`.
    pub(crate) fn run(
        self,
        copy: &Copy<'_>,
        (plan, progress): (Plan, &mut Progress),
        scenario: &mut Scenario,
    ) -> Result<()> {
        let Self {
            engines,
            runs,
            setting,
        } = self;
        let series = &mut scenario.engines;
        series.extend(engines.iter().copied().map(EngineRuns::new));
        for run in 1..=runs {
            let begins = usize::from(run - 1) % series.len().max(1);
            for index in 0..series.len() {
                let engine = &mut series[(begins + index) % engines.len()];
                let name = engine.engine.describe();
                progress.step(plan, &format!("{}: {name}, run {run}", copy.describe()));
                let measurement = copy.run(engine.engine, run, setting)?;
                result(&format!(
                    "{:.0} records/s, {:.3} CPU s per million, {:.0} MB, {} records in {:.1} s",
                    measurement.records_per_second,
                    measurement.cpu_seconds_per_million,
                    measurement.peak_rss_bytes as f64 / 1e6,
                    measurement.records,
                    measurement.copy_seconds
                ));
                engine.runs.push(measurement);
            }
        }
        Ok(())
    }
}

/// How many steps [`warm_up`] and [`Rounds`] take.
pub(crate) fn steps(engines: usize, warm_ups: u16, runs: u16) -> u32 {
    u32::from(runs) * engines as u32 + if engines > 0 { u32::from(warm_ups) } else { 0 }
}
