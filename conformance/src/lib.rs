//! The mirror contract: judges any mirror engine by reading both clusters through librdkafka.
//!
//! Two ways in, both blocking (call them in `spawn_blocking` from async code):
//! - *stamped*: [`write_workload`] writes records that carry a stamp and keeps a [`Journal`];
//!   [`check_stamped`] reads the target and judges each promise;
//! - *unstamped*: [`compare`] walks two existing topics side by side.
//!
//! Both return a [`Report`]: one verdict a check, with figures, and the first counterexample where
//! a promise was broken. The checks are described in `SPEC.md`. They are pure state machines; only
//! `reader`, `write` and `topics` talk to clusters.

mod asker;
mod batch;
mod checks;
mod compare;
mod context;
mod contract;
mod endpoint;
mod error;
mod events;
mod feed;
mod first_looks;
mod generate;
mod history;
mod html;
mod journal;
mod junit;
mod locate;
mod mirror;
mod notes;
mod observer;
mod offset_syncs;
mod plot;
mod ranges;
mod reader;
mod record;
mod report;
mod security;
mod stamp;
mod supplied;
mod supplied_line;
mod topics;
mod verdict;
mod verify;
mod watched;
mod watching;
mod words;
mod workload;
mod write;

pub use checks::{
    Check, Complete, ConfigFact, CopiedTopic, Delivery, Duplicates, Finding, KeyOrder, LostRecord,
    MappedOffset, MissingFacts, NoPhantom, Order, OversizeFacts, Panel, PartitionMap,
    PartitionRule, Payload, RecoveryBound, ReplayBound, ReplayShape, Scope, SyncedOffset,
    TimestampKept, TopicFacts, config_sync, default_config_exclusions, delete_policy, latency,
    offset_map, offset_syncs_hold, one_hop, oversize, recovery, retention_gap,
    retention_gap_of_missing, topic_creation, topic_reset,
};
pub use compare::{CompareOptions, Sample, Since, TimestampRule, compare};
pub use contract::{CONTRACT, Judged, Promise, unjudged};
pub use endpoint::Endpoint;
pub use error::Error;
pub use events::FaultEvent;
pub use first_looks::FirstLooks;
pub use generate::Generator;
pub use history::{Origin, Sighting};
pub use journal::{Journal, StreamJournal};
pub use mirror::{MirrorFacts, MirrorRules, OffsetSyncTopics};
pub use notes::{GapKind, NotedGap, NotedPosition, TopicNotes};
pub use observer::{Observer, Unobserved};
pub use ranges::RangeSet;
pub use record::{HeaderView, Record, RecordView, Timestamp, TimestampKind};
pub use report::{Mode, REPORT_FORMAT_VERSION, Report, Timeline, report_schema};
pub use security::{
    ClientCertificate, NameCheck, PasswordMechanism, Sasl, Secret, Security, Tls, Token,
    TokenSource,
};
pub use stamp::{RecordId, STAMP_HEADER, Stamp};
pub use supplied::{SuppliedFile, SuppliedRecords};
pub use verdict::{CheckResult, Counterexample, Figures, TopicPartitionOffset, Verdict};
pub use verify::{StampedOptions, check_stamped};
pub use watched::{LagSample, Mark, Watched};
pub use watching::{WatchOptions, write_watched};
pub use workload::{Codec, TopicSpec, WorkloadSpec};
pub use write::{write_supplied, write_workload};
