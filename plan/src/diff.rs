//! Desired against observed: a pure function, sorted and total.

use topology::Topology;

use crate::acl;
use crate::change::ResourceChange;
use crate::client_quota;
use crate::desired::Desired;
use crate::document::{ClusterRef, LeftBehind, Plan};
use crate::observed::{Observed, ObservedCluster};
use crate::permissions::Permissions;
use crate::scram_user;
use crate::topic;

/// Compares what `topology` declares with what was read.
///
/// Pure: equal inputs give equal plans, sorted by cluster alias and address. Clusters without
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
        let mut of_cluster = topic::changes(alias, cluster, live, allowed);
        of_cluster.extend(acl::changes(alias, cluster, live, allowed));
        of_cluster.extend(client_quota::changes(alias, cluster, live, allowed));
        of_cluster.extend(scram_user::changes(alias, cluster, live, allowed));
        if let Some(live) = live {
            forget.extend(topic::in_vain(alias, cluster, live));
            forget.extend(acl::in_vain(alias, cluster, live));
            forget.extend(client_quota::in_vain(alias, cluster, live));
            forget.extend(scram_user::in_vain(alias, cluster, live));
            left_behind.extend(throttles(alias, live, &of_cluster));
        }
        of_cluster.sort_by(|a, b| a.address.cmp(&b.address));
        changes.extend(of_cluster);
    }
    Plan::new(desired, clusters, changes, forget, left_behind)
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
