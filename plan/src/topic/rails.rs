//! The safety rails of topics: which changes are refused, and why.

use super::usage::QUIET;
use crate::change::{Block, BlockCode};
use crate::desired::{DesiredTopic, Guard};
use crate::journal::Recorded;
use crate::observed::{ObservedCluster, ObservedTopic};
use crate::permissions::Permissions;
use crate::rails::block;

pub(super) const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

/// Topics that belong to Kafka itself; brokers call the live ones internal, these names are
/// refused before they exist, too.
const INTERNAL_TOPICS: [&str; 5] = [
    "__cluster_metadata",
    "__consumer_offsets",
    "__remote_log_metadata",
    "__share_group_state",
    "__transaction_state",
];

/// What is refused whatever is changed about the topic `name`.
pub(crate) fn any_change(name: &str, guard: &Guard, live: Option<&ObservedTopic>) -> Vec<Block> {
    let mut blocks = Vec::new();
    match guard {
        Guard::Allowed => {}
        Guard::Protected(pattern) => blocks.push(block(
            BlockCode::ProtectedTopic,
            format!("the topic matches the cluster's protected pattern `{pattern}`"),
        )),
        Guard::Unmanaged(pattern) => blocks.push(block(
            BlockCode::UnmanagedTopic,
            format!("the topic does not match the cluster's managed pattern `{pattern}`"),
        )),
    }
    if live.is_some_and(|live| live.internal) || INTERNAL_TOPICS.contains(&name) {
        blocks.push(block(
            BlockCode::InternalTopic,
            "the topic belongs to Kafka itself".to_owned(),
        ));
    }
    if is_own(name) {
        blocks.push(block(
            BlockCode::InternalTopic,
            "mirrorctl keeps in it what it knows of mirrors and applies: it makes it as it needs it, and without it records \
             would be copied twice"
                .to_owned(),
        ));
    }
    blocks
}

/// Whether the topic is one of those that this program keeps its own records in: all are called so.
fn is_own(name: &str) -> bool {
    name.starts_with("mirrorctl-") && name.ends_with(".internal")
}

/// What is refused about creating a topic.
pub(crate) fn creation(
    name: &str,
    desired: &DesiredTopic,
    cluster: &ObservedCluster,
) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(live) = cluster.colliding.get(name) {
        blocks.push(block(
            BlockCode::CollidingTopic,
            format!(
                "the cluster has `{live}`, which differs in `.` and `_` alone: Kafka refuses a second such name, because \
                 both are one in the names of metrics"
            ),
        ));
    }
    if desired.partitions == Some(0) {
        blocks.push(block(
            BlockCode::NoPartitions,
            "a topic has at least one partition".to_owned(),
        ));
    }
    let by_default = cluster.default_replication_factor;
    let factor = desired.replication_factor.or(by_default);
    let mut impossible = Vec::new();
    if let Some(factor) = factor {
        if factor == 0 {
            impossible.push(no_replica());
        } else {
            impossible.extend(too_many_replicas(factor, cluster.brokers.len()));
        }
    }
    if let Some(minimum) = desired.configs.get(MIN_INSYNC_REPLICAS) {
        impossible.extend(min_insync_replicas(minimum, factor));
    }
    if desired.replication_factor.is_none() {
        for block in &mut impossible {
            block.message += "; the brokers' default.replication.factor counts, because no `replicationFactor` is declared";
        }
    }
    blocks.extend(impossible);
    for key in desired.configs.keys() {
        // no topic was there to ask for the known keys: the brokers decide at creation
        if !cluster.known_configs.is_empty() && !cluster.known_configs.contains(key) {
            blocks.push(unknown_config(key));
        }
    }
    blocks
}

/// What is refused about deleting a topic whose deletion the topology permits in general.
pub(crate) fn deletion(
    address: &str,
    live: &ObservedTopic,
    recorded: &Recorded,
    allowed: &Permissions,
) -> Vec<Block> {
    let mut blocks = Vec::new();
    if recorded.prevent_destroy {
        blocks.push(block(
            BlockCode::PreventDestroy,
            "it was declared with `preventDestroy`: declare it again, or end its management with `mirrorctl forget`"
                .to_owned(),
        ));
    }
    if !allowed.may_destroy(address) {
        blocks.push(block(
            BlockCode::DestroyNotAllowed,
            format!("deleting needs `--allow-destroy {address}`"),
        ));
    }
    let usage = live.usage.clone().unwrap_or_default();
    if !usage.active_groups.is_empty() {
        blocks.push(block(
            BlockCode::GroupsActive,
            format!(
                "consumer groups with members read it: {}",
                usage.active_groups.join(", ")
            ),
        ));
    }
    if usage.written_recently {
        blocks.push(block(
            BlockCode::RecordsArrive,
            format!(
                "records were written to it within the last {} min: stop its producers first",
                QUIET.as_secs() / 60
            ),
        ));
    }
    blocks
}

/// What is refused about another partition count.
pub(crate) fn partition_change(live: u32, desired: u32) -> Vec<Block> {
    if desired > live {
        return Vec::new();
    }
    if desired == 0 {
        return vec![block(
            BlockCode::NoPartitions,
            "a topic has at least one partition".to_owned(),
        )];
    }
    vec![block(
        BlockCode::PartitionDecrease,
        format!(
            "Kafka cannot take partitions away, and a topic is never re-created for it: declare \
             at least {live} partitions, or migrate to a new topic"
        ),
    )]
}

/// What is refused about another replication factor; `foreign` are the partitions that somebody else is moving.
pub(crate) fn replication_change(
    desired: &DesiredTopic,
    live: &ObservedTopic,
    brokers: usize,
    foreign: &[u32],
) -> Vec<Block> {
    let mut blocks = Vec::new();
    let declared = desired.replication_factor;
    if declared == Some(0) {
        blocks.push(no_replica());
    }
    blocks.extend(declared.and_then(|factor| too_many_replicas(factor, brokers)));
    if !foreign.is_empty() {
        let partitions: Vec<String> = foreign.iter().map(u32::to_string).collect();
        blocks.push(block(
            BlockCode::ReassignmentUnderWay,
            format!(
                "somebody else is moving its replicas (partitions {}): wait until that is over, or end it with Kafka's \
                 own tools",
                partitions.join(", ")
            ),
        ));
    }
    // a declared value that changes is refused where its own change is
    let minimum = live
        .configs
        .get(MIN_INSYNC_REPLICAS)
        .and_then(|entry| entry.value.as_deref());
    let changes = desired
        .configs
        .get(MIN_INSYNC_REPLICAS)
        .is_some_and(|declared| minimum.is_none_or(|live| live.trim() != declared.trim()));
    if let (Some(minimum), Some(factor)) = (minimum, declared)
        && factor > 0
        && !changes
        && factor < largest_factor(live)
    {
        blocks.extend(min_insync_replicas(minimum, Some(factor)));
    }
    blocks
}

fn largest_factor(live: &ObservedTopic) -> u16 {
    let partitions = live.placement.iter();
    let counts = partitions.map(|partition| partition.destination().len() as u16);
    counts.max().unwrap_or(live.replication_factor)
}

fn no_replica() -> Block {
    block(
        BlockCode::ReplicationFactorImpossible,
        "a partition has at least one replica".to_owned(),
    )
}

fn too_many_replicas(factor: u16, brokers: usize) -> Option<Block> {
    (usize::from(factor) > brokers).then(|| {
        block(
            BlockCode::ReplicationFactorImpossible,
            format!("{factor} replicas need {factor} brokers; the cluster has {brokers}"),
        )
    })
}

/// What is refused about setting the configuration `key` of a live topic to `value`.
pub(crate) fn config_change(
    key: &str,
    value: &str,
    live: &ObservedTopic,
    desired: &DesiredTopic,
) -> Vec<Block> {
    let mut blocks = Vec::new();
    match live.configs.get(key) {
        None => blocks.push(unknown_config(key)),
        Some(entry) if entry.read_only => blocks.push(block(
            BlockCode::ReadOnlyConfig,
            format!("the brokers do not allow `{key}` to be set"),
        )),
        Some(_) => {}
    }
    if key == MIN_INSYNC_REPLICAS {
        blocks.extend(min_insync_replicas(
            value,
            desired.replication_factor.or(Some(live.replication_factor)),
        ));
    }
    blocks
}

/// One replica must be allowed to be away, or a single broker's restart stops all producers that
/// wait for all replicas. With one replica there is none to spare.
fn min_insync_replicas(minimum: &str, factor: Option<u16>) -> Option<Block> {
    // what is no number, the brokers refuse with a better message than we could give
    let minimum = minimum.trim().parse::<i64>().ok()?;
    let factor = factor?;
    let usable = i64::from(factor.saturating_sub(1).max(1));
    (minimum > usable).then(|| {
        block(
            BlockCode::MinInsyncReplicas,
            format!(
                "min.insync.replicas {minimum} with {factor} {} leaves none to lose: declare at \
                 most {usable}",
                if factor == 1 { "replica" } else { "replicas" }
            ),
        )
    })
}

fn unknown_config(key: &str) -> Block {
    block(
        BlockCode::UnknownConfig,
        format!("the brokers know no topic configuration `{key}`"),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{creation, min_insync_replicas};
    use crate::change::BlockCode;
    use crate::desired::{DesiredTopic, Guard};
    use crate::observed::ObservedCluster;

    #[test]
    fn the_brokers_default_counts_where_no_factor_is_declared() {
        let three = ObservedCluster {
            brokers: [(1, None), (2, None), (3, None)].into(),
            ..ObservedCluster::default()
        };
        let codes = |declared, by_default, minimum: &str| -> Vec<BlockCode> {
            let desired = DesiredTopic {
                partitions: None,
                replication_factor: declared,
                configs: [("min.insync.replicas".to_owned(), minimum.to_owned())].into(),
                placement: topology::Placement::Any,
                guard: Guard::Allowed,
                prevent_destroy: false,
            };
            let cluster = ObservedCluster {
                default_replication_factor: by_default,
                ..three.clone()
            };
            let blocks = creation("t", &desired, &cluster);
            blocks.into_iter().map(|block| block.code).collect()
        };
        let (min_isr, factor) = (
            BlockCode::MinInsyncReplicas,
            BlockCode::ReplicationFactorImpossible,
        );
        assert_eq!(codes(None, Some(3), "2"), []);
        assert_eq!(codes(None, Some(1), "2"), [min_isr]);
        assert_eq!(codes(None, Some(4), "2"), [factor]);
        // what is declared counts before it, and where the brokers do not tell, they decide
        assert_eq!(codes(Some(3), Some(1), "2"), []);
        assert_eq!(codes(None, None, "9"), []);
    }

    #[test]
    fn a_name_that_kafka_takes_for_a_live_one_is_refused() {
        let desired = DesiredTopic {
            partitions: None,
            replication_factor: None,
            configs: BTreeMap::new(),
            placement: topology::Placement::Any,
            guard: Guard::Allowed,
            prevent_destroy: false,
        };
        let cluster = ObservedCluster {
            colliding: [("x.y".to_owned(), "x_y".to_owned())].into(),
            ..ObservedCluster::default()
        };
        let blocks = creation("x.y", &desired, &cluster);
        assert_eq!(blocks[0].code, BlockCode::CollidingTopic);
        assert!(blocks[0].message.contains("`x_y`"), "{blocks:?}");
        assert_eq!(creation("x-y", &desired, &cluster), []);
    }

    #[test]
    fn one_replica_must_be_allowed_to_be_away() {
        for (minimum, factor, refused) in [
            ("1", Some(1), false),
            ("2", Some(1), true),
            ("1", Some(2), false),
            ("2", Some(2), true),
            ("2", Some(3), false),
            ("3", Some(3), true),
            ("4", Some(3), true),
            ("9", None, false),
            ("many", Some(3), false),
        ] {
            assert_eq!(
                min_insync_replicas(minimum, factor).is_some(),
                refused,
                "min.insync.replicas {minimum} of {factor:?}"
            );
        }
    }
}
