//! One thing about a mirror that does not hold, or that could not be looked at.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something about a mirror that whoever plans has to know. Documented in `plan/FINDINGS.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Which kind; stable.
    pub id: FindingId,
    /// What follows from it.
    pub severity: Severity,
    /// `mirror.<name>`.
    pub address: String,
    /// What does not hold, in one sentence.
    pub message: String,
    /// Each case, with its numbers, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The kinds of findings.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum FindingId {
    /// Records would come back to a cluster that they have been on.
    MirrorCycle,
    /// Records that a mirror brought travel on with another mirror.
    MirrorHops,
    /// Two source topics write one target topic.
    TargetCollision,
    /// Topics are left out, because another mirror fills them from the target.
    MirroredBack,
    /// Target topics belong to applications since a promotion.
    HandedOver,
    /// The way back after a promotion will leave topics alone.
    WayBackRefused,
    /// The way back after a promotion may leave records out, or repeat some.
    WayBackIncomplete,
    /// The source takes larger records than the target.
    MessageSize,
    /// The target refuses records because of their time.
    TimestampLimits,
    /// The source keeps records for a shorter time than an outage may last.
    RetentionOutage,
    /// Brokers hold the mirror back more than it is meant to be.
    Quota,
    /// A right that the replicator needs is missing.
    MissingAcl,
    /// A compacted topic in a mirror that promises exactly-once.
    CompactedExactlyOnce,
    /// Something could not be looked at, so nothing is known about it.
    NotProven,
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::MirrorCycle => "mirror-cycle",
            Self::MirrorHops => "mirror-hops",
            Self::TargetCollision => "target-collision",
            Self::MirroredBack => "mirrored-back",
            Self::HandedOver => "handed-over",
            Self::WayBackRefused => "way-back-refused",
            Self::WayBackIncomplete => "way-back-incomplete",
            Self::MessageSize => "message-size",
            Self::TimestampLimits => "timestamp-limits",
            Self::RetentionOutage => "retention-outage",
            Self::Quota => "quota",
            Self::MissingAcl => "missing-acl",
            Self::CompactedExactlyOnce => "compacted-exactly-once",
            Self::NotProven => "not-proven",
        })
    }
}

/// What follows from a finding.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The plan is refused.
    Blocked,
    /// Worth knowing; nothing is refused.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blocked => "blocked",
            Self::Warning => "warning",
        })
    }
}

impl Finding {
    /// A finding about the mirror with this name; its cases are sorted here.
    pub(super) fn new(
        id: FindingId,
        severity: Severity,
        mirror: &str,
        message: String,
        mut evidence: Vec<String>,
    ) -> Self {
        evidence.sort();
        evidence.dedup();
        Self {
            id,
            severity,
            address: address(mirror),
            message,
            evidence,
            hint: None,
        }
    }

    /// Whether nothing of the plan may be applied because of it.
    pub fn is_blocked(&self) -> bool {
        self.severity == Severity::Blocked
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// How plans call a mirror.
pub(crate) fn address(mirror: &str) -> String {
    format!("mirror.{mirror}")
}
