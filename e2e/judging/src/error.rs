//! What can go wrong here.

use std::io;
use std::path::PathBuf;

/// No figure came out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Judge(#[from] conformance::Error),
    #[error(transparent)]
    Cluster(#[from] e2e::Error),
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{program} cannot be run: {source}")]
    Program { program: String, source: io::Error },
    #[error("the {what} ended with {status}: {printed}")]
    Ended {
        what: &'static str,
        status: String,
        printed: String,
    },
    #[error("kafka-consumer-perf printed no figures: {printed}")]
    NoFigures { printed: String },
    #[error("the judge printed no figures: {reason}: {printed}")]
    Unread {
        reason: serde_json::Error,
        printed: String,
    },
    #[error("{path} does not say how much memory this process took at most")]
    NoMemory { path: &'static str },
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn program(program: &str) -> impl FnOnce(io::Error) -> Self {
        let program = program.to_owned();
        move |source| Self::Program { program, source }
    }
}
