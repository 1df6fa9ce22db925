//! Exactly-once and compaction do not go together.
//!
//! After a crash the replicator counts the source's records from the position on to find the first one that the target
//! does not have. Compaction takes records away between the two readings, and the count would end too far: records would
//! be lost. On the target it takes away the batches that prove what was written. So such topics are refused, not copied
//! with a promise that does not hold. Copied at least once, a repetition leaves a compacted topic's last values as they are.

use std::collections::BTreeMap;

use kafka::{BrokerError, Cluster, Error, RetryClass};

use crate::traffic::Side;

/// What is known of a topic on one side.
#[derive(Debug, Clone)]
pub(super) enum Policy {
    /// It is not compacted, or gone meanwhile.
    Kept,
    Compacted,
    /// It may not be described, or not by this broker.
    Unread(BrokerError),
}

impl Policy {
    /// Why exactly-once does not begin to copy such a topic; `None` where it may.
    pub(super) fn refusal(&self, side: Side) -> Option<String> {
        match self {
            Self::Kept => None,
            Self::Compacted => Some(format!(
                "it is compacted on the {side}, and compaction takes away what exactly-once counts by: copy it in a mirror \
                 with `delivery: at-least-once`"
            )),
            Self::Unread(error) => Some(format!(
                "whether it is compacted on the {side} cannot be read: {}",
                error.to("DescribeConfigs")
            )),
        }
    }
}

/// Each of the topics with what is known of it on `cluster`, where it has this name. Reads only.
pub(super) async fn judge<T>(
    cluster: &Cluster,
    topics: Vec<T>,
    name: impl Fn(&T) -> &str,
) -> Result<Vec<(T, Policy)>, Error> {
    let mut names: Vec<String> = topics.iter().map(|it| name(it).to_owned()).collect();
    names.sort();
    names.dedup();
    let policies = policies(cluster, &names).await?;
    Ok(topics
        .into_iter()
        .map(|topic| {
            let policy = policies.get(name(&topic)).cloned();
            let policy = policy.unwrap_or(Policy::Kept);
            (topic, policy)
        })
        .collect())
}

/// By topic; one that is gone meanwhile is left out.
async fn policies(cluster: &Cluster, names: &[String]) -> Result<BTreeMap<String, Policy>, Error> {
    let mut policies = BTreeMap::new();
    for (name, entries) in cluster.describe_topic_configs(names).await? {
        let policy = match entries {
            Ok(entries) => {
                let policy = entries.get("cleanup.policy");
                let policy = policy.and_then(|entry| entry.value.as_deref());
                if policy.is_some_and(|policy| policy.contains("compact")) {
                    Policy::Compacted
                } else {
                    Policy::Kept
                }
            }
            Err(error) if error.name() == "UNKNOWN_TOPIC_OR_PARTITION" => continue,
            // it may be another one in a moment
            Err(error) if error.class() != RetryClass::Fatal => {
                return Err(Error::Broker {
                    api: format!("DescribeConfigs {name}"),
                    error,
                });
            }
            // one topic that may not be described holds up no other
            Err(error) => Policy::Unread(error),
        };
        policies.insert(name, policy);
    }
    Ok(policies)
}
