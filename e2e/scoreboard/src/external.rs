//! An engine that somebody else runs, between clusters that somebody else runs: the workload is written and the target is
//! judged, and nothing is started, ended or slowed down.

use std::path::Path;
use std::time::Instant;

use e2e::Workspace;

use crate::engine::Kind;
use crate::error::{Error, Result};
use crate::judge::{Found, Judge};
use crate::run::Outcome;
use crate::scenario::Scenario;

/// Runs a scenario in which nothing goes wrong on the mirror of this topology, which must select the scenario's topic.
pub(crate) fn run(
    scenario: &Scenario,
    topology: &Path,
    mirror: &str,
    seed: u64,
) -> Result<Outcome> {
    if !scenario.is_quiet() {
        return Err(Error::NotOursToStart);
    }
    let began = Instant::now();
    let workspace = Workspace::create("scoreboard")?;
    let topology = std::path::absolute(topology).map_err(Error::file(topology))?;
    let topology = topology.display().to_string();
    let judge = Judge::of(&workspace, &topology, mirror, scenario.patience);
    judge.write(scenario, &scenario.topic(), seed)?.finish()?;
    let Found {
        checks,
        not_compared,
    } = judge.check(0, &[])?;
    let judged_after = judge.since_last_write()?;
    Ok(Outcome {
        scenario: scenario.name.clone(),
        engine: Kind::External,
        seed,
        took: began.elapsed(),
        judged_after,
        ended: None,
        not_compared,
        checks,
    })
}
