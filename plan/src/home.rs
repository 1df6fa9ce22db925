//! Where resources live.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a resource lives. What is remembered of it, is remembered there: by a cluster in its own record, by a folder in its
/// manifest. A lease and an audit record are a cluster's only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Home {
    /// On the cluster with this alias.
    Cluster(String),
    /// In this folder of rendered files.
    Folder(PathBuf),
}

impl Home {
    /// The alias of the cluster, where it is one.
    pub fn cluster(&self) -> Option<&str> {
        match self {
            Self::Cluster(alias) => Some(alias),
            Self::Folder(_) => None,
        }
    }
}
