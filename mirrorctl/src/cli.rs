//! The command line as clap reads it; arguments that fill a page stand with their command. Nothing here decides anything.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Effects, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::{ArgValueCompleter, Shell};
use topology::Pattern;

use crate::commands::{ImportArgs, RenderArgs, VerifyArgs};
use crate::complete::{addresses, mirrors};
use crate::values::{
    LagLimit, byte_rate, duration, lag_limit, listen_address, pattern, pause, records_in_memory,
};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
   0  done, or nothing to do
   1  error
   2  changes are pending (plan --detailed-exitcode, render --check)
   3  refused by a safety rail, or would be (plan --detailed-exitcode)
   4  the saved plan is stale
   5  verification failed, lag over --max-lag, stopped partitions (status --detailed-exitcode)
  64  wrong usage
 130  ended at once by a second SIGINT (Ctrl-C)
 143  ended at once by a second SIGTERM";

/// Mirrors Apache Kafka clusters: one YAML topology, planned, applied, replicated, verified.
#[derive(Debug, Parser)]
#[command(
    name = "mirrorctl",
    version,
    styles = STYLES,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = EXIT_CODES
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Valid for every command.
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// How results are printed on stdout
    #[arg(long, global = true, value_enum, value_name = "FORM", default_value_t = Format::Human, help_heading = "Output")]
    pub(crate) output: Format,
    /// Print more about what happens, on stderr (-v, -vv); `MIRRORCTL_LOG` sets it in detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,
    /// How log lines are written on stderr
    #[arg(long, global = true, value_enum, value_name = "FORM", default_value_t = LogFormat::Text, help_heading = "Output")]
    pub(crate) log_format: LogFormat,
}

/// Forms of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // for people
    Human,
    // for programs
    Json,
}

/// Forms of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    // for people
    Text,
    // one JSON object a line
    Json,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check topology files without touching any cluster
    Validate(ValidateArgs),
    /// Show what would change on the clusters; reads only
    Plan(PlanArgs),
    /// Bring the clusters to what the topology declares
    Apply(ApplyArgs),
    /// Show who applied what, and when; reads only
    History(HistoryArgs),
    /// Delete resources that were applied, one question for all
    Destroy(DestroyArgs),
    /// End the management of resources without touching them
    Forget(ForgetArgs),
    /// Write a topology of what there is: a live cluster, or the files of another engine
    Import(ImportArgs),
    /// Write the files that other tools need: infrastructure, other engines, monitoring
    Render(RenderArgs),
    /// Copy records from source to target clusters
    Replicate(ReplicateArgs),
    /// Judge a mirror by reading both clusters, whatever engine copies
    Verify(Box<VerifyArgs>),
    /// Show the state and the positions of mirrors; reads only
    Status(StatusArgs),
    /// Measure how far mirrors are behind, in records, bytes and seconds; reads only
    Lag(LagArgs),
    /// Plan, mirror and verify between two clusters inside this process
    Demo(DemoArgs),
    /// Print a JSON Schema
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl validate topology.yaml
  mirrorctl validate topologies/*.yaml --output json")]
pub(crate) struct ValidateArgs {
    /// Topology files
    #[arg(value_name = "FILE", required_unless_present = "file")]
    pub(crate) files: Vec<PathBuf>,
    /// Topology file, as the other commands take it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl plan -f topology.yaml
  mirrorctl plan -f topology.yaml --out my.plan && mirrorctl apply my.plan
  mirrorctl plan -f topology.yaml --detailed-exitcode --output json
  mirrorctl plan -f topology.yaml --drift-only --target 'topic.aws.*'
  mirrorctl plan -f topology.yaml --allow-destroy topic.aws.pay.old

A blocked change is one that a safety rail refuses; it is shown with `!` and the reason, and
`apply` does nothing at all while there is one. With --detailed-exitcode such
a plan exits with 3; without it every plan that could be made exits with 0.

A build with the feature `aws` also compares networks, security groups and machines on AWS
with the topology (`ec2.*`); they are only read, and repaired with Terraform. What differs is
pending for --detailed-exitcode; where AWS could not be read, that exits with 1.")]
pub(crate) struct PlanArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Save the plan to this file, for `apply`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Exit with 2 when changes are pending, with 3 when any of them is blocked
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Bytes a second that each broker may send and receive to copy replicas, where a replication factor changes
    #[arg(long, value_name = "SIZE", value_parser = byte_rate, default_value = "20MB")]
    pub(crate) reassignment_throttle: u64,
    /// What of the topology is planned.
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

/// What of a topology is planned, and what may be deleted.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Scope")]
pub(crate) struct ScopeArgs {
    /// Only resources whose address matches, such as `topic.aws.pay.*`: a regular expression for the whole address
    #[arg(long, value_name = "PATTERN", value_parser = pattern, add = ArgValueCompleter::new(addresses))]
    pub(crate) target: Vec<Pattern>,
    /// No resources whose address matches
    #[arg(long, value_name = "PATTERN", value_parser = pattern, add = ArgValueCompleter::new(addresses))]
    pub(crate) exclude: Vec<Pattern>,
    /// Only what somebody else changed since the last apply
    #[arg(long)]
    pub(crate) drift_only: bool,
    /// Let this resource be deleted, by its full address; the topology has to permit it as well. Of a rendered file: let
    /// what somebody wrote into it be lost. Of a mirror of another topology: let it be taken over
    #[arg(long, value_name = "ADDRESS", add = ArgValueCompleter::new(addresses))]
    pub(crate) allow_destroy: Vec<String>,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
#[command(
    override_usage = "mirrorctl apply -f <FILE> [--auto-approve]\n       mirrorctl apply <PLANFILE>",
    after_help = "\
Examples:
  mirrorctl apply -f topology.yaml                  # shows the plan and asks
  mirrorctl apply -f topology.yaml --auto-approve   # for pipelines
  mirrorctl apply change.plan                       # as planned, or nothing

Every live value is read again before the first change, and once more right before its own.
Where it is not what the plan saw, the apply stops with exit code 4. An interrupted apply is
resumed by running it again. One apply at a time changes a cluster; `mirrorctl history` shows
who did what.

Where a replication factor changes, replicas are copied a few partitions at a time, throttled;
Ctrl-C stops between two such batches. The throttles are taken away in any case, those of an
apply that was killed by the next one."
)]
pub(crate) struct ApplyArgs {
    /// Topology file: plan, ask, apply
    #[arg(
        short,
        long,
        value_name = "FILE",
        required_unless_present = "plan",
        conflicts_with = "plan"
    )]
    pub(crate) file: Option<PathBuf>,
    /// Do not ask; a saved plan is applied without a question in any case
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Wait this long for another apply to end
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s", env = "MIRRORCTL_LOCK_TIMEOUT")]
    pub(crate) lock_timeout: Duration,
    /// How many changes that do not depend on each other are made at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) parallelism: u16,
    /// Bytes a second that each broker may send and receive to copy replicas, where a replication factor changes
    #[arg(long, value_name = "SIZE", value_parser = byte_rate, default_value = "20MB")]
    pub(crate) reassignment_throttle: u64,
    /// What of the topology is planned.
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// Plan saved by `plan --out`: applied without a question
    #[arg(
        value_name = "PLANFILE",
        conflicts_with_all = ["target", "exclude", "drift_only", "allow_destroy"]
    )]
    pub(crate) plan: Option<PathBuf>,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl history -f topology.yaml
  mirrorctl history -f topology.yaml --cluster aws --output json

Every apply leaves two records on each cluster that it changes, in the topic
mirrorctl-audit.internal: what it is about to do, and how it ended. An apply without an end was
killed, or its cluster did not answer.")]
pub(crate) struct HistoryArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only this cluster
    #[arg(long, value_name = "ALIAS")]
    pub(crate) cluster: Option<String>,
    /// How many applies of each cluster, the newest last
    #[arg(long, value_name = "N", default_value = "20")]
    pub(crate) last: NonZeroUsize,
}

/// Arguments of `destroy`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl destroy -f topology.yaml --target 'topic.aws.old.*'
  mirrorctl destroy -f topology.yaml --target topic.aws.pay.old \\
    --auto-approve --allow-destroy topic.aws.pay.old

Only what an apply brought about is deleted, and only where the cluster's `allow` permits it: topics with
`preventDestroy`, with recent records or with active consumer groups stay, and so does everything else
then. The file is not changed: what it still declares, the next apply creates again, empty.")]
pub(crate) struct DestroyArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Resources whose address matches: a regular expression for the whole address
    #[arg(long, value_name = "PATTERN", value_parser = pattern, required = true, add = ArgValueCompleter::new(addresses))]
    pub(crate) target: Vec<Pattern>,
    /// Do not ask; each resource has to be named with --allow-destroy instead
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Let this resource be deleted, by its full address
    #[arg(long, value_name = "ADDRESS", requires = "auto_approve", add = ArgValueCompleter::new(addresses))]
    pub(crate) allow_destroy: Vec<String>,
    /// Wait this long for another apply to end
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s", env = "MIRRORCTL_LOCK_TIMEOUT")]
    pub(crate) lock_timeout: Duration,
}

/// Arguments of `forget`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl forget -f topology.yaml topic.aws.pay.old

`apply` remembers on each cluster which resources were declared, so that what is taken out of the
topology can be taken back. Forgetting ends that: the resource stays as it is, and no plan shows it
as declared no longer. A resource that the topology still declares is remembered again by the next
apply.")]
pub(crate) struct ForgetArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Addresses of resources, such as topic.aws.pay.old
    #[arg(value_name = "ADDRESS", required = true, add = ArgValueCompleter::new(addresses))]
    pub(crate) addresses: Vec<String>,
}

/// Arguments of `replicate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl replicate -f topology.yaml                       # until Ctrl-C
  mirrorctl replicate -f topology.yaml --mirror pay --once   # up to now
  mirrorctl replicate -f topology.yaml --listen 9464         # metrics over HTTP

Positions are kept on the target cluster: a restart resumes where the last run committed. The
first Ctrl-C (or SIGTERM) drains, commits and reports; the second ends at once.

SIGHUP reads the topology file again: mirrors that changed drain and start anew with what it says
now, new ones start, removed ones drain and end, `state: paused` stops one until it says `running`
again. Mirrors that did not change go on undisturbed. A file that is not valid changes nothing.

Where `mirrorctl apply` has written a mirror's state to its target, that is followed, too, without a
restart: the more cautious of file and record wins (promoted, paused, running).

A mirror with `state: promoted` copies nothing: applications write to its target now. One that runs
copies what the source holds by then, and ends for good; a last copy that was interrupted, or that
nobody began, is made, also with --once: the latter only where a replicator ran before and nobody
else has written to the target. One that is over and named, or that has no other beside it, is
refused (exit code 3). What applications write now is copied back by a mirror the other way round,
beside it.

A mirror that another topology has by now is held until the file says that name, or the other
topology gives it up.")]
pub(crate) struct ReplicateArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only this mirror (may be given several times); otherwise all that the built-in engine runs
    #[arg(short, long, value_name = "NAME", add = ArgValueCompleter::new(mirrors))]
    pub(crate) mirror: Vec<String>,
    /// Copy up to the end offsets of now, then stop
    #[arg(long)]
    pub(crate) once: bool,
    /// Serve /metrics, /healthz, /readyz and /status there; a port alone means 127.0.0.1
    #[arg(long, value_name = "ADDRESS", env = "MIRRORCTL_LISTEN", value_parser = listen_address, help_heading = "Observation")]
    pub(crate) listen: Option<String>,
    /// Whether /metrics has figures of each partition, or the sums of each mirror alone
    #[arg(long, value_enum, value_name = "ON|OFF", default_value_t = Switch::On, help_heading = "Observation")]
    pub(crate) metrics_partitions: Switch,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    // as it is
    On,
    // without
    Off,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl status -f topology.yaml
  mirrorctl status -f topology.yaml --mirror pay --output json
  mirrorctl status -f topology.yaml --gaps   # what was not copied, and why
  mirrorctl status -f topology.yaml --detailed-exitcode || page-somebody

What was read is shown with exit code 0, whatever it says. With --detailed-exitcode it is 5 where a
partition needs attention: its replicator stopped there and left the reason, or would stop, wait or
begin anew (data lost, truncated, recreated, refused, not on the target, no leader on the source).
Being behind is judged by `lag --max-lag`; a promoted mirror copies nothing any more, so nothing of
it is judged.")]
pub(crate) struct StatusArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only this mirror (may be given several times)
    #[arg(short, long, value_name = "NAME", add = ArgValueCompleter::new(mirrors))]
    pub(crate) mirror: Vec<String>,
    /// List every partition, however many there are
    #[arg(long)]
    pub(crate) all: bool,
    /// List instead what was not copied and why: the target's gap ledger
    #[arg(long)]
    pub(crate) gaps: bool,
    /// Exit with 5 when a partition needs attention
    #[arg(long, conflicts_with = "gaps")]
    pub(crate) detailed_exitcode: bool,
}

/// Arguments of `lag`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl lag -f topology.yaml
  mirrorctl lag -f topology.yaml --mirror pay --watch 2s
  mirrorctl lag -f topology.yaml --max-lag 30s || echo late    # exits with 5
  mirrorctl lag -f topology.yaml --max-lag slo --output json   # slo.lag of each

Records are the offsets between the committed position and the source's last stable offset. The time
is the age of the oldest record that is not on the target: one batch of each partition that is behind
is read for it. Bytes are estimated from that batch.")]
pub(crate) struct LagArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only this mirror (may be given several times)
    #[arg(short, long, value_name = "NAME", add = ArgValueCompleter::new(mirrors))]
    pub(crate) mirror: Vec<String>,
    /// List every partition, however many there are
    #[arg(long)]
    pub(crate) all: bool,
    /// Measure again and again, with this pause, until Ctrl-C
    #[arg(long, value_name = "TIME", value_parser = pause, conflicts_with = "max_lag")]
    pub(crate) watch: Option<Duration>,
    /// Exit with 5 when a mirror is further behind: a time, a number of records, or `slo`
    #[arg(long, value_name = "LIMIT", value_parser = lag_limit)]
    pub(crate) max_lag: Option<LagLimit>,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl demo
  mirrorctl demo --hold   # keeps both clusters up, for kcat and other clients")]
pub(crate) struct DemoArgs {
    /// Records that the live writer writes, at most 5,000,000: both clusters keep them in memory
    #[arg(long, value_name = "N", default_value_t = 60_000, value_parser = records_in_memory)]
    pub(crate) records: u64,
    /// Seed of the workload; random when absent, and always printed
    #[arg(long, value_name = "S")]
    pub(crate) seed: Option<u64>,
    /// Keep the clusters and the mirror running until Ctrl-C
    #[arg(long)]
    pub(crate) hold: bool,
    /// A topology of embedded clusters instead of the built-in one
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl schema topology > topology.schema.json
  # then, on the first line of a topology, for editors:
  # yaml-language-server: $schema=topology.schema.json")]
pub(crate) struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    pub(crate) subject: SchemaSubject,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaSubject {
    /// The topology file
    Topology,
    /// The output of `plan --output json`
    Plan,
    /// The report of `verify --output json` and `--report-json`
    Report,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  echo 'source <(mirrorctl completions bash)' >> ~/.bashrc
  echo 'source <(mirrorctl completions zsh)' >> ~/.zshrc
  echo 'mirrorctl completions fish | source' >> ~/.config/fish/config.fish

The script asks mirrorctl itself, which also completes addresses (--target, --exclude,
--allow-destroy, forget) and mirrors (--mirror) from the topology after -f, without asking a
cluster. Load it anew after an upgrade, as above.")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}
