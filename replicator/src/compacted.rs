//! Exactly-once and compaction do not go together.
//!
//! After a crash the replicator counts the source's records from the position on to find the first one that the target
//! does not have. Compaction takes records away between the two readings, and the count would end too far: records would
//! be lost. On the target it takes away the batches that prove what was written. So such topics are refused, not copied
//! with a promise that does not hold. Copied at least once, a repetition leaves a compacted topic's last values as they are.

use std::collections::BTreeMap;

use kafka::{BrokerError, Cluster, Error, RetryClass, TopicMetadata};

use crate::progress::PartitionFailure;
use crate::topics::MirroredTopic;

/// A topic of the source, with its name on the target.
type Selected = (TopicMetadata, String);

/// Takes the topics out that are compacted on the source, with the reason. Before anything is made for them on the target.
pub(crate) async fn refuse_compacted_sources(
    source: &Cluster,
    selected: Vec<Selected>,
) -> Result<(Vec<Selected>, Vec<PartitionFailure>), Error> {
    let names = selected.iter().map(|(topic, _)| topic.name.clone());
    let policies = policies(source, names.collect()).await?;
    Ok(split(selected, |(topic, _)| {
        refusal(&topic.name, policies.get(&topic.name), "source")
    }))
}

/// Takes the topics out that are compacted on the target, with the reason.
pub(crate) async fn refuse_compacted_targets(
    target: &Cluster,
    topics: Vec<MirroredTopic>,
) -> Result<(Vec<MirroredTopic>, Vec<PartitionFailure>), Error> {
    let names = topics.iter().map(|topic| topic.target.name.clone());
    let policies = policies(target, names.collect()).await?;
    Ok(split(topics, |topic| {
        refusal(
            &topic.source.name,
            policies.get(&topic.target.name),
            "target",
        )
    }))
}

fn split<T>(
    topics: Vec<T>,
    refusal: impl Fn(&T) -> Option<PartitionFailure>,
) -> (Vec<T>, Vec<PartitionFailure>) {
    let mut failures = Vec::new();
    let mut kept = Vec::new();
    for topic in topics {
        match refusal(&topic) {
            Some(failure) => failures.push(failure),
            None => kept.push(topic),
        }
    }
    (kept, failures)
}

fn refusal(
    topic: &str,
    policy: Option<&Result<String, BrokerError>>,
    side: &'static str,
) -> Option<PartitionFailure> {
    let reason = match policy {
        Some(Ok(policy)) if policy.contains("compact") => format!(
            "it is compacted on the {side}, and compaction takes away what exactly-once counts by: copy it in a mirror \
             with `delivery: at-least-once`"
        ),
        // one topic that may not be described holds up no other
        Some(Err(error)) => format!(
            "whether it is compacted on the {side} cannot be read: {}",
            error.to("DescribeConfigs")
        ),
        Some(Ok(_)) | None => return None,
    };
    Some(PartitionFailure {
        topic: topic.to_owned(),
        partition: None,
        position: None,
        reason,
    })
}

/// `cleanup.policy` by topic; a topic that is gone meanwhile is left out.
async fn policies(
    cluster: &Cluster,
    mut names: Vec<String>,
) -> Result<BTreeMap<String, Result<String, BrokerError>>, Error> {
    names.sort();
    names.dedup();
    let mut policies = BTreeMap::new();
    for (name, entries) in cluster.describe_topic_configs(&names).await? {
        let policy = match entries {
            Ok(mut entries) => entries
                .remove("cleanup.policy")
                .and_then(|entry| entry.value)
                .map(Ok),
            Err(error) if error.name() == "UNKNOWN_TOPIC_OR_PARTITION" => None,
            // it may be another one in a moment
            Err(error) if error.class() != RetryClass::Fatal => {
                return Err(Error::Broker {
                    api: format!("DescribeConfigs {name}"),
                    error,
                });
            }
            Err(error) => Some(Err(error)),
        };
        if let Some(policy) = policy {
            policies.insert(name, policy);
        }
    }
    Ok(policies)
}
