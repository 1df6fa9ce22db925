//! `HDInsight` clusters, their networks, name servers, and the replicator: a root for Azure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use topology::{Access, Cluster, Link, Network, Platform, Topology};

use super::labels::labels;
use super::replicator::Needs;
use super::tags::tags_of_all;
use super::{addresses, replicator};
use crate::draft::Draft;
use crate::request::Request;
use crate::target::{Target, TargetError};
use crate::targets::names;

pub(in crate::targets) const TARGET: Target = Target {
    name: "terraform-azure",
    about: "Terraform for Azure: networks, name servers, HDInsight clusters, the replicator",
    renders: "clusters with `platform: azure-hdinsight`",
    settings: &[],
    remarks,
    drafts,
};

/// Azure's own name server.
const AZURE_DNS: &str = "168.63.129.16";
const GIB: u64 = 1 << 30;

fn remarks(request: &Request<'_>) -> Vec<String> {
    replicator::remarks(request.topology, &clusters(request.topology))
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let clusters: Vec<&Cluster> = clusters(request.topology);
    if clusters.is_empty() {
        return Ok(Vec::new());
    }
    let mut root = root(request.topology, &clusters)?;
    if root.replicator.is_some() {
        let mirrors = replicator::mirrors(request.topology, &clusters);
        root.needs = replicator::needs(request.topology, &mirrors)?;
    }
    let mut drafts = vec![
        Draft::template("versions.tf", "terraform-azure/versions.tf", &root)?,
        Draft::template("main.tf", "terraform-azure/main.tf", &root)?,
        Draft::template("variables.tf", "terraform-azure/variables.tf", &root)?,
        Draft::template("deletion.tf", "terraform-azure/deletion.tf", &root)?,
        Draft::template("outputs.tf", "terraform-azure/outputs.tf", &root)?,
        Draft::template("README.md", "terraform-azure/guide.md", &root)?,
    ];
    for module in ["azure-network", "azure-hdinsight-kafka"] {
        drafts.extend(Draft::tree(
            &format!("terraform/{module}"),
            &format!("modules/{module}"),
        )?);
    }
    if root.replicator.is_some() {
        drafts.extend(Draft::tree(
            "terraform/azure-replicator",
            "modules/azure-replicator",
        )?);
        drafts.push(Draft::text("topology.yaml", request.source));
    }
    Ok(drafts)
}

/// The clusters that this root builds.
pub(in crate::targets) fn clusters(topology: &Topology) -> Vec<&Cluster> {
    topology
        .clusters
        .iter()
        .filter(|cluster| cluster.platform == Platform::AzureHdinsight)
        .collect()
}

/// Everything that the templates need.
#[derive(Debug, Serialize)]
pub(in crate::targets) struct Root {
    pub(in crate::targets) location: String,
    pub(in crate::targets) resource_groups: BTreeMap<String, String>,
    /// What `source-NAME` and `dest-NAME` have in common.
    pub(in crate::targets) base_name: Option<String>,
    pub(in crate::targets) networks: Vec<AzureNetwork>,
    pub(in crate::targets) peerings: Vec<(String, String)>,
    pub(in crate::targets) clusters: Vec<HdInsight>,
    pub(in crate::targets) accounts: Vec<Accounts>,
    /// What is tagged alike on all clusters, for what they share.
    pub(in crate::targets) tags: BTreeMap<String, String>,
    replicator: Option<Replicator>,
    /// What the replicator's machine needs beside the topology.
    needs: Needs,
    /// Peers that nothing here leads to.
    elsewhere: BTreeSet<String>,
}

#[derive(Debug, Serialize)]
pub(in crate::targets) struct AzureNetwork {
    pub(in crate::targets) label: String,
    pub(in crate::targets) name: String,
    pub(in crate::targets) resource_group: String,
    pub(in crate::targets) location: String,
    pub(in crate::targets) address_space: String,
    pub(in crate::targets) cluster_subnet: String,
    pub(in crate::targets) dns_subnet: String,
    pub(in crate::targets) forwarders: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(in crate::targets) struct HdInsight {
    pub(in crate::targets) label: String,
    /// As it is.
    pub(in crate::targets) name: String,
    /// What stands before the base name, where there is one.
    pub(in crate::targets) prefix: Option<String>,
    pub(in crate::targets) network: String,
    pub(in crate::targets) location: String,
    pub(in crate::targets) workers: u32,
    pub(in crate::targets) size: Option<String>,
    pub(in crate::targets) disks: Option<u32>,
    pub(in crate::targets) kafka_version: Option<String>,
    /// What stands behind the names of its account variables.
    pub(in crate::targets) accounts: String,
    pub(in crate::targets) tags: BTreeMap<String, String>,
}

/// Who logs in to some clusters.
#[derive(Debug, Serialize)]
pub(in crate::targets) struct Accounts {
    /// What stands behind the names of the variables.
    pub(in crate::targets) suffix: String,
    pub(in crate::targets) login_user: String,
    pub(in crate::targets) ssh_user: String,
    clusters: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Replicator {
    /// Of its machine.
    name: String,
    network: String,
    location: String,
    mirrors: Vec<String>,
}

pub(in crate::targets) fn root(
    topology: &Topology,
    clusters: &[&Cluster],
) -> Result<Root, TargetError> {
    let names = labels(clusters.iter().map(|cluster| cluster.alias.as_str()));
    let base_name = base_name(clusters);
    let accounts = accounts(clusters, &names);
    let mut networks: Vec<AzureNetwork> = Vec::new();
    let mut homes: BTreeMap<&str, String> = BTreeMap::new();
    let mut built = Vec::new();
    for cluster in clusters {
        let network = add_network(&mut networks, cluster, &names[&cluster.alias])?;
        homes.insert(&cluster.alias, network.clone());
        built.push(hdinsight(
            cluster,
            &names,
            network,
            base_name.as_deref(),
            &accounts,
        )?);
    }
    let (peerings, elsewhere) = peerings(clusters, &homes)?;
    let mirrors = replicator::mirrors(topology, clusters);
    let replicator = replicator::neighbour(&mirrors, clusters).map(|beside| Replicator {
        name: names::on_clouds(topology.name.as_deref()),
        network: homes[beside.alias.as_str()].clone(),
        location: region(beside).unwrap_or_default(),
        mirrors: mirrors.iter().map(|mirror| mirror.name.clone()).collect(),
    });
    Ok(Root {
        location: networks
            .first()
            .map(|it| it.location.clone())
            .unwrap_or_default(),
        resource_groups: networks
            .iter()
            .rev()
            .map(|it| (it.resource_group.clone(), it.location.clone()))
            .collect(),
        base_name,
        networks,
        peerings,
        clusters: built,
        accounts: accounts.into_iter().map(|(_, accounts)| accounts).collect(),
        tags: tags_of_all(clusters),
        replicator,
        needs: Needs::default(),
        elsewhere,
    })
}

fn region(cluster: &Cluster) -> Result<String, TargetError> {
    cluster
        .region
        .clone()
        .ok_or_else(|| TargetError::ClusterLacks {
            cluster: cluster.alias.clone(),
            key: "region",
            why: "everything in Azure has a location",
        })
}

fn network_of(cluster: &Cluster) -> Result<&Network, TargetError> {
    cluster
        .infrastructure
        .network
        .as_ref()
        .ok_or_else(|| TargetError::ClusterLacks {
            cluster: cluster.alias.clone(),
            key: "network",
            why: "HDInsight's nodes live in a virtual network",
        })
}

/// The label of the network that the cluster lives in; clusters that name the same one share it.
fn add_network(
    networks: &mut Vec<AzureNetwork>,
    cluster: &Cluster,
    label: &str,
) -> Result<String, TargetError> {
    let network = network_of(cluster)?;
    let Some(group) = &network.resource_group else {
        return Err(TargetError::ClusterLacks {
            cluster: cluster.alias.clone(),
            key: "network.resourceGroup",
            why: "everything in Azure lies in a resource group",
        });
    };
    let dns = cluster.infrastructure.dns.as_ref();
    let forwarders = dns.map(|dns| dns.forwarders.clone()).unwrap_or_default();
    let name = network
        .name
        .clone()
        .unwrap_or_else(|| format!("{}-vnet", cluster.alias));
    let known = networks
        .iter_mut()
        .find(|it| it.name == name && it.resource_group == *group);
    if let Some(known) = known {
        for forwarder in forwarders {
            if !known.forwarders.contains(&forwarder) {
                known.forwarders.push(forwarder);
            }
        }
        return Ok(known.label.clone());
    }
    let range = addresses::range(cluster, network)?;
    let written = |at: usize| network.subnets.get(at).map(ToString::to_string);
    let small = || TargetError::Cluster {
        cluster: cluster.alias.clone(),
        key: "network.cidr",
        problem: "the range has to hold 64 addresses or more (/26)".to_owned(),
    };
    let computed = addresses::first_half(range)
        .zip(addresses::last_sixteen(range))
        .map(|(half, last)| (half.to_string(), last.to_string()));
    let (cluster_subnet, dns_subnet) = match (written(0), written(1)) {
        (Some(first), Some(second)) => (first, second),
        (Some(_), None) => {
            return Err(TargetError::Cluster {
                cluster: cluster.alias.clone(),
                key: "network.subnets",
                problem: "two subnets are needed: for the nodes, and for the name server"
                    .to_owned(),
            });
        }
        (None, _) => computed.ok_or_else(small)?,
    };
    networks.push(AzureNetwork {
        label: label.to_owned(),
        name,
        resource_group: group.clone(),
        location: region(cluster)?,
        address_space: range.to_string(),
        cluster_subnet,
        dns_subnet,
        forwarders: if forwarders.is_empty() {
            vec![AZURE_DNS.to_owned()]
        } else {
            forwarders
        },
    });
    Ok(label.to_owned())
}

fn hdinsight(
    cluster: &Cluster,
    names: &BTreeMap<String, String>,
    network: String,
    base_name: Option<&str>,
    accounts: &[(Option<Access>, Accounts)],
) -> Result<HdInsight, TargetError> {
    let infrastructure = &cluster.infrastructure;
    let brokers = infrastructure.brokers.as_ref();
    let storage = infrastructure.storage.as_ref();
    if storage.is_some_and(|storage| storage.size.is_some_and(|size| size % (1024 * GIB) != 0)) {
        return Err(TargetError::Cluster {
            cluster: cluster.alias.clone(),
            key: "storage.size",
            problem: "HDInsight's disks have 1 TiB each: write `disks` instead".to_owned(),
        });
    }
    let disks = storage.and_then(|storage| {
        let by_size = storage
            .size
            .and_then(|size| u32::try_from(size / (1024 * GIB)).ok());
        storage.disks.or(by_size)
    });
    let prefix = base_name
        .and_then(|base| cluster.alias.strip_suffix(base))
        .map(ToOwned::to_owned);
    Ok(HdInsight {
        label: names[&cluster.alias].clone(),
        name: cluster.alias.clone(),
        prefix,
        network,
        location: region(cluster)?,
        workers: brokers.map_or(3, |brokers| brokers.count),
        size: brokers.and_then(|brokers| brokers.instance_type.clone()),
        disks,
        kafka_version: brokers.and_then(|brokers| brokers.kafka_version.clone()),
        accounts: accounts
            .iter()
            .find(|(access, _)| *access == infrastructure.access)
            .map(|(_, accounts)| accounts.suffix.clone())
            .unwrap_or_default(),
        tags: infrastructure.tags.clone(),
    })
}

/// What all aliases end with behind their first hyphen: `mirror` of `source-mirror` and `dest-mirror`.
fn base_name(clusters: &[&Cluster]) -> Option<String> {
    let mut bases = clusters
        .iter()
        .map(|cluster| cluster.alias.split_once('-').map(|(_, base)| base));
    let first = bases.next()??;
    (clusters.len() > 1 && !first.is_empty() && bases.all(|base| base == Some(first)))
        .then(|| first.to_owned())
}

/// One set of variables for all clusters that are logged in to in the same way.
fn accounts(
    clusters: &[&Cluster],
    names: &BTreeMap<String, String>,
) -> Vec<(Option<Access>, Accounts)> {
    let mut all: Vec<(Option<Access>, Accounts)> = Vec::new();
    for cluster in clusters {
        let access = &cluster.infrastructure.access;
        if let Some((_, known)) = all.iter_mut().find(|(it, _)| it == access) {
            known.clusters.push(cluster.alias.clone());
            continue;
        }
        let user = |account: Option<&topology::Account>, default: &str| {
            account.map_or_else(|| default.to_owned(), |account| account.user.clone())
        };
        let login = access.as_ref().and_then(|access| access.login.as_ref());
        let ssh = access.as_ref().and_then(|access| access.ssh.as_ref());
        let accounts = Accounts {
            suffix: format!("_{}", names[&cluster.alias]),
            login_user: user(login, "admin"),
            ssh_user: user(ssh, "sshuser"),
            clusters: vec![cluster.alias.clone()],
        };
        all.push((access.clone(), accounts));
    }
    if let [(_, only)] = all.as_mut_slice() {
        only.suffix.clear();
    }
    all
}

type Peerings = (Vec<(String, String)>, BTreeSet<String>);

/// Pairs of networks, each once, and peers that are not in this root.
fn peerings(
    clusters: &[&Cluster],
    homes: &BTreeMap<&str, String>,
) -> Result<Peerings, TargetError> {
    let mut pairs = BTreeSet::new();
    let mut elsewhere = BTreeSet::new();
    for cluster in clusters {
        let network = network_of(cluster)?;
        let here = &homes[cluster.alias.as_str()];
        for peer in &network.peers {
            let Some(there) = homes.get(peer.as_str()) else {
                elsewhere.insert(peer.clone());
                continue;
            };
            if here == there || network.link == Some(Link::Public) {
                continue;
            }
            if network.link == Some(Link::Vpn) {
                return Err(TargetError::Cluster {
                    cluster: cluster.alias.clone(),
                    key: "network.link",
                    problem:
                        "networks of Azure are joined by `peering`; VPN gateways are not rendered"
                            .to_owned(),
                });
            }
            let mut pair = [here.clone(), there.clone()];
            // as the file has them: the first cluster's network first
            pair.sort_by_key(|label| {
                clusters
                    .iter()
                    .position(|it| homes[it.alias.as_str()] == *label)
            });
            let [from, to] = pair;
            pairs.insert((from, to));
        }
    }
    Ok((pairs.into_iter().collect(), elsewhere))
}
