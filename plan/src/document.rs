//! The plan: a value that can be printed, saved, reviewed and executed.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{Action, Change, Resource, ResourceChange};
use crate::desired::Desired;
use crate::digest;
use crate::infrastructure::Infrastructure;
use crate::proof::Finding;
use crate::text::count;

/// Version of the JSON form of [`Plan`]. Raised when a reader of the old form could misunderstand
/// the new one.
pub const FORMAT_VERSION: &str = "1.0";

/// Every declared resource and what has to be done about it, in the order of execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this JSON form: [`FORMAT_VERSION`].
    pub format_version: String,
    /// The `mirrorctl` that wrote the plan.
    pub mirrorctl_version: String,
    /// Digest of the clusters and topics that the topology declares: plans with equal digests
    /// were made for the same declarations.
    pub topology_digest: String,
    /// The name of the topology, where it has one: clusters remember under it what was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// The clusters that were read, by alias.
    pub clusters: Vec<ClusterRef>,
    /// The folder of rendered files, where the topology has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<FolderRef>,
    /// Folders that files were rendered into before, and still lie in: nothing removes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_folders: Vec<FormerFolder>,
    /// Declared resources, sorted by cluster alias and name, files last; those without a change, too.
    pub resource_changes: Vec<ResourceChange>,
    /// Resources that the record names, and that are neither declared nor there: `apply` forgets them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forget: Vec<Forgotten>,
    /// Throttles that an apply left when it was killed: `apply` takes them away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<LeftBehind>,
    /// What does not hold of the declared mirrors, or could not be looked at, as far as the mirrors were judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What was seen of networks and machines in clouds; absent where the topology declares none. `apply` leaves them alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infrastructure: Option<Infrastructure>,
    /// What the changes add up to.
    pub summary: Summary,
}

/// A resource that a cluster's own record names in vain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    /// Alias of the cluster.
    pub cluster: String,
    /// Address of the resource.
    pub address: String,
}

/// The folder of rendered files that a plan was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderRef {
    /// Where it is: an absolute path.
    pub path: PathBuf,
    /// The folder of the topology file, which has to be there: elsewhere the plan writes nothing.
    pub below: PathBuf,
    /// Files that its manifest names, and that are neither wanted nor there: `apply` takes them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forget: Vec<String>,
    /// Files in it that other topologies rendered, and this one does not: they are left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherFiles>,
}

/// A folder that the topology rendered files into, and does not any more: `render.out` was another one, or there was a
/// `render`. Of a topology without a name, others without one may be meant, where a manifest does not say of which clusters they
/// are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormerFolder {
    /// Where it is.
    pub path: PathBuf,
    /// How many of the files that its manifest names are there.
    pub files: usize,
}

/// Rendered files of another topology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherFiles {
    /// Its name; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// How many files.
    pub files: usize,
}

/// Throttles that an apply set to move replicas of a topic, and did not come to take away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftBehind {
    /// Alias of the cluster.
    pub cluster: String,
    /// Address of the topic.
    pub address: String,
    /// Brokers whose replication is limited.
    pub brokers: BTreeSet<i32>,
}

/// A cluster that a plan was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterRef {
    /// The alias that the topology gives it.
    pub alias: String,
    /// The id that the live cluster called itself; the plan is applied to no other.
    pub cluster_id: String,
    /// Bootstrap servers, `host:port`.
    pub bootstrap: Vec<String>,
    /// How connections are encrypted; they are not when absent. Relative paths are relative to the folder that
    /// `mirrorctl` runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<topology::Tls>,
    /// How connections are authenticated; they are not when absent. Secrets are here by reference only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sasl: Option<topology::Sasl>,
}

/// Counts of changes. Blocked changes are counted as blocked only, and so are findings that block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Resources to create.
    pub add: usize,
    /// Resources to change in place.
    pub change: usize,
    /// Resources to delete: what the topology dropped and allows to be deleted.
    pub destroy: usize,
    /// Changes that a safety rail refuses, and findings that do.
    pub blocked: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            add,
            change,
            destroy,
            blocked,
        } = self;
        let [add, change, destroy] = [add, change, destroy].map(|it| count(*it as i128));
        write!(
            f,
            "Plan: {add} to add, {change} to change, {destroy} to destroy"
        )?;
        if *blocked > 0 {
            write!(f, ", {} blocked", count(*blocked as i128))?;
        }
        f.write_str(".")
    }
}

impl Plan {
    pub(crate) fn new(
        desired: &Desired,
        clusters: Vec<ClusterRef>,
        folder: Option<FolderRef>,
        resource_changes: Vec<ResourceChange>,
        forget: Vec<Forgotten>,
        left_behind: Vec<LeftBehind>,
    ) -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            mirrorctl_version: env!("CARGO_PKG_VERSION").to_owned(),
            // only text-keyed maps and text: serialisation has no way to fail
            topology_digest: digest::of(desired).unwrap_or_default(),
            topology: desired.name.clone(),
            clusters,
            folder,
            former_folders: Vec::new(),
            findings: Vec::new(),
            infrastructure: None,
            summary: summarise(&resource_changes, &[]),
            resource_changes,
            forget,
            left_behind,
        }
    }

    /// The plan with what was found out about the mirrors.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self.summary = self.summary();
        self
    }

    /// The plan with only the findings that `keep` keeps; others block nothing.
    #[must_use]
    pub fn only_findings(self, keep: impl Fn(&Finding) -> bool) -> Self {
        let mut findings = self.findings.clone();
        findings.retain(keep);
        self.with_findings(findings)
    }

    /// The plan with the folders that were rendered into before.
    #[must_use]
    pub fn with_former_folders(mut self, folders: Vec<FormerFolder>) -> Self {
        self.former_folders = folders;
        self
    }

    /// The plan with what was seen of networks and machines.
    #[must_use]
    pub fn with_infrastructure(mut self, infrastructure: Option<Infrastructure>) -> Self {
        self.infrastructure = infrastructure;
        self
    }

    /// What the changes add up to.
    pub fn summary(&self) -> Summary {
        summarise(&self.resource_changes, &self.findings)
    }

    /// Whether anything that `apply` could do differs from the topology, refused changes included.
    pub fn has_changes(&self) -> bool {
        let pending = ResourceChange::is_pending;
        !self.left_behind.is_empty() || self.resource_changes.iter().any(pending)
    }

    /// Whether networks or machines are not as declared. `apply` does nothing about it.
    pub fn has_drifted_infrastructure(&self) -> bool {
        self.infrastructure
            .as_ref()
            .is_some_and(Infrastructure::has_drift)
    }

    /// Whether a safety rail refuses any change, or a finding blocks, so that nothing of the plan can be applied.
    pub fn is_blocked(&self) -> bool {
        self.resource_changes.iter().any(ResourceChange::is_blocked)
            || self.findings.iter().any(Finding::is_blocked)
    }

    /// The plan for reading: what reads like a secret in the text of a file is not in it. It is not for applying.
    pub fn without_secrets(&self) -> Cow<'_, Self> {
        if self.folder.is_none() {
            return Cow::Borrowed(self);
        }
        let mut plan = self.clone();
        for change in &mut plan.resource_changes {
            if let Resource::RenderedFile(Change::Create { after } | Change::Update { after, .. }) =
                &mut change.resource
                && let Some(content) = &mut after.content
            {
                *content = folder::shown(content).join("\n") + "\n";
            }
        }
        Cow::Owned(plan)
    }

    /// The plan as indented JSON with a final newline. Equal plans give equal bytes.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}

/// JSON Schema of [`Plan::to_json`].
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Plan).to_value()
}

fn summarise(changes: &[ResourceChange], findings: &[Finding]) -> Summary {
    let blocked = findings.iter().filter(|finding| finding.is_blocked());
    let mut summary = Summary {
        blocked: blocked.count(),
        ..Summary::default()
    };
    for change in changes {
        match change.action() {
            _ if change.is_blocked() => summary.blocked += 1,
            Action::NoOp => {}
            Action::Create => summary.add += 1,
            Action::Update => summary.change += 1,
            Action::Delete => summary.destroy += 1,
        }
    }
    summary
}

impl ResourceChange {
    /// Whether it is anything to see: it changes something, or it would be remembered and must not be.
    pub(crate) fn is_pending(&self) -> bool {
        self.action() != Action::NoOp || self.is_blocked()
    }

    /// Whether the live resource is not as it was declared at the last apply: somebody else changed it.
    pub fn is_drift(&self) -> bool {
        match self.action() {
            Action::Create | Action::Update => self.record.is_none() || self.drifted,
            Action::NoOp | Action::Delete => false,
        }
    }
}

impl Plan {
    /// The plan with only the changes whose address `keep` keeps; what is left out is in no summary.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&ResourceChange) -> bool) -> Self {
        self.resource_changes.retain(keep);
        // what is remembered of others is no part of a plan for some
        self.forget.clear();
        if let Some(folder) = &mut self.folder {
            folder.forget.clear();
            folder.others.clear();
        }
        let kept = &self.resource_changes;
        self.left_behind
            .retain(|left| kept.iter().any(|change| change.address == left.address));
        self.summary = self.summary();
        self
    }
}
