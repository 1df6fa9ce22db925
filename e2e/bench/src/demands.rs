//! What is demanded of the replicator, and what it gives.
//!
//! Figures are cut to the demand's disadvantage: ratios that should be high are rounded down, sizes and times that
//! should be low are rounded up.

use serde::Serialize;

use crate::engines::Engine;
use crate::results::{Results, Scenario};
use crate::workload::Workload;

/// Of what producing alone gives.
const OF_LIMIT: f64 = 0.95;
/// "Near zero", in CPU seconds a second.
const IDLE_SHARE: f64 = 0.05;
const RSS_OF_FEW: f64 = 64e6;
const RSS_OF_MANY: f64 = 256e6;
const MANY: u64 = 10_000;
const OVER_TLS: f64 = 3.0;
const DECLARED: u32 = 10_000;
const PLAN_SECONDS: f64 = 5.0;
const CHANGE_SECONDS: f64 = 6.0;
const RSS_OF_DECLARED: f64 = 200e6;

/// One promise, and whether it was kept.
#[derive(Debug, Serialize)]
pub(crate) struct Demand {
    pub(crate) what: String,
    pub(crate) demanded: String,
    pub(crate) got: String,
    pub(crate) met: bool,
}

/// Throughput and inverse CPU against tuned MirrorMaker 2.
fn against_tuned(workload: Workload) -> (f64, f64) {
    match workload {
        Workload::Plain => (3.6, 15.0),
        Workload::Zstd => (3.6, 50.0),
        Workload::Lz4 => (9.0, 70.0),
    }
}

/// Against tuned MirrorMaker 2, by round trip in milliseconds.
fn over_link(round_trip: u64) -> f64 {
    if round_trip <= 50 { 2.5 } else { 3.0 }
}

/// Every demand that what was measured can be held against.
pub(crate) fn demands(results: &Results) -> Vec<Demand> {
    let mut demands = Vec::new();
    for scenario in &results.throughput {
        throughput(scenario, &mut demands);
    }
    let apart = results.apart.as_ref().map(|apart| &apart.scenarios);
    of_limit(
        &results.throughput,
        apart.map_or(&[], Vec::as_slice),
        &mut demands,
    );
    demands.extend(few_partitions(results));
    many_partitions(results, &mut demands);
    demands.extend(latency(results));
    declared(results, &mut demands);
    for link in &results.links {
        let what = format!("{} ms round trip, throughput", link.round_trip);
        demands.extend(times_tuned(
            &link.scenario,
            &what,
            over_link(link.round_trip),
        ));
    }
    if let Some(scenario) = &results.tls {
        let what = "TLS on both sides, throughput";
        demands.extend(times_tuned(scenario, what, OVER_TLS));
    }
    demands
}

fn throughput(scenario: &Scenario, demands: &mut Vec<Demand>) {
    let Some(ours) = scenario.figures(Engine::Mirrorctl) else {
        return;
    };
    let (times, cpu) = against_tuned(scenario.workload);
    let what = format!("{}, throughput", scenario.name);
    demands.extend(times_tuned(scenario, &what, times));
    if let Some(tuned) = scenario.figures(Engine::Mm2Tuned) {
        let ratio = tuned.cpu_seconds_per_million / ours.cpu_seconds_per_million;
        demands.push(Demand {
            what: format!("{}, CPU a record against tuned", scenario.name),
            demanded: format!("≤ 1/{cpu:.0}"),
            got: format!("1/{:.1}", cut_down(ratio, 1)),
            met: ratio >= cpu,
        });
    }
}

/// Against producing alone: judged where each process has cores of its own, because there the target broker limits both.
/// What it is on shared cores is told with it, and judged where nothing else was measured.
fn of_limit(shared: &[Scenario], apart: &[Scenario], demands: &mut Vec<Demand>) {
    let measured: Vec<_> = apart
        .iter()
        .filter_map(|scenario| Some((scenario, share_of_limit(scenario)?)))
        .collect();
    let mut demand = |what: String, share: f64, note: &str| {
        demands.push(Demand {
            what,
            demanded: format!("≥ {:.0} %", OF_LIMIT * 100.0),
            got: format!("{:.1} %{note}", cut_down(share * 100.0, 1)),
            met: share >= OF_LIMIT,
        });
    };
    for scenario in shared {
        let judged_apart = measured
            .iter()
            .any(|(apart, _)| apart.workload == scenario.workload);
        if let (false, Some(share)) = (judged_apart, share_of_limit(scenario)) {
            let what = format!(
                "{}, throughput against produce-only, on shared cores",
                scenario.name
            );
            demand(what, share, "");
        }
    }
    for (scenario, share) in measured {
        let shared = shared
            .iter()
            .find(|shared| shared.workload == scenario.workload)
            .and_then(share_of_limit);
        let note = shared.map_or(String::new(), |share| {
            format!(" ({:.1} % on shared cores)", cut_down(share * 100.0, 1))
        });
        let what = format!(
            "{}, throughput against produce-only, each process on cores of its own",
            scenario.name
        );
        demand(what, share, &note);
    }
}

fn share_of_limit(scenario: &Scenario) -> Option<f64> {
    let ours = scenario.figures(Engine::Mirrorctl)?;
    let limit = scenario.figures(Engine::ProduceOnly)?;
    Some(ours.records_per_second / limit.records_per_second)
}

fn times_tuned(scenario: &Scenario, what: &str, demanded: f64) -> Option<Demand> {
    let ours = scenario.figures(Engine::Mirrorctl)?;
    let tuned = scenario.figures(Engine::Mm2Tuned)?;
    let ratio = ours.records_per_second / tuned.records_per_second;
    Some(Demand {
        what: format!("{what} against tuned"),
        demanded: format!("≥ {demanded:.1}×"),
        got: format!("{:.2}×", cut_down(ratio, 2)),
        met: ratio >= demanded,
    })
}

/// The largest of all workloads and runs.
fn few_partitions(results: &Results) -> Option<Demand> {
    let peak = results
        .throughput
        .iter()
        .flat_map(|scenario| &scenario.engines)
        .filter(|engine| engine.engine == Engine::Mirrorctl)
        .flat_map(|engine| &engine.runs)
        .map(|run| run.peak_rss_bytes as f64)
        .max_by(f64::total_cmp)?;
    Some(Demand {
        what: "peak RSS at 8 partitions, worst run".to_owned(),
        demanded: format!("< {} MB", RSS_OF_FEW / 1e6),
        got: format!("{:.1} MB", cut_up(peak / 1e6, 1)),
        met: peak < RSS_OF_FEW,
    })
}

fn many_partitions(results: &Results, demands: &mut Vec<Demand>) {
    let Some(many) = &results.partitions else {
        return;
    };
    let enough = many.partitions >= MANY;
    let note = if enough { "" } else { " (too few partitions)" };
    let peak = many.peak_rss_bytes as f64;
    demands.push(Demand {
        what: format!("peak RSS at {} partitions", many.partitions),
        demanded: format!("< {} MB", RSS_OF_MANY / 1e6),
        got: format!("{:.1} MB{note}", cut_up(peak / 1e6, 1)),
        met: enough && peak < RSS_OF_MANY,
    });
    demands.push(Demand {
        what: format!("CPU when idle at {} partitions", many.partitions),
        demanded: format!(
            "near zero (taken as ≤ {:.0} % of a core)",
            IDLE_SHARE * 100.0
        ),
        got: format!("{:.2} %{note}", cut_up(many.idle_cpu_share * 100.0, 2)),
        met: enough && many.idle_cpu_share <= IDLE_SHARE,
    });
}

fn declared(results: &Results, demands: &mut Vec<Demand>) {
    for declared in results.declared.iter().filter(|it| it.topics >= DECLARED) {
        let mut demand = |what: &str, demanded: String, got: f64, unit: &str, met: bool| {
            demands.push(Demand {
                what: format!("{} declared topics, {what}", declared.topics),
                demanded,
                got: format!("{:.2} {unit}", cut_up(got, 2)),
                met,
            });
        };
        let (plan, one) = (declared.plan_seconds, declared.one_change_seconds);
        let rss = declared.peak_rss_bytes as f64;
        demand(
            "plan",
            format!("< {PLAN_SECONDS} s"),
            plan,
            "s",
            plan < PLAN_SECONDS,
        );
        demand(
            "one change planned and applied",
            format!("< {CHANGE_SECONDS} s"),
            one,
            "s",
            one < CHANGE_SECONDS,
        );
        demand(
            "peak RSS",
            format!("< {} MB", RSS_OF_DECLARED / 1e6),
            rss / 1e6,
            "MB",
            rss < RSS_OF_DECLARED,
        );
    }
}

fn latency(results: &Results) -> Option<Demand> {
    let p99 = |engine: Engine| {
        let runs = results.latency.iter().find(|runs| runs.engine == engine)?;
        Some(runs.medians().1)
    };
    let (ours, theirs) = (p99(Engine::Mirrorctl)?, p99(Engine::Mm2Default)?);
    Some(Demand {
        what: "p99 of added latency at 1,000 records/s".to_owned(),
        demanded: format!("≤ {theirs:.2} ms (MirrorMaker 2, default)"),
        got: format!("{:.2} ms", cut_up(ours, 2)),
        met: ours <= theirs,
    })
}

/// Rounded down to so many decimals.
pub(crate) fn cut_down(value: f64, decimals: i32) -> f64 {
    let unit = 10_f64.powi(decimals);
    (value * unit).floor() / unit
}

/// Rounded up to so many decimals.
fn cut_up(value: f64, decimals: i32) -> f64 {
    let unit = 10_f64.powi(decimals);
    (value * unit).ceil() / unit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::EngineRuns;
    use crate::watch::Measurement;

    fn scenario(workload: Workload, ours: f64, limit: f64) -> Scenario {
        let mut scenario = Scenario::new(workload.tag().to_owned(), workload, 1);
        for (engine, rate) in [(Engine::Mirrorctl, ours), (Engine::ProduceOnly, limit)] {
            let mut runs = EngineRuns::new(engine);
            runs.runs.push(Measurement {
                first_record_seconds: 0.0,
                records: 1,
                copy_seconds: 1.0,
                records_per_second: rate,
                cpu_seconds_per_million: 1.0,
                later_records_per_second: rate,
                later_cpu_seconds_per_million: 1.0,
                start_cpu_seconds: 0.0,
                peak_rss_bytes: 1,
                target_cpu_share: 1.0,
            });
            scenario.engines.push(runs);
        }
        scenario
    }

    #[test]
    fn the_limit_is_judged_on_cores_of_their_own_and_the_shared_figure_stands_beside() {
        let shared = [
            scenario(Workload::Plain, 70.0, 100.0),
            scenario(Workload::Zstd, 80.0, 100.0),
        ];
        let apart = [scenario(Workload::Plain, 96.0, 100.0)];
        let mut demands = Vec::new();
        of_limit(&shared, &apart, &mut demands);
        let told: Vec<(&str, bool)> = demands
            .iter()
            .map(|demand| (demand.got.as_str(), demand.met))
            .collect();
        assert_eq!(
            told,
            [("80.0 %", false), ("96.0 % (70.0 % on shared cores)", true)]
        );
    }

    #[test]
    fn what_falls_short_is_not_rounded_into_a_success() {
        assert_eq!(format!("{:.2}", cut_down(3.599, 2)), "3.59");
        assert_eq!(format!("{:.1}", cut_down(94.99, 1)), "94.9");
        assert_eq!(format!("{:.1}", cut_up(63.91, 1)), "64.0");
    }
}
