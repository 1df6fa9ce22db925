//! How a file stands to what was rendered and to what is wanted. No I/O.

use crate::digest::sha256;
use crate::manifest::ManifestEntry;

/// How a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// As wanted.
    Same,
    /// Wanted, and not there.
    Missing,
    /// There as it was rendered, and wanted otherwise.
    Outdated,
    /// There, neither as it was rendered nor as it is wanted: somebody edited it, or it was there before.
    Edited,
    /// There as it was rendered, and not wanted any more.
    Obsolete,
    /// Not wanted any more, and edited since it was rendered.
    Left,
}

/// How a file stands that is `wanted` like this, is there like this (`present`), and was rendered as `recorded`. A file that
/// is neither wanted nor there, or neither wanted nor recorded, is nobody's business: `None`.
pub fn standing(
    wanted: Option<&[u8]>,
    present: Option<&[u8]>,
    recorded: Option<&ManifestEntry>,
) -> Option<FileState> {
    let as_rendered = |bytes: &[u8]| recorded.is_some_and(|entry| entry.sha256 == sha256(bytes));
    match (wanted, present) {
        (Some(_), None) => Some(FileState::Missing),
        (Some(wanted), Some(present)) if wanted == present => Some(FileState::Same),
        (Some(_), Some(present)) if as_rendered(present) => Some(FileState::Outdated),
        (Some(_), Some(_)) => Some(FileState::Edited),
        (None, Some(present)) if as_rendered(present) => Some(FileState::Obsolete),
        (None, Some(_)) => recorded.map(|_| FileState::Left),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_bytes_are_there_decides() {
        let entry = ManifestEntry {
            target: "systemd".to_owned(),
            sha256: sha256(b"old"),
            template: None,
            template_sha256: None,
        };
        let (old, new, edit) = (b"old".as_slice(), b"new".as_slice(), b"edit".as_slice());
        let known = Some(&entry);
        for (wanted, present, recorded, state) in [
            (Some(new), None, None, Some(FileState::Missing)),
            (Some(new), None, known, Some(FileState::Missing)),
            (Some(new), Some(new), None, Some(FileState::Same)),
            (Some(new), Some(new), known, Some(FileState::Same)),
            (Some(new), Some(old), known, Some(FileState::Outdated)),
            (Some(new), Some(old), None, Some(FileState::Edited)),
            (Some(new), Some(edit), known, Some(FileState::Edited)),
            (None, Some(old), known, Some(FileState::Obsolete)),
            (None, Some(edit), known, Some(FileState::Left)),
            (None, Some(edit), None, None),
            (None, None, known, None),
        ] {
            assert_eq!(
                standing(wanted, present, recorded),
                state,
                "{wanted:?} {present:?} {recorded:?}"
            );
        }
    }
}
