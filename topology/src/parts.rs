//! The file, read part by part: what cannot be read is absent, and everything else can still be checked.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::spec::{
    Acl, Cluster, ConfigValue, Metadata, Mirror, Quota, Render, Service, Topic, User, Verify,
};

/// What could be read of a file.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) clusters: Vec<Option<Cluster>>,
    /// The aliases of all clusters, also of those that could not be read.
    pub(crate) aliases: Vec<Option<String>>,
    pub(crate) configs: BTreeMap<String, Option<BTreeMap<String, ConfigValue>>>,
    pub(crate) topics: Vec<Option<Topic>>,
    pub(crate) users: Vec<Option<User>>,
    pub(crate) acls: Vec<Option<Acl>>,
    pub(crate) quotas: Vec<Option<Quota>>,
    pub(crate) services: Vec<Option<Service>>,
    pub(crate) mirrors: Vec<Option<Mirror>>,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) render: Option<Render>,
    pub(crate) verify: Option<Verify>,
}

impl Parts {
    pub(crate) fn read(file: &Value) -> Self {
        Self {
            clusters: list(file, "clusters"),
            aliases: items(file, "clusters")
                .map(|item| item.get("alias")?.as_str().map(str::to_owned))
                .collect(),
            configs: file
                .get("configs")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(name, block)| (name.clone(), one(block)))
                .collect(),
            topics: list(file, "topics"),
            users: list(file, "users"),
            acls: list(file, "acls"),
            quotas: list(file, "quotas"),
            services: list(file, "services"),
            mirrors: list(file, "mirrors"),
            metadata: file.get("metadata").and_then(one),
            render: file.get("render").and_then(one),
            verify: file.get("verify").and_then(one),
        }
    }
}

fn items<'a>(file: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    file.get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn list<T: DeserializeOwned>(file: &Value, key: &str) -> Vec<Option<T>> {
    items(file, key).map(one).collect()
}

fn one<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}
