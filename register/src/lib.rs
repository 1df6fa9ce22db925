//! The mirrors into a cluster, as that cluster keeps them: which state each is meant to be in, and how its promotion ended.
//!
//! `plan` writes states and reads them back, `replicate` follows them and writes how a promotion ended, `status` shows both.
//! All is in one compacted topic of the target ([`MIRRORS_TOPIC`]) in log append time, so that "since" is the brokers' time.
//! Records are JSON; what a reader does not know of one it leaves out.
//!
//! - [`StateRecord`]: key `{"mirror":"pay"}`, written by `apply` only.
//! - [`EndRecord`]: key `{"endOfMirror":"pay","sourceClusterId":"…"}`, written by `replicate` only: so neither can undo what
//!   the other says at the same moment.
//!
//! Where the records of each mirrored topic come from is in another topic beside it ([`TOPICS_TOPIC`]), written by `replicate`.

mod entry;
mod json_key;
mod log;
mod provenance;
mod record;
mod way_back;

pub use entry::{Entry, Register, Standing};
pub use json_key::json_key;
pub use log::RegisterLog;
pub use provenance::{
    HandedOver, Origin, Released, TOPICS_TOPIC, TopicKey, TopicRecord, is_handed_over, provenance,
    topic_entry,
};
pub use record::{BY_FILE, EndRecord, MIRRORS_TOPIC, POSITIONS_KEPT, StateRecord, VERSION};
pub use way_back::{Begin, Doubt, begins, unexplained};
