//! The command line as clap reads it. Nothing here decides anything.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Effects, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use conformance::{Sample, Since};
use topology::Pattern;

use crate::values::{
    LagLimit, at_least_one, byte_rate, duration, lag_limit, listen_address, pattern,
    records_in_memory, share, since,
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
   5  verification failed, or lag over --max-lag
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
  mirrorctl plan -f topology.yaml --out change.plan && mirrorctl apply change.plan
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
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    pub(crate) target: Vec<Pattern>,
    /// No resources whose address matches
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    pub(crate) exclude: Vec<Pattern>,
    /// Only what somebody else changed since the last apply
    #[arg(long)]
    pub(crate) drift_only: bool,
    /// Let this resource be deleted, by its full address; the topology has to permit it as well. Of a rendered file: let
    /// what somebody wrote into it be lost. Of a mirror of another topology: let it be taken over
    #[arg(long, value_name = "ADDRESS")]
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
  mirrorctl apply change.plan                       # exactly what was planned, or nothing

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
  mirrorctl destroy -f topology.yaml --target topic.aws.pay.old --auto-approve --allow-destroy topic.aws.pay.old

Only what an apply brought about is deleted, and only where the cluster's `allow` permits it: topics with
`preventDestroy`, with recent records or with active consumer groups stay, and so does everything else
then. The file is not changed: what it still declares, the next apply creates again, empty.")]
pub(crate) struct DestroyArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Resources whose address matches: a regular expression for the whole address
    #[arg(long, value_name = "PATTERN", value_parser = pattern, required = true)]
    pub(crate) target: Vec<Pattern>,
    /// Do not ask; each resource has to be named with --allow-destroy instead
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Let this resource be deleted, by its full address
    #[arg(long, value_name = "ADDRESS", requires = "auto_approve")]
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
    #[arg(value_name = "ADDRESS", required = true)]
    pub(crate) addresses: Vec<String>,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    after_help = "\
Examples:
  mirrorctl import cluster --alias onprem --bootstrap-servers kafka1.dc:9092 > topology.yaml
  mirrorctl import cluster --alias aws -f topology.yaml --topics 'pay\\..*' >> topology.yaml
  mirrorctl import mm2 mm2.properties > topology.yaml
  mirrorctl import connect source.json checkpoint.json > topology.yaml
  curl -s 'http://connect:8083/connectors?expand=info' | mirrorctl import connect - > topology.yaml
  kubectl get kafka,kafkatopic,kafkauser -o yaml | mirrorctl import strimzi - > topology.yaml

The plan of an imported cluster is empty: the topics are declared as they are, with what is set on
them. Passwords are never written; the file says which variables have to hold them, and names what
could not be taken over. What is written is checked as `validate` does it."
)]
pub(crate) struct ImportArgs {
    /// From what.
    #[command(subcommand)]
    pub(crate) what: ImportWhat,
}

/// What can be imported.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportWhat {
    /// The topics of a live cluster
    Cluster(ImportClusterArgs),
    /// The properties file of MirrorMaker 2's dedicated mode
    Mm2 {
        /// The properties file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Connectors of MirrorMaker 2, as Kafka Connect's REST interface takes and gives them
    Connect {
        /// JSON files; `-` is standard input
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Resources of Strimzi: clusters, mirrors, topics, users and connectors
    Strimzi {
        /// YAML files with one or many documents; `-` is standard input
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

/// Arguments of `import cluster`.
#[derive(Debug, Args)]
pub(crate) struct ImportClusterArgs {
    /// Alias of the cluster
    #[arg(long, value_name = "ALIAS")]
    pub(crate) alias: String,
    /// Brokers of a listener without TLS and login
    #[arg(
        long,
        value_name = "HOST:PORT",
        value_delimiter = ',',
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    pub(crate) bootstrap_servers: Vec<String>,
    /// A topology that says how the cluster is reached; only the topics are written then
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Only topics whose name matches
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    pub(crate) topics: Option<Pattern>,
}

/// Arguments of `render`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl render --list
  mirrorctl render -f topology.yaml --out rendered
  mirrorctl render -f topology.yaml --out rendered --target mirrormaker2 --templates my-templates
  mirrorctl render -f topology.yaml --out rendered --check    # for pipelines

The same topology gives the same bytes. mirrorctl-render.json in the output folder holds the digest
of every file: a file that was edited since, that was there before, or that another topology
rendered, keeps everything from being written (exit code 3) unless --force is given. Files that are
no longer wanted are removed, unless they were edited; other files are never touched. Secrets are
never written: files name the environment variables and files that hold them.

With --check nothing is written: the differences are printed, and the exit code is 2 when there are
any.")]
pub(crate) struct RenderArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE", required_unless_present = "list")]
    pub(crate) file: Option<PathBuf>,
    /// Folder to write to; made where it does not exist. Without it, what the topology's `render` says
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Only this target (may be given several times)
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Vec<String>,
    /// A folder of templates that take the place of those of the same name
    #[arg(long, value_name = "DIR")]
    pub(crate) templates: Option<PathBuf>,
    /// Choose something about a target, `TARGET.NAME=VALUE` (may be given several times)
    #[arg(long, value_name = "SETTING")]
    pub(crate) set: Vec<String>,
    /// Ask Ambari where a cluster's `ZooKeeper` and brokers are, `ALIAS=https://HOST/api/v1/clusters/NAME` (may be given
    /// several times); the login is the cluster's `access.login`
    #[arg(long, value_name = "ALIAS=URL")]
    pub(crate) ambari: Vec<String>,
    /// Write nothing; show what would change, and exit with 2 when anything would
    #[arg(long)]
    pub(crate) check: bool,
    /// Overwrite files that were edited
    #[arg(long, conflicts_with = "check")]
    pub(crate) force: bool,
    /// List the targets, their settings and templates
    #[arg(long, conflicts_with_all = ["file", "out", "target", "templates", "set", "ambari", "check", "force"])]
    pub(crate) list: bool,
}

/// Arguments of `replicate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl replicate -f topology.yaml                       # until Ctrl-C
  mirrorctl replicate -f topology.yaml --mirror pay --once   # to the ends of now, then stop
  mirrorctl replicate -f topology.yaml --listen 9464         # with metrics and health over HTTP

Positions are kept on the target cluster: a restart resumes where the last run committed. The
first Ctrl-C (or SIGTERM) drains, commits and reports; the second ends at once.

SIGHUP reads the topology file again: mirrors that changed drain and start anew with what it says
now, new ones start, removed ones drain and end, `state: paused` stops one until it says `running`
again. Mirrors that did not change go on undisturbed. A file that is not valid changes nothing.

Where `mirrorctl apply` has written a mirror's state to its target, that is followed, too, without a
restart: the more cautious of file and record wins (promoted, paused, running).

A mirror with `state: promoted` copies nothing: applications write to its target now. One that runs
copies what the source holds by then, and ends for good; a last copy that was interrupted is
finished, also with --once. One that is named, or that has no other beside it, is refused (exit
code 3). What applications write now is copied back by a mirror the other way round, beside it.")]
pub(crate) struct ReplicateArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only this mirror (may be given several times); otherwise all that the built-in engine runs
    #[arg(short, long, value_name = "NAME")]
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

/// Arguments of `verify`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  # write stamped records to the source, wait for the running mirror, judge every promise
  mirrorctl verify -f topology.yaml --mirror pay --mode stamped --partitions 8 --records 100000
  # the same in two steps, with faults in between
  mirrorctl verify -f topology.yaml --mirror pay --mode stamped --phase write --journal run.json
  mirrorctl verify -f topology.yaml --mirror pay --mode stamped --phase check --journal run.json
  # compare what is there, record by record, without writing anything
  mirrorctl verify -f topology.yaml --mirror pay --mode compare --junit verify.xml --html verify.html
  mirrorctl verify -f topology.yaml --mirror pay --mode compare --topics 'pay\\..*' --since 2h --sample 10
  # for a pipeline: write, copy, judge by stamps, then compare everything; 10 minutes at most
  mirrorctl verify -f topology.yaml --mirror pay --profile ci --run --junit verify.xml
  # all the time, with the verdicts as metrics
  mirrorctl verify -f topology.yaml --mirror pay --mode compare --follow --every 5m --listen 9465

The judge reads both clusters through librdkafka and shares no code with the replicator.")]
pub(crate) struct VerifyArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The mirror to judge
    #[arg(short, long, value_name = "NAME")]
    pub(crate) mirror: String,
    /// How to judge
    #[arg(long, value_enum, required_unless_present = "profile")]
    pub(crate) mode: Option<VerifyMode>,
    /// Do both, stamped and compare, as much as fits: writes records, and creates their topic where there is none
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
    /// Write the report as `JUnit` XML to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
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

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl status -f topology.yaml
  mirrorctl status -f topology.yaml --mirror pay --output json
  mirrorctl status -f topology.yaml --gaps   # what was not copied, and why")]
pub(crate) struct StatusArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only this mirror (may be given several times)
    #[arg(short, long, value_name = "NAME")]
    pub(crate) mirror: Vec<String>,
    /// List every partition, however many there are
    #[arg(long)]
    pub(crate) all: bool,
    /// List instead what was not copied and why: the target's gap ledger
    #[arg(long)]
    pub(crate) gaps: bool,
}

/// Arguments of `lag`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mirrorctl lag -f topology.yaml
  mirrorctl lag -f topology.yaml --mirror pay --watch 2s
  mirrorctl lag -f topology.yaml --max-lag 30s || echo late     # exits with 5 when it is
  mirrorctl lag -f topology.yaml --max-lag slo --output json    # slo.lag of each mirror

Records are the offsets between the committed position and the source's last stable offset. The time
is the age of the oldest record that is not on the target: one batch of each partition that is behind
is read for it. Bytes are estimated from that batch.")]
pub(crate) struct LagArgs {
    /// Topology file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only this mirror (may be given several times)
    #[arg(short, long, value_name = "NAME")]
    pub(crate) mirror: Vec<String>,
    /// List every partition, however many there are
    #[arg(long)]
    pub(crate) all: bool,
    /// Measure again and again, with this pause, until Ctrl-C
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "max_lag")]
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
  mirrorctl demo --hold      # keeps both clusters up, for kcat and other clients")]
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
  mirrorctl completions bash > ~/.local/share/bash-completion/completions/mirrorctl
  mirrorctl completions zsh > ~/.zfunc/_mirrorctl
  mirrorctl completions fish > ~/.config/fish/completions/mirrorctl.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}
