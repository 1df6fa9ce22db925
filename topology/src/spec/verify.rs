//! `verify`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::choices::{CheckId, Profile};

/// What `mirrorctl verify` judges.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Verify {
    /// The checks, by id. All when absent.
    #[serde(default)]
    pub(crate) checks: Vec<CheckId>,
    /// What is done where neither `--mode` nor `--profile` says so. Both write records to the source.
    pub(crate) profile: Option<Profile>,
}
