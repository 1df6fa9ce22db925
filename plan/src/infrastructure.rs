//! What was seen of networks and machines in clouds, against the topology. Observed only: `apply` never touches them;
//! what is missing or changed is repaired by `terraform apply` of the rendered root.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was looked at in clouds, what could not be, and what differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Infrastructure {
    /// The places that were looked at, such as the regions of AWS.
    pub observed: Vec<String>,
    /// How many declared resources were compared there.
    pub compared: usize,
    /// What was not looked at, and why: nothing is known about it, so that it may have drifted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_observed: Vec<NotObserved>,
    /// What differs, sorted by address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<Drift>,
    /// How many resources differ besides, that were not asked for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Something that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotObserved {
    /// What, and why not.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether it was tried and failed; otherwise this `mirrorctl` never looks at it.
    pub failed: bool,
}

/// One resource that is not as the topology declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// `ec2.<kind>.<name>`.
    pub address: String,
    /// How it differs.
    pub kind: DriftKind,
    /// The id that the cloud gives it; absent for what is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What follows from it, in a few words.
    pub reason: String,
    /// Each attribute that differs, in a fixed order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<DriftDetail>,
}

/// How a resource differs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// It is declared and not there.
    Missing,
    /// It is there and is not as declared.
    Changed,
    /// It is there, in something of ours, and nobody declared it.
    Foreign,
}

impl fmt::Display for DriftKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Foreign => "foreign",
        })
    }
}

/// One attribute that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftDetail {
    /// Which attribute.
    pub attribute: String,
    /// What it is; absent where there is nothing.
    pub live: Option<String>,
    /// What it should be; absent where there should be nothing.
    pub declared: Option<String>,
}

impl Infrastructure {
    /// With only the drift that `keep` keeps; the rest is counted.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&Drift) -> bool) -> Self {
        let before = self.drift.len();
        self.drift.retain(keep);
        self.left_out += before - self.drift.len();
        self
    }

    /// Whether anything differs.
    pub fn has_drift(&self) -> bool {
        !self.drift.is_empty()
    }

    /// Whether something was to be looked at and could not be, so that nobody knows whether it differs.
    pub fn has_failed(&self) -> bool {
        self.not_observed.iter().any(|it| it.failed)
    }
}
