//! The whole benchmark, in order.

use std::time::Duration;

use e2e::{ClusterSpec, KafkaCluster, Workspace};
use rustix::process::Signal;

use crate::cli::Arguments;
use crate::engines::{Engine, Job};
use crate::error::Result;
use crate::measure::{EndOffsets, Measurement, watch};
use crate::report::{EngineReport, Report, WorkloadReport, progress};
use crate::workload::{Workload, create_topic, delete_topic};

/// No engine gets longer for one run.
const RUN_LIMIT: Duration = Duration::from_mins(10);
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// Copies that do not count; after two the brokers' speed is steady.
pub(crate) const WARM_UPS: u16 = 2;

/// Starts the clusters, then measures every workload.
pub(crate) fn run(arguments: &Arguments) -> Result<Report> {
    progress("starting two brokers");
    let spec = ClusterSpec {
        heap_megabytes: 1_024,
        ..ClusterSpec::single()
    }
    // what a run has copied is gone from the disk before the next has written as much
    .with("log.segment.delete.delay.ms", "1000");
    let source = KafkaCluster::start(&spec)?;
    let target = KafkaCluster::start(&spec)?;
    let data = Workspace::create("bench")?
        .path()
        .parent()
        .map(std::path::Path::to_owned)
        .unwrap_or_default();
    let mut workloads = Vec::new();
    for workload in arguments.workloads() {
        workloads.push(measure_workload(arguments, workload, &source, &target)?);
    }
    Ok(Report {
        runs: arguments.runs,
        data,
        workloads,
    })
}

fn measure_workload(
    arguments: &Arguments,
    workload: Workload,
    source: &KafkaCluster,
    target: &KafkaCluster,
) -> Result<WorkloadReport> {
    let records = workload.records(arguments.percent);
    progress(&format!(
        "{}: writing {records} records",
        workload.describe()
    ));
    workload.prepare(source, records)?;
    let mut engines: Vec<EngineReport> = arguments
        .engines()
        .into_iter()
        .map(EngineReport::new)
        .collect();
    // The brokers' own code is slow until the JVM has compiled it; whoever came first would pay for all.
    if let Some(first) = engines.first() {
        progress(&format!("{}: warming the brokers", workload.describe()));
        for extra in 1..=WARM_UPS {
            let run = arguments.runs + extra;
            measure_run(first.engine, workload, run, records, source, target)?;
        }
    }
    // in turns, so that a change of the machine's mood meets every engine
    for run in 1..=arguments.runs {
        for report in &mut engines {
            let measurement = measure_run(report.engine, workload, run, records, source, target)?;
            progress(&format!(
                "{}: {}, run {run}: {:.0} records/s",
                workload.describe(),
                report.engine.describe(),
                measurement.records_per_second
            ));
            report.runs.push(measurement);
        }
    }
    delete_topic(source, workload.topic())?;
    Ok(WorkloadReport {
        workload,
        records,
        record_size: workload.record_size(),
        engines,
    })
}

fn measure_run(
    engine: Engine,
    workload: Workload,
    run: u16,
    records: u64,
    source: &KafkaCluster,
    target: &KafkaCluster,
) -> Result<Measurement> {
    let workspace = Workspace::create("bench")?;
    let alias = match engine {
        Engine::Mirrorctl => format!("builtin{run}"),
        Engine::Mm2Default => format!("default{run}"),
        Engine::Mm2Tuned => format!("tuned{run}"),
    };
    let job = Job {
        source,
        target,
        workload,
        alias: &alias,
        workspace: &workspace,
    };
    let topic = job.target_topic();
    create_topic(target, &topic)?;
    let end_offsets = EndOffsets::of(&target.bootstrap_servers(), &topic, 8)?;
    // the first question is slow, and the topic must be there for it
    end_offsets.total()?;

    let mut running = engine.start(&job)?;
    let measurement = watch(engine, &mut running, &end_offsets, records, RUN_LIMIT)?;
    engine.check(&job)?;
    running.process.signal(Signal::TERM)?;
    if running.process.wait(STOP_LIMIT).is_err() {
        progress(&format!(
            "{} does not stop; it is killed",
            engine.describe()
        ));
    }
    drop(running);
    delete_topic(target, &topic)?;
    Ok(measurement)
}
