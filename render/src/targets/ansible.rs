//! Clusters on machines of one's own, and the replicator beside them: inventory, variables, plays and the roles.

mod security;

use std::collections::BTreeMap;

use folder::sha256;
use serde::Serialize;
use topology::{Cluster, Platform, Topology};

use self::security::{BrokerLogin, BrokerTls};
use super::credentials;
use super::listening::{self, FIRST_PORT_SETTING, Taken};
use super::loopback;
use super::names;
use super::replicator::{self, Run, mirrors, runs};
use crate::draft::Draft;
use crate::request::Request;
use crate::setting::{self, Setting, Takes};
use crate::target::{Target, TargetError};

const NAME: &str = "ansible";
const DEFAULT_PORT: u16 = 9092;
const AUTHORIZER: &str = "authorizer.class.name";
/// Unless brokers listen there.
const CONTROLLER_PORT: u16 = 9093;
/// More controllers than this make a quorum slower, not safer.
const MOST_CONTROLLERS: usize = 3;

const CONFIGURATION: &str =
    "[defaults]\ninventory = inventory.yml\nroles_path = roles\ninterpreter_python = auto_silent\n";
/// The topology is written by hand, in the style of its author.
const LINTER: &str = "---\nprofile: production\noffline: true\nexclude_paths:\n  - topology.yaml\n";

pub(super) const TARGET: Target = Target {
    name: NAME,
    about: "Ansible inventory, plays and roles: Kafka on the machines of clusters of platform ansible, and the replicator",
    renders: "clusters with `platform: ansible`, and mirrors with `engine: builtin` where such a cluster or \
              `--set ansible.replicators=HOST` names machines for them",
    settings: &[
        Setting {
            name: "replicators",
            about: "the machines that run the mirrors, separated by commas (two of the first cluster on such machines)",
            takes: Takes::Text(machines),
        },
        FIRST_PORT_SETTING,
    ],
    remarks,
    drafts,
};

#[derive(Serialize)]
struct Inventory<'a> {
    clusters: &'a [OnMachines],
    replicators: &'a [String],
}

#[derive(Serialize)]
struct OnMachines {
    alias: String,
    group: String,
    user: Option<String>,
    cluster_id: String,
    nodes: Vec<Node>,
    controllers: Vec<Controller>,
    listener: &'static str,
    tls: Option<BrokerTls>,
    login: Option<BrokerLogin>,
    version: Option<String>,
    data_dirs: Vec<String>,
    /// By key; templates take maps in any order.
    config: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Node {
    host: String,
    id: usize,
    port: u16,
    roles: &'static [&'static str],
    rack: Option<String>,
}

#[derive(Serialize)]
struct Controller {
    id: usize,
    host: String,
    port: u16,
}

#[derive(Serialize)]
struct Replicators<'a> {
    /// The name of the topology, where it has one.
    topology: Option<&'a str>,
    user: String,
    mirrors: Vec<Listening<'a>>,
    variables: Vec<&'a str>,
    optional_variables: Vec<&'a str>,
    files: Vec<&'a str>,
    /// Files that the unit reads where they are.
    absolute_files: Vec<&'a str>,
    /// Files that systemd reads for it.
    hidden_files: Vec<&'a str>,
}

#[derive(Serialize)]
struct Listening<'a> {
    name: &'a str,
    copies: &'a str,
    clusters: &'a str,
    listen: String,
}

fn remarks(request: &Request<'_>) -> Vec<String> {
    let topology = request.topology;
    let mut remarks = replicator::remarks(topology, NAME);
    remarks.extend(loopback::remarks(
        topology,
        mirrors(topology),
        NAME,
        "each machine of the replicator itself",
    ));
    if mirrors(topology).next().is_some() {
        remarks.extend(names::remark(topology.name.as_deref()));
    }
    remarks.extend(without_authorizer(topology));
    remarks.extend(made_up_ids(topology));
    remarks
}

/// Says of each cluster that is made with an id that nobody wrote down.
fn made_up_ids(topology: &Topology) -> impl Iterator<Item = String> {
    let made = topology.clusters.iter().filter(|cluster| {
        let brokers = cluster.infrastructure.brokers.as_ref();
        cluster.platform == Platform::Ansible
            && cluster.cluster_id.is_none()
            && brokers.is_some_and(|it| !it.hosts.is_empty())
    });
    made.map(|cluster| {
        format!(
            "{NAME}: cluster `{}` is made with an id that follows from its alias and its first machine; write it down, so that \
             it stays where these change: `clusterId: {}`",
            cluster.alias,
            cluster_id(cluster)
        )
    })
}

/// Says of each cluster whose brokers would keep none of the declared rules.
fn without_authorizer(topology: &Topology) -> impl Iterator<Item = String> {
    let has_authorizer = |cluster: &Cluster| {
        let brokers = cluster.infrastructure.brokers.as_ref();
        brokers.is_some_and(|it| it.config.contains_key(AUTHORIZER))
    };
    let clusters = topology.clusters.iter().filter(move |cluster| {
        cluster.platform == Platform::Ansible
            && !has_authorizer(cluster)
            && topology.acls.iter().any(|it| it.cluster == cluster.alias)
    });
    clusters.map(|cluster| {
        format!(
            "{NAME}: cluster `{}` is to have ACLs, and its brokers get no authorizer, so that they take none: set \
             `{AUTHORIZER}` (Kafka's own is org.apache.kafka.metadata.authorizer.StandardAuthorizer) and `super.users` in \
             `brokers.config`",
            cluster.alias
        )
    })
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let topology = request.topology;
    let clusters = topology
        .clusters
        .iter()
        .filter(|it| it.platform == Platform::Ansible)
        .map(on_machines)
        .collect::<Result<Vec<_>, _>>()?;
    let replicators = if mirrors(topology).next().is_none() {
        Vec::new()
    } else {
        replicators(request.setting(NAME, "replicators", ""), &clusters)
    };
    if clusters.is_empty() && replicators.is_empty() {
        return Ok(Vec::new());
    }
    let mut drafts = vec![
        Draft::template(
            "inventory.yml",
            "ansible/inventory.yml",
            &Inventory {
                clusters: &clusters,
                replicators: &replicators,
            },
        )?,
        Draft::template(
            "site.yml",
            "ansible/site.yml",
            &Inventory {
                clusters: &clusters,
                replicators: &replicators,
            },
        )?,
        Draft::text("ansible.cfg", CONFIGURATION),
        Draft::text(".ansible-lint", LINTER),
    ];
    for cluster in &clusters {
        drafts.push(Draft::template(
            format!("group_vars/{}/cluster.yml", cluster.group),
            "ansible/cluster.yml",
            cluster,
        )?);
    }
    if !clusters.is_empty() {
        drafts.extend(Draft::tree("ansible/roles/kafka", "roles/kafka")?);
    }
    if !replicators.is_empty() {
        listening::check(request, NAME, &taken(topology, &clusters, &replicators))?;
        drafts.push(Draft::template(
            "group_vars/mirrorctl/mirrors.yml",
            "ansible/mirrors.yml",
            &variables(request, &runs(topology)?)?,
        )?);
        drafts.push(Draft::text("topology.yaml", request.source));
        drafts.extend(Draft::tree("ansible/roles/mirrorctl", "roles/mirrorctl")?);
    }
    Ok(drafts)
}

fn on_machines(cluster: &Cluster) -> Result<OnMachines, TargetError> {
    let wanted = &cluster.infrastructure;
    let Some(brokers) = &wanted.brokers else {
        return Err(lacks(
            cluster,
            "brokers",
            "the plays have to know the machines",
        ));
    };
    let hosts = &brokers.hosts;
    if hosts.len() != brokers.count as usize {
        return Err(lacks(
            cluster,
            "brokers.hosts",
            "every broker of `brokers.count` runs on a machine of its own",
        ));
    }
    for text in hosts
        .iter()
        .chain(brokers.config.values())
        .chain(&brokers.zones)
    {
        literal(cluster, text)?;
    }
    // one or three: with two the loss of either stops both
    let controllers = if hosts.len() < MOST_CONTROLLERS {
        1
    } else {
        MOST_CONTROLLERS
    };
    let nodes = hosts.iter().enumerate().map(|(at, host)| Node {
        host: host.clone(),
        id: at + 1,
        port: port(cluster, host),
        roles: if at < controllers {
            &["broker", "controller"]
        } else {
            &["broker"]
        },
        rack: (!brokers.zones.is_empty()).then(|| brokers.zones[at % brokers.zones.len()].clone()),
    });
    let nodes: Vec<Node> = nodes.collect();
    let controller_port = controller_port(&nodes);
    let disks = wanted.storage.as_ref().and_then(|it| it.disks).unwrap_or(1);
    Ok(OnMachines {
        alias: cluster.alias.clone(),
        group: group(&cluster.alias),
        user: wanted
            .access
            .as_ref()
            .and_then(|it| it.ssh.as_ref())
            .map(|it| literal(cluster, &it.user).map(|()| it.user.clone()))
            .transpose()?,
        cluster_id: cluster_id(cluster),
        config: replication(&brokers.config, nodes.len())
            .into_iter()
            .collect(),
        nodes,
        controllers: hosts
            .iter()
            .take(controllers)
            .enumerate()
            .map(|(at, host)| Controller {
                id: at + 1,
                host: host.clone(),
                port: controller_port,
            })
            .collect(),
        listener: match (&cluster.tls, &cluster.sasl) {
            (None, None) => "PLAINTEXT",
            (Some(_), None) => "SSL",
            (None, Some(_)) => "SASL_PLAINTEXT",
            (Some(_), Some(_)) => "SASL_SSL",
        },
        tls: security::tls(cluster)?,
        login: security::login(cluster)?,
        version: brokers.kafka_version.clone(),
        data_dirs: (1..=disks)
            .map(|it| format!("/var/lib/kafka/data-{it}"))
            .collect(),
    })
}

/// Where controllers listen, beside the brokers.
fn controller_port(nodes: &[Node]) -> u16 {
    let taken = |port: &u16| nodes.iter().any(|node| node.port == *port);
    (CONTROLLER_PORT..=u16::MAX)
        .find(|port| !taken(port))
        .unwrap_or(CONTROLLER_PORT)
}

/// What Kafka's own defaults leave to chance: topics that nobody gives replicas have one, and Kafka's own topics want three,
/// however many brokers there are. What is written wins.
fn replication(written: &BTreeMap<String, String>, brokers: usize) -> BTreeMap<String, String> {
    const MOST_REPLICAS: usize = 3;
    let replicas = brokers.min(MOST_REPLICAS);
    let in_sync = if replicas < MOST_REPLICAS { 1 } else { 2 };
    let mut config: BTreeMap<String, String> = [
        ("default.replication.factor", replicas),
        ("min.insync.replicas", in_sync),
        ("offsets.topic.replication.factor", replicas),
        ("share.coordinator.state.topic.min.isr", in_sync),
        ("share.coordinator.state.topic.replication.factor", replicas),
        ("transaction.state.log.min.isr", in_sync),
        ("transaction.state.log.replication.factor", replicas),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_string()))
    .into();
    config.extend(written.clone());
    config
}

/// The port of the machine among the bootstrap servers; of one that is not among them, that of the first that is.
fn port(cluster: &Cluster, host: &str) -> u16 {
    let servers = cluster.bootstrap_servers.iter();
    let written: Vec<_> = servers.filter_map(|it| it.rsplit_once(':')).collect();
    written
        .iter()
        .find(|(name, _)| *name == host)
        .or(written.first())
        .and_then(|(_, port)| port.parse().ok())
        .unwrap_or(DEFAULT_PORT)
}

/// Names of groups are names of variables to Ansible. Aliases have letters, digits, `_` and `-`; where a `-` becomes a `_`, a
/// digest keeps `a-b` and `a_b` apart.
fn group(alias: &str) -> String {
    let plain = alias.replace('-', "_");
    if plain == alias {
        format!("kafka_{plain}")
    } else {
        format!("kafka_{plain}_{}", &sha256(alias.as_bytes())[..6])
    }
}

/// The id that a new cluster is formatted with: the declared one, or one that follows from its name and its first machine, so
/// that rendering again gives the same, also where machines were added.
fn cluster_id(cluster: &Cluster) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const LENGTH: usize = 22;
    let legal = |id: &&String| id.len() == LENGTH && id.bytes().all(|byte| LETTERS.contains(&byte));
    if let Some(id) = cluster.cluster_id.as_ref().filter(legal) {
        return id.clone();
    }
    let brokers = cluster.infrastructure.brokers.as_ref();
    let mut seed = cluster.alias.clone();
    if let Some(first) = brokers.and_then(|it| it.hosts.first()) {
        seed.push('\n');
        seed.push_str(first);
    }
    // 22 letters of six bits hold the 128 bits of a UUID and four more, which are zero
    let bytes: Vec<u8> = sha256(seed.as_bytes()).bytes().take(2 * LENGTH).collect();
    let mut id: String = bytes
        .chunks(2)
        .map(|pair| {
            let value = pair.iter().fold(0_usize, |value, digit| {
                value * 16 + (*digit as char).to_digit(16).unwrap_or(0) as usize
            });
            LETTERS[value % LETTERS.len()] as char
        })
        .collect();
    id.pop();
    id.push('A');
    // a dash in front would be an option of the tool that formats
    if id.starts_with('-') {
        id.replace_range(..1, "M");
    }
    id
}

/// What is chosen, or else two machines of the first cluster.
fn replicators(chosen: &str, clusters: &[OnMachines]) -> Vec<String> {
    if chosen.is_empty() {
        let nodes = clusters.first().into_iter().flat_map(|it| &it.nodes);
        // the one that began last copies, the other stands by
        return nodes.take(2).map(|it| it.host.clone()).collect();
    }
    chosen.split(',').map(|it| it.trim().to_owned()).collect()
}

/// Ports of the machines that run mirrors.
fn taken(topology: &Topology, clusters: &[OnMachines], replicators: &[String]) -> Taken {
    let mut taken = loopback::ports(topology, mirrors(topology));
    for cluster in clusters {
        let brokers = cluster.nodes.iter().map(|it| (&it.host, it.port));
        let controllers = cluster.controllers.iter().map(|it| (&it.host, it.port));
        let here = brokers.chain(controllers);
        let here =
            here.filter(|(host, _)| replicators.iter().any(|it| it.eq_ignore_ascii_case(host)));
        taken.extend(here.map(|(_, port)| (port, cluster.alias.clone())));
    }
    taken
}

/// Machines, separated by commas, each once.
fn machines(written: &str) -> Result<(), String> {
    let hosts: Vec<&str> = written.split(',').map(str::trim).collect();
    for (at, one) in hosts.iter().enumerate() {
        setting::host(one).map_err(|problem| format!("names {one:?}, which {problem}"))?;
        if hosts[..at].contains(one) {
            return Err(format!("names {one:?} twice"));
        }
    }
    Ok(())
}

fn variables<'a>(
    request: &'a Request<'_>,
    runs: &'a [Run],
) -> Result<Replicators<'a>, TargetError> {
    for mirror in &request.topology.mirrors {
        if has_template(&mirror.name) {
            return Err(TargetError::Mirror {
                mirror: mirror.name.clone(),
                problem: "Ansible would evaluate its name".to_owned(),
            });
        }
    }
    let (hidden_files, absolute_files) = sorted(runs, |run| &run.absolute_files)
        .into_iter()
        .partition(|path| credentials::is_hidden(path));
    Ok(Replicators {
        topology: request.topology.name.as_deref(),
        user: names::user(request.topology.name.as_deref()),
        mirrors: runs
            .iter()
            .zip(listening::addresses(request, NAME))
            .map(|(run, listen)| Listening {
                name: &run.mirror,
                copies: &run.copies,
                clusters: &run.clusters,
                listen,
            })
            .collect(),
        variables: sorted(runs, |run| &run.variables),
        optional_variables: sorted(runs, |run| &run.optional_variables),
        files: sorted(runs, |run| &run.files),
        absolute_files,
        hidden_files,
    })
}

fn sorted(runs: &[Run], of: impl Fn(&Run) -> &std::collections::BTreeSet<String>) -> Vec<&str> {
    let mut all: Vec<&str> = runs.iter().flat_map(of).map(String::as_str).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Ansible evaluates what looks like a template, on the machine that runs the plays.
fn has_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|it| text.contains(it))
}

fn literal(cluster: &Cluster, text: &str) -> Result<(), TargetError> {
    if has_template(text) {
        return Err(TargetError::Cluster {
            cluster: cluster.alias.clone(),
            key: "brokers",
            problem: format!("Ansible would evaluate {text:?}"),
        });
    }
    Ok(())
}

fn lacks(cluster: &Cluster, key: &'static str, why: &'static str) -> TargetError {
    TargetError::ClusterLacks {
        cluster: cluster.alias.clone(),
        key,
        why,
    }
}
