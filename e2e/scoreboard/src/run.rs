//! One scenario on one engine: two fresh clusters, the workload, the faults, the judge.

use std::time::{Duration, Instant};

use e2e::{ClusterSpec, Pair, TopicAdmin, Workspace, mirrorctl, start_mirrorctl};
use serde::Deserialize;

use crate::engine::{Engine, Kind, MIRROR, TOPOLOGY};
use crate::error::{Error, Result};
use crate::fault::carry_out;
use crate::scenario::Scenario;

/// The judge waits this long for the next record. A worker of Kafka Connect that was killed is waited for before its tasks
/// go to another one, five minutes by default (`scheduled.rebalance.max.delay.ms`): late is not lost.
const PATIENCE: &str = "400s";
const JOURNAL: &str = "journal.json";
const REPORT: &str = "report.json";
/// No workload here takes longer.
const WRITING: Duration = Duration::from_mins(10);

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) scenario: String,
    pub(crate) engine: Kind,
    pub(crate) seed: u64,
    pub(crate) took: Duration,
    /// From the last write to the verdict.
    pub(crate) judged_after: Duration,
    /// How the engine ended by itself, which none should.
    pub(crate) ended: Option<String>,
    pub(crate) checks: Vec<Judged>,
}

/// A check of the judge's report.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Judged {
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
}

/// A verdict of the judge's report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Pass {
        evidence: String,
    },
    Fail {
        failures: u64,
        counterexample: Counterexample,
    },
    Inconclusive {
        reason: String,
    },
}

/// The first record that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Counterexample {
    pub(crate) expected: String,
    pub(crate) found: String,
}

#[derive(Deserialize)]
struct Report {
    checks: Vec<Judged>,
}

/// Runs it to its end; the clusters are gone afterwards.
pub(crate) fn run(scenario: &Scenario, kind: Kind, seed: u64) -> Result<Outcome> {
    let began = Instant::now();
    let workspace = Workspace::create("scoreboard")?;
    let pair = Pair::start(&ClusterSpec::single())?;
    let topic = format!("{}.records", scenario.name);
    let partitions = i32::from(scenario.workload.partitions);
    TopicAdmin::new(&pair.source.bootstrap_servers())?.create(&topic, partitions, &[])?;
    workspace.write(TOPOLOGY, topology(&pair, kind, &topic))?;
    let mut engine = Engine::prepare(kind, &workspace)?;
    engine.start()?;

    let (records, seed_text) = (scenario.workload.records.to_string(), seed.to_string());
    let rate = scenario.workload.rate.map(|rate| rate.to_string());
    let mut arguments = stamped("write");
    arguments.extend([
        "--topic",
        &topic,
        "--records",
        &records,
        "--seed",
        &seed_text,
    ]);
    arguments.extend(rate.iter().flat_map(|rate| ["--rate", rate]));
    let mut writer = start_mirrorctl(&workspace, "writer", &arguments)?;
    let restarts = carry_out(&scenario.steps(seed), Instant::now(), &mut engine, &pair)?;
    let status = writer.wait(WRITING)?;
    if !status.success() {
        return Err(Error::Judge {
            command: arguments.join(" "),
            code: status.code(),
            printed: writer.stderr(),
        });
    }
    let written = Instant::now();
    let checks = judge(&workspace, restarts)?;
    let judged_after = written.elapsed();
    Ok(Outcome {
        scenario: scenario.name.clone(),
        engine: kind,
        seed,
        took: began.elapsed(),
        judged_after,
        ended: engine.ended()?,
        checks,
    })
}

fn topology(pair: &Pair, kind: Kind, topic: &str) -> String {
    pair.topology(&format!(
        "mirrors:\n- {{name: {MIRROR}, source: source, target: target, engine: {}, delivery: {}, \
         topicsPattern: '{}', replicationPolicy: {{type: identity}}, \
         topicSync: {{interval: 1s, replicationFactor: 1}}}}\n",
        kind.name(),
        kind.delivery(),
        topic.replace('.', "[.]"),
    ))
}

fn stamped(phase: &str) -> Vec<&str> {
    vec![
        "verify",
        "-f",
        TOPOLOGY,
        "--mirror",
        MIRROR,
        "--mode",
        "stamped",
        "--journal",
        JOURNAL,
        "--phase",
        phase,
    ]
}

fn judge(workspace: &Workspace, restarts: u64) -> Result<Vec<Judged>> {
    let restarts = restarts.to_string();
    let mut arguments = stamped("check");
    arguments.extend(["--timeout", PATIENCE, "--report-json", REPORT]);
    arguments.extend(["--restarts", &restarts]);
    let output = mirrorctl(workspace)?
        .args(&arguments)
        .output()
        .map_err(Error::file("mirrorctl"))?;
    // 5: a check failed, which is a result
    if !matches!(output.status.code(), Some(0 | 5)) {
        return Err(Error::Judge {
            command: arguments.join(" "),
            code: output.status.code(),
            printed: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    let path = workspace.path().join(REPORT);
    let text = std::fs::read(&path).map_err(Error::file(&path))?;
    let report: Report = serde_json::from_slice(&text).map_err(|error| Error::Report {
        reason: error.to_string(),
    })?;
    Ok(report.checks)
}
