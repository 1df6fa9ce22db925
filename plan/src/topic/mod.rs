//! Topics: reading them, comparing them, their rails, and carrying out their changes.

mod config_value;
mod diff;
mod execute;
pub(crate) mod live;
mod rails;
pub(crate) mod recheck;
mod risk;
mod state;
pub(crate) mod usage;

pub(crate) use diff::{declared, dropped, prefix};
pub(crate) use execute::{execute, precheck};
pub use live::ReadError;
pub use state::TopicState;
