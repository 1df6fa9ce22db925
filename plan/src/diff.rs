//! Desired against observed: a pure function, sorted and total.

use topology::Topology;

use crate::acl::Acls;
use crate::change::ResourceChange;
use crate::client_quota::Quotas;
use crate::desired::Desired;
use crate::document::{ClusterRef, FolderRef, LeftBehind, Plan};
use crate::kind::{Site, changes as changes_of, in_vain};
use crate::mirror::Mirrors;
use crate::observed::{Observed, ObservedCluster};
use crate::ownership;
use crate::permissions::Permissions;
use crate::rendered_file::{self, Scene};
use crate::scram_user::Users;
use crate::topic::{self, Topics};
use crate::withdrawn;

/// Compares what `topology` declares with what was read.
///
/// Pure: equal inputs give equal plans, sorted by cluster alias and address, files last. Clusters without
/// declarations are named in the plan when they were observed, with nothing to do on them.
pub fn diff(topology: &Topology, observed: &Observed, allowed: &Permissions) -> Plan {
    diff_desired(&Desired::from(topology), observed, allowed)
}

/// [`diff`] for a [`Desired`] state that does not come from a topology file.
pub fn diff_desired(desired: &Desired, observed: &Observed, allowed: &Permissions) -> Plan {
    let mut clusters = Vec::new();
    let mut changes = Vec::new();
    let mut forget = Vec::new();
    let mut left_behind = Vec::new();
    for (alias, cluster) in &desired.clusters {
        let live = observed.clusters.get(alias);
        if live.is_none() && !cluster.is_managed() {
            continue;
        }
        clusters.push(ClusterRef {
            alias: alias.clone(),
            cluster_id: live.map(|live| live.cluster_id.clone()).unwrap_or_default(),
            // an embedded cluster's addresses are known only once it runs
            bootstrap: live
                .map_or(&cluster.bootstrap, |live| &live.bootstrap)
                .clone(),
            tls: cluster.tls.clone(),
            sasl: cluster.sasl.clone(),
        });
        let site = Site {
            alias,
            cluster,
            desired,
            live,
            observed,
            allowed,
        };
        let mut of_cluster = changes_of::<Topics>(&site);
        of_cluster.extend(changes_of::<Acls>(&site));
        of_cluster.extend(changes_of::<Quotas>(&site));
        of_cluster.extend(changes_of::<Users>(&site));
        of_cluster.extend(changes_of::<Mirrors>(&site));
        forget.extend(in_vain::<Topics>(&site));
        forget.extend(in_vain::<Acls>(&site));
        forget.extend(in_vain::<Quotas>(&site));
        forget.extend(in_vain::<Users>(&site));
        forget.extend(in_vain::<Mirrors>(&site));
        if let Some(live) = live {
            left_behind.extend(throttles(alias, live, &of_cluster));
            ownership::take_over(&mut of_cluster, &live.elsewhere, allowed);
            ownership::note(&mut of_cluster, live, desired.name.as_deref());
        }
        of_cluster.sort_by(|a, b| a.address.cmp(&b.address));
        changes.extend(of_cluster);
    }
    let folder = desired.folder.as_ref().map(|folder| {
        let scene = Scene {
            desired: folder,
            topology: desired.name.as_deref(),
            withdrawn: &desired.withdrawn,
            live: observed.folder.as_ref(),
            allowed,
        };
        changes.extend(rendered_file::changes(&scene));
        FolderRef {
            path: folder.path(),
            below: folder.below.clone(),
            forget: rendered_file::in_vain(&scene),
            others: rendered_file::others(&scene),
        }
    });
    withdrawn::reword(desired, &mut changes);
    Plan::new(desired, clusters, folder, changes, forget, left_behind)
}

/// Throttles of moves that ended without their apply, and that no change of this plan goes on with.
fn throttles(alias: &str, live: &ObservedCluster, changes: &[ResourceChange]) -> Vec<LeftBehind> {
    let goes_on = |address: &String| {
        let same = |change: &&ResourceChange| change.address == *address;
        changes.iter().filter(same).any(topic::moves_replicas)
    };
    live.underway
        .iter()
        .filter(|(address, _)| !goes_on(address))
        .map(|(address, underway)| LeftBehind {
            cluster: alias.to_owned(),
            address: address.clone(),
            brokers: underway.limited.clone(),
        })
        .collect()
}
