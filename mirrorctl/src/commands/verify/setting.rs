//! Between which clusters and topics a verification takes place.

use std::collections::BTreeSet;

use conformance::{Endpoint, Journal};
use topology::{Mirror, Topology};

use crate::commands::verify::arguments::{Phase, VerifyArgs};
use crate::connect::connect;
use crate::copies::client;
use crate::failure::Failure;
use crate::judge::endpoint;
use crate::session::Session;

/// The topic that is written to when none is named, where the mirror selects it.
const DEFAULT_TOPIC: &str = "mirrorctl.verify";

/// A source of a mirror. The connection has passed the cluster guard; the judge makes its own.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) alias: String,
    pub(crate) cluster: kafka::Cluster,
    pub(crate) endpoint: Endpoint,
}

/// The target of a mirror. The connection has passed the cluster guard; the judge makes its own.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    alias: String,
    cluster_id: String,
}

/// Where a stamped workload goes, and where it is expected.
#[derive(Debug)]
pub(crate) struct Setting<'t> {
    pub(crate) mirror: &'t Mirror,
    pub(crate) source: Side,
    pub(crate) source_topic: String,
    pub(crate) target_topic: String,
}

/// The chosen sources of the mirror, connected.
pub(crate) async fn sources(
    session: &Session,
    args: &VerifyArgs,
    topology: &Topology,
    mirror: &Mirror,
) -> Result<Vec<Side>, Failure> {
    let aliases: BTreeSet<String> = match &args.source {
        Some(alias) if mirror.sources.contains(alias) => BTreeSet::from([alias.clone()]),
        Some(alias) => {
            return Err(Failure::Usage {
                message: format!("mirror {} has no source {alias}", mirror.name),
                hint: format!("it has {}", mirror.sources.join(", ")),
            });
        }
        None => mirror.sources.iter().cloned().collect(),
    };
    let clients = session.until_stopped(connect(topology, &aliases)).await??;
    let sides = clients.into_iter().map(|(alias, cluster)| {
        Ok(Side {
            endpoint: endpoint(topology, &alias, &cluster)?,
            alias,
            cluster,
        })
    });
    sides.collect()
}

/// The target of the mirror, after it has passed the cluster guard.
pub(crate) async fn target(
    session: &Session,
    topology: &Topology,
    mirror: &Mirror,
) -> Result<Target, Failure> {
    let alias = BTreeSet::from([mirror.target.clone()]);
    let clients = session.until_stopped(connect(topology, &alias)).await??;
    let cluster = client(&clients, &mirror.target)?;
    Ok(Target {
        endpoint: endpoint(topology, &mirror.target, &cluster)?,
        alias: mirror.target.clone(),
        cluster_id: cluster.cluster_id().to_owned(),
    })
}

/// The target of a stamped workload, which must not be what is written to.
pub(crate) async fn target_of(
    session: &Session,
    topology: &Topology,
    setting: &Setting<'_>,
) -> Result<Endpoint, Failure> {
    let target = target(session, topology, setting.mirror).await?;
    let pair = (setting.source_topic.as_str(), setting.target_topic.as_str());
    target.holds_no_source(&setting.mirror.name, &setting.source, [pair])?;
    Ok(target.endpoint)
}

impl Target {
    /// Refuses to judge a topic by itself. Other topics of one cluster may well be mirrors of each other.
    pub(crate) fn holds_no_source<'p>(
        &self,
        mirror: &str,
        source: &Side,
        pairs: impl IntoIterator<Item = (&'p str, &'p str)>,
    ) -> Result<(), Failure> {
        // brokers before 0.10.1 name no cluster
        if self.cluster_id.is_empty() || self.cluster_id != source.cluster.cluster_id() {
            return Ok(());
        }
        let mut pairs = pairs.into_iter();
        match pairs.find(|(from, to)| from == to) {
            None => Ok(()),
            Some((topic, _)) => Err(Failure::JudgedByItself {
                mirror: mirror.to_owned(),
                source_alias: source.alias.clone(),
                target_alias: self.alias.clone(),
                cluster_id: self.cluster_id.clone(),
                topic: topic.to_owned(),
            }),
        }
    }
}

/// The one source and the topics of a stamped workload.
pub(crate) async fn stamped<'t>(
    session: &Session,
    args: &VerifyArgs,
    topology: &Topology,
    mirror: &'t Mirror,
) -> Result<Setting<'t>, Failure> {
    let mut sources = sources(session, args, topology, mirror).await?;
    let (Some(source), true) = (sources.pop(), sources.is_empty()) else {
        return Err(Failure::Usage {
            message: format!("mirror {} has several sources", mirror.name),
            hint: format!("choose one of {} with --source", mirror.sources.join(", ")),
        });
    };
    let source_topic = match (&args.stamped.phase, args.topic.first()) {
        (Phase::Check, _) => journal_topic(args)?,
        (Phase::Write | Phase::All, Some(topic)) => topic.clone(),
        (Phase::Write | Phase::All, None) => DEFAULT_TOPIC.to_owned(),
    };
    let target_topic = mirror
        .target_topic(&source.alias, &source_topic)
        .ok_or_else(|| Failure::Usage {
            message: format!(
                "mirror {} does not select topic {source_topic}",
                mirror.name
            ),
            hint: format!(
                "give a --topic that matches topicsPattern {} and not topicsExcludePattern",
                mirror.topics.include
            ),
        })?;
    let guarded = topology
        .cluster(&source.alias)
        .is_some_and(|cluster| !cluster.topics.permits(&source_topic));
    if guarded && args.stamped.phase != Phase::Check {
        return Err(Failure::TopicGuarded {
            topic: source_topic,
            cluster: source.alias,
        });
    }
    Ok(Setting {
        mirror,
        source,
        source_topic,
        target_topic,
    })
}

fn journal_topic(args: &VerifyArgs) -> Result<String, Failure> {
    let path = args
        .stamped
        .journal
        .as_deref()
        .unwrap_or_else(|| std::path::Path::new(""));
    Ok(Journal::load(path)?.spec.topic)
}
