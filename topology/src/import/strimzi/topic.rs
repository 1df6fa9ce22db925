//! `KafkaTopic`.

use serde_json::Value;

use super::clusters::Clusters;
use super::resource::Resource;
use crate::import::connect::texts;
use crate::import::{Imported, ImportedTopic};

pub(super) fn read(
    resource: Resource,
    known: &mut Clusters,
    imported: &mut Imported,
    left: &mut Vec<String>,
) {
    let label = resource.label();
    let cluster = known.of(&resource, imported);
    let mut spec = resource.spec;
    let name = spec.text("topicName").unwrap_or(resource.name);
    if name.starts_with("__") {
        imported.remarks.push(format!(
            "not taken over: {label}: the topic {name} belongs to Kafka or to Strimzi itself"
        ));
        return;
    }
    let configs = match spec.take("config") {
        Some(Value::Object(config)) => texts(&config),
        Some(_) | None => std::collections::BTreeMap::new(),
    };
    imported.topics.push(ImportedTopic {
        name,
        cluster,
        partitions: spec.count("partitions"),
        replication_factor: spec.count("replicas"),
        configs,
    });
    spec.end(left);
}
