//! The mirrors into a cluster, as that cluster keeps them: which state each is meant to be in, and how its promotion ended.
//!
//! `plan` writes states and reads them back, `replicate` follows them and writes how a promotion ended, `status` shows both.
//! All is in one compacted topic of the target ([`MIRRORS_TOPIC`]) in log append time, so that "since" is the brokers' time.
//! Records are JSON; what a reader does not know of one it leaves out.
//!
//! - [`StateRecord`]: key `{"mirror":"pay"}`, written by `apply` only.
//! - [`EndRecord`]: key `{"endOfMirror":"pay","sourceClusterId":"…"}`, written by `replicate` only: so neither can undo what
//!   the other says at the same moment.

mod entry;
mod log;
mod record;

pub use entry::{Entry, Register, Standing};
pub use log::{Mark, RegisterLog};
pub use record::{EndRecord, MIRRORS_TOPIC, POSITIONS_KEPT, StateRecord, VERSION};
