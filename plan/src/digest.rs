//! The digest that makes corrupt and hand-edited values noticed.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// SHA-256 over the compact JSON of `value`, as `sha256:<hex>`.
///
/// Field order is the declaration order and maps are sorted, so equal values have equal digests.
pub(crate) fn of<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let bytes = serde_json::to_vec(value)?;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(&bytes) {
        // writing to a String cannot fail
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}
