//! Asks the brokers whether they would take what a plan holds, without having them do it: values of settings that they
//! refuse, and what a policy of theirs does, would otherwise stop an apply halfway.

use std::collections::BTreeMap;

use kafka::{BrokerError, Cluster, ConfigChange, NewTopic};

use crate::change::{Block, BlockCode, Change, Resource, ResourceChange};
use crate::document::Plan;
use crate::guard::Clients;
use crate::observe::ObserveError;
use crate::topic::{self, TopicState};

/// What one request may hold: a controller refuses to make too many partitions at once.
const TOPICS_A_REQUEST: usize = 500;
const PARTITIONS_A_REQUEST: u64 = 2_000;

/// What brokers say of a topic that they would never take. Others pass, or are about who asks: a plan may be made by somebody
/// who may not change anything.
const REFUSALS: [i16; 6] = [
    INVALID_TOPIC,
    INVALID_PARTITIONS,
    INVALID_REPLICATION_FACTOR,
    INVALID_CONFIG,
    INVALID_REQUEST,
    POLICY_VIOLATION,
];
const INVALID_TOPIC: i16 = 17;
const INVALID_PARTITIONS: i16 = 37;
const INVALID_REPLICATION_FACTOR: i16 = 38;
const INVALID_CONFIG: i16 = 40;
const INVALID_REQUEST: i16 = 42;
const POLICY_VIOLATION: i16 = 44;

type Outcomes = BTreeMap<String, Result<(), BrokerError>>;

/// The plan, with what the brokers would refuse of topics blocked (`refused-by-brokers`). Changes nothing on any cluster
/// (`validateOnly` of `CreateTopics` and `IncrementalAlterConfigs`, KIP-4 and KIP-339).
///
/// # Errors
/// When a cluster does not answer. Cancel safe.
pub async fn rehearsed(mut plan: Plan, clients: &Clients) -> Result<Plan, ObserveError> {
    let mut refused: BTreeMap<String, BrokerError> = BTreeMap::new();
    for (alias, cluster) in clients {
        let changes = plan.resource_changes.iter();
        let open = changes
            .filter(|change| change.home.cluster() == Some(alias) && change.blocked.is_empty());
        let open: Vec<(&ResourceChange, &Change<TopicState>)> = open
            .filter_map(|change| match &change.resource {
                Resource::Topic(topic) => Some((change, topic)),
                _ => None,
            })
            .collect();
        let outcomes = outcomes(cluster, &open)
            .await
            .map_err(|source| ObserveError::Cluster {
                alias: alias.clone(),
                source,
            })?;
        for (change, _) in open {
            if let Some(Err(error)) = outcomes.get(&change.name)
                && REFUSALS.contains(&error.code)
            {
                refused.insert(change.address.clone(), error.clone());
            }
        }
    }
    for change in &mut plan.resource_changes {
        if let Some(error) = refused.remove(&change.address) {
            change.blocked.push(Block {
                code: BlockCode::RefusedByBrokers,
                message: format!("the brokers would refuse it: {error}"),
            });
        }
    }
    Ok(plan)
}

async fn outcomes(
    cluster: &Cluster,
    changes: &[(&ResourceChange, &Change<TopicState>)],
) -> Result<Outcomes, kafka::Error> {
    let mut outcomes = Outcomes::new();
    let new: Vec<NewTopic> = changes
        .iter()
        .filter_map(|(resource, change)| match change {
            Change::Create { after } => Some(topic::new_topic(&resource.name, after)),
            Change::NoOp { .. } | Change::Update { .. } | Change::Delete { .. } => None,
        })
        .collect();
    for some in in_portions(&new) {
        outcomes.extend(cluster.would_create_topics(some).await?);
    }
    let altered: Vec<(String, Vec<ConfigChange>)> = changes
        .iter()
        .filter_map(|(resource, change)| {
            let settings = settings(change);
            (!settings.is_empty()).then(|| (resource.name.clone(), settings))
        })
        .collect();
    for some in altered.chunks(TOPICS_A_REQUEST) {
        outcomes.extend(cluster.would_alter_topic_configs(some).await?);
    }
    Ok(outcomes)
}

/// What an update changes of a topic's settings.
fn settings(change: &Change<TopicState>) -> Vec<ConfigChange> {
    let Change::Update { before, after } = change else {
        return Vec::new();
    };
    let set = after.configs.iter().filter_map(|(key, value)| {
        let value = value.clone()?;
        let new = before.configs.get(key).and_then(Option::as_ref) != Some(&value);
        new.then(|| ConfigChange::Set {
            key: key.clone(),
            value,
        })
    });
    let unset = after
        .unset
        .iter()
        .map(|key| ConfigChange::Delete { key: key.clone() });
    set.chain(unset).collect()
}

/// As many topics at once as a controller takes.
fn in_portions(new: &[NewTopic]) -> Vec<&[NewTopic]> {
    let mut portions = Vec::new();
    let mut first = 0;
    let mut partitions = 0;
    for (index, topic) in new.iter().enumerate() {
        let its: u64 = topic.partitions.unwrap_or(1).max(1).unsigned_abs().into();
        if index > first
            && (index - first == TOPICS_A_REQUEST || partitions + its > PARTITIONS_A_REQUEST)
        {
            portions.push(&new[first..index]);
            (first, partitions) = (index, 0);
        }
        partitions += its;
    }
    if first < new.len() {
        portions.push(&new[first..]);
    }
    portions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_are_all_of_it_and_none_is_too_large() {
        let topic = |partitions| NewTopic {
            name: "t".to_owned(),
            partitions,
            replication_factor: None,
            configs: BTreeMap::new(),
        };
        for (new, sizes) in [
            (vec![], vec![]),
            (vec![topic(None); 1_200], vec![500, 500, 200]),
            (vec![topic(Some(900)); 5], vec![2, 2, 1]),
            (vec![topic(Some(50_000)); 2], vec![1, 1]),
        ] {
            let portions = in_portions(&new);
            let found: Vec<usize> = portions.iter().map(|it| it.len()).collect();
            assert_eq!(found, sizes);
        }
    }
}
