//! Topics: reading them, comparing them, their rails, and carrying out their changes.

pub(crate) mod colliding;
mod config_value;
mod diff;
mod execute;
pub(crate) mod extent;
mod factor;
pub(crate) mod live;
mod mirrored;
mod placement;
mod rails;
pub(crate) mod readers;
mod reassign;
pub(crate) mod recheck;
mod risk;
mod state;
mod throttle;
pub(crate) mod usage;

pub(crate) use diff::Topics;
pub(crate) use execute::{execute, new_topic, outlooks};
pub(crate) use factor::{is_to_move, moves_replicas};
pub use live::ReadError;
pub use state::TopicState;
pub(crate) use throttle::clear_left;

/// The first word of their addresses.
pub(crate) const KIND: &str = "topic";
