//! What can go wrong, with what to do about it.

use std::path::PathBuf;
use std::process::ExitStatus;

pub(crate) type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{program} is missing: {hint}")]
    Missing {
        program: &'static str,
        hint: &'static str,
    },
    #[error("Java {found} is too old: the tests run Kafka, which needs Java 17 or newer")]
    OldJava { found: u32 },
    #[error("cannot read the version in the output of `java -version`: {output}")]
    JavaVersion { output: String },
    #[error("neither MIRRORCTL_CACHE nor HOME is set, so there is no cache directory")]
    NoCacheDirectory,
    #[error("{} names no version of {what}", path.display())]
    NoVersion { what: &'static str, path: PathBuf },
    #[error("the Go module {module} is not to be had: {answer}")]
    NoModule {
        module: &'static str,
        answer: String,
    },
    #[error("{} is not what `mirrorctl schema {subject}` prints: write it anew", path.display())]
    NotRegenerated {
        path: PathBuf,
        subject: &'static str,
    },
    #[error("the Docker engine did not start: see {}", log.display())]
    NoEngine { log: PathBuf },
    #[error("{action} {}: {source}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("starting {program}: {source}")]
    Start {
        program: String,
        source: std::io::Error,
    },
    #[error("`{command}` ended with {status}")]
    Failed { command: String, status: ExitStatus },
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}
