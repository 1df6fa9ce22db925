//! The admin calls that plan and apply need; one file a family.

mod configs;
mod epochs;
mod offsets;
mod producers;
mod topics;

pub use configs::{ConfigChange, ConfigEntry, ConfigSource};
pub use epochs::EpochEnd;
pub use offsets::{ListedOffset, OffsetSpec};
pub use producers::ActiveProducer;
pub use topics::NewTopic;
