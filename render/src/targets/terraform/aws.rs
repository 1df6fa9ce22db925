//! MSK clusters, brokers on EC2, their networks and names, MSK Replicator, and the replicator: a root for AWS.

mod clusters;
mod links;
mod networks;
mod outline;
mod reach;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use topology::{Cluster, Engine, Mirror, Platform, ReplicationPolicy, StartOffset, Topology};

use self::clusters::{Ec2, Msk};
use self::networks::AwsNetwork;
use self::reach::Reach;
use super::labels::labels;
use super::replicator::{self, Needs};
use super::tags::tags_of_all;
use crate::draft::Draft;
use crate::request::Request;
use crate::target::{Target, TargetError};
use crate::targets::{names, pipelines};

pub use outline::{
    AwsNetworkOutline, AwsOutline, Ec2Outline, Egress, MskOutline, ReplicatorOutline,
    ResolverOutline, aws_outline,
};

pub(in crate::targets) const TARGET: Target = Target {
    name: "terraform-aws",
    about: "Terraform for AWS: networks, name resolution, MSK or EC2 brokers, MSK Replicator, the replicator",
    renders: "clusters with `platform: aws-msk` or `aws-ec2`",
    settings: &[],
    remarks,
    drafts,
};

fn remarks(request: &Request<'_>) -> Vec<String> {
    replicator::remarks(request.topology, &aws_clusters(request.topology))
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let topology = request.topology;
    let clusters = aws_clusters(topology);
    if clusters.is_empty() {
        return Ok(Vec::new());
    }
    let mut root = root(topology, &clusters)?;
    if root.replicator.is_some() {
        let mirrors = replicator::mirrors(topology, &clusters);
        root.needs = replicator::needs(topology, &mirrors)?;
    }
    if !topology.pipelines.is_empty() {
        root.archive = Some(archive(request)?);
    }
    let mut drafts = vec![
        Draft::template("versions.tf", "terraform-aws/versions.tf", &root)?,
        Draft::template("main.tf", "terraform-aws/main.tf", &root)?,
        Draft::template("variables.tf", "terraform-aws/variables.tf", &root)?,
        Draft::template("outputs.tf", "terraform-aws/outputs.tf", &root)?,
        Draft::template("README.md", "terraform-aws/guide.md", &root)?,
    ];
    for module in root.modules() {
        drafts.extend(Draft::tree(
            &format!("terraform/{module}"),
            &format!("modules/{module}"),
        )?);
    }
    if root.replicator.is_some() {
        drafts.push(Draft::text("topology.yaml", request.source));
    }
    Ok(drafts)
}

/// The tables are those that the files of the pipelines name.
fn archive(request: &Request<'_>) -> Result<Archive, TargetError> {
    let tables = pipelines::tables(request)?;
    Ok(Archive {
        schema: pipelines::schema(request).to_owned(),
        tables: tables.into_iter().map(|(_, table)| table).collect(),
    })
}

fn aws_clusters(topology: &Topology) -> Vec<&Cluster> {
    topology
        .clusters
        .iter()
        .filter(|cluster| matches!(cluster.platform, Platform::AwsMsk | Platform::AwsEc2))
        .collect()
}

/// Everything that the templates need.
#[derive(Debug, Serialize)]
struct Root {
    /// Each with the label of its provider.
    regions: BTreeMap<String, String>,
    networks: Vec<AwsNetwork>,
    sites: BTreeSet<String>,
    msk: Vec<Msk>,
    ec2: Vec<Ec2>,
    msk_replicators: Vec<MskReplicator>,
    replicator: Option<Replicator>,
    /// What the replicator's machines need beside the topology.
    needs: Needs,
    /// Unknown before settings are.
    archive: Option<Archive>,
    first_region: String,
    /// What is tagged alike on all clusters, for what they share.
    tags: BTreeMap<String, String>,
    elsewhere: BTreeSet<String>,
}

impl Root {
    fn modules(&self) -> Vec<&'static str> {
        let wanted = [
            ("aws-archive", self.archive.is_some()),
            ("aws-ec2-kafka", !self.ec2.is_empty()),
            // which others are made of
            ("aws-log-group", true),
            ("aws-msk", !self.msk.is_empty()),
            ("aws-msk-replicator", !self.msk_replicators.is_empty()),
            ("aws-network", true),
            ("aws-replicator", self.replicator.is_some()),
            (
                "aws-resolver",
                self.networks
                    .iter()
                    .any(|network| network.resolver.is_some()),
            ),
        ];
        wanted
            .into_iter()
            .filter_map(|(module, is_used)| is_used.then_some(module))
            .collect()
    }
}

/// What the pipelines load records into.
#[derive(Debug, Serialize)]
struct Archive {
    schema: String,
    tables: BTreeSet<String>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an argument of the module"
)]
#[derive(Debug, Serialize)]
struct MskReplicator {
    label: String,
    name: String,
    region: String,
    source: String,
    source_network: String,
    target: String,
    target_network: String,
    topics: Vec<String>,
    topics_exclude: Vec<String>,
    groups: Vec<String>,
    groups_exclude: Vec<String>,
    sync_groups: bool,
    identical_names: bool,
    copy_configs: bool,
    copy_acls: bool,
    starting_position: &'static str,
    /// Those of the target.
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct Replicator {
    /// What its machines, role and security group are called after.
    name: String,
    network: String,
    region: String,
    mirrors: Vec<String>,
    brokers: Vec<Reach>,
    msk: Vec<String>,
    /// Those of the cluster beside it.
    tags: BTreeMap<String, String>,
}

fn root(topology: &Topology, clusters: &[&Cluster]) -> Result<Root, TargetError> {
    let names = labels(
        topology
            .clusters
            .iter()
            .map(|cluster| cluster.alias.as_str()),
    );
    let mirrors = replicator::mirrors(topology, clusters);
    let beside = replicator::neighbour(&mirrors, clusters);
    let mut plan = networks::plan(clusters, &names)?;
    links::join(topology, clusters, &names, &mut plan)?;
    let home = |cluster: &Cluster| plan.homes[&cluster.alias].clone();
    let regions: BTreeSet<&str> = plan
        .networks
        .iter()
        .map(|it| it.region_name.as_str())
        .collect();
    let region_labels = labels(regions);
    let msk_mirrors: Vec<&Mirror> = topology
        .mirrors
        .iter()
        .filter(|mirror| mirror.engine == Engine::MskReplicator)
        .collect();
    let mut msk = Vec::new();
    let mut ec2 = Vec::new();
    for cluster in clusters {
        let home = home(cluster);
        let network = plan.network(&home);
        let askers = network.reachable();
        match cluster.platform {
            Platform::AwsMsk => {
                let replicated = msk_mirrors.iter().any(|mirror| {
                    mirror.target == cluster.alias || mirror.sources.contains(&cluster.alias)
                });
                msk.push(clusters::msk(cluster, &names, network, askers, replicated)?);
            }
            Platform::AwsEc2 => ec2.push(clusters::ec2(cluster, &names, network, askers)?),
            Platform::Existing
            | Platform::Embedded
            | Platform::Ansible
            | Platform::AzureHdinsight
            | Platform::Strimzi => {}
        }
    }
    let msk_replicators = msk_mirrors
        .into_iter()
        .map(|mirror| msk_replicator(mirror, clusters, &names, &plan))
        .collect::<Result<Vec<_>, _>>()?;
    let replicator = beside.map(|beside| -> Result<Replicator, TargetError> {
        let network = plan.network(&home(beside));
        let at_home = clusters
            .iter()
            .filter(|cluster| plan.homes[&cluster.alias] == network.label)
            .map(|cluster| cluster.alias.as_str())
            .collect();
        Ok(Replicator {
            name: names::on_clouds(topology.name.as_deref()),
            network: network.label.clone(),
            region: network.region.clone(),
            mirrors: mirrors.iter().map(|mirror| mirror.name.clone()).collect(),
            brokers: reach::reach(topology, &mirrors, &at_home)?,
            msk: msk
                .iter()
                .filter(|cluster| {
                    cluster.iam
                        && mirrors.iter().any(|mirror| {
                            mirror.target == cluster.name || mirror.sources.contains(&cluster.name)
                        })
                })
                .map(|cluster| cluster.label.clone())
                .collect(),
            tags: beside.infrastructure.tags.clone(),
        })
    });
    let replicator = replicator.transpose()?;
    for network in &mut plan.networks {
        let has_machines = ec2.iter().any(|cluster| cluster.network == network.label);
        let has_replicator = replicator
            .as_ref()
            .is_some_and(|replicator| replicator.network == network.label);
        network.egress = match (has_machines, has_replicator) {
            (true, _) => Egress::Always,
            (false, true) => Egress::WithReplicator,
            (false, false) => Egress::Never,
        };
    }
    networks::check_ways_out(&plan)?;
    let networks = plan.networks;
    Ok(Root {
        first_region: networks
            .first()
            .map(|it| it.region.clone())
            .unwrap_or_default(),
        regions: region_labels,
        sites: plan.sites,
        networks,
        msk,
        ec2,
        msk_replicators,
        replicator,
        needs: Needs::default(),
        archive: None,
        tags: tags_of_all(clusters),
        elsewhere: plan.elsewhere,
    })
}

fn msk_replicator(
    mirror: &Mirror,
    clusters: &[&Cluster],
    names: &BTreeMap<String, String>,
    plan: &networks::Plan,
) -> Result<MskReplicator, TargetError> {
    let refuse = |problem: &str| TargetError::Mirror {
        mirror: mirror.name.clone(),
        problem: problem.to_owned(),
    };
    let known = |alias: &str| {
        clusters
            .iter()
            .find(|cluster| cluster.alias == alias && cluster.platform == Platform::AwsMsk)
            .ok_or_else(|| refuse("MSK Replicator goes from one MSK cluster to another"))
    };
    let [source] = mirror.sources.as_slice() else {
        return Err(refuse("MSK Replicator has one source"));
    };
    let (source, target) = (known(source)?, known(&mirror.target)?);
    let patterns = |pattern: &topology::Pattern| -> Vec<String> {
        pattern.parts().into_iter().map(ToOwned::to_owned).collect()
    };
    let optional = |pattern: Option<&topology::Pattern>| pattern.map(patterns).unwrap_or_default();
    Ok(MskReplicator {
        label: labels([mirror.name.as_str()])
            .into_values()
            .next()
            .unwrap_or_default(),
        name: mirror.name.clone(),
        region: plan.network(&plan.homes[&target.alias]).region.clone(),
        source: names[&source.alias].clone(),
        source_network: plan.homes[&source.alias].clone(),
        target: names[&target.alias].clone(),
        target_network: plan.homes[&target.alias].clone(),
        topics: patterns(&mirror.topics.include),
        topics_exclude: optional(mirror.topics.exclude.as_ref()),
        groups: patterns(&mirror.groups.include),
        groups_exclude: optional(mirror.groups.exclude.as_ref()),
        sync_groups: mirror.group_offset_sync.enabled,
        identical_names: match &mirror.policy {
            ReplicationPolicy::Identity => true,
            ReplicationPolicy::Default { separator } if separator == "." => false,
            ReplicationPolicy::Default { .. }
            | ReplicationPolicy::Prefix { .. }
            | ReplicationPolicy::Rename { .. } => {
                return Err(refuse(
                    "MSK Replicator keeps names (`identity`), or puts the source's alias and a dot in front (`default`)",
                ));
            }
        },
        copy_configs: mirror.topic_sync.config,
        copy_acls: mirror.acl_sync.enabled,
        starting_position: match mirror.start_offset {
            StartOffset::Earliest => "earliest",
            StartOffset::Latest => "latest",
            StartOffset::Timestamp(_) => {
                return Err(refuse(
                    "MSK Replicator begins at `earliest` or `latest`, not at a time",
                ));
            }
        },
        tags: target.infrastructure.tags.clone(),
    })
}
