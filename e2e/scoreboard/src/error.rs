//! What can go wrong beside the engines themselves.

use std::path::PathBuf;

/// The result of everything here.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The test bed failed.
    #[error(transparent)]
    Bed(#[from] e2e::Error),
    /// A scenario cannot be read.
    #[error("{}: {reason}", path.display())]
    Scenario { path: PathBuf, reason: String },
    /// Nothing of that name.
    #[error("no scenario {name}; there are {known}")]
    UnknownScenario { name: String, known: String },
    /// It has to run already.
    #[error(
        "an external engine runs already: only scenarios in which nothing goes wrong are for it"
    )]
    NotOursToStart,
    /// Nobody says where the external engine leads from and to.
    #[error("--engine external needs --topology FILE and --mirror NAME")]
    NoTopology,
    /// Some runs did not come to an end; each was named.
    #[error("{runs} runs without a result")]
    NoResult { runs: usize },
    /// A file could not be used.
    #[error("{}: {source}", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    /// The judge could not judge.
    #[error("{command} ended with {code:?}:\n{printed}")]
    Judge {
        command: String,
        code: Option<i32>,
        printed: String,
    },
    /// What was kept of runs before is not what this program keeps.
    #[error("{}: {reason}", path.display())]
    Results { path: PathBuf, reason: String },
    /// The judge's report is not what its schema says.
    #[error("the report of the judge: {reason}")]
    Report { reason: String },
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
