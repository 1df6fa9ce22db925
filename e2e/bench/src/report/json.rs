//! For programs.

use serde_json::{Map, Value, json as object};

use crate::demands::demands;
use crate::results::{Results, Scenario};

/// Every run, the medians, and the demands.
pub(crate) fn json(results: &Results) -> Value {
    let scenarios = results
        .throughput
        .iter()
        .chain(results.links.iter().map(|link| &link.scenario))
        .chain(&results.tls)
        .map(|scenario| (scenario.name.clone(), medians(scenario)));
    let apart = results.apart.iter().flat_map(|apart| &apart.scenarios);
    let apart = apart.map(|scenario| {
        let name = format!("{}, cores of its own", scenario.name);
        (name, medians(scenario))
    });
    let medians: Map<String, Value> = scenarios.chain(apart).collect();
    object!({
        "results": results,
        "medians": medians,
        "demands": demands(results),
    })
}

fn medians(scenario: &Scenario) -> Value {
    scenario
        .engines
        .iter()
        .map(|runs| object!({"engine": runs.engine, "figures": runs.figures()}))
        .collect()
}
