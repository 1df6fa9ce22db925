//! What a plan says of a file before and after its change.

use folder::{Present, sha256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file in the folder of rendered files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderedFileState {
    /// The SHA-256 of its bytes, as 64 hexadecimal digits.
    pub sha256: String,
    /// Its text, where it is to be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Whether it is executable, or is to be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

impl RenderedFileState {
    /// The file that is there.
    pub(crate) fn of(file: &Present) -> Self {
        Self {
            sha256: sha256(&file.bytes),
            content: None,
            executable: file.executable,
        }
    }

    /// Whether it is what is wanted: the same bytes, and executable where that one is to be.
    pub(crate) fn is_as(&self, wanted: &Self) -> bool {
        self.sha256 == wanted.sha256 && (self.executable || !wanted.executable)
    }
}
