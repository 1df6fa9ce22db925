//! The engines, by name.

use std::path::Path;
use std::time::Instant;

use clap::ValueEnum;
use e2e::{Guarded, Workspace};
use serde::Serialize;

use super::produce_only::{self, Setting};
use super::{mirrorctl, mirrormaker2};
use crate::endpoint::Endpoint;
use crate::error::Result;

/// What copies from source to target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Engine {
    /// The built-in replicator
    Mirrorctl,
    /// No copy: prepared batches of the source sent to the same target, which is the brokers' limit
    ProduceOnly,
    /// MirrorMaker 2 at its best: 4 tasks, 512 KB batches, linger 20 ms, 10,000 records a poll, 4 MB partition fetch,
    /// the source's codec, 5 requests in flight, idempotent
    Mm2Tuned,
    /// MirrorMaker 2 with its own defaults
    Mm2Default,
}

/// What `mirrorctl` promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Delivery {
    /// `delivery: at-least-once`
    AtLeastOnce,
    /// `delivery: exactly-once`
    ExactlyOnce,
}

impl Delivery {
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::AtLeastOnce => "at-least-once",
            Self::ExactlyOnce => "exactly-once",
        }
    }
}

/// One copy to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) source: &'a Endpoint,
    pub(crate) target: &'a Endpoint,
    /// A pattern for the topics.
    pub(crate) topics: &'a str,
    /// The codec that the source's batches are in.
    pub(crate) codec: &'a str,
    /// The source's alias in this run: it prefixes the target topic and keeps the runs' positions apart.
    pub(crate) alias: &'a str,
    pub(crate) delivery: Delivery,
    /// How many records there are; only who produces alone has to know.
    pub(crate) records: u64,
    /// How to produce alone.
    pub(crate) produce_only: Setting,
    /// Kafka's jars.
    pub(crate) kafka: &'a Path,
    /// Where the engine's files go.
    pub(crate) workspace: &'a Workspace,
}

impl Job<'_> {
    /// Where all engines write, as MirrorMaker 2's default policy names it.
    pub(crate) fn target_topic(&self, topic: &str) -> String {
        format!("{}.{topic}", self.alias)
    }
}

/// An engine at work.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) engine: Engine,
    pub(crate) process: Guarded,
    pub(crate) started: Instant,
}

impl Engine {
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Mirrorctl => "mirrorctl",
            Self::ProduceOnly => "produce-only",
            Self::Mm2Tuned => "MirrorMaker 2, tuned",
            Self::Mm2Default => "MirrorMaker 2, default",
        }
    }

    /// What begins the names of this engine's topics on the target.
    pub(crate) fn alias(self) -> &'static str {
        match self {
            Self::Mirrorctl => "builtin",
            Self::ProduceOnly => "limit",
            Self::Mm2Tuned => "tuned",
            Self::Mm2Default => "default",
        }
    }

    /// Whether its first seconds are those of a JVM that compiles as it goes.
    pub(crate) fn warms_up(self) -> bool {
        match self {
            Self::Mirrorctl | Self::ProduceOnly => false,
            Self::Mm2Tuned | Self::Mm2Default => true,
        }
    }

    /// Starts copying, continuously.
    pub(crate) fn start(self, job: &Job<'_>) -> Result<Running> {
        let started = Instant::now();
        let process = match self {
            Self::Mirrorctl => mirrorctl::start(job)?,
            Self::ProduceOnly => produce_only::start(job)?,
            Self::Mm2Default => mirrormaker2::start(job, &[])?,
            Self::Mm2Tuned => mirrormaker2::start(job, &mirrormaker2::tuned(job.codec))?,
        };
        Ok(Running {
            engine: self,
            process,
            started,
        })
    }

    /// Makes sure, after a run, that it ran with the settings it was given.
    pub(crate) fn check(self, job: &Job<'_>) -> Result<()> {
        match self {
            Self::Mirrorctl | Self::ProduceOnly | Self::Mm2Default => Ok(()),
            Self::Mm2Tuned => mirrormaker2::check_tuned(job),
        }
    }
}
