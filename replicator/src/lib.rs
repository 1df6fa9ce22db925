//! The built-in replicator: record batches from socket to socket, byte for byte.
//!
//! ```text
//! source leader ──fetch lane──▶ partition task ──produce lane──▶ target leader
//!      (one task a connection)  (cursor, window,  (one task a connection,
//!                                watermark)        5 requests in flight)
//!                                    │ watermark
//!                                    ▼
//!                              position writer ──▶ compacted topic on the target
//! ```
//!
//! - One task owns one partition; [`flow::Flow`] is its state, pure, with no I/O.
//! - A position moves only over a contiguous run of acknowledged batches.
//! - Recovery is always the same: wait for what is in flight, forget what was not acknowledged,
//!   read it again from the source, send it with the same sequence numbers.
//! - Backpressure is not fetching: a fetch starts only with a share of the byte budget, and the
//!   share travels with the data until the target acknowledged it.
//!
//! Enter at [`run`] and [`status`].

mod appender;
mod budget;
mod compacted_topic;
mod complaints;
mod copying;
mod ends;
mod error;
mod fail_point;
mod fetch_lane;
mod findings;
pub mod flow;
mod gap;
mod gap_ledger;
mod histogram;
mod identity;
mod lag;
mod lane_choice;
mod leaders;
mod lineage;
mod link;
mod losses;
mod merging;
pub mod metrics;
mod options;
mod outcome;
mod oversize;
mod owners;
mod ownership;
mod partition;
mod partition_figures;
mod partition_progress;
mod position;
mod position_log;
mod position_writer;
mod produce_lane;
mod progress;
mod quarantine;
mod readers;
mod request_slots;
mod reset;
mod resume;
mod round;
mod run;
mod standby;
mod status;
#[cfg(fuzzing)]
pub mod stored;
mod stranger;
mod summary;
mod task;
mod throttle;
mod topic_log;
mod topic_reader;
mod topics;
mod traffic;
mod transform;
mod trust;
mod vigil;
mod waiting;
mod watchdog;
mod way;
mod window;
mod words;
mod workers;

pub use error::RunError;
pub use gap::{GAPS_TOPIC, Gap, GapKey, GapKind};
pub use gap_ledger::gaps;
pub use lag::{MEASURED, PartitionLag, lag};
pub use options::{Mode, Options, Source};
pub use partition_figures::{PartitionFigures, PartitionState};
pub use position::{POSITIONS_TOPIC, Position, PositionKey, ProducerPosition};
pub use position_log::load as positions;
pub use progress::{Ailing, LeftOut, PartitionFailure, Phase, Progress, Snapshot};
pub use register::TOPICS_TOPIC;
pub use standby::{fence, run, until_free};
pub use status::{Condition, PartitionStatus, status};
pub use stranger::stranger;
pub use summary::{Summary, TopicSummary};
pub use throttle::Throttle;
pub use topic_log::release;
pub use topics::selection;
pub use trust::Moment;
