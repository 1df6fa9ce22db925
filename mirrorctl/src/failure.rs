//! Why a command did not do what it was asked for.

use std::io;
use std::path::PathBuf;

use crate::connect::ConnectError;
use crate::halted::Halted;
use crate::output::counted;
use crate::values::LagLimit;

/// Topics that are named one by one; the summary on stdout has all of them.
const LEFT_OUT_SHOWN: usize = 3;
/// Partitions that are named one by one; `status` shows all of them.
const STOPPED_SHOWN: usize = 3;

/// Every way in which a command fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments make no sense together, or with the topology.
    #[error("{message}")]
    Usage { message: String, hint: String },
    /// The topology cannot be read or is not valid.
    #[error(transparent)]
    Topology(#[from] topology::LoadError),
    /// `validate` found errors, and has printed them.
    #[error("{invalid} of {files} {} not valid", if *files == 1 { "file is" } else { "files are" })]
    InvalidFiles { invalid: usize, files: usize },
    /// Clusters cannot be reached, or must not be.
    #[error("{}", joined(.0))]
    Connect(Vec<ConnectError>),
    /// As [`Self::Connect`], where other mirrors had all of theirs.
    #[error("{}\n{}", joined(errors), unreached(mirrors))]
    Unreached {
        mirrors: Vec<String>,
        errors: Vec<ConnectError>,
    },
    /// The live clusters could not be read.
    #[error(transparent)]
    Observe(#[from] plan::ObserveError),
    /// `plan --detailed-exitcode` cannot tell whether anything is pending.
    #[error("infrastructure could not be observed, so that nobody knows whether it has drifted")]
    InfrastructureUnknown,
    /// A saved plan could not be read or written.
    #[error(transparent)]
    PlanFile(#[from] plan::PlanFileError),
    /// The plan was not applied to its end.
    #[error(transparent)]
    Apply(#[from] plan::ApplyError),
    /// Resources could not be forgotten.
    #[error(transparent)]
    Forget(#[from] plan::ForgetError),
    /// A topology could not be rendered.
    #[error(transparent)]
    Render(#[from] render::RenderError),
    /// Targets that were named have no files for the topology.
    #[error("nothing to render for {}: the topology has none of what {} from", names(targets), if targets.len() == 1 { "it renders" } else { "they render" })]
    NothingToRender {
        targets: Vec<&'static render::Target>,
    },
    /// Ambari could not be asked.
    #[error(transparent)]
    Ambari(#[from] crate::ambari::AmbariError),
    /// The folder of rendered files could not be read.
    #[error(transparent)]
    RenderFolder(#[from] render::FolderError),
    /// Rendered files were not written.
    #[error(transparent)]
    RenderWrite(#[from] render::WriteError),
    /// The question was not answered with `yes`.
    #[error("not applied: the answer was not `yes`; nothing was changed")]
    Declined,
    /// The topology asks for things that this version accepts and cannot do.
    #[error("{subject} asks for {}, which this version cannot do: refusing to run without", keys.join(", "))]
    NotSupported { subject: String, keys: Vec<String> },
    /// A mirror that was named cannot be run.
    #[error("mirror {mirror} {reason}")]
    NotRunnable { mirror: String, reason: String },
    /// Applications have moved to the targets of these mirrors.
    #[error(
        "refusing to replicate {}: promoted (`state: promoted`, in the topology or applied), so that applications write to \
         the target now",
        mirrors.join(", ")
    )]
    Promoted { mirrors: Vec<String> },
    /// Another topology applied a mirror of this name.
    #[error(
        "refusing to replicate {mirror}: the topology `{owner}` has a mirror of this name on {target}, with one record and one set \
         of positions, which its replicators follow"
    )]
    OfAnotherTopology {
        mirror: String,
        owner: String,
        target: String,
    },
    /// All topics that a mirror selects come from its target.
    #[error(
        "nothing is copied, so that nothing goes round for ever: {}",
        left_out(topics)
    )]
    LeftOut {
        topics: Vec<(String, replicator::LeftOut)>,
    },
    /// A cluster does not permit what was to be destroyed.
    #[error("refused, nothing was changed: the topology does not permit to delete {}", addresses.join(", "))]
    NotPermitted { addresses: Vec<String> },
    /// No mirror is left to run.
    #[error("no mirror to {verb}: {reason}")]
    NothingToRun { verb: &'static str, reason: String },
    /// A comparison found no topic.
    #[error("mirror {mirror} selects no topic on {source_alias}: nothing to compare")]
    NothingToCompare {
        mirror: String,
        source_alias: String,
    },
    /// A topic would be judged by itself.
    #[error(
        "{source_alias} and {target_alias} are the same cluster ({cluster_id}), and {topic} would be judged by itself: it passes, \
         whatever mirror {mirror} does"
    )]
    JudgedByItself {
        mirror: String,
        source_alias: String,
        target_alias: String,
        cluster_id: String,
        topic: String,
    },
    /// The workload would be written to a topic that the topology protects.
    #[error(
        "topic {topic} on {cluster} is protected or not managed by the topology: refusing to write to it"
    )]
    TopicGuarded { topic: String, cluster: String },
    /// The replicator could not go on with a mirror.
    #[error("mirror {mirror} from {source_alias}: {error}")]
    Replicator {
        mirror: String,
        source_alias: String,
        error: Box<replicator::RunError>,
    },
    /// Partitions or topics of a mirror stopped; the summary names them.
    #[error("{halted}")]
    Halted { halted: Halted },
    /// `replicate --once` was told to stop before it reached the end.
    #[error("interrupted before the end offsets were reached; the next run resumes")]
    Unfinished,
    /// A request to a cluster failed.
    #[error("cluster {alias}: {error}")]
    Cluster { alias: String, error: kafka::Error },
    /// A mirror names a cluster that nobody connected to: a bug.
    #[error("cluster {alias} is not connected")]
    NotConnected { alias: String },
    /// The judge could not do its work.
    #[error(transparent)]
    Judge(conformance::Error),
    /// The judge found broken promises.
    #[error("verification failed: {failed} of {}", counted(*checks, "check"))]
    Verification { failed: usize, checks: usize },
    /// A verification was not done in time.
    #[error("not done after {limit:?}, so nothing is proven")]
    OverTime { limit: std::time::Duration },
    /// Mirrors are further behind than `lag --max-lag` allows.
    #[error("lag is over {limit}: {}", over.join(", "))]
    LagOver { limit: LagLimit, over: Vec<String> },
    /// `status --detailed-exitcode` found partitions at which a replicator stops.
    #[error("{}", needing(partitions))]
    NeedAttention { partitions: Vec<String> },
    /// An embedded cluster did not start.
    #[error("embedded cluster {alias} does not start: {error}")]
    Embedded {
        alias: String,
        error: broker::StartError,
    },
    /// The mirror that `verify --run` started failed.
    #[error("`mirrorctl replicate --once` {outcome}")]
    Child { outcome: String },
    /// A file could not be written.
    #[error("cannot write {}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    /// A file could not be read.
    #[error("cannot read {}: {error}", path.display())]
    FileUnread { path: PathBuf, error: io::Error },
    /// The address for metrics and health cannot be had.
    #[error("cannot listen on {address}: {error}")]
    Listen { address: String, error: io::Error },
    /// The result could not be printed.
    #[error("cannot write the result: {0}")]
    Output(io::Error),
    /// The result could not be put into JSON.
    #[error("cannot write the result as JSON: {0}")]
    Json(serde_json::Error),
    /// The asynchronous runtime or its signal handling could not start.
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    /// A thread of this program panicked: a bug.
    #[error("a task of this program failed: {0}")]
    Panicked(tokio::task::JoinError),
    /// A signal asked to stop before the command was done.
    #[error("interrupted")]
    Interrupted,
}

/// The first few, and how many there are.
fn needing(partitions: &[String]) -> String {
    let named = partitions.iter().take(STOPPED_SHOWN).cloned();
    let words = named.collect::<Vec<_>>().join(", ");
    match partitions.len() {
        1 => format!("1 partition needs attention: {words}"),
        many if many > STOPPED_SHOWN => format!(
            "{many} partitions need attention: {words} and {} more",
            many - STOPPED_SHOWN
        ),
        many => format!("{many} partitions need attention: {words}"),
    }
}

fn names(targets: &[&render::Target]) -> String {
    targets
        .iter()
        .map(|target| target.name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The first few, each with its mirror.
fn left_out(topics: &[(String, replicator::LeftOut)]) -> String {
    let shown = topics.iter().take(LEFT_OUT_SHOWN);
    let mut words: Vec<String> = shown
        .map(|(mirror, left)| {
            format!(
                "mirror {mirror} leaves `{}` out, {}",
                left.topic, left.reason
            )
        })
        .collect();
    if topics.len() > LEFT_OUT_SHOWN {
        words.push(format!("and {} more", topics.len() - LEFT_OUT_SHOWN));
    }
    words.join("; ")
}

/// Which mirrors were left out.
pub(crate) fn unreached(mirrors: &[String]) -> String {
    match mirrors {
        [one] => format!("mirror {one} is left out, because a cluster of it cannot be reached"),
        several => format!(
            "mirrors {} are left out, because clusters of them cannot be reached",
            several.join(", ")
        ),
    }
}

fn joined(errors: &[ConnectError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

impl From<conformance::Error> for Failure {
    fn from(error: conformance::Error) -> Self {
        match error {
            // only ever because we asked the judge to stop
            conformance::Error::Cancelled => Self::Interrupted,
            other => Self::Judge(other),
        }
    }
}
