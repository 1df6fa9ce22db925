//! What can go wrong while writing or judging. A broken promise is a verdict, never an error.

use std::path::PathBuf;
use std::time::Duration;

use rdkafka::error::KafkaError;

/// The judge could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// librdkafka refused or failed an operation.
    #[error("{operation} at {bootstrap} failed: {source}{}", trouble.as_deref().map(|it| format!(" ({it})")).unwrap_or_default())]
    Kafka {
        /// What was tried.
        operation: String,
        /// The cluster it was tried at.
        bootstrap: String,
        /// What librdkafka said.
        source: Box<KafkaError>,
        /// What it complained about before, where that is known.
        trouble: Option<String>,
    },
    /// The topic to write to or to compare from does not exist.
    #[error("topic {topic} does not exist at {bootstrap}")]
    TopicMissing {
        /// The topic.
        topic: String,
        /// The cluster.
        bootstrap: String,
    },
    /// A topic could not be created.
    #[error("topic {topic} could not be created at {bootstrap}: {reason}")]
    TopicCreation {
        /// The topic.
        topic: String,
        /// The cluster.
        bootstrap: String,
        /// The broker's answer.
        reason: String,
    },
    /// A read made no progress although records before the captured end are missing.
    #[error("reading {topic} partition {partition} at {bootstrap} stalled for {idle:?} at offset {offset}, before its end {end}{}", last_error.as_deref().map(|e| format!(": {e}")).unwrap_or_default())]
    Stalled {
        /// The topic.
        topic: String,
        /// The first partition that is behind.
        partition: i32,
        /// The cluster.
        bootstrap: String,
        /// The next offset expected.
        offset: i64,
        /// The end captured before.
        end: i64,
        /// How long nothing arrived.
        idle: Duration,
        /// The last thing librdkafka complained about, if it did.
        last_error: Option<String>,
    },
    /// The options contradict each other or make no sense.
    #[error("{0}")]
    Invalid(String),
    /// The observer asked to stop.
    #[error("cancelled")]
    Cancelled,
    /// A journal could not be read or written.
    #[error("journal {}: {source}", path.display())]
    JournalFile {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// A journal is not what this version reads.
    #[error("journal {}: {reason}", path.display())]
    JournalFormat {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file of a workload could not be read.
    #[error("workload {}: {source}", path.display())]
    WorkloadFile {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// A line of a workload's file says no record.
    #[error("{}:{line}:{column}: {reason}", path.display())]
    WorkloadLine {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// The file of a workload is not the one that was written.
    #[error("workload {}: it was changed after it was written to the source", path.display())]
    WorkloadChanged {
        /// The file.
        path: PathBuf,
    },
    /// A report could not be rendered.
    #[error("report: {0}")]
    Report(String),
}
