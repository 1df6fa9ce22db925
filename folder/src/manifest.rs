//! `mirrorctl-render.json`: what was rendered into a folder, so that edits and leftovers are noticed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::author::{Author, Clusters, may_be_of_one};

/// The name of the manifest in the output folder.
pub const MANIFEST: &str = "mirrorctl-render.json";
/// The only version there is.
pub(crate) const FORMAT_VERSION: &str = "1.0";

/// What was rendered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this format.
    pub format_version: String,
    /// The files by path.
    pub files: BTreeMap<String, ManifestEntry>,
}

/// What is known about one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestEntry {
    /// The target that wanted it.
    pub target: String,
    /// The name of the topology that it was rendered from; absent where that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// The clusters of a topology without a name, by alias, a digest each of where it is: they tell it from others without one.
    /// Absent where it has a name, where no cluster could be reached yet, and in manifests of before they were noted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clusters: Clusters,
    /// The SHA-256 of its bytes when it was written.
    pub sha256: String,
    /// The template it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The SHA-256 of that template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_sha256: Option<String>,
}

impl ManifestEntry {
    /// Whether this topology rendered it: only that one takes it back.
    pub fn is_of(&self, author: Author<'_>) -> bool {
        self.topology.as_deref() == author.name
            && (author.name.is_some() || may_be_of_one(&self.clusters, author.clusters))
    }

    /// Whether another topology rendered it: one of another name, or one without a name and of other clusters. What this one
    /// rendered before it had a name is its own: that is what giving it a name does.
    pub fn is_claimed_against(&self, author: Author<'_>) -> bool {
        match &self.topology {
            Some(_) => !self.is_of(author),
            None => !may_be_of_one(&self.clusters, author.clusters),
        }
    }

    /// The topology that rendered it, in words.
    pub fn author_in_words(&self) -> String {
        self.topology.as_ref().map_or_else(
            || "a topology without a name".to_owned(),
            |name| format!("the topology `{name}`"),
        )
    }
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            files: BTreeMap::new(),
        }
    }
}

impl Manifest {
    /// The manifest in the bytes of its file; what is wrong, when they are none.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if manifest.format_version == FORMAT_VERSION {
            Ok(manifest)
        } else {
            Err(format!(
                "its format_version is `{}`, this program reads `{FORMAT_VERSION}`",
                manifest.format_version
            ))
        }
    }

    /// The file's text.
    pub(crate) fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
