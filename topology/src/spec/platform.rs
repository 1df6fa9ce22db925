//! The platform blocks of a cluster. This version reads the broker count; rendering will read the rest.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::{Alias, ConfigValue, Secret, SizeText};

/// The brokers of a cluster.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Brokers {
    /// How many.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) count: u32,
    /// The size of the machines, in the words of the platform.
    instance_type: Option<String>,
    /// The Kafka version to run.
    kafka_version: Option<String>,
    /// The machines, where they exist already.
    #[serde(default)]
    hosts: Vec<String>,
    /// The zones to spread them over.
    #[serde(default)]
    zones: Vec<String>,
    /// Broker configuration.
    #[serde(default)]
    config: BTreeMap<String, ConfigValue>,
}

/// The network of a cluster.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Network {
    /// The name of the network (VPC, virtual network).
    name: Option<String>,
    /// The Azure resource group.
    resource_group: Option<String>,
    /// The address range.
    cidr: Option<String>,
    /// The address ranges of the subnets.
    #[serde(default)]
    subnets: Vec<String>,
    /// The clusters whose networks have to be reached.
    #[serde(default)]
    peers: Vec<Alias>,
    /// How they are reached.
    link: Option<Link>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Link {
    Peering,
    Vpn,
    Public,
}

/// The disks of the brokers.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Storage {
    /// What kind of disk.
    #[serde(rename = "type")]
    kind: Option<StorageType>,
    /// The size of each broker's storage.
    size: Option<SizeText>,
    /// The storage class, on Kubernetes.
    class: Option<String>,
    /// How many disks each broker has.
    #[schemars(range(min = 1, max = 64))]
    disks: Option<u32>,
    /// Whether the claim is deleted with the cluster, on Kubernetes.
    #[serde(default)]
    delete_claim: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum StorageType {
    PersistentClaim,
    Ephemeral,
    Ebs,
    ManagedDisk,
    LocalDisk,
}

/// Name resolution between networks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Dns {
    /// The zone of the brokers' names.
    zone: Option<String>,
    /// The name servers that queries for other networks go to.
    #[serde(default)]
    forwarders: Vec<String>,
}

/// How operators log in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Access {
    /// The console of the platform.
    login: Option<Account>,
    /// The machines.
    ssh: Option<Account>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Account {
    /// Who logs in.
    user: String,
    /// The password, by reference.
    password: Option<Secret>,
}

/// Where on Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Kubernetes {
    /// The namespace.
    namespace: Option<String>,
    /// The listeners of the brokers.
    #[serde(default)]
    listeners: Vec<Listener>,
    /// Whether the topic and user operators run.
    #[serde(default)]
    entity_operator: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Listener {
    Plain,
    Tls,
}
