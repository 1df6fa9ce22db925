//! The arguments of `verify` as clap reads them. Nothing here decides anything.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;
use conformance::{Sample, Since};
use topology::{Pattern, Profile};

use crate::complete::mirrors;
use crate::values::{at_least_one, duration, listen_address, pattern, share, since};

/// Arguments of `verify`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  # write stamped records to the source, wait for the mirror, judge all promises
  mirrorctl verify -f topology.yaml --mirror pay --mode stamped \\
    --partitions 8 --records 100000
  # the same in two steps, with faults in between
  mirrorctl verify -f topology.yaml --mirror pay --mode stamped \\
    --phase write --journal run.json
  mirrorctl verify -f topology.yaml --mirror pay --mode stamped \\
    --phase check --journal run.json
  # the records of a file of yours, watched on their way: latency, recovery, lag
  mirrorctl verify -f topology.yaml --mirror pay --mode stamped \\
    --workload orders.jsonl --rate 500 --watch --html verify.html
  # compare what is there, record by record, without writing anything
  mirrorctl verify -f topology.yaml --mirror pay --mode compare \\
    --junit verify.xml --html verify.html
  mirrorctl verify -f topology.yaml --mirror pay --mode compare \\
    --topics 'pay\\..*' --since 2h --sample 10
  # for a pipeline: write, copy, judge by stamps, compare all; in 10 minutes
  mirrorctl verify -f topology.yaml --mirror pay --profile ci --run \\
    --junit verify.xml
  # all the time, with the verdicts as metrics
  mirrorctl verify -f topology.yaml --mirror pay --mode compare --follow \\
    --every 5m --listen 9465

A line of a workload file is a JSON object. What is absent is null; keys, values and header values that are no
text are given as base64. The timestamp is in milliseconds since 1970, the partition that of the source topic:
  {\"key\": \"k1\", \"value\": \"paid\", \"timestamp\": 1760000000000}
  {\"keyBase64\": \"AP8=\", \"valueBase64\": \"3q2+7w==\", \"partition\": 3}
  {\"key\": \"k1\", \"headers\": [{\"name\": \"trace\", \"value\": \"7\"}]}
  {\"key\": \"k1\", \"headers\": [{\"name\": \"id\", \"valueBase64\": \"AQI=\"}]}
Where a line is wrong, nothing is written. Without a partition, records of one key share one.

The judge reads both clusters through librdkafka and shares no code with the replicator.")]
pub(crate) struct VerifyArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The mirror to judge
    #[arg(short, long, value_name = "NAME", add = ArgValueCompleter::new(mirrors))]
    pub(crate) mirror: String,
    /// How to judge
    #[arg(long, value_enum)]
    pub(crate) mode: Option<VerifyMode>,
    /// Do both, stamped and compare, as much as fits: writes records, and creates their topic where there is none. Without
    /// it and --mode, what `verify.profile` of the topology says
    #[arg(long, value_enum, conflicts_with = "mode")]
    pub(crate) profile: Option<VerifyProfile>,
    /// Source cluster, where the mirror has several
    #[arg(long, value_name = "ALIAS")]
    pub(crate) source: Option<String>,
    /// Topic on the source: the one to write to (stamped), or the only ones to compare
    #[arg(long, value_name = "NAME")]
    pub(crate) topic: Vec<String>,
    /// How long to wait for the next record while some are missing
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub(crate) timeout: Duration,
    /// Copy with `mirrorctl replicate --once`, in a process of its own, before judging
    #[arg(long)]
    pub(crate) run: bool,
    /// How the stamped workload is written.
    #[command(flatten)]
    pub(crate) stamped: StampedArgs,
    /// What is compared.
    #[command(flatten)]
    pub(crate) compare: CompareArgs,
    /// How it goes on.
    #[command(flatten)]
    pub(crate) follow: FollowArgs,
    /// Write the report as JSON to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) report_json: Option<PathBuf>,
    // no backticks, which a terminal shows
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Output",
        help = "Write the report as JUnit XML to this file"
    )]
    pub(crate) junit: Option<PathBuf>,
    /// Write the report as one HTML page to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) html: Option<PathBuf>,
}

/// Arguments of `verify --mode stamped`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Stamped mode")]
pub(crate) struct StampedArgs {
    /// Which part to do
    #[arg(long, value_enum, default_value_t = Phase::All)]
    pub(crate) phase: Phase,
    /// Where the journal of acknowledged writes is kept between the phases
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Records to write [default: 10000; of a profile 20000 (ci) or 1000000 (full)]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) records: Option<u64>,
    /// Create the topic with this many partitions when it does not exist
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) partitions: Option<i32>,
    /// Replays the same workload; random when absent, and always printed
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    /// Write the records of this file instead, a JSON object a line: see below
    #[arg(long, value_name = "FILE", conflicts_with_all = ["records", "seed"])]
    pub(crate) workload: Option<PathBuf>,
    /// Look at the target while the records are written: judges latency and recovery, and draws the lag
    #[arg(long)]
    pub(crate) watch: bool,
    /// What was done to the mirror meanwhile: a JSON array of `{"at_ms", "until_ms", "fault", "target"}`
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// How long after a fault of --events the lag may take to be within slo.lag again
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub(crate) recovery: Duration,
    /// How often the mirror was restarted: bounds how often it may repeat records
    #[arg(long, value_name = "N")]
    pub(crate) restarts: Option<u64>,
    /// At most this many records a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rate: Option<u32>,
}

/// Arguments of `verify --mode compare`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Comparison")]
pub(crate) struct CompareArgs {
    /// Only source topics whose whole name matches
    #[arg(long, value_name = "PATTERN", value_parser = pattern, conflicts_with = "topic")]
    pub(crate) topics: Option<Pattern>,
    /// Only records from there on: a time (2026-11-21T10:00:00Z), how long ago (2h), or an offset of each source partition
    #[arg(long, value_name = "TIME|OFFSET", value_parser = since)]
    pub(crate) since: Option<Since>,
    /// Only this share of the records, which the hash of the key decides: the same on both sides and every time. Everything
    /// is read; what is kept in memory gets less
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    pub(crate) sample: Option<Sample>,
}

/// Arguments of `verify --follow`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Audit")]
pub(crate) struct FollowArgs {
    /// Compare again and again until Ctrl-C, which prints the last report
    #[arg(long)]
    pub(crate) follow: bool,
    /// From the end of one comparison to the beginning of the next
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s", requires = "follow")]
    pub(crate) every: Duration,
    /// Serve /metrics, /healthz, /readyz and /status there; a port alone means 127.0.0.1
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address, requires = "follow")]
    pub(crate) listen: Option<String>,
}

impl From<Profile> for VerifyProfile {
    fn from(declared: Profile) -> Self {
        match declared {
            Profile::Ci => Self::Ci,
            Profile::Full => Self::Full,
        }
    }
}

/// How much is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyProfile {
    /// 20,000 records, then a comparison: what a pipeline can wait for. Ends after 10 minutes at the latest
    Ci,
    /// 1,000,000 records, then a comparison, however long it takes
    Full,
}

/// Ways to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VerifyMode {
    /// Write records that carry a stamp, and judge each promise by them
    Stamped,
    /// Compare what both clusters hold; writes nothing
    Compare,
}

/// Parts of stamped verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Phase {
    /// Write to the source and keep the journal
    Write,
    /// Judge the target by a kept journal
    Check,
    /// Write, wait for the mirror, judge
    All,
}
