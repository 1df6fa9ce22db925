//! The outcome of a run: one value that every output format is made from.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::events::FaultEvent;
use crate::verdict::{CheckResult, Verdict};
use crate::watched::LagSample;

/// The shape of the JSON form: `major.minor`, the major raised when a field changes its meaning or
/// goes away.
pub const REPORT_FORMAT_VERSION: &str = "1.2";

/// How the judge looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Records carry stamps, a journal says which writes count.
    Stamped,
    /// Two existing topics are compared.
    Compare,
}

/// What happened while the records were written and copied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timeline {
    /// What was done to the mirror and its clusters, in the order in which it began.
    pub events: Vec<FaultEvent>,
    /// How far the target was behind, in the order of time; empty where nobody looked.
    pub lag: Vec<LagSample>,
}

impl Timeline {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.lag.is_empty()
    }
}

/// What the judge found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// See [`REPORT_FORMAT_VERSION`].
    pub format_version: String,
    /// How the judge looked.
    pub mode: Mode,
    /// The run whose stamps were looked for; `None` when two topics were compared. As text:
    /// it takes all of 64 bits, which readers of JSON do not keep in a number.
    pub run: Option<String>,
    /// The seed that replays the workload; `None` when two topics were compared, or a file was written.
    pub seed: Option<u64>,
    /// Wall clock at the start of the check, in milliseconds since the epoch.
    pub started_ms: i64,
    /// Wall clock at the end of the check, in milliseconds since the epoch.
    pub finished_ms: i64,
    /// Records read from both clusters.
    pub records_read: u64,
    /// What was left out on purpose, in words. Since 1.1.
    #[serde(default)]
    pub limits: Vec<String>,
    /// What happened meanwhile, where that is known. Since 1.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<Timeline>,
    /// One result a check and subject.
    pub checks: Vec<CheckResult>,
}

impl Report {
    /// Whether no check failed. An inconclusive check is no failure; see [`Self::conclusive`].
    pub fn passed(&self) -> bool {
        !self
            .checks
            .iter()
            .any(|check| matches!(check.verdict, Verdict::Fail { .. }))
    }

    /// Whether every check could say something.
    pub fn conclusive(&self) -> bool {
        !self
            .checks
            .iter()
            .any(|check| matches!(check.verdict, Verdict::Inconclusive { .. }))
    }

    /// The results that failed.
    pub fn failures(&self) -> impl Iterator<Item = &CheckResult> {
        self.checks
            .iter()
            .filter(|check| matches!(check.verdict, Verdict::Fail { .. }))
    }

    /// The results of each subject, in the order in which subjects come first.
    pub fn by_subject(&self) -> Vec<(&str, Vec<&CheckResult>)> {
        let mut subjects: Vec<(&str, Vec<&CheckResult>)> = Vec::new();
        for check in &self.checks {
            match subjects
                .iter_mut()
                .find(|(subject, _)| *subject == check.subject)
            {
                Some((_, checks)) => checks.push(check),
                None => subjects.push((&check.subject, vec![check])),
            }
        }
        subjects
    }

    /// How long the check took.
    pub fn duration(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.finished_ms - self.started_ms).unwrap_or(0))
    }

    /// Indented JSON.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string_pretty(self).map_err(|error| Error::Report(error.to_string()))
    }
}

/// JSON Schema of [`Report::to_json`].
pub fn report_schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}
