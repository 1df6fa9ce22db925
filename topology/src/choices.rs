//! The closed sets of words a topology file chooses from.
//!
//! The same types serve the file as written and the resolved topology: a word means one thing in both.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a cluster runs, and who creates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// The cluster exists already; it is reached through its bootstrap servers.
    Existing,
    /// An in-memory cluster inside the process, for the demo and for tests.
    Embedded,
    /// Brokers on machines of one's own, set up by Ansible.
    Ansible,
    /// Amazon MSK.
    AwsMsk,
    /// Brokers on EC2 instances.
    AwsEc2,
    /// Kafka on Azure `HDInsight`.
    AzureHdinsight,
    /// Strimzi (or AMQ Streams) on Kubernetes.
    Strimzi,
}

/// How the networks of two clusters reach each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// The cloud joins the networks.
    Peering,
    /// A site-to-site tunnel.
    Vpn,
    /// Public addresses.
    Public,
}

/// The disks of brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StorageType {
    /// A persistent volume claim of Kubernetes.
    PersistentClaim,
    /// Gone with the pod.
    Ephemeral,
    /// Amazon EBS.
    Ebs,
    /// Azure managed disks.
    ManagedDisk,
    /// Disks of the machine.
    LocalDisk,
}

/// A listener of brokers on Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Listener {
    /// Without encryption.
    Plain,
    /// With TLS.
    Tls,
}

/// What `render` makes files for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RenderTarget {
    /// Inventory and plays for brokers and replicators.
    Ansible,
    /// An Azure Resource Manager template.
    Arm,
    /// Pipelines of GitHub Actions and of GitLab that check and prove.
    Ci,
    /// Connectors of Kafka Connect.
    Connect,
    /// Files to build images from.
    Container,
    /// Manifests of replicators on Kubernetes.
    Kubernetes,
    /// Properties and commands of the legacy `MirrorMaker`.
    Mirrormaker,
    /// Properties of `MirrorMaker` 2.
    Mirrormaker2,
    /// Scrape and alert rules of Prometheus, a dashboard of Grafana.
    Monitoring,
    /// Flume, Spark, Hive and Redshift.
    Pipelines,
    /// Resources of Strimzi.
    Strimzi,
    /// Units of replicators.
    Systemd,
    /// A Terraform root for AWS.
    TerraformAws,
    /// A Terraform root for Azure.
    TerraformAzure,
}

impl RenderTarget {
    /// All of them, by name.
    pub const ALL: [Self; 14] = [
        Self::Ansible,
        Self::Arm,
        Self::Ci,
        Self::Connect,
        Self::Container,
        Self::Kubernetes,
        Self::Mirrormaker,
        Self::Mirrormaker2,
        Self::Monitoring,
        Self::Pipelines,
        Self::Strimzi,
        Self::Systemd,
        Self::TerraformAws,
        Self::TerraformAzure,
    ];

    /// The word of the file, which is the name of the target and of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ansible => "ansible",
            Self::Arm => "arm",
            Self::Ci => "ci",
            Self::Connect => "connect",
            Self::Container => "container",
            Self::Kubernetes => "kubernetes",
            Self::Mirrormaker => "mirrormaker",
            Self::Mirrormaker2 => "mirrormaker2",
            Self::Monitoring => "monitoring",
            Self::Pipelines => "pipelines",
            Self::Strimzi => "strimzi",
            Self::Systemd => "systemd",
            Self::TerraformAws => "terraform-aws",
            Self::TerraformAzure => "terraform-azure",
        }
    }
}

/// What copies the records of a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Engine {
    /// The replicator built into `mirrorctl`.
    #[default]
    #[serde(rename = "builtin")]
    Builtin,
    /// Apache Kafka's MirrorMaker 2.
    #[serde(rename = "mirrormaker2")]
    MirrorMaker2,
    /// The legacy MirrorMaker.
    #[serde(rename = "mirrormaker")]
    MirrorMaker,
    /// MirrorMaker 2 run by Strimzi's operator.
    #[serde(rename = "strimzi-mirrormaker2")]
    StrimziMirrorMaker2,
    /// Amazon MSK Replicator.
    #[serde(rename = "msk-replicator")]
    MskReplicator,
}

/// How often a record may arrive on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Every record arrives; after a crash some arrive again.
    #[default]
    AtLeastOnce,
    /// Every record arrives, none arrives again.
    ExactlyOnce,
}

/// What happens to the target topic when the source topic is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnSourceDelete {
    /// The target topic stays.
    #[default]
    Keep,
    /// The target topic is deleted too.
    Delete,
}

/// What happens when records were lost on the source before they were copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnDataLoss {
    /// The partition stops, loudly.
    #[default]
    Fail,
    /// The loss is reported and the partition goes on after it.
    Continue,
}

/// What happens when a source topic was deleted and created anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnTopicReset {
    /// The topic stops, loudly.
    #[default]
    Fail,
    /// The new topic is copied from its first offset.
    Restart,
}

/// What happens with a record that the target refuses as too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnOversize {
    /// The partition stops, loudly.
    #[default]
    Fail,
    /// The record is put aside and the partition goes on.
    Quarantine,
}

/// Which brokers hold the replicas of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Those that the cluster chose.
    #[default]
    Any,
    /// Brokers of as many racks as there can be: a partition that is on fewer is moved.
    Racks,
}

impl Placement {
    /// Whether it asks for nothing.
    pub fn is_any(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Racks => false,
        }
    }
}

/// Whether a mirror is meant to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MirrorState {
    /// The mirror copies.
    #[default]
    Running,
    /// The mirror keeps its positions and copies nothing.
    Paused,
    /// Applications have moved to the target and write there: nothing is copied to it any more.
    Promoted,
}

impl MirrorState {
    /// The state as it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Promoted => "promoted",
        }
    }

    /// Of two states that a mirror is said to be in the one that copies less, and that is harder to take back.
    #[must_use]
    pub fn more_cautious(self, other: Self) -> Self {
        match (self, other) {
            (Self::Promoted, _) | (_, Self::Promoted) => Self::Promoted,
            (Self::Paused, _) | (_, Self::Paused) => Self::Paused,
            (Self::Running, Self::Running) => Self::Running,
        }
    }
}

/// How much `verify` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// What a pipeline can wait for.
    Ci,
    /// A million records, however long it takes.
    Full,
}

/// The checks of the mirror contract, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// Every acknowledged record is on the target.
    Complete,
    /// Every target record exists on the source.
    NoPhantom,
    /// Duplicates stay within what the delivery guarantee allows.
    Duplicates,
    /// First occurrences rise within each partition.
    Order,
    /// Replays are contiguous and ordered.
    ReplayShape,
    /// Order per key where partition counts differ.
    KeyOrder,
    /// The target partition follows the declared rule.
    PartitionMap,
    /// Key, value and headers are equal byte for byte.
    Payload,
    /// Create time is kept.
    Timestamp,
    /// The latest value of each key is equal on both sides.
    Compaction,
    /// Aborted records never appear; transactions are whole or absent.
    Transactions,
    /// Data lost to retention is reported.
    RetentionGap,
    /// A recreated source topic is noticed.
    TopicReset,
    /// Translated offsets skip nothing.
    OffsetMap,
    /// Synced group offsets never pass the end and never move a live group.
    GroupSync,
    /// Consumers lose nothing across a failover.
    Failover,
    /// Nothing travels more than one hop.
    Loop,
    /// Target topics exist, as declared, before their first record.
    TopicCreation,
    /// Records of new partitions are copied from their first offset.
    PartitionGrowth,
    /// Configuration converges but for the exclusions.
    ConfigSync,
    /// A source delete does what was declared.
    DeletePolicy,
    /// Mirrored ACLs never widen what a principal may do.
    AclScope,
    /// Too large records follow the declared policy.
    Oversize,
    /// A replaced worker cannot write when it wakes.
    Zombie,
    /// Lag returns to normal after a fault heals.
    Recovery,
    /// Memory stays bounded and the throttle is kept.
    Resources,
    /// Added latency meets the objective.
    Latency,
}

impl CheckId {
    /// The id, as in the mirror contract.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::NoPhantom => "no-phantom",
            Self::Duplicates => "duplicates",
            Self::Order => "order",
            Self::ReplayShape => "replay-shape",
            Self::KeyOrder => "key-order",
            Self::PartitionMap => "partition-map",
            Self::Payload => "payload",
            Self::Timestamp => "timestamp",
            Self::Compaction => "compaction",
            Self::Transactions => "transactions",
            Self::RetentionGap => "retention-gap",
            Self::TopicReset => "topic-reset",
            Self::OffsetMap => "offset-map",
            Self::GroupSync => "group-sync",
            Self::Failover => "failover",
            Self::Loop => "loop",
            Self::TopicCreation => "topic-creation",
            Self::PartitionGrowth => "partition-growth",
            Self::ConfigSync => "config-sync",
            Self::DeletePolicy => "delete-policy",
            Self::AclScope => "acl-scope",
            Self::Oversize => "oversize",
            Self::Zombie => "zombie",
            Self::Recovery => "recovery",
            Self::Resources => "resources",
            Self::Latency => "latency",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_words_of_the_file() {
        for target in RenderTarget::ALL {
            let word = serde_json::to_value(target).unwrap();
            assert_eq!(word, target.name());
        }
    }

    #[test]
    fn ids_are_the_words_of_the_file() {
        let words = schemars::schema_for!(CheckId);
        let words: Vec<&str> = words.as_value()["oneOf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word["const"].as_str().unwrap())
            .collect();
        assert_eq!(words.len(), 27);
        for word in words {
            let check: CheckId = serde_json::from_value(word.into()).unwrap();
            assert_eq!(check.id(), word);
        }
    }
}
