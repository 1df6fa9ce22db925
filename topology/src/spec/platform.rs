//! The platform blocks of a cluster: what has to exist before Kafka can run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::{Alias, ConfigValue, Secret, SizeText};
use crate::choices::{Link, Listener, StorageType};

/// The brokers of a cluster.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Brokers {
    /// How many.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) count: u32,
    /// The size of the machines, in the words of the platform.
    pub(crate) instance_type: Option<String>,
    /// The Kafka version to run.
    pub(crate) kafka_version: Option<String>,
    /// The machines, where they exist already.
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    /// The zones to spread them over.
    #[serde(default)]
    pub(crate) zones: Vec<String>,
    /// Broker configuration.
    #[serde(default)]
    pub(crate) config: BTreeMap<String, ConfigValue>,
}

/// The network of a cluster.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Network {
    /// The name of the network (VPC, virtual network).
    pub(crate) name: Option<String>,
    /// The Azure resource group.
    pub(crate) resource_group: Option<String>,
    /// The address range.
    pub(crate) cidr: Option<String>,
    /// The address ranges of the subnets.
    #[serde(default)]
    pub(crate) subnets: Vec<String>,
    /// The clusters whose networks have to be reached.
    #[serde(default)]
    pub(crate) peers: Vec<Alias>,
    /// How they are reached.
    pub(crate) link: Option<Link>,
}

/// The disks of the brokers.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Storage {
    /// What kind of disk.
    #[serde(rename = "type")]
    pub(crate) kind: Option<StorageType>,
    /// The size of each broker's storage.
    pub(crate) size: Option<SizeText>,
    /// The storage class, on Kubernetes.
    pub(crate) class: Option<String>,
    /// How many disks each broker has.
    #[schemars(range(min = 1, max = 64))]
    pub(crate) disks: Option<u32>,
    /// Whether the claim is deleted with the cluster, on Kubernetes.
    #[serde(default)]
    pub(crate) delete_claim: bool,
}

/// Name resolution between networks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Dns {
    /// The zone of the brokers' names.
    pub(crate) zone: Option<String>,
    /// The name servers that queries for other networks go to.
    #[serde(default)]
    pub(crate) forwarders: Vec<String>,
}

/// How operators log in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Access {
    /// The console of the platform.
    pub(crate) login: Option<Account>,
    /// The machines.
    pub(crate) ssh: Option<Account>,
}

/// Who logs in, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Account {
    /// Who logs in.
    pub(crate) user: String,
    /// The password, by reference.
    pub(crate) password: Option<Secret>,
}

/// Where on Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Kubernetes {
    /// The namespace.
    pub(crate) namespace: Option<String>,
    /// The listeners of the brokers.
    #[serde(default)]
    pub(crate) listeners: Vec<Listener>,
    /// Whether the topic and user operators run.
    #[serde(default)]
    pub(crate) entity_operator: bool,
}
