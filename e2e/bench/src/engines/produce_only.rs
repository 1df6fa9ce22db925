//! The brokers' own limit: this program, sending prepared batches.

use std::ffi::OsString;

use e2e::Guarded;
use serde::Serialize;

use super::engine::Job;
use crate::error::{Error, Result};
use crate::workload::PARTITIONS;

/// How prepared batches are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Setting {
    pub(crate) connections: u16,
    pub(crate) in_flight: u16,
}

/// What is tried before the rounds; the best is used in them. A request holds a batch of each partition of its
/// connection, so fewer connections send larger requests.
pub(crate) const SETTINGS: [Setting; 5] = [
    Setting {
        connections: 1,
        in_flight: 5,
    },
    Setting {
        connections: 2,
        in_flight: 5,
    },
    Setting {
        connections: 4,
        in_flight: 5,
    },
    Setting {
        connections: 8,
        in_flight: 5,
    },
    Setting {
        connections: 4,
        in_flight: 2,
    },
];

/// Starts this program for the other job.
pub(crate) fn start(job: &Job<'_>) -> Result<Guarded> {
    let this = std::env::current_exe().map_err(|source| Error::Process {
        path: "/proc/self/exe".into(),
        source,
    })?;
    let target_topic = job.target_topic(job.topics);
    let (partitions, records) = (PARTITIONS.to_string(), job.records.to_string());
    let (connections, in_flight) = (
        job.produce_only.connections.to_string(),
        job.produce_only.in_flight.to_string(),
    );
    let arguments: Vec<OsString> = [
        "produce-only",
        "--source",
        &job.source.servers,
        "--from",
        job.topics,
        "--target",
        &job.target.servers,
        "--to",
        &target_topic,
        "--partitions",
        &partitions,
        "--records",
        &records,
        "--connections",
        &connections,
        "--in-flight",
        &in_flight,
    ]
    .iter()
    .map(OsString::from)
    .collect();
    Ok(Guarded::spawn(
        "produce-only",
        this.as_os_str(),
        &arguments,
        &[],
        job.workspace.path(),
    )?)
}
