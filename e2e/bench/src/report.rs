//! The result, as a table and as JSON.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the one file that prints"
)]

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::Output;
use crate::engines::Engine;
use crate::error::Error;
use crate::measure::Measurement;
use crate::run::WARM_UPS;
use crate::statistics::medians;
use crate::workload::Workload;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) runs: u16,
    /// Where the brokers kept their logs.
    pub(crate) data: PathBuf,
    pub(crate) workloads: Vec<WorkloadReport>,
}

/// One workload.
#[derive(Debug, Serialize)]
pub(crate) struct WorkloadReport {
    pub(crate) workload: Workload,
    pub(crate) records: u64,
    pub(crate) record_size: u32,
    pub(crate) engines: Vec<EngineReport>,
}

/// One engine's runs over one workload.
#[derive(Debug, Serialize)]
pub(crate) struct EngineReport {
    pub(crate) engine: Engine,
    pub(crate) runs: Vec<Measurement>,
}

impl EngineReport {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            runs: Vec::new(),
        }
    }
}

/// The built-in replicator against tuned MirrorMaker 2: how many times better.
#[derive(Debug, Serialize)]
struct Ratios {
    throughput: f64,
    cpu: f64,
    memory: f64,
}

impl WorkloadReport {
    fn medians(&self, engine: Engine) -> Option<Measurement> {
        let report = self.engines.iter().find(|report| report.engine == engine)?;
        Some(medians(&report.runs))
    }

    fn ratios(&self) -> Option<Ratios> {
        let ours = self.medians(Engine::Mirrorctl)?;
        let theirs = self.medians(Engine::Mm2Tuned)?;
        Some(Ratios {
            throughput: ours.records_per_second / theirs.records_per_second,
            cpu: theirs.cpu_seconds_per_million / ours.cpu_seconds_per_million,
            memory: theirs.peak_rss_bytes as f64 / ours.peak_rss_bytes as f64,
        })
    }
}

/// Prints the result to standard output.
pub(crate) fn print(report: &Report, output: Output) {
    match output {
        Output::Human => print!("{}", table(report)),
        Output::Json => println!("{:#}", json(report)),
    }
}

/// Tells on standard error what is going on.
pub(crate) fn progress(what: &str) {
    eprintln!("bench: {what}");
}

/// Tells on standard error what went wrong.
pub(crate) fn failed(error: &Error) {
    eprintln!("bench: error: {error}");
}

fn table(report: &Report) -> String {
    let head = format!(
        "\nOne broker a side on this machine, loopback, replication factor 1, 8 partitions, data in {}; \
         medians of {} after {} copies that do not count.\n",
        report.data.display(),
        report.runs,
        WARM_UPS
    );
    report
        .workloads
        .iter()
        .fold(head, |text, workload| text + &section(workload))
}

fn section(workload: &WorkloadReport) -> String {
    let mut lines = vec![
        String::new(),
        format!(
            "{} ({} records)",
            workload.workload.describe(),
            workload.records
        ),
        format!(
            "{:<24}{:>14}{:>10}{:>16}{:>14}{:>16}",
            "", "k records/s", "MB/s", "CPU s/million", "peak RSS MB", "first record s"
        ),
    ];
    for engine in &workload.engines {
        let median = medians(&engine.runs);
        lines.push(format!(
            "{:<24}{:>14.0}{:>10.0}{:>16.3}{:>14.0}{:>16.2}",
            engine.engine.describe(),
            median.records_per_second / 1e3,
            median.records_per_second * f64::from(workload.record_size) / 1e6,
            median.cpu_seconds_per_million,
            median.peak_rss_bytes as f64 / 1e6,
            median.first_record_seconds
        ));
    }
    if let Some(ratios) = workload.ratios() {
        lines.push(format!(
            "against tuned MirrorMaker 2: {:.1}x the throughput, 1/{:.0} of the CPU, 1/{:.0} of the memory",
            ratios.throughput, ratios.cpu, ratios.memory
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn json(report: &Report) -> serde_json::Value {
    let workloads: Vec<_> = report
        .workloads
        .iter()
        .map(|workload| {
            let engines: Vec<_> = workload
                .engines
                .iter()
                .map(|engine| {
                    serde_json::json!({
                        "engine": engine.engine,
                        "median": medians(&engine.runs),
                        "runs": engine.runs,
                    })
                })
                .collect();
            serde_json::json!({
                "workload": workload.workload,
                "records": workload.records,
                "record_size": workload.record_size,
                "engines": engines,
                "against_tuned_mirrormaker2": workload.ratios(),
            })
        })
        .collect();
    serde_json::json!({ "runs": report.runs, "partitions": 8, "data": report.data, "workloads": workloads })
}
