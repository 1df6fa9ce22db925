//! What is refused about deleting a topic that a declared mirror reads or fills.

use topology::{Mirror, MirrorState, ReplicationPolicy};

use crate::change::{Block, BlockCode};
use crate::kind::Site;
use crate::mirror;
use crate::rails::block;

/// One refusal for each mirror that selects the topic `name` of the site's cluster.
pub(super) fn deletion(site: &Site<'_>, name: &str) -> Vec<Block> {
    let mirrors = site.desired.mirrors.iter();
    mirrors
        .filter(|mirror| !is_over(site, mirror))
        .filter_map(|mirror| {
            let does = role(site, mirror, name)?;
            let message = format!("the mirror `{}` {does}: {}", mirror.name, way_out(mirror));
            Some(block(BlockCode::MirroredTopic, message))
        })
        .collect()
}

/// Whether the mirror copies nothing any more by the time that topics are deleted.
fn is_over(site: &Site<'_>, declared: &Mirror) -> bool {
    let target = site.observed.clusters.get(&declared.target);
    let record = target.and_then(|target| target.mirrors.get(&declared.name));
    // what is declared is not what a replicator does until that was applied
    let state = record.and_then(|it| it.record.state);
    if state.unwrap_or(declared.state) == MirrorState::Promoted {
        return true;
    }
    // a destroy deletes records of mirrors before topics; where there is none, nothing stops a replicator
    let address = mirror::address(&declared.name);
    let target = site.desired.clusters.get(&declared.target);
    record.is_some()
        && site.desired.withdrawn.contains(&address)
        && target.is_some_and(|target| target.allow.delete_mirrors)
}

/// What the mirror does with the topic; nothing where it has no part in it.
fn role(site: &Site<'_>, mirror: &Mirror, name: &str) -> Option<String> {
    let mut sources = mirror.sources.iter();
    let reads =
        |source: &&String| is_here(site, source) && mirror.target_topic(source, name).is_some();
    if sources.clone().any(|source| reads(&source)) {
        return Some("copies from it".to_owned());
    }
    if !is_here(site, &mirror.target) {
        return None;
    }
    sources.find_map(|source| {
        let mut origins = origins(site, mirror, source, name).into_iter();
        let origin =
            origins.find(|origin| mirror.target_topic(source, origin).as_deref() == Some(name))?;
        Some(format!("copies `{origin}` of {source} into it"))
    })
}

/// Whether the alias is that of the site's cluster, or another one for it.
fn is_here(site: &Site<'_>, alias: &str) -> bool {
    let here = site.live.map(|live| &live.cluster_id);
    alias == site.alias || (here.is_some() && here == site.observed.id_of(alias))
}

/// Names of source topics that may become `name`. A rule that renames cannot be turned round: what the plan knows of the
/// source is tried.
fn origins(site: &Site<'_>, mirror: &Mirror, source: &str, name: &str) -> Vec<String> {
    let behind = |prefix: &str| {
        let rest = name.strip_prefix(prefix);
        rest.map(str::to_owned).into_iter().collect()
    };
    match &mirror.policy {
        ReplicationPolicy::Identity => vec![name.to_owned()],
        ReplicationPolicy::Default { separator } => behind(&format!("{source}{separator}")),
        ReplicationPolicy::Prefix { prefix } => behind(prefix),
        ReplicationPolicy::Rename { .. } => {
            let declared = site.desired.clusters.get(source);
            let declared = declared.into_iter().flat_map(|it| it.topics.keys());
            let live = site.observed.clusters.get(source);
            let live = live.into_iter().flat_map(|it| it.topics.keys());
            let known = declared.chain(live).cloned();
            known.chain([name.to_owned()]).collect()
        }
    }
}

fn way_out(mirror: &Mirror) -> &'static str {
    match mirror.state {
        MirrorState::Promoted => "apply its promotion first, and let it come to its end",
        MirrorState::Running | MirrorState::Paused => {
            "have the mirror select it no longer (`topicsPattern`, or `topicsExcludePattern`) and its replicator read that, or \
             take the mirror out of the topology"
        }
    }
}
