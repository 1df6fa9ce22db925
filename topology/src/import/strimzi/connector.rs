//! `KafkaConnector`: a connector in Strimzi's own Kafka Connect.

use serde_json::{Map, Value};

use super::resource::Resource;
use crate::import::connect::Connector;

pub(super) fn read(resource: Resource, left: &mut Vec<String>) -> Option<Connector> {
    let mut spec = resource.spec;
    let mut config = match spec.take("config") {
        Some(Value::Object(config)) => config,
        Some(_) | None => Map::new(),
    };
    if let Some(class) = spec.text("class") {
        config.insert("connector.class".to_owned(), Value::String(class));
    }
    let connector = Connector::new(Some(resource.name), &config);
    if connector.is_none() {
        left.push("spec.config".to_owned());
    }
    spec.end(left);
    connector
}
