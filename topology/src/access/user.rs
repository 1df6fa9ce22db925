//! Users that log in with SCRAM (KIP-554).

use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::security::SecretRef;

/// A user with a SCRAM credential that shall exist on a cluster. The password is here by reference only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScramUser {
    /// The alias of the cluster.
    pub cluster: String,
    /// The name to log in with, without `User:`; once per cluster.
    pub name: String,
    /// The mechanism of the credential.
    pub mechanism: ScramMechanism,
    /// Where the password is.
    pub password: SecretRef,
    /// How often the password is hashed, 4096 to 16384 times.
    pub iterations: u32,
    /// Which password of the user it is: another number sets it anew.
    pub generation: u32,
    /// Where the file asks for it: `users[0]`.
    pub origin: String,
}

impl ScramUser {
    /// Makes a relative path of a password file relative to `folder`.
    pub(crate) fn place_files(&mut self, folder: &Path) {
        if let SecretRef::File(file) = &mut self.password {
            *file = folder.join(&*file);
        }
    }
}

/// A SCRAM mechanism (`org.apache.kafka.clients.admin.ScramMechanism`).
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum ScramMechanism {
    /// With SHA-256.
    #[serde(rename = "scram-sha-256")]
    Sha256,
    /// With SHA-512.
    #[default]
    #[serde(rename = "scram-sha-512")]
    Sha512,
}

impl fmt::Display for ScramMechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        })
    }
}
