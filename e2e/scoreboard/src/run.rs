//! One scenario on one engine: two fresh clusters, the workload, the faults, the judge.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use e2e::{ClusterSpec, KafkaCluster, Pair, TopicAdmin, Workspace};
use serde::{Deserialize, Serialize};

use crate::beside::{Beside, Others};
use crate::both_ways;
use crate::engine::{BACK, Engine, Kind, MIRROR, Route, TOPOLOGY};
use crate::error::Result;
use crate::events::Events;
use crate::fault::{Clocks, Links, Victims, carry_out};
use crate::judge::{Found, JUDGED, Judge};
use crate::memory::BYTE_BUDGET;
use crate::scenario::{Scenario, Topic};
use crate::step::{Side, Whose};
use crate::{looked_at, memory, ready};

/// What every mirror here is to keep: what `latency` and `recovery` are judged by.
pub(crate) const OBJECTIVE: &str = "10s";
/// Enough for what a broker writes in any scenario, and little enough to fill.
const DISK_MEGABYTES: u32 = 512;
/// The mirror's topics are created by whoever runs an engine that does not.
const NOT_ITS_OWN: &str =
    "the engine does not create topics: they were made for it before it was started";

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) scenario: String,
    pub(crate) engine: Kind,
    pub(crate) seed: u64,
    pub(crate) took: Duration,
    /// From the last write to the verdict.
    pub(crate) judged_after: Duration,
    /// How the engine ended by itself, which none should.
    pub(crate) ended: Option<String>,
    /// Why both clusters were not compared: what only a comparison shows is not judged then.
    #[serde(default)]
    pub(crate) not_compared: Option<String>,
    pub(crate) checks: Vec<Judged>,
}

/// What did not come to an end, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Broken {
    pub(crate) scenario: String,
    pub(crate) engine: Kind,
    pub(crate) seed: u64,
    pub(crate) reason: String,
}

/// A check of the judge's report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Judged {
    pub(crate) id: String,
    /// By what both clusters hold, not by stamps.
    #[serde(skip)]
    pub(crate) by_comparison: bool,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
    /// What the check counted.
    #[serde(default)]
    pub(crate) figures: BTreeMap<String, u64>,
}

/// A verdict of the judge's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counterexample {
    pub(crate) expected: String,
    pub(crate) found: String,
}

/// Runs it to its end; the clusters are gone afterwards.
pub(crate) fn run(scenario: &Scenario, kind: Kind, seed: u64) -> Result<Outcome> {
    let began = Instant::now();
    let workspace = Workspace::create("scoreboard")?;
    let clocks = Clocks::of(scenario, &workspace)?;
    let spec = |side| {
        let spec = match scenario.brokers {
            1 => ClusterSpec::single(),
            // what engines create for themselves has to outlive a broker too
            _ => ClusterSpec::three().with("default.replication.factor", "3"),
        };
        let spec = if scenario.needs_disks() {
            spec.with_disks(DISK_MEGABYTES)
        } else {
            spec
        };
        spec.with_environment(clocks.environment(Whose::Brokers(side)))
    };
    let pair = Pair::start_each(&spec(Side::Source), &spec(Side::Target))?;
    let links = scenario.needs_links().then(|| Links::before(&pair));
    let links = links.transpose()?;
    let topics = scenario.topics();
    for topic in &topics {
        create(&pair.source, topic, topic.settings)?;
        if !kind.creates_topics() {
            create(&pair.target, topic, topic.settings_of_copy)?;
        }
    }
    ready::write(scenario, &pair)?;
    let judged = topology(&pair, kind, scenario);
    let (source, target) = links.as_ref().map_or_else(
        || {
            (
                pair.source.bootstrap_servers(),
                pair.target.bootstrap_servers(),
            )
        },
        |links| {
            (
                links.source.bootstrap_servers(),
                links.target.bootstrap_servers(),
            )
        },
    );
    // the judge and the workload see the clusters themselves, whatever stands between them and the engine
    let copied = behind(&judged, &pair.source.bootstrap_servers(), &source);
    let copied = behind(&copied, &pair.target.bootstrap_servers(), &target);
    workspace.write(JUDGED, judged)?;
    workspace.write(TOPOLOGY, copied)?;
    let route = Route {
        source,
        target,
        topics: topics.into_iter().map(|topic| topic.name).collect(),
    };
    let environment = clocks.environment(Whose::Engine);
    let back = scenario.both_ways.then(|| {
        let environment = environment.clone();
        Engine::prepare(kind, &workspace, BACK, route.reversed(), environment)
    });
    let mut back = back.transpose()?;
    let mut engine = Engine::prepare(kind, &workspace, MIRROR, route, environment)?;
    engine.start()?;
    if let Some(back) = &mut back {
        both_ways::write(scenario, &pair)?;
        back.start()?;
        both_ways::wait(scenario, &pair)?;
    }
    ready::wait(scenario, &pair)?;
    let beginnings = engine.beginnings();

    let judge = Judge::of(&workspace, JUDGED, MIRROR, scenario.patience);
    let mut writer = judge.write(scenario, &scenario.topic(), seed)?;
    let mut events = Events::default();
    let mut victims = Victims {
        engine: &mut engine,
        pair: &pair,
        links: links.as_ref(),
        clocks: &clocks,
    };
    let steps = scenario.steps(seed);
    let began_writing = Instant::now();
    let others = Others::begin(scenario, &pair, seed)?;
    carry_out(&steps, began_writing, &mut victims, &mut events)?;
    others.change(&mut engine, &mut events)?;
    writer.finish()?;
    others.finish()?;
    let repeats = u64::from(engine.beginnings() - beginnings) + events.outages();
    let Found {
        mut checks,
        not_compared,
    } = judge.check(repeats, &events.all())?;
    let judged_after = judge.since_last_write()?;
    if kind != Kind::Builtin {
        for seen in looked_at::judge(scenario, &pair, &engine) {
            checks.retain(|it| it.id != seen.id);
            checks.push(seen);
        }
    }
    if !kind.creates_topics() {
        for check in checks.iter_mut().filter(|it| it.id == "topic-creation") {
            check.verdict = Verdict::Inconclusive {
                reason: NOT_ITS_OWN.to_owned(),
            };
        }
    }
    if scenario.both_ways {
        both_ways::judge(scenario, &pair, &mut checks)?;
    }
    checks.extend(engine.pid().and_then(|pid| memory::judge(kind, pid)));
    if engine.was_replaced() {
        checks.push(zombie(&checks));
    }
    Ok(Outcome {
        scenario: scenario.name.clone(),
        engine: kind,
        seed,
        took: began.elapsed(),
        judged_after,
        ended: engine.ended()?,
        not_compared,
        checks,
    })
}

/// What the one that was frozen and replaced did when it woke, as far as the others show it: what it writes then is out of
/// order, or there already.
fn zombie(checks: &[Judged]) -> Judged {
    let telling = ["duplicates", "order", "replay-shape"];
    let mut found = checks.iter().filter(|it| telling.contains(&it.id.as_str()));
    let failed = found
        .clone()
        .find(|it| matches!(it.verdict, Verdict::Fail { .. }));
    let repeated = found.find_map(|it| it.figures.get("duplicates")).copied();
    let verdict = match (failed, repeated) {
        (Some(failed), _) => failed.verdict.clone(),
        (None, Some(0)) => Verdict::Pass {
            evidence: "nothing out of order and nothing twice after the frozen one woke".to_owned(),
        },
        (None, Some(repeated)) => Verdict::Inconclusive {
            reason: format!(
                "{repeated} records twice, as at-least-once allows: whether the frozen one wrote them is not told"
            ),
        },
        (None, None) => Verdict::Inconclusive {
            reason: "duplicates were not counted".to_owned(),
        },
    };
    Judged {
        id: "zombie".to_owned(),
        by_comparison: false,
        verdict,
        figures: BTreeMap::new(),
    }
}

/// The same topology with other addresses, one for one.
fn behind(topology: &str, servers: &str, doors: &str) -> String {
    let pairs = servers.split(',').zip(doors.split(','));
    pairs.fold(topology.to_owned(), |topology, (server, door)| {
        topology.replace(server, door)
    })
}

/// A topic whose leaders and followers are spread over all brokers.
fn create(cluster: &KafkaCluster, topic: &Topic, settings: &[(&str, &str)]) -> Result<()> {
    let brokers: Vec<i32> = cluster.brokers().map(i32::from).collect();
    let replicas: Vec<Vec<i32>> = (0..usize::from(topic.partitions))
        .map(|partition| {
            let mut replicas = brokers.clone();
            replicas.rotate_left(partition % brokers.len());
            replicas
        })
        .collect();
    let replicas: Vec<&[i32]> = replicas.iter().map(Vec::as_slice).collect();
    let admin = TopicAdmin::new(&cluster.bootstrap_servers())?;
    Ok(admin.create_on(&topic.name, &replicas, settings)?)
}

fn topology(pair: &Pair, kind: Kind, scenario: &Scenario) -> String {
    let policies = match kind {
        Kind::Builtin => format!(
            ", onDataLoss: continue, onTopicReset: restart, onOversize: quarantine, byteBudget: {BYTE_BUDGET}"
        ),
        // they do what they do
        Kind::Mirrormaker2 | Kind::Connect | Kind::Mirus | Kind::External => String::new(),
    };
    // a limit that follows the source is no limit to what comes from there
    let kept = if scenario.beside.contains(&Beside::Oversize) {
        ", configExclude: [max.message.bytes]"
    } else {
        ""
    };
    // exactly-once is not for compacted topics
    let delivery = if scenario.beside.contains(&Beside::Compaction) {
        "at-least-once"
    } else {
        kind.delivery()
    };
    // with two mirrors, names tell what has come from where; what has come back matches the pattern as well
    let (begins, policy) = if scenario.both_ways {
        (".*", "default")
    } else {
        ("", "identity")
    };
    let mirror = |name: &str, source: &str, target: &str| {
        format!(
            "- {{name: {name}, source: {source}, target: {target}, engine: {}, delivery: {delivery}, \
             topicsPattern: '{begins}{}[.].*', replicationPolicy: {{type: {policy}}}, slo: {{lag: {OBJECTIVE}}}{policies}, \
             topicSync: {{interval: 1s, configInterval: 1s, replicationFactor: {}{kept}}}}}\n",
            kind.name(),
            scenario.name,
            scenario.brokers
        )
    };
    let mut mirrors = mirror(MIRROR, "source", "target");
    if scenario.both_ways {
        mirrors += &mirror(BACK, "target", "source");
    }
    pair.topology(&format!("mirrors:\n{mirrors}"))
}
