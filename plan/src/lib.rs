//! Brings the topics of live clusters to what a topology declares, in four steps that never mix:
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
//! Topics that the topology does not declare are never touched, and nothing is ever deleted.

mod apply;
mod change;
mod config_value;
mod desired;
mod diff;
mod digest;
mod document;
mod event;
mod execute;
mod file;
mod guard;
mod live;
mod observe;
mod observed;
#[cfg(test)]
mod properties;
mod rails;
mod recheck;
mod risk;
pub mod text;

pub use apply::{ApplyError, ApplyOptions, apply, apply_with};
pub use change::{
    Action, Block, BlockCode, Change, Detail, ResourceChange, ResourceType, Risk, TopicState,
};
pub use desired::{Desired, DesiredCluster, DesiredTopic, Guard};
pub use diff::{diff, diff_desired};
pub use document::{ClusterRef, FORMAT_VERSION, Plan, Summary, json_schema};
pub use event::{ApplyEvent, ApplyObserver, ApplySummary, Unfinished};
pub use file::PlanFileError;
pub use guard::{Clients, FailureKind};
pub use observe::{ObserveError, observe};
pub use observed::{ConfigOrigin, Observed, ObservedCluster, ObservedConfig, ObservedTopic};
pub use recheck::Difference;
