use std::fmt;
use std::sync::Arc;

/// One partition of a mirror: where its records come from and where they go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PartitionId {
    pub(crate) source_topic: Arc<str>,
    pub(crate) target_topic: Arc<str>,
    /// The same on both sides.
    pub(crate) partition: i32,
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.source_topic, self.partition)
    }
}
