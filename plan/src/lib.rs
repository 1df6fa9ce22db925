//! Brings live clusters to what a topology declares, in four steps that never mix:
//!
//! 1. [`observe`] reads the live clusters, and nothing but reads;
//! 2. [`diff`] compares: a pure function of the topology and what was read;
//! 3. its result is a [`Plan`], a plain value that can be printed ([`text`]), saved and reviewed;
//! 4. [`apply`] executes that value and nothing else, and rechecks each live value right before
//!    its change.
//!
//! # What is managed
//! Topics that the topology declares, on the clusters it declares them for: their existence,
//! partition count, replication factor and the configuration keys that are *declared*. A partition
//! count or replication factor that the topology leaves out is not managed: the brokers' default
//! applies when the topic is created and the live value is accepted afterwards. Keys that are set
//! on a live topic but not declared are reported ([`ResourceChange::unmanaged`]) and never changed.
//!
//! Access rules, client quotas and SCRAM users that the topology declares: of a rule its existence, of a quota the limits
//! that are declared, of a user the declared mechanism with its iterations. A password cannot be read back: it is set when
//! the user is created or its mechanism changes, and whenever its `generation` does.
//!
//! Files that a topology has rendered into a folder ([`DesiredFolder`]): each as it was rendered. What somebody wrote into
//! one is lost only where that is asked for by address. What another topology rendered into the same folder is left alone.
//! Mirrors of the built-in engine: the record on their target cluster of the state that replicators follow.
//!
//! # What was managed
//! Each cluster keeps a record of what was declared at the last apply ([`Recorded`], in the topic
//! `mirrorctl-state.internal`). A configuration key that was declared and is not any more goes back
//! to the brokers' default. A topic that was declared and is not any more is deleted only when the
//! cluster's `allow` permits it, whoever runs the command asks for it by address ([`Permissions`]),
//! and nobody uses it; otherwise it is shown and left. The same holds for rules, limits and users, which are never taken
//! from whom the command itself logs in as, and for records of mirrors, whose data stays. What was never declared is never touched.
//!
//! Several topologies may share a cluster, when each has a name: what is remembered carries it, so that each takes back only
//! what itself declared.
//!
//! # Who applies
//! One apply at a time changes a cluster: it holds a lease in that same record, by the brokers'
//! clock. Each leaves an audit record ([`history`]). A folder has neither: its manifest says what was rendered into it.

mod acl;
mod apply;
mod change;
mod client_quota;
mod desired;
mod diff;
mod difference;
mod digest;
mod document;
mod draft;
mod file;
mod forget;
mod guard;
mod home;
mod impact;
mod import;
mod infrastructure;
mod journal;
mod kind;
mod label;
mod mirror;
mod observe;
mod observed;
mod ownership;
mod permissions;
pub mod proof;
#[cfg(test)]
mod properties;
mod rails;
mod rehearsal;
mod rendered_file;
mod scram_user;
mod span;
pub mod text;
mod topic;
mod withdrawn;

pub use apply::{
    AUDIT, Applicant, ApplyError, ApplyEvent, ApplyObserver, ApplyOptions, ApplySummary,
    AuditEvent, AuditRecord, AuditedChange, Holder, Unfinished, apply, apply_with, history,
};
pub use change::{
    Action, Block, BlockCode, Change, Detail, RecordChange, Resource, ResourceChange, Risk,
};
pub use client_quota::QuotaState;
pub use desired::{
    Desired, DesiredAcl, DesiredCluster, DesiredMirror, DesiredQuota, DesiredTopic, DesiredUser,
    Guard, managed_clusters,
};
pub use diff::{diff, diff_desired};
pub use difference::Difference;
pub use document::{
    ClusterRef, FORMAT_VERSION, FolderRef, Forgotten, FormerFolder, LeftBehind, OtherFiles, Plan,
    Summary, json_schema,
};
pub use file::PlanFileError;
pub use forget::{ForgetError, forget};
pub use guard::{Clients, FailureKind};
pub use home::Home;
pub use impact::Impact;
pub use import::{live_access, live_topics};
pub use infrastructure::{Drift, DriftDetail, DriftKind, Infrastructure, NotObserved};
pub use journal::{Recorded, RecordedAccess, Underway};
pub use mirror::{MirrorRecord, ObservedMirror};
pub use observe::{ObserveError, observe, observe_desired};
pub use observed::{
    ConfigOrigin, Elsewhere, Extent, Observed, ObservedCluster, ObservedConfig, ObservedPartition,
    ObservedTopic, Usage,
};
pub use ownership::{MirrorOwner, Owner};
pub use permissions::{Permissions, REASSIGNMENT_THROTTLE};
pub use rehearsal::rehearsed;
pub use rendered_file::{
    DesiredFile, DesiredFolder, FileError, ObservedFolder, RenderedFileState, observe_folder,
};
pub use scram_user::ScramUserState;
pub use topic::{ReadError, TopicState};
