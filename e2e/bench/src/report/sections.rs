//! Tables, before they are text or Markdown.

use crate::arrivals::RECORD_SIZE as LATENCY_RECORD_SIZE;
use crate::demands::{Demand, cut_down};
use crate::engines::Engine;
use crate::results::{Apart, Results, Scenario, Unmeasured};
use crate::rows::{LATENCY_RATE, PARTITIONS_RECORD_SIZE, RECORDS_EACH};

/// A heading, some words, a table.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) head: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
}

const COPY_HEAD: [&str; 6] = [
    "",
    "k records/s",
    "MB/s",
    "CPU s per million",
    "peak RSS, MB",
    "first record after, s",
];

/// The verdict first, then every group.
pub(crate) fn sections(results: &Results, demands: &[Demand]) -> Vec<Section> {
    let mut sections = vec![verdict(demands)];
    sections.extend(results.throughput.iter().map(copy));
    sections.extend(results.apart.as_ref().map(apart));
    if !results.latency.is_empty() {
        sections.push(latency(results));
    }
    sections.extend(results.links.iter().map(|link| copy(&link.scenario)));
    sections.extend(results.tls.as_ref().map(copy));
    sections.extend(partitions(results));
    sections.extend(declared(results));
    sections.extend(unmeasured("Could not be measured", &results.failures));
    sections.extend(unmeasured("Not run", &results.not_run));
    sections
}

fn unmeasured(title: &str, rows: &[Unmeasured]) -> Option<Section> {
    if rows.is_empty() {
        return None;
    }
    Some(Section {
        title: title.to_owned(),
        text: String::new(),
        head: vec!["rows", "reason"],
        rows: rows
            .iter()
            .map(|unmeasured| {
                // the rest was printed when it happened
                let first_line = unmeasured.reason.lines().next().unwrap_or_default();
                vec![format!("{:?}", unmeasured.row), first_line.to_owned()]
            })
            .collect(),
    })
}

fn verdict(demands: &[Demand]) -> Section {
    let met = demands.iter().filter(|demand| demand.met).count();
    Section {
        title: "Demanded and got".to_owned(),
        text: format!("{met} of {} demands are met.", demands.len()),
        head: vec!["", "demanded", "got", "met?"],
        rows: demands
            .iter()
            .map(|demand| {
                vec![
                    demand.what.clone(),
                    demand.demanded.clone(),
                    demand.got.clone(),
                    if demand.met { "yes" } else { "**no**" }.to_owned(),
                ]
            })
            .collect(),
    }
}

fn copy(scenario: &Scenario) -> Section {
    let size = f64::from(scenario.workload.record_size());
    let mut sentences = vec![format!("{} records, 8 partitions.", scenario.records)];
    if let Some(setting) = scenario.produce_only {
        sentences.push(format!(
            "Produce-only was fastest with connections: {}, requests in flight on each: {}.",
            setting.connections, setting.in_flight
        ));
    }
    if let (Some(ours), Some(tuned)) = (
        scenario.figures(Engine::Mirrorctl),
        scenario.figures(Engine::Mm2Tuned),
    ) {
        sentences.push(format!(
            "Against tuned MirrorMaker 2: {:.2}× the throughput, 1/{:.1} of the CPU, 1/{:.1} of the memory.",
            cut_down(ours.records_per_second / tuned.records_per_second, 2),
            cut_down(
                tuned.cpu_seconds_per_million / ours.cpu_seconds_per_million,
                1
            ),
            cut_down(tuned.peak_rss_bytes / ours.peak_rss_bytes, 1),
        ));
    }
    let text = sentences.join(" ");
    Section {
        title: scenario.name.clone(),
        text,
        head: COPY_HEAD.to_vec(),
        rows: scenario
            .engines
            .iter()
            .filter(|engine| !engine.runs.is_empty())
            .map(|engine| {
                let figures = engine.figures();
                vec![
                    engine.engine.describe().to_owned(),
                    significant(figures.records_per_second / 1e3),
                    significant(figures.records_per_second * size / 1e6),
                    format!("{:.3}", figures.cpu_seconds_per_million),
                    format!("{:.0}", figures.peak_rss_bytes / 1e6),
                    format!("{:.2}", figures.first_record_seconds),
                ]
            })
            .collect(),
    }
}

fn apart(apart: &Apart) -> Section {
    let settings: Vec<String> = apart
        .scenarios
        .iter()
        .filter_map(|scenario| {
            let setting = scenario.produce_only?;
            let (connections, in_flight) = (setting.connections, setting.in_flight);
            Some(format!("{connections} × {in_flight} ({})", scenario.name))
        })
        .collect();
    let mut text = apart.cores.describe();
    if !settings.is_empty() {
        text += " Produce-only was fastest with connections × requests in flight on each: ";
        text += &settings.join(", ");
        text.push('.');
    }
    Section {
        title: "Each process on cores of its own".to_owned(),
        text,
        head: vec![
            "",
            "k records/s",
            "MB/s",
            "CPU s per million",
            "target broker, % of a core",
        ],
        rows: apart
            .scenarios
            .iter()
            .flat_map(|scenario| {
                let size = f64::from(scenario.workload.record_size());
                let measured = scenario.engines.iter();
                let measured = measured.filter(|engine| !engine.runs.is_empty());
                measured.map(move |engine| {
                    let figures = engine.figures();
                    vec![
                        format!("{}, {}", scenario.name, engine.engine.describe()),
                        significant(figures.records_per_second / 1e3),
                        significant(figures.records_per_second * size / 1e6),
                        format!("{:.3}", figures.cpu_seconds_per_million),
                        format!("{:.0}", figures.target_cpu_share * 100.0),
                    ]
                })
            })
            .collect(),
    }
}

/// Whole numbers, and a decimal for small ones.
fn significant(value: f64) -> String {
    if value < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

fn latency(results: &Results) -> Section {
    Section {
        title: format!("Added latency at {LATENCY_RATE} records/s"),
        text: format!(
            "{LATENCY_RECORD_SIZE}-byte records, 8 partitions, a producer without linger; arrival at a consumer of the \
             target minus arrival at a consumer of the source, {} s a run.",
            results.arguments.latency_window().as_secs()
        ),
        head: vec!["", "p50, ms", "p99, ms"],
        rows: results
            .latency
            .iter()
            .map(|runs| {
                let (p50, p99) = runs.medians();
                vec![
                    runs.engine.describe().to_owned(),
                    format!("{p50:.2}"),
                    format!("{p99:.2}"),
                ]
            })
            .collect(),
    }
}

fn partitions(results: &Results) -> Option<Section> {
    let many = results.partitions.as_ref()?;
    Some(Section {
        title: format!("{} partitions", many.partitions),
        text: format!(
            "{} topics, {RECORDS_EACH} records of {PARTITIONS_RECORD_SIZE} bytes in every partition; mirrorctl alone, one \
             run; then idle for {:.0} s.",
            many.topics, many.idle_seconds
        ),
        head: vec![
            "",
            "peak RSS, MB",
            "CPU when idle, % of a core",
            "first record after, s",
            "all copied after, s",
        ],
        rows: vec![vec![
            Engine::Mirrorctl.describe().to_owned(),
            format!("{:.1}", many.peak_rss_bytes as f64 / 1e6),
            format!("{:.2}", many.idle_cpu_share * 100.0),
            format!("{:.2}", many.copy.first_record_seconds),
            // the last sample without a record lies before the first with one
            format!(
                "{:.1}",
                many.copy.first_record_seconds + many.copy.copy_seconds
            ),
        ]],
    })
}

fn declared(results: &Results) -> Option<Section> {
    if results.declared.is_empty() {
        return None;
    }
    Some(Section {
        title: "Declared topics".to_owned(),
        text:
            "Whole commands, from their start to their end, reading the topology included; one run."
                .to_owned(),
        head: vec![
            "",
            "topics",
            "partitions",
            "all created, s",
            "planned, s",
            "one changed, s",
            "peak RSS, MB",
        ],
        rows: results
            .declared
            .iter()
            .map(|declared| {
                vec![
                    declared.cluster.clone(),
                    declared.topics.to_string(),
                    declared.partitions.to_string(),
                    format!("{:.1}", declared.create_seconds),
                    format!("{:.2}", declared.plan_seconds),
                    format!("{:.2}", declared.one_change_seconds),
                    format!("{:.0}", declared.peak_rss_bytes as f64 / 1e6),
                ]
            })
            .collect(),
    })
}
