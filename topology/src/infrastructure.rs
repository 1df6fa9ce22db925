//! What has to exist before Kafka can run: machines, networks, disks, names and the accounts of operators.

use std::collections::BTreeMap;
use std::path::Path;

use ipnet::IpNet;
use serde::Serialize;

use crate::choices::{Link, Listener, StorageType};
use crate::security::SecretRef;

/// The platform blocks of a cluster. What is not written is absent; each platform has defaults of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Infrastructure {
    /// The machines.
    pub brokers: Option<Brokers>,
    /// The network that they live in.
    pub network: Option<Network>,
    /// Their disks.
    pub storage: Option<Storage>,
    /// Name resolution between networks.
    pub dns: Option<Dns>,
    /// How operators log in.
    pub access: Option<Access>,
    /// Where on Kubernetes.
    pub kubernetes: Option<Kubernetes>,
    /// Tags on everything that is created.
    pub tags: BTreeMap<String, String>,
}

/// The brokers of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Brokers {
    /// How many, from 1 to 1000.
    pub count: u32,
    /// The size of the machines, in the words of the platform.
    pub instance_type: Option<String>,
    /// The Kafka version to run.
    pub kafka_version: Option<String>,
    /// The machines, where they exist already; their number is not checked against `count`.
    pub hosts: Vec<String>,
    /// The zones to spread them over.
    pub zones: Vec<String>,
    /// Broker configuration, as texts.
    pub config: BTreeMap<String, String>,
}

/// The network of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Its name (VPC, virtual network).
    pub name: Option<String>,
    /// The Azure resource group.
    pub resource_group: Option<String>,
    /// Its address range, without host bits.
    pub cidr: Option<IpNet>,
    /// The address ranges of its subnets, without host bits.
    pub subnets: Vec<IpNet>,
    /// The aliases of clusters whose networks have to be reached.
    pub peers: Vec<String>,
    /// How they are reached.
    pub link: Option<Link>,
}

/// The disks of the brokers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Storage {
    /// What kind of disk.
    #[serde(rename = "type")]
    pub kind: Option<StorageType>,
    /// The size of each broker's storage, in bytes.
    pub size: Option<u64>,
    /// The storage class, on Kubernetes.
    pub class: Option<String>,
    /// How many disks each broker has, from 1 to 64.
    pub disks: Option<u32>,
    /// Whether the claim is deleted with the cluster, on Kubernetes.
    pub delete_claim: bool,
}

/// Name resolution between networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dns {
    /// The zone of the brokers' names.
    pub zone: Option<String>,
    /// The name servers that queries for other networks go to.
    pub forwarders: Vec<String>,
}

/// How operators log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// The console of the platform.
    pub login: Option<Account>,
    /// The machines.
    pub ssh: Option<Account>,
}

/// Who logs in, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Who logs in.
    pub user: String,
    /// Where the password is.
    pub password: Option<SecretRef>,
}

/// Where on Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kubernetes {
    /// The namespace.
    pub namespace: Option<String>,
    /// The listeners of the brokers; each once.
    pub listeners: Vec<Listener>,
    /// Whether the topic and user operators run.
    pub entity_operator: bool,
}

impl Infrastructure {
    /// Makes relative paths relative to `folder`.
    pub(crate) fn place_files(&mut self, folder: &Path) {
        let accounts = self
            .access
            .iter_mut()
            .flat_map(|access| [&mut access.login, &mut access.ssh]);
        for account in accounts.flatten() {
            if let Some(SecretRef::File(file)) = &mut account.password {
                *file = folder.join(&*file);
            }
        }
    }
}
