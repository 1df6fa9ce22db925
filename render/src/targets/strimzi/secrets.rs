//! Secrets of the topology as keys of Kubernetes Secrets. What is in them is nobody's business here.

use std::path::Path;

use topology::SecretRef;

/// The Secret whose keys are the passwords that the topology names.
pub(super) const PASSWORDS: &str = "mirrorctl-passwords";
/// The Secret whose keys are the certificates and keys that it names.
pub(super) const CERTIFICATES: &str = "mirrorctl-certificates";

/// The key of a password: the name of the variable, or the path of the file.
pub(super) fn password_key(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Env(name) => key(name),
        SecretRef::File(path) => file_key(path),
    }
}

/// The key of a file.
pub(super) fn file_key(path: &Path) -> String {
    key(path.display().to_string().trim_start_matches(['/', '.']))
}

fn key(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
                c
            } else {
                '-'
            }
        })
        .collect()
}
