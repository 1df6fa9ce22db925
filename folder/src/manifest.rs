//! `mirrorctl-render.json`: what was rendered into a folder, so that edits and leftovers are noticed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Whether the topology of this name rendered it: only that one takes it back.
    pub fn is_of(&self, topology: Option<&str>) -> bool {
        self.topology.as_deref() == topology
    }

    /// Whether a topology of another name rendered it. What one without a name rendered is for whoever wants the same file:
    /// that is what giving it a name does.
    pub fn is_claimed_against(&self, topology: Option<&str>) -> bool {
        self.topology.is_some() && !self.is_of(topology)
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
