//! Exactly-once and compaction do not go together.
//!
//! After a crash the replicator counts the source's records from the position on to find the first one that the target
//! does not have. Compaction takes records away between the two readings, and the count would end too far: records would
//! be lost. On the target it takes away the batches that prove what was written. So such topics are refused, not copied
//! with a promise that does not hold. Copied at least once, a repetition leaves a compacted topic's last values as they are.

use std::collections::BTreeMap;

use kafka::{Cluster, Error};

use crate::progress::PartitionFailure;
use crate::topics::MirroredTopic;

/// Takes the topics out that are compacted on either side, with the reason.
pub(crate) async fn refuse_compacted(
    source: &Cluster,
    target: &Cluster,
    topics: Vec<MirroredTopic>,
) -> Result<(Vec<MirroredTopic>, Vec<PartitionFailure>), Error> {
    let on_source = topics.iter().map(|topic| topic.source.name.clone());
    let on_source = policies(source, on_source.collect()).await?;
    let on_target = topics.iter().map(|topic| topic.target.name.clone());
    let on_target = policies(target, on_target.collect()).await?;
    let mut failures = Vec::new();
    let kept = topics
        .into_iter()
        .filter(|topic| {
            let source_policy = on_source.get(&topic.source.name);
            let target_policy = on_target.get(&topic.target.name);
            let compacted = |policy: Option<&String>| policy.is_some_and(|it| it.contains("compact"));
            let side = match (compacted(source_policy), compacted(target_policy)) {
                (true, _) => "source",
                (false, true) => "target",
                (false, false) => return true,
            };
            failures.push(PartitionFailure {
                topic: topic.source.name.clone(),
                partition: None,
                position: None,
                reason: format!(
                    "it is compacted on the {side}, and compaction takes away what exactly-once counts by: copy it in a mirror \
                     with `delivery: at-least-once`"
                ),
            });
            false
        })
        .collect();
    Ok((kept, failures))
}

/// `cleanup.policy` by topic; a topic that is gone meanwhile is left out.
async fn policies(
    cluster: &Cluster,
    mut names: Vec<String>,
) -> Result<BTreeMap<String, String>, Error> {
    names.sort();
    names.dedup();
    let mut policies = BTreeMap::new();
    for (name, entries) in cluster.describe_topic_configs(&names).await? {
        match entries {
            Ok(mut entries) => {
                if let Some(policy) = entries
                    .remove("cleanup.policy")
                    .and_then(|entry| entry.value)
                {
                    policies.insert(name, policy);
                }
            }
            Err(error) if error.name() == "UNKNOWN_TOPIC_OR_PARTITION" => {}
            Err(error) => {
                return Err(Error::Broker {
                    api: format!("DescribeConfigs {name}"),
                    error,
                });
            }
        }
    }
    Ok(policies)
}
