//! What an engine adds to a record's way, at a steady rate.

use std::time::Duration;

use e2e::Workspace;

use crate::arrivals::{self, Sides};
use crate::bed::{Bed, spec, stop};
use crate::cli::Arguments;
use crate::engines::{Engine, Job, SETTINGS};
use crate::error::{Error, Result};
use crate::progress::{Plan, Progress, result};
use crate::results::{LatencyRun, LatencyRuns, Results};
use crate::statistics::percentile;
use crate::topics;
use crate::workload::PARTITIONS;

/// Records a second.
pub(crate) const RATE: u64 = 1_000;

pub(crate) fn plan(arguments: &Arguments) -> Plan {
    Plan {
        steps: u32::from(arguments.runs) * arguments.copiers().len() as u32,
        each: Duration::from_secs(9) + arguments.latency_window(),
    }
}

pub(crate) fn measure(
    arguments: &Arguments,
    progress: &mut Progress,
    results: &mut Results,
) -> Result<()> {
    let bed = Bed::start(&spec(), arguments.delivery)?;
    let plan = plan(arguments);
    let engines = arguments.copiers();
    let mut series: Vec<LatencyRuns> = engines
        .iter()
        .map(|engine| LatencyRuns {
            engine: *engine,
            runs: Vec::new(),
        })
        .collect();
    for run in 1..=arguments.runs {
        let begins = usize::from(run - 1) % series.len().max(1);
        for index in 0..series.len() {
            let engine = &mut series[(begins + index) % engines.len()];
            let what = format!("latency: {}, run {run}", engine.engine.describe());
            progress.step(plan, &what);
            let measured = measure_run(&bed, engine.engine, run, arguments.latency_window())?;
            result(&format!(
                "p50 {:.2} ms, p99 {:.2} ms",
                measured.p50_milliseconds, measured.p99_milliseconds
            ));
            engine.runs.push(measured);
        }
    }
    results.latency = series;
    Ok(())
}

fn measure_run(bed: &Bed, engine: Engine, run: u16, window: Duration) -> Result<LatencyRun> {
    let workspace = Workspace::create("bench")?;
    let alias = format!("{}wait{run}", engine.alias());
    let topic = format!("bench-latency-{alias}");
    let job = Job {
        source: &bed.source,
        target: &bed.target,
        topics: &topic,
        codec: "none",
        alias: &alias,
        delivery: bed.delivery,
        records: 0,
        produce_only: SETTINGS[0],
        kafka: bed.kafka(),
        workspace: &workspace,
    };
    let target_topic = job.target_topic(&topic);
    topics::create(&bed.source, &[&topic], PARTITIONS)?;
    topics::create(&bed.target, &[&target_topic], PARTITIONS)?;
    let running = engine.start(&job)?;
    let sides = Sides {
        source: (&bed.source, &topic),
        target: (&bed.target, &target_topic),
        rate: RATE,
    };
    let arrivals = arrivals::watch(&sides, window)?;
    engine.check(&job)?;
    stop(running)?;
    let mut added: Vec<f64> = Vec::with_capacity(arrivals.len());
    for (at_source, at_target) in arrivals.iter().copied().flatten() {
        // who reads on the source may be told a moment later than who reads on the target
        let late = at_target.saturating_duration_since(at_source).as_secs_f64();
        let early = at_source.saturating_duration_since(at_target).as_secs_f64();
        added.push((late - early) * 1e3);
    }
    let missing = arrivals.len() - added.len();
    if missing > 0 || added.is_empty() {
        return Err(Error::Missing {
            engine: engine.describe(),
            missing,
            sent: arrivals.len(),
        });
    }
    added.sort_by(f64::total_cmp);
    topics::delete(&bed.source, &[&topic])?;
    topics::delete(&bed.target, &[&target_topic])?;
    Ok(LatencyRun {
        records: added.len(),
        p50_milliseconds: percentile(&added, 50),
        p99_milliseconds: percentile(&added, 99),
        max_milliseconds: percentile(&added, 100),
    })
}
