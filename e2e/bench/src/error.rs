//! What can end a row of the benchmark early.

use std::path::PathBuf;
use std::time::Duration;

use rdkafka::error::KafkaError;

use crate::produce_only;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    TestBed(#[from] e2e::Error),
    #[error(transparent)]
    ProduceOnly(#[from] produce_only::Error),
    #[error("reading the end offsets of {topic}: {source}")]
    Offsets { topic: String, source: KafkaError },
    #[error("creating or deleting {topic}: {source}")]
    Topic { topic: String, source: KafkaError },
    #[error("{action}: {source}")]
    Client {
        action: &'static str,
        source: KafkaError,
    },
    #[error("{engine} ended by itself with {copied} of {records} records copied:\n{output}")]
    EngineEnded {
        engine: &'static str,
        copied: u64,
        records: u64,
        output: String,
    },
    #[error("{engine} copied {copied} of {records} records within {limit:?}")]
    TooSlow {
        engine: &'static str,
        copied: u64,
        records: u64,
        limit: Duration,
    },
    #[error("{engine} copied {copied} records where the source has {records}")]
    TooMany {
        engine: &'static str,
        copied: u64,
        records: u64,
    },
    #[error("{engine}: {missing} of {sent} records did not arrive on both sides")]
    Missing {
        engine: &'static str,
        missing: usize,
        sent: usize,
    },
    #[error("reading {}: {source}", path.display())]
    Process {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("reading or setting {what}: {source}")]
    System {
        what: &'static str,
        source: std::io::Error,
    },
    #[error("{} does not read as expected", path.display())]
    ProcessFormat { path: PathBuf },
    #[error("the embedded cluster: {0}")]
    Embedded(String),
    #[error("mirrorctl {what}: {output}")]
    Command { what: String, output: String },
    #[error("writing {}: {source}", path.display())]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the tuned settings did not take effect: {setting} is not in {}", log.display())]
    NotTuned { setting: String, log: PathBuf },
}
