//! Saved plans: what was reviewed is what is applied.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::digest;
use crate::document::{FORMAT_VERSION, Plan};

/// What the file says it is.
const KIND: &str = "mirrorctl-plan";

/// Why a plan could not be saved or read back.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// The file could not be read.
    #[error("cannot read the plan {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file could not be written; an earlier file of that name is as it was.
    #[error("cannot write the plan {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The folder of the file to write is not there.
    #[error("cannot write the plan {}: there is no folder {}", path.display(), folder.display())]
    NoFolder {
        /// The file.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// The file is whole, but nothing that `mirrorctl plan --out` writes.
    #[error("{} is not a saved plan: {what}", path.display())]
    NotAPlan {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// The file is cut short or damaged.
    #[error("the plan {} is corrupt: {source}; make a new one", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the JSON parser said.
        source: serde_json::Error,
    },
    /// Another version of `mirrorctl` wrote a form of plan that this one cannot execute.
    #[error(
        "the plan {} has format version {found}, this mirrorctl reads {FORMAT_VERSION}; make a new \
         one",
        path.display()
    )]
    FormatVersion {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: String,
    },
    /// The plan is not the one that was saved.
    #[error(
        "the plan {} was changed after it was saved (digest {expected}, computed {found}); make a \
         new one",
        path.display()
    )]
    Digest {
        /// The file.
        path: PathBuf,
        /// The digest in the file.
        expected: String,
        /// The digest of the plan in the file.
        found: String,
    },
}

/// The file. The digest notices damage and edits by hand; it is no signature, and whoever can
/// write the file can also compute it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<P> {
    kind: String,
    format_version: String,
    digest: String,
    plan: P,
}

/// The part of the file that is read before anything else is believed.
#[derive(Deserialize)]
struct Header {
    kind: Option<String>,
    format_version: Option<String>,
    /// What only the JSON output of `plan` has on this level.
    resource_changes: Option<IgnoredAny>,
}

impl Header {
    /// What the file is, where it is no saved plan.
    fn other(&self) -> Option<String> {
        match (&self.kind, &self.resource_changes) {
            (Some(kind), _) if kind == KIND => None,
            (Some(kind), _) => Some(format!("it says that it is a `{kind}`")),
            (None, Some(IgnoredAny)) => Some(
                "it is what `plan --output json` prints, which is for reading; `plan --out FILE` saves one"
                    .to_owned(),
            ),
            (None, None) => Some("it is JSON of another kind".to_owned()),
        }
    }
}

impl Plan {
    /// Saves the plan, readable and writable by the owner only: it names hosts and topics. The file
    /// appears whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), PlanFileError> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            Some(_) | None => Path::new("."),
        };
        if !folder.is_dir() {
            return Err(PlanFileError::NoFolder {
                path: path.to_owned(),
                folder: folder.to_owned(),
            });
        }
        let written = || -> io::Result<()> {
            let envelope = Envelope {
                kind: KIND.to_owned(),
                format_version: FORMAT_VERSION.to_owned(),
                digest: digest::of(self)?,
                plan: self,
            };
            // created with mode 0600, in the same folder so that the rename is atomic; the error would name a file that
            // nobody asked for
            let mut file = tempfile::NamedTempFile::new_in(folder)
                .map_err(|error| io::Error::from(error.kind()))?;
            serde_json::to_writer_pretty(&mut file, &envelope)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(path)?;
            // the rename itself is durable once the folder is
            fs::File::open(folder)?.sync_all()
        };
        written().map_err(|source| PlanFileError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads a saved plan back and refuses anything but exactly what was saved.
    pub fn load(path: &Path) -> Result<Self, PlanFileError> {
        let bytes = fs::read(path).map_err(|source| PlanFileError::Read {
            path: path.to_owned(),
            source,
        })?;
        let corrupt = |source| PlanFileError::Corrupt {
            path: path.to_owned(),
            source,
        };

        let other = |what: &str| PlanFileError::NotAPlan {
            path: path.to_owned(),
            what: what.to_owned(),
        };
        let header: Header = match serde_json::from_slice(&bytes) {
            Ok(header) => header,
            Err(error) if error.is_data() => return Err(other("it is JSON of another kind")),
            Err(error) => {
                let begins = bytes.trim_ascii_start().first();
                return Err(match begins {
                    Some(b'{') | None => corrupt(error),
                    Some(_) => other("it is no JSON"),
                });
            }
        };
        if let Some(what) = header.other() {
            return Err(other(&what));
        }
        let version = header.format_version.unwrap_or_default();
        if version != FORMAT_VERSION {
            return Err(PlanFileError::FormatVersion {
                path: path.to_owned(),
                found: version,
            });
        }

        let envelope: Envelope<Self> = serde_json::from_slice(&bytes).map_err(corrupt)?;
        let found = digest::of(&envelope.plan).map_err(corrupt)?;
        if found != envelope.digest {
            return Err(PlanFileError::Digest {
                path: path.to_owned(),
                expected: envelope.digest,
                found,
            });
        }
        Ok(envelope.plan)
    }
}
