//! Why selected topics are not copied, as far as both clusters show it without a replicator. Reads only.

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka::{Cluster, TopicMetadata};
use topology::{Delivery, Mirror};

use super::compacted;
use super::provenance::Verdict;
use super::{GUARDED, MirroredTopic, Upkeep};
use crate::error::RunError;
use crate::options::{Mode, Source};
use crate::traffic::Side;

/// By topic of the source; `there` are the topics of the target. What a running replicator alone knows, as a record that was
/// too large, is not among them.
pub(crate) async fn obstacles(
    mirror: &Mirror,
    source: &Source,
    target: &Cluster,
    selected: &[(TopicMetadata, String)],
    there: &BTreeMap<String, TopicMetadata>,
) -> Result<BTreeMap<String, String>, RunError> {
    let mut found = BTreeMap::new();
    let mut note = |topic: &str, reason: String| {
        found.entry(topic.to_owned()).or_insert(reason);
    };
    let cluster = source.cluster.clone();
    let mut upkeep = Upkeep::new(mirror, &source.alias, cluster, target.clone(), Mode::Once);
    upkeep.read_target_log().await?;
    upkeep.read_source_log().await?;
    let mut ready = Vec::new();
    for (topic, name) in selected {
        match upkeep.judge(&topic.name, &topic.id.to_string()) {
            Verdict::LeaveOut { .. } => note(&topic.name, upkeep.ring_reason(&topic.name)),
            // where it is copied already it goes on
            Verdict::Wait { .. } | Verdict::Clear => {}
        }
        let Some(there) = there.get(name) else {
            if !mirror.rails.topics.permits(name) {
                let reason = format!("`{name}` is not on the target, and {GUARDED}");
                note(&topic.name, reason);
            }
            continue;
        };
        let topic = MirroredTopic {
            source_name: topic.name.as_str().into(),
            target_name: name.as_str().into(),
            target: Arc::new(there.clone()),
            source: Arc::new(topic.clone()),
        };
        if let Some(reason) = upkeep.conflict(&topic) {
            note(&topic.source.name, reason);
        }
        ready.push(topic);
    }
    if mirror.delivery == Delivery::ExactlyOnce {
        let on_source = selected.iter().collect();
        let on_source = compacted::judge(&source.cluster, on_source, |it| &it.0.name).await;
        let on_source = on_source.map_err(|error| RunError::Source {
            alias: source.alias.clone(),
            error,
        })?;
        for ((topic, _), policy) in on_source {
            if let Some(reason) = policy.refusal(Side::Source) {
                note(&topic.name, reason);
            }
        }
        let on_target = compacted::judge(target, ready, |it| &it.target.name).await;
        let on_target = on_target.map_err(|error| RunError::Target {
            alias: mirror.target.clone(),
            error,
        })?;
        for (topic, policy) in on_target {
            if let Some(reason) = policy.refusal(Side::Target) {
                note(&topic.source.name, reason);
            }
        }
    }
    Ok(found)
}
