//! Files that a service of systemd cannot get at by their paths, and is given as credentials.
//!
//! A hardened unit has no homes and a `/tmp` of its own. What the topology names there is loaded by systemd instead
//! (`LoadCredential=`, see systemd.exec(5)), under a name that follows from the path; `render` writes the same name.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::Path;

use super::variable::CREDENTIALS;

/// What such credentials are called in front. `_-` stands for each `/` of the path, and `__` for each `_`: units take such names
/// as they are, and no two paths have the same.
const PREFIX: &str = "file";

/// The credential that stands for the file, where there is one, or the path as it is.
pub(super) fn in_place_of(path: &Path) -> Cow<'_, Path> {
    found(path, std::env::var_os(CREDENTIALS))
}

fn found(path: &Path, folder: Option<OsString>) -> Cow<'_, Path> {
    let written = path.to_str().filter(|it| it.starts_with('/'));
    let (Some(folder), Some(written)) = (folder, written) else {
        return Cow::Borrowed(path);
    };
    let escaped = written.replace('_', "__").replace('/', "_-");
    let credential = Path::new(&folder).join(format!("{PREFIX}{escaped}"));
    if credential.exists() {
        Cow::Owned(credential)
    } else {
        Cow::Borrowed(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_stands_for_the_file_that_it_is_called_after() {
        let folder = tempfile::tempdir().expect("folder");
        let given = folder.path().join("file_-home_-me_-ca__1.pem");
        std::fs::write(&given, "certificates").expect("write");
        let of = |path: &str| found(Path::new(path), Some(folder.path().into())).into_owned();
        assert_eq!(of("/home/me/ca_1.pem"), given);
        for other in ["/home/me/other.pem", "home/me/ca_1.pem", "/etc/ca.pem"] {
            assert_eq!(of(other), Path::new(other));
        }
        let alone = found(Path::new("/home/me/ca_1.pem"), None);
        assert_eq!(alone, Path::new("/home/me/ca_1.pem"));
    }
}
