//! What a reader found that must not be.

use std::fmt;

/// The first place where a target is not what its source demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The partition on both sides.
    pub partition: i32,
    /// Offset of the expected record on the source, when there is one.
    pub source_offset: Option<i64>,
    /// Offset of the record that was found on the target, when there is one.
    pub target_offset: Option<i64>,
    /// What was expected and what was found.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset =
            |offset: Option<i64>| offset.map_or("end".to_owned(), |offset| offset.to_string());
        write!(
            formatter,
            "partition {}, source offset {}, target offset {}: {}",
            self.partition,
            offset(self.source_offset),
            offset(self.target_offset),
            self.what
        )
    }
}
