//! The judge, set up for a mirror of a topology. It runs on a blocking thread and reads both
//! clusters through librdkafka; only addresses and names go in.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use conformance::{
    CONTRACT, CheckResult, CompareOptions, Delivery, Endpoint, Figures, Journal, MirrorFacts,
    MirrorRules, Mode, Observer, OffsetSyncTopics, ReplayBound, Report, StampedOptions, Verdict,
    WatchOptions, WorkloadSpec, default_config_exclusions, unjudged, write_supplied, write_watched,
    write_workload,
};
use topology::{Engine, Mirror, OnSourceDelete, ReplicationPolicy, Topology};

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
    mirror: &Mirror,
    target_topic: String,
    replays: ReplayBound,
    config_exclude: BTreeSet<String>,
    patience: Duration,
) -> StampedOptions {
    StampedOptions {
        replays,
        config_exclude,
        patience,
        ledger_of: keeps_notes(mirror).then(|| mirror.name.clone()),
        objective: mirror.slo_lag,
        ..StampedOptions::new(target_topic)
    }
}

/// Whether the mirror's engine keeps positions and a gap ledger on the target.
fn keeps_notes(mirror: &Mirror) -> bool {
    match mirror.engine {
        Engine::Builtin => true,
        Engine::MirrorMaker2
        | Engine::MirrorMaker
        | Engine::StrimziMirrorMaker2
        | Engine::MskReplicator => false,
    }
}

/// A mirror from one of its sources, as it is declared.
#[derive(Debug)]
struct Declared {
    mirror: Mirror,
    source_alias: String,
}

impl MirrorRules for Declared {
    fn follows(&self, target_topic: &str, key: &str) -> bool {
        let plans = self.mirror.rails.declared.get(target_topic);
        self.mirror.topic_sync.syncs_config(key)
            && self.mirror.rails.topics.permits(target_topic)
            && !plans.is_some_and(|keys| keys.contains(key))
    }

    fn deletes(&self, source_topic: &str, target_topic: &str) -> bool {
        let selected = self.mirror.target_topic(&self.source_alias, source_topic);
        let declared = match self.mirror.topic_sync.on_source_delete {
            OnSourceDelete::Keep => false,
            OnSourceDelete::Delete => true,
        };
        let rails = &self.mirror.rails;
        declared
            && selected.as_deref() == Some(target_topic)
            && rails.delete_topics
            && rails.topics.permits(target_topic)
            && !rails.declared.contains_key(target_topic)
    }
}

/// Where the mirror's engine notes offsets as `MirrorMaker` 2 does.
fn offset_syncs(mirror: &Mirror, source_alias: &str) -> Option<OffsetSyncTopics> {
    match mirror.engine {
        Engine::MirrorMaker2 | Engine::StrimziMirrorMaker2 => {}
        Engine::Builtin | Engine::MirrorMaker | Engine::MskReplicator => return None,
    }
    let separator = match &mirror.policy {
        ReplicationPolicy::Default { separator } => separator.as_str(),
        ReplicationPolicy::Identity
        | ReplicationPolicy::Prefix { .. }
        | ReplicationPolicy::Rename { .. } => ".",
    };
    let of = |alias: &str| format!("mm2-offset-syncs{separator}{alias}{separator}internal");
    Some(OffsetSyncTopics {
        on_source: of(&mirror.target),
        on_target: of(source_alias),
    })
}

/// What is declared of a mirror from one of its sources. `whole` says whether it is judged as a whole, too.
pub(crate) fn mirror_facts(mirror: &Mirror, source_alias: &str, whole: bool) -> MirrorFacts {
    let second_hop = match &mirror.policy {
        ReplicationPolicy::Default { separator } => Some(format!(
            "{source_alias}{separator}{}{separator}",
            mirror.target
        )),
        ReplicationPolicy::Identity
        | ReplicationPolicy::Prefix { .. }
        | ReplicationPolicy::Rename { .. } => None,
    };
    MirrorFacts {
        name: mirror.name.clone(),
        keeps_notes: keeps_notes(mirror),
        whole,
        second_hop,
        quarantine_suffix: topology::QUARANTINE_SUFFIX.to_owned(),
        offset_syncs: offset_syncs(mirror, source_alias),
        rules: Arc::new(Declared {
            mirror: mirror.clone(),
            source_alias: source_alias.to_owned(),
        }),
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
        .blocking(move || write_workload(&source, &spec, &display))
        .await??;
    Ok(journal)
}

/// What is written, and whether somebody looks at the target meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Writing {
    pub(crate) spec: WorkloadSpec,
    /// A file of records, instead of those that the seed decides.
    pub(crate) own_records: Option<PathBuf>,
    pub(crate) watch: Option<(Endpoint, WatchOptions)>,
}

/// Writes a stamped workload as it was asked for.
pub(crate) async fn write_as_asked(
    session: &Session,
    source: &Endpoint,
    writing: Writing,
) -> Result<Journal, Failure> {
    let source = source.clone();
    let display = Following::new(session);
    let journal = session
        .blocking(move || {
            let (spec, own) = (&writing.spec, writing.own_records.as_deref());
            match (&writing.watch, own) {
                (Some((target, options)), _) => {
                    write_watched(&source, target, (spec, own), options, &display)
                }
                (None, Some(own)) => write_supplied(&source, spec, own, &display),
                (None, None) => write_workload(&source, spec, &display),
            }
        })
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
/// inconclusive rather than left out. No declared checks means all. The report is of what was looked at in these ways.
pub(crate) fn keep_declared(mut report: Report, declared: &[String], modes: &[Mode]) -> Report {
    if declared.is_empty() {
        return report;
    }
    let subject = report
        .checks
        .first()
        .map(|check| check.subject.clone())
        .unwrap_or_default();
    // what is no promise of its own (`count`, `partitions`) goes with the others
    let chosen = |id: &String| {
        declared.contains(id) || !CONTRACT.iter().any(|promise| promise.id == id.as_str())
    };
    report.checks.retain(|check| chosen(&check.id));
    for id in declared {
        if !report.checks.iter().any(|check| check.id == *id) {
            report.checks.push(CheckResult {
                id: id.clone(),
                subject: subject.clone(),
                title: "declared in the topology".to_owned(),
                verdict: Verdict::Inconclusive {
                    reason: unjudged(id, modes),
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
