//! A client quota as the plan sees it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use topology::{QuotaEntity, QuotaValue};

/// The part of a quota's state that the plan manages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaState {
    /// Whom it is for.
    pub entity: QuotaEntity,
    /// The limits by Kafka's keys, as far as they are managed.
    pub limits: BTreeMap<String, QuotaValue>,
    /// Keys without a limit of this entity's own.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unset: BTreeSet<String>,
}
