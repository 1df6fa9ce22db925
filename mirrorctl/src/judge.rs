//! The judge, set up for a mirror of a topology. It runs on a blocking thread and reads both
//! clusters through librdkafka; only addresses and names go in.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use conformance::{
    CheckResult, CompareOptions, Delivery, Endpoint, Figures, Journal, Observer, PartitionRule,
    ReplayBound, Report, StampedOptions, Verdict, WorkloadSpec, default_config_exclusions,
};
use topology::{Mirror, Topology};

use crate::exit::Outcome;
use crate::failure::Failure;
use crate::judge_security;
use crate::output::{self, JudgeDisplay, count};
use crate::session::{Ended, Session};

/// Where the judge finds a cluster that we are connected to.
pub(crate) fn endpoint(
    topology: &Topology,
    alias: &str,
    cluster: &kafka::Cluster,
) -> Result<Endpoint, Failure> {
    let endpoint = Endpoint::new(cluster.bootstrap().join(","));
    match topology.cluster(alias) {
        Some(declared) => Ok(endpoint.secured(judge_security::security(declared)?)),
        None => Ok(endpoint),
    }
}

/// What the mirror promises about repeated records.
pub(crate) fn replay_bound(mirror: &Mirror, restarts: Option<u64>) -> ReplayBound {
    let delivery = match mirror.delivery {
        topology::Delivery::AtLeastOnce => Delivery::AtLeastOnce,
        topology::Delivery::ExactlyOnce => Delivery::ExactlyOnce,
    };
    ReplayBound {
        delivery,
        window: u64::from(mirror.replay_window),
        restarts,
    }
}

/// The configuration keys of a source topic that the mirror does not keep equal.
pub(crate) async fn unsynced(
    mirror: &Mirror,
    source_alias: &str,
    source: &kafka::Cluster,
    topic: &str,
) -> Result<BTreeSet<String>, Failure> {
    let failed = |error| Failure::Cluster {
        alias: source_alias.to_owned(),
        error,
    };
    let mut described = source
        .describe_topic_configs(&[topic.to_owned()])
        .await
        .map_err(failed)?;
    let mut keys = default_config_exclusions();
    match described.remove(topic) {
        Some(Ok(configs)) => {
            keys.extend(
                configs
                    .into_keys()
                    .filter(|key| !mirror.topic_sync.syncs_config(key)),
            );
            Ok(keys)
        }
        Some(Err(error)) => Err(failed(kafka::Error::Broker {
            api: format!("DescribeConfigs {topic}"),
            error,
        })),
        None => Ok(keys),
    }
}

/// How to judge a stamped workload.
pub(crate) fn stamped_options(
    target_topic: String,
    replays: ReplayBound,
    config_exclude: BTreeSet<String>,
    patience: Duration,
) -> StampedOptions {
    StampedOptions {
        target_topic,
        replays,
        partition_rule: PartitionRule::default(),
        config_exclude,
        patience,
    }
}

/// On a pipe a line on stderr now and then says that the judge is at work.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Follows the judge with bars, or with lines where nobody sees bars.
struct Following {
    display: JudgeDisplay,
    said: Option<Mutex<Instant>>,
}

impl Following {
    fn new(session: &Session) -> Self {
        let said = (!std::io::stderr().is_terminal()).then(|| Mutex::new(Instant::now()));
        Self {
            display: JudgeDisplay::new(session.stop.clone()),
            said,
        }
    }
}

impl Observer for Following {
    fn progress(&self, done: u64, total: u64, what: &str) {
        self.display.progress(done, total, what);
        let Some(said) = &self.said else { return };
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.elapsed() >= SAY_EVERY {
            *said = Instant::now();
            output::note(&format!("{what}: {} of {}", count(done), count(total)));
        }
    }

    fn cancelled(&self) -> bool {
        self.display.cancelled()
    }
}

/// Writes a stamped workload.
pub(crate) async fn write(
    session: &Session,
    source: &Endpoint,
    spec: &WorkloadSpec,
) -> Result<Journal, Failure> {
    let (source, spec) = (source.clone(), spec.clone());
    let display = Following::new(session);
    let journal = session
        .blocking(move || conformance::write_workload(&source, &spec, &display))
        .await??;
    Ok(journal)
}

/// Judges what came of a stamped workload.
pub(crate) async fn check(
    session: &Session,
    source: &Endpoint,
    target: &Endpoint,
    journal: &Journal,
    options: StampedOptions,
) -> Result<Report, Failure> {
    let (source, target, journal) = (source.clone(), target.clone(), journal.clone());
    let display = Following::new(session);
    let report = session
        .blocking(move || {
            conformance::check_stamped(&source, &target, &journal, &options, &display)
        })
        .await??;
    Ok(report)
}

/// Compares pairs of topics.
pub(crate) async fn compare(
    session: &Session,
    source: &Endpoint,
    target: &Endpoint,
    pairs: Vec<(String, String)>,
    options: CompareOptions,
) -> Result<Report, Failure> {
    let (source, target) = (source.clone(), target.clone());
    let display = Following::new(session);
    let report = session
        .blocking(move || conformance::compare(&source, &target, &pairs, &options, &display))
        .await??;
    Ok(report)
}

/// Keeps the checks that the topology asks for; one that this version does not know is said to be
/// inconclusive rather than left out. No declared checks means all.
pub(crate) fn keep_declared(mut report: Report, declared: &[String]) -> Report {
    if declared.is_empty() {
        return report;
    }
    let subject = report
        .checks
        .first()
        .map(|check| check.subject.clone())
        .unwrap_or_default();
    report.checks.retain(|check| declared.contains(&check.id));
    for id in declared {
        if !report.checks.iter().any(|check| check.id == *id) {
            report.checks.push(CheckResult {
                id: id.clone(),
                subject: subject.clone(),
                title: "declared in the topology".to_owned(),
                verdict: Verdict::Inconclusive {
                    reason: "this version does not judge it".to_owned(),
                },
                figures: Figures::new(),
            });
        }
    }
    report
}

/// What the verdicts mean for the command: an inconclusive check alone does not fail it.
pub(crate) fn outcome(reports: &[Report]) -> Ended {
    let failed = reports.iter().map(|report| report.failures().count()).sum();
    if failed == 0 {
        return Ok(Outcome::Done);
    }
    let checks = reports.iter().map(|report| report.checks.len()).sum();
    Err(Failure::Verification { failed, checks })
}

/// A seed for a workload that nobody asked to repeat.
pub(crate) fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // short enough to be typed again
    RandomState::new().hash_one(std::process::id()) % 1_000_000_000
}
