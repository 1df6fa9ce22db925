//! What can go wrong around a test: always with the operand that a reader needs to see.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use rdkafka::error::KafkaError;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the test bed itself, not of what is under test.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Jars are not where the tests look for them.
    #[error("nothing at {}: run `{command}`, which installs it", path.display())]
    NotInstalled {
        /// The directory that should hold the jars.
        path: PathBuf,
        /// What installs them.
        command: &'static str,
    },
    /// The binary under test has not been built.
    #[error("no mirrorctl at {}: run `cargo build -p mirrorctl` first, or set MIRRORCTL_BIN", path.display())]
    NoBinary {
        /// Where it should be.
        path: PathBuf,
    },
    /// A library that some processes are started with is not there.
    #[error("no {name} on this machine: run `{command}`, which installs it")]
    NoLibrary {
        /// Its name.
        name: &'static str,
        /// What installs it.
        command: &'static str,
    },
    /// Neither `MIRRORCTL_CACHE` nor `HOME` says where the jars are.
    #[error("neither MIRRORCTL_CACHE nor HOME is set, so there is no cache directory")]
    NoCacheDirectory,
    /// A file or directory of the test bed could not be used.
    #[error("{action} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A program could not be started or talked to.
    #[error("running {program}: {source}")]
    Program {
        /// The program's name.
        program: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A program ran and failed.
    #[error("{program} ended with {status}:\n{output}")]
    Failed {
        /// The program's name.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// A broker did not answer in time, or ended.
    #[error("broker {broker} is not ready after {waited:?}: {reason}\n{log}")]
    NotReady {
        /// The broker's node id.
        broker: u16,
        /// How long it was waited for.
        waited: Duration,
        /// The last answer.
        reason: String,
        /// The end of its log.
        log: String,
    },
    /// The cluster has no such broker.
    #[error("the cluster has no broker {broker}")]
    UnknownBroker {
        /// The node id that was asked for.
        broker: u16,
    },
    /// An operation needs a running broker.
    #[error("broker {broker} is not running")]
    NotRunning {
        /// The broker's node id.
        broker: u16,
    },
    /// A broker has no disk of its own that could be filled.
    #[error("broker {broker} was started without a disk of its own")]
    NoDisk {
        /// The broker's node id.
        broker: u16,
    },
    /// No port was free in the range that the tests use.
    #[error("no free port between {first} and {last}")]
    NoFreePort {
        /// The first port tried.
        first: u16,
        /// The last port tried.
        last: u16,
    },
    /// librdkafka reported an error.
    #[error("{action}: {source}")]
    Client {
        /// What was tried.
        action: String,
        /// librdkafka's answer.
        source: KafkaError,
    },
    /// The container engine refused.
    #[error("{action}: {reason}")]
    Container {
        /// What was tried.
        action: String,
        /// Its answer.
        reason: String,
    },
    /// A certificate could not be made.
    #[error("making the certificate of {name}: {source}")]
    Certificate {
        /// Whose it is.
        name: String,
        /// What is wrong.
        source: rcgen::Error,
    },
    /// The token server failed.
    #[error("the token server: {reason}")]
    Tokens {
        /// What is wrong.
        reason: String,
    },
    /// A cluster has no secured listeners.
    #[error("cluster {cluster} was started without security")]
    NotSecured {
        /// Its id.
        cluster: String,
    },
    /// A program answered, and not as it should.
    #[error("{program} refused:\n{answer}")]
    Refused {
        /// The program's name.
        program: String,
        /// What it answered.
        answer: String,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {waited:?}")]
    Timeout {
        /// What was waited for.
        what: String,
        /// For how long.
        waited: Duration,
    },
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

    /// For `map_err` on child processes.
    pub(crate) fn program(program: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let program = program.into();
        move |source| Self::Program { program, source }
    }

    /// For `map_err` on certificates.
    pub(crate) fn certificate(name: impl Into<String>) -> impl FnOnce(rcgen::Error) -> Self {
        let name = name.into();
        move |source| Self::Certificate { name, source }
    }

    /// For `map_err` on librdkafka calls.
    pub(crate) fn client(action: impl Into<String>) -> impl FnOnce(KafkaError) -> Self {
        let action = action.into();
        move |source| Self::Client { action, source }
    }
}
