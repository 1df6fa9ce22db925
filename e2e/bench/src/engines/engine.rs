//! The engines, by name.

use std::time::Instant;

use clap::ValueEnum;
use e2e::{Guarded, KafkaCluster, Workspace};
use serde::Serialize;

use super::{mirrorctl, mirrormaker2};
use crate::error::Result;
use crate::workload::Workload;

/// What copies from source to target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Engine {
    /// The built-in replicator
    Mirrorctl,
    /// MirrorMaker 2 with its own defaults
    Mm2Default,
    /// MirrorMaker 2 at its best: 4 tasks, 512 KB batches, linger 20 ms, 10,000 records a poll, 4 MB partition fetch
    Mm2Tuned,
}

/// One copy to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) source: &'a KafkaCluster,
    pub(crate) target: &'a KafkaCluster,
    pub(crate) workload: Workload,
    /// The source's alias in this run: it prefixes the target topic and keeps the runs' positions apart.
    pub(crate) alias: &'a str,
    /// Where the engine's files go.
    pub(crate) workspace: &'a Workspace,
}

impl Job<'_> {
    /// Where both engines write, as MirrorMaker 2's default policy names it.
    pub(crate) fn target_topic(&self) -> String {
        format!("{}.{}", self.alias, self.workload.topic())
    }
}

/// An engine at work.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) process: Guarded,
    pub(crate) started: Instant,
}

impl Engine {
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Mirrorctl => "mirrorctl",
            Self::Mm2Default => "MirrorMaker 2, default",
            Self::Mm2Tuned => "MirrorMaker 2, tuned",
        }
    }

    /// Starts copying, continuously.
    pub(crate) fn start(self, job: &Job<'_>) -> Result<Running> {
        let started = Instant::now();
        let process = match self {
            Self::Mirrorctl => mirrorctl::start(job)?,
            Self::Mm2Default => mirrormaker2::start(job, &[])?,
            Self::Mm2Tuned => mirrormaker2::start(job, &mirrormaker2::tuned(job.workload))?,
        };
        Ok(Running { process, started })
    }

    /// Makes sure, after a run, that it ran with the settings it was given.
    pub(crate) fn check(self, job: &Job<'_>) -> Result<()> {
        match self {
            Self::Mirrorctl | Self::Mm2Default => Ok(()),
            Self::Mm2Tuned => mirrormaker2::check_tuned(job),
        }
    }
}
