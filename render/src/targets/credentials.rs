//! Files that a hardened unit cannot get at by their paths, and loads as credentials instead.

use serde::Serialize;

/// What the unit sees empty or not at all (`ProtectHome=`, `PrivateTmp=`).
const HIDDEN: [&str; 5] = ["/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"];

/// A file, and what its credential is called.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct CredentialFile<'a> {
    name: String,
    path: &'a str,
}

/// Those of some absolute paths that the unit does not see. `replicate` looks for the credential under the same name
/// (`kafka/src/security/credential.rs`).
pub(super) fn hidden<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<CredentialFile<'a>> {
    paths
        .into_iter()
        .filter(|path| is_hidden(path))
        .map(|path| CredentialFile {
            name: format!("file{}", path.replace('_', "__").replace('/', "_-")),
            path,
        })
        .collect()
}

/// Whether the unit does not see the file.
pub(super) fn is_hidden(path: &str) -> bool {
    HIDDEN.iter().any(|folder| path.starts_with(folder))
}
