//! How a file stands to what was rendered and to what is wanted. No I/O.

use crate::author::Author;
use crate::digest::sha256;
use crate::manifest::ManifestEntry;
use crate::place::Present;

/// How a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// As wanted.
    Same,
    /// Its bytes are as wanted, and it is to be executable and is not.
    NotExecutable,
    /// Wanted, and not there.
    Missing,
    /// There as it was rendered, and wanted otherwise.
    Outdated,
    /// There, neither as it was rendered nor as it is wanted: somebody edited it, or it was there before.
    Edited,
    /// Another topology rendered it, and it is wanted otherwise.
    Others,
    /// There as it was rendered, and not wanted any more.
    Obsolete,
    /// Not wanted any more, and edited since it was rendered.
    Left,
}

/// A file as it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Whether it is to be executable.
    pub executable: bool,
}

/// One file from all sides.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sides<'a> {
    /// As it is to be, where it is wanted.
    pub wanted: Option<Wanted<'a>>,
    /// As it is, where it is there.
    pub present: Option<&'a Present>,
    /// As the manifest says that it was rendered.
    pub recorded: Option<&'a ManifestEntry>,
    /// The topology that asks.
    pub author: Author<'a>,
}

/// How a file stands. A file that is neither wanted nor there, neither wanted nor recorded, or not wanted and rendered by
/// another topology, is nobody's business: `None`.
///
/// That an executable file could be written by others, or that one is executable that need not be, is no difference: some
/// file systems know no such bit.
pub fn standing(sides: &Sides<'_>) -> Option<FileState> {
    let Sides {
        wanted,
        present,
        recorded,
        author,
    } = *sides;
    let as_rendered =
        |present: &Present| recorded.is_some_and(|it| it.sha256 == sha256(&present.bytes));
    match (wanted, present) {
        (Some(_), None) => Some(FileState::Missing),
        (Some(wanted), Some(present)) if wanted.bytes == present.bytes => {
            Some(if wanted.executable && !present.executable {
                FileState::NotExecutable
            } else {
                FileState::Same
            })
        }
        (Some(_), Some(_)) if recorded.is_some_and(|it| it.is_claimed_against(author)) => {
            Some(FileState::Others)
        }
        (Some(_), Some(present)) if as_rendered(present) => Some(FileState::Outdated),
        (Some(_), Some(_)) => Some(FileState::Edited),
        (None, Some(_)) if recorded.is_some_and(|it| !it.is_of(author)) => None,
        (None, Some(present)) if as_rendered(present) => Some(FileState::Obsolete),
        (None, Some(_)) => recorded.map(|_| FileState::Left),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::Clusters;

    fn entry(text: &str, topology: Option<&str>) -> ManifestEntry {
        ManifestEntry {
            target: "systemd".to_owned(),
            topology: topology.map(str::to_owned),
            clusters: Clusters::new(),
            sha256: sha256(text.as_bytes()),
            template: None,
            template_sha256: None,
        }
    }

    fn present(text: &str) -> Present {
        Present {
            bytes: text.as_bytes().to_vec(),
            executable: false,
        }
    }

    fn judged(
        wanted: Option<&str>,
        there: Option<&str>,
        recorded: Option<&ManifestEntry>,
        topology: Option<&str>,
    ) -> Option<FileState> {
        let there = there.map(present);
        standing(&Sides {
            wanted: wanted.map(|text| Wanted {
                bytes: text.as_bytes(),
                executable: false,
            }),
            present: there.as_ref(),
            recorded,
            author: Author {
                name: topology,
                ..Author::default()
            },
        })
    }

    #[test]
    fn whose_bytes_are_there_decides() {
        let entry = entry("old", None);
        let (old, new, edit, known) = (Some("old"), Some("new"), Some("edit"), Some(&entry));
        for (wanted, present, recorded, state) in [
            (new, None, None, Some(FileState::Missing)),
            (new, None, known, Some(FileState::Missing)),
            (new, new, None, Some(FileState::Same)),
            (new, new, known, Some(FileState::Same)),
            (new, old, known, Some(FileState::Outdated)),
            (new, old, None, Some(FileState::Edited)),
            (new, edit, known, Some(FileState::Edited)),
            (None, old, known, Some(FileState::Obsolete)),
            (None, edit, known, Some(FileState::Left)),
            (None, edit, None, None),
            (None, None, known, None),
        ] {
            assert_eq!(
                judged(wanted, present, recorded, None),
                state,
                "{wanted:?} {present:?} {recorded:?}"
            );
        }
    }

    #[test]
    fn what_another_topology_rendered_is_its_own() {
        let (of_a, of_none) = (entry("old", Some("a")), entry("old", None));
        let (old, new) = (Some("old"), Some("new"));
        for (wanted, entry, topology, state) in [
            (new, &of_a, Some("a"), Some(FileState::Outdated)),
            (new, &of_a, Some("b"), Some(FileState::Others)),
            (new, &of_a, None, Some(FileState::Others)),
            (old, &of_a, Some("b"), Some(FileState::Same)),
            // giving a topology a name takes over what it rendered without one
            (new, &of_none, Some("b"), Some(FileState::Outdated)),
            (None, &of_a, Some("a"), Some(FileState::Obsolete)),
            (None, &of_a, Some("b"), None),
            (None, &of_a, None, None),
            (None, &of_none, Some("b"), None),
            (None, &of_none, None, Some(FileState::Obsolete)),
        ] {
            assert_eq!(
                judged(wanted, old, Some(entry), topology),
                state,
                "{wanted:?} {entry:?} {topology:?}"
            );
        }
        let gone = judged(new, None, Some(&of_a), Some("b"));
        assert_eq!(gone, Some(FileState::Missing));
    }

    #[test]
    fn what_a_topology_without_a_name_rendered_is_taken_over_by_none_of_other_clusters() {
        let at = |place: &str| Clusters::from([("a".to_owned(), place.to_owned())]);
        let (ours, theirs) = (at("here"), at("there"));
        let entry = ManifestEntry {
            clusters: theirs.clone(),
            ..entry("old", None)
        };
        let judged = |wanted: Option<&str>, name, clusters: &Clusters| {
            let there = present("old");
            standing(&Sides {
                wanted: wanted.map(|text| Wanted {
                    bytes: text.as_bytes(),
                    executable: false,
                }),
                present: Some(&there),
                recorded: Some(&entry),
                author: Author { name, clusters },
            })
        };
        for name in [None, Some("b")] {
            assert_eq!(judged(Some("new"), name, &ours), Some(FileState::Others));
            assert_eq!(judged(Some("old"), name, &ours), Some(FileState::Same));
            assert_eq!(judged(None, name, &ours), None);
            assert_eq!(
                judged(Some("new"), name, &theirs),
                Some(FileState::Outdated)
            );
        }
        assert_eq!(judged(None, None, &theirs), Some(FileState::Obsolete));
        // with a name it may still be wanted by the one without
        assert_eq!(judged(None, Some("b"), &theirs), None);
    }

    #[test]
    fn a_script_that_cannot_be_executed_is_not_as_wanted() {
        for (wanted, is, state) in [
            (true, false, FileState::NotExecutable),
            (true, true, FileState::Same),
            (false, true, FileState::Same),
        ] {
            let there = Present {
                executable: is,
                ..present("x")
            };
            let sides = Sides {
                wanted: Some(Wanted {
                    bytes: b"x",
                    executable: wanted,
                }),
                present: Some(&there),
                ..Sides::default()
            };
            assert_eq!(standing(&sides), Some(state));
        }
    }
}
