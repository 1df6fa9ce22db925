//! Between which clusters and topics a verification takes place.

use std::collections::BTreeSet;

use conformance::{Endpoint, Journal};
use plan::Clients;
use topology::{Mirror, Topology};

use crate::cli::{Phase, VerifyArgs};
use crate::connect::connect;
use crate::copies::client;
use crate::failure::Failure;
use crate::judge::endpoint;
use crate::session::Session;

/// The topic that is written to when none is named, where the mirror selects it.
const DEFAULT_TOPIC: &str = "mirrorctl.verify";

/// One source and the target of a mirror. The connections have passed the cluster guard; the judge
/// makes its own.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) source_alias: String,
    pub(crate) source_cluster: kafka::Cluster,
    pub(crate) source: Endpoint,
    pub(crate) target: Endpoint,
}

/// Where a stamped workload goes, and where it is expected.
#[derive(Debug)]
pub(crate) struct Setting<'t> {
    pub(crate) mirror: &'t Mirror,
    pub(crate) ends: Ends,
    pub(crate) source_topic: String,
    pub(crate) target_topic: String,
}

/// The chosen sources of the mirror, connected.
pub(crate) async fn ends(
    session: &Session,
    args: &VerifyArgs,
    topology: &Topology,
    mirror: &Mirror,
) -> Result<Vec<Ends>, Failure> {
    let sources: Vec<&String> = match &args.source {
        Some(alias) => {
            let known = mirror.sources.iter().find(|source| *source == alias);
            vec![known.ok_or_else(|| Failure::Usage {
                message: format!("mirror {} has no source {alias}", mirror.name),
                hint: format!("it has {}", mirror.sources.join(", ")),
            })?]
        }
        None => mirror.sources.iter().collect(),
    };
    let aliases: BTreeSet<String> = sources
        .iter()
        .copied()
        .chain([&mirror.target])
        .cloned()
        .collect();
    let clients: Clients = session.until_stopped(connect(topology, &aliases)).await??;
    let target = endpoint(&client(&clients, &mirror.target)?);
    sources
        .into_iter()
        .map(|alias| {
            let cluster = client(&clients, alias)?;
            Ok(Ends {
                source_alias: alias.clone(),
                source: endpoint(&cluster),
                source_cluster: cluster,
                target: target.clone(),
            })
        })
        .collect()
}

/// The one source and the topics of a stamped workload.
pub(crate) async fn stamped<'t>(
    session: &Session,
    args: &VerifyArgs,
    topology: &Topology,
    mirror: &'t Mirror,
) -> Result<Setting<'t>, Failure> {
    let mut ends = ends(session, args, topology, mirror).await?;
    let (Some(ends), true) = (ends.pop(), ends.is_empty()) else {
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
        .target_topic(&ends.source_alias, &source_topic)
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
    Ok(Setting {
        mirror,
        ends,
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
