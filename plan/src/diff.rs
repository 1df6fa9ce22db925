//! Desired against observed: a pure function, sorted and total.

use std::collections::BTreeMap;

use topology::Topology;

use crate::change::{Block, Change, Detail, ResourceChange, ResourceType, Risk, TopicState};
use crate::config_value::same;
use crate::desired::{Desired, DesiredCluster, DesiredTopic};
use crate::document::{ClusterRef, Plan};
use crate::observed::{ConfigOrigin, Observed, ObservedCluster, ObservedConfig, ObservedTopic};
use crate::rails;
use crate::risk::{self, Assessment};

/// Compares what `topology` declares with what was read.
///
/// Pure: equal inputs give equal plans, sorted by cluster alias and topic name. Clusters without
/// declared topics are named in the plan when they were observed, with nothing to do on them.
pub fn diff(topology: &Topology, observed: &Observed) -> Plan {
    diff_desired(&Desired::from(topology), observed)
}

/// [`diff`] for a [`Desired`] state that does not come from a topology file.
pub fn diff_desired(desired: &Desired, observed: &Observed) -> Plan {
    let mut clusters = Vec::new();
    let mut changes = Vec::new();
    for (alias, cluster) in &desired.clusters {
        let live = observed.clusters.get(alias);
        if live.is_none() && cluster.topics.is_empty() {
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
        for (name, topic) in &cluster.topics {
            changes.push(diff_topic(alias, cluster, live, name, topic));
        }
    }
    Plan::new(desired, clusters, changes)
}

fn diff_topic(
    alias: &str,
    cluster: &DesiredCluster,
    live: Option<&ObservedCluster>,
    name: &str,
    desired: &DesiredTopic,
) -> ResourceChange {
    let nothing = ObservedCluster::default();
    let live_topic = live.and_then(|live| live.topics.get(name));
    let drawn = match live_topic {
        Some(topic) => update(desired, topic),
        None => create(desired, live.unwrap_or(&nothing)),
    };
    let Drawn {
        change,
        reason,
        details,
        mut blocked,
        notes,
        unmanaged,
    } = drawn;
    // rails that refuse any change have nothing to say about a topic that stays as it is
    if !matches!(change, Change::NoOp { .. }) {
        let mut general = rails::cluster(cluster, live);
        if live.is_none() {
            // with nothing known about the cluster, what was derived from its state is noise
            blocked.clear();
        }
        general.extend(rails::any_change(name, desired, live_topic));
        blocked.splice(0..0, general);
    }
    ResourceChange {
        address: format!("topic.{alias}.{name}"),
        kind: ResourceType::Topic,
        cluster: alias.to_owned(),
        name: name.to_owned(),
        risk: details
            .iter()
            .map(|detail| detail.risk)
            .max()
            .unwrap_or(Risk::Safe),
        change,
        reason,
        details,
        blocked,
        notes,
        unmanaged,
    }
}

/// A change before it has a name.
struct Drawn {
    change: Change,
    reason: String,
    details: Vec<Detail>,
    blocked: Vec<Block>,
    notes: Vec<String>,
    unmanaged: BTreeMap<String, String>,
}

fn create(desired: &DesiredTopic, cluster: &ObservedCluster) -> Drawn {
    let detail = |attribute: String, after: Option<String>| Detail {
        attribute,
        before: None,
        origin: None,
        after,
        risk: Risk::Safe,
        reason: None,
    };
    let mut details = vec![
        detail(
            "partitions".to_owned(),
            desired.partitions.map(|count| count.to_string()),
        ),
        detail(
            "replication_factor".to_owned(),
            desired.replication_factor.map(|factor| factor.to_string()),
        ),
    ];
    details.extend(
        desired
            .configs
            .iter()
            .map(|(key, value)| detail(format!("config.{key}"), Some(value.clone()))),
    );
    Drawn {
        change: Change::Create {
            after: TopicState {
                topic_id: None,
                partitions: desired.partitions,
                replication_factor: desired.replication_factor,
                configs: declared_values(&desired.configs),
            },
        },
        reason: "not on the cluster".to_owned(),
        details,
        blocked: rails::creation(desired, cluster),
        notes: Vec::new(),
        unmanaged: BTreeMap::new(),
    }
}

fn update(desired: &DesiredTopic, live: &ObservedTopic) -> Drawn {
    let before = TopicState {
        topic_id: Some(live.id.clone()),
        partitions: Some(live.partitions),
        replication_factor: Some(live.replication_factor),
        configs: desired
            .configs
            .keys()
            .map(|key| {
                (
                    key.clone(),
                    live.configs.get(key).and_then(|entry| entry.value.clone()),
                )
            })
            .collect(),
    };
    let mut after = before.clone();
    let mut details = Vec::new();
    let mut blocked = Vec::new();
    let mut notes = Vec::new();

    let policy = desired
        .configs
        .get("cleanup.policy")
        .map(String::as_str)
        .or_else(|| {
            live.configs
                .get("cleanup.policy")
                .and_then(|entry| entry.value.as_deref())
        });

    if let Some(partitions) = desired.partitions
        && partitions != live.partitions
    {
        after.partitions = Some(partitions);
        let compacted =
            policy.is_some_and(|policy| crate::config_value::items(policy).contains("compact"));
        let assessment = if partitions > live.partitions {
            risk::partition_growth(compacted)
        } else {
            // refused below, so nothing can be lost
            Assessment::safe()
        };
        blocked.extend(rails::partition_change(live.partitions, partitions));
        details.push(numbers(
            "partitions",
            live.partitions,
            partitions,
            assessment,
        ));
    }

    if let Some(factor) = desired.replication_factor
        && factor != live.replication_factor
    {
        after.replication_factor = Some(factor);
        blocked.extend(rails::replication_change(live.replication_factor, factor));
        details.push(numbers(
            "replication_factor",
            u32::from(live.replication_factor),
            u32::from(factor),
            risk::replication_change(),
        ));
    }

    for (key, value) in &desired.configs {
        let entry = live.configs.get(key);
        if entry.is_some_and(|entry| entry.sensitive) {
            notes.push(format!(
                "the brokers hide the value of `{key}`: it is not compared"
            ));
            continue;
        }
        let current = entry.and_then(|entry| entry.value.as_deref());
        if current.is_some_and(|current| same(key, current, value)) {
            continue;
        }
        after.configs.insert(key.clone(), Some(value.clone()));
        blocked.extend(rails::config_change(key, value, live));
        let Assessment { risk, reason } = risk::config_change(key, current, value, policy);
        details.push(Detail {
            attribute: format!("config.{key}"),
            before: current.map(str::to_owned),
            origin: entry.map(|entry| entry.origin),
            after: Some(value.clone()),
            risk,
            reason,
        });
    }

    let reason = if details.is_empty() {
        "as declared".to_owned()
    } else {
        format!(
            "differs in {}",
            details
                .iter()
                .map(attribute_name)
                .collect::<Vec<_>>()
                .join(", ")
        )
    };
    Drawn {
        change: if details.is_empty() {
            Change::NoOp { current: before }
        } else {
            Change::Update { before, after }
        },
        reason,
        details,
        blocked,
        notes,
        unmanaged: unmanaged(desired, live),
    }
}

fn attribute_name(detail: &Detail) -> String {
    match detail.attribute.strip_prefix("config.") {
        Some(key) => key.to_owned(),
        None => detail.attribute.replace('_', " "),
    }
}

fn numbers(
    attribute: &str,
    before: u32,
    after: u32,
    Assessment { risk, reason }: Assessment,
) -> Detail {
    Detail {
        attribute: attribute.to_owned(),
        before: Some(before.to_string()),
        origin: None,
        after: Some(after.to_string()),
        risk,
        reason,
    }
}

fn declared_values(configs: &BTreeMap<String, String>) -> BTreeMap<String, Option<String>> {
    configs
        .iter()
        .map(|(key, value)| (key.clone(), Some(value.clone())))
        .collect()
}

/// Keys set on the topic itself that the topology does not declare.
fn unmanaged(desired: &DesiredTopic, live: &ObservedTopic) -> BTreeMap<String, String> {
    live.configs
        .iter()
        .filter(|(key, entry)| {
            entry.origin == ConfigOrigin::Topic && !desired.configs.contains_key(*key)
        })
        .map(|(key, entry)| (key.clone(), shown(entry)))
        .collect()
}

fn shown(entry: &ObservedConfig) -> String {
    entry.value.clone().unwrap_or_else(|| "(hidden)".to_owned())
}
