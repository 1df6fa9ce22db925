//! Mirrors of the engine `mirrormaker2`, for MirrorMaker 2's dedicated mode (KIP-382).

use std::collections::BTreeSet;

use serde::Serialize;
use topology::{
    Cluster, Delivery, Engine, Mirror, MirrorState, Pattern, ReplicationPolicy, StartOffset,
    Topology,
};

use super::java_client::{JavaClient, Providers, bootstrap, cluster, java_client};
use crate::draft::Draft;
use crate::request::Request;
use crate::target::{Target, TargetError, no_remarks};

/// Where the topology does not say how many tasks copy at the same time.
const TASKS: u32 = 4;

pub(super) const TARGET: Target = Target {
    name: "mirrormaker2",
    about: "mm2.properties for each mirror of the engine mirrormaker2",
    renders: "mirrors with `engine: mirrormaker2`",
    settings: &[],
    remarks: no_remarks,
    drafts,
};

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let mirrors = mirrors(request.topology)?;
    mirrors
        .into_iter()
        .map(|mirror| {
            Draft::template(
                format!("{}/mm2.properties", mirror.name),
                "mirrormaker2/mm2.properties",
                &flows(request.topology, mirror)?,
            )
        })
        .collect()
}

/// The mirrors that MirrorMaker 2 runs; never two between the same clusters.
pub(super) fn mirrors(topology: &Topology) -> Result<Vec<&Mirror>, TargetError> {
    let mirrors: Vec<&Mirror> = topology
        .mirrors
        .iter()
        .filter(|mirror| mirror.engine == Engine::MirrorMaker2)
        .collect();
    let mut flows = BTreeSet::new();
    for mirror in &mirrors {
        for source in &mirror.sources {
            if !flows.insert((source, &mirror.target)) {
                return Err(refused(
                    mirror,
                    format!(
                        "MirrorMaker 2 has one flow from `{source}` to `{}`, and another mirror has it",
                        mirror.target
                    ),
                ));
            }
        }
    }
    Ok(mirrors)
}

/// One mirror in MirrorMaker 2's words.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a line of properties of its own"
)]
#[derive(Debug, Serialize)]
pub(super) struct Flows {
    pub(super) mirror: String,
    pub(super) target: Reached,
    pub(super) sources: Vec<Reached>,
    pub(super) enabled: bool,
    pub(super) topics: String,
    pub(super) topics_exclude: Option<String>,
    pub(super) groups: String,
    pub(super) groups_exclude: Option<String>,
    pub(super) policy_class: &'static str,
    pub(super) separator: Option<String>,
    pub(super) replication_factor: i32,
    /// Of topics on the target.
    pub(super) internal_replication_factor: i32,
    /// Of the topic of offset syncs, which MirrorMaker 2 keeps on the source.
    pub(super) source_replication_factor: i32,
    pub(super) refresh_seconds: u64,
    pub(super) sync_configs: bool,
    pub(super) configs_exclude: String,
    pub(super) config_seconds: u64,
    pub(super) sync_acls: bool,
    pub(super) sync_groups: bool,
    pub(super) group_seconds: u64,
    pub(super) exactly_once: bool,
    pub(super) offset_reset: &'static str,
    pub(super) providers: Providers,
    /// The most tasks that copy at the same time.
    pub(super) tasks: u32,
    pub(super) notes: Vec<String>,
}

/// A cluster and the way to it.
#[derive(Debug, Serialize)]
pub(super) struct Reached {
    pub(super) alias: String,
    pub(super) bootstrap: String,
    pub(super) client: JavaClient,
}

pub(super) fn flows(topology: &Topology, mirror: &Mirror) -> Result<Flows, TargetError> {
    let to = cluster(topology, mirror, &mirror.target)?;
    let from = mirror
        .sources
        .iter()
        .map(|alias| cluster(topology, mirror, alias))
        .collect::<Result<Vec<_>, _>>()?;
    let target = reached(to)?;
    let sources = from
        .iter()
        .map(|cluster| reached(cluster))
        .collect::<Result<Vec<_>, _>>()?;
    let (policy_class, separator) = policy(mirror)?;
    let clients = sources.iter().chain([&target]).map(|it| &it.client);
    let providers = Providers::of(clients.clone());
    let mut notes: Vec<String> = clients.flat_map(|it| it.notes.clone()).collect();
    notes.extend(left_undone(mirror));
    Ok(Flows {
        mirror: mirror.name.clone(),
        tasks: mirror.tasks.unwrap_or(TASKS),
        enabled: mirror.state == MirrorState::Running,
        topics: list(mirror, &mirror.topics.include)?,
        topics_exclude: optional_list(mirror, mirror.topics.exclude.as_ref())?,
        groups: list(mirror, &mirror.groups.include)?,
        groups_exclude: optional_list(mirror, mirror.groups.exclude.as_ref())?,
        policy_class,
        separator,
        replication_factor: mirror.topic_sync.replication_factor.map_or(-1, i32::from),
        internal_replication_factor: internal_replicas(to),
        source_replication_factor: from.into_iter().map(internal_replicas).min().unwrap_or(-1),
        refresh_seconds: mirror.topic_sync.interval.as_secs().max(1),
        sync_configs: mirror.topic_sync.config,
        configs_exclude: joined(mirror, mirror.topic_sync.config_exclude.iter())?,
        config_seconds: mirror.topic_sync.config_interval.as_secs().max(1),
        sync_acls: mirror.acl_sync.enabled,
        sync_groups: mirror.group_offset_sync.enabled,
        group_seconds: mirror.group_offset_sync.interval.as_secs().max(1),
        exactly_once: mirror.delivery == Delivery::ExactlyOnce,
        offset_reset: offset_reset(mirror)?,
        target,
        sources,
        providers,
        notes,
    })
}

fn reached(cluster: &Cluster) -> Result<Reached, TargetError> {
    Ok(Reached {
        alias: cluster.alias.clone(),
        bootstrap: bootstrap(cluster)?,
        client: java_client(cluster)?,
    })
}

/// Three where there are as many brokers; the broker's default where their number is not known.
fn internal_replicas(cluster: &Cluster) -> i32 {
    cluster
        .brokers
        .map_or(-1, |count| i32::try_from(count.min(3)).unwrap_or(3))
}

fn policy(mirror: &Mirror) -> Result<(&'static str, Option<String>), TargetError> {
    match &mirror.policy {
        ReplicationPolicy::Identity => Ok((
            "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
            None,
        )),
        ReplicationPolicy::Default { separator } => Ok((
            "org.apache.kafka.connect.mirror.DefaultReplicationPolicy",
            Some(separator.clone()),
        )),
        ReplicationPolicy::Prefix { .. } | ReplicationPolicy::Rename { .. } => Err(refused(
            mirror,
            "MirrorMaker 2 names topics by `identity` or `default`, not by a prefix or rules"
                .to_owned(),
        )),
    }
}

fn offset_reset(mirror: &Mirror) -> Result<&'static str, TargetError> {
    match mirror.start_offset {
        StartOffset::Earliest => Ok("earliest"),
        StartOffset::Latest => Ok("latest"),
        StartOffset::Timestamp(_) => Err(refused(
            mirror,
            "MirrorMaker 2 begins at `earliest` or `latest`, not at a time".to_owned(),
        )),
    }
}

/// What the topology asks for and MirrorMaker 2 does not do: said in the file, because it is no reason not to use it.
fn left_undone(mirror: &Mirror) -> Vec<String> {
    let mut notes = Vec::new();
    if mirror.throttle.is_some() {
        notes.push(
            "throttle: not by MirrorMaker 2; set a quota for its client on the target".to_owned(),
        );
    }
    if mirror.paused_topics.is_some() {
        notes.push("pausedTopics: not by MirrorMaker 2; exclude them instead".to_owned());
    }
    notes
}

/// MirrorMaker 2 splits lists at every comma.
fn list(mirror: &Mirror, pattern: &Pattern) -> Result<String, TargetError> {
    joined(mirror, [pattern])
}

fn optional_list(
    mirror: &Mirror,
    pattern: Option<&Pattern>,
) -> Result<Option<String>, TargetError> {
    pattern.map(|it| list(mirror, it)).transpose()
}

fn joined<'a>(
    mirror: &Mirror,
    patterns: impl IntoIterator<Item = &'a Pattern>,
) -> Result<String, TargetError> {
    let parts: Vec<&str> = patterns.into_iter().flat_map(Pattern::parts).collect();
    match parts.iter().find(|part| part.contains(',')) {
        Some(part) => Err(refused(
            mirror,
            format!("MirrorMaker 2 would split `{part}` at its comma"),
        )),
        None => Ok(parts.join(",")),
    }
}

fn refused(mirror: &Mirror, problem: String) -> TargetError {
    TargetError::Mirror {
        mirror: mirror.name.clone(),
        problem,
    }
}
