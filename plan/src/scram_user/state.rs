//! A SCRAM user as the plan sees it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use topology::{ScramMechanism, SecretRef};

/// The part of a user's state that the plan manages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScramUserState {
    /// The name to log in with.
    pub name: String,
    /// How often the password is hashed, by mechanism.
    pub credentials: BTreeMap<ScramMechanism, u32>,
    /// Where the password is that is to be set; absent where none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretRef>,
    /// Which password of the user it is, as counted by the topology; absent where the record does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
}
