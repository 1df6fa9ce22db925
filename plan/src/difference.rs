//! What makes a plan stale.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An attribute whose live value is neither what the plan read nor what it sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// `topic`, `topic_id`, `partitions`, `replication_factor`, `config.<key>`, or the kind of a resource.
    pub attribute: String,
    /// What the plan expected; `None` for nothing.
    pub expected: Option<String>,
    /// What is live; `None` for nothing.
    pub found: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(
            f,
            "{}: expected {}, found {}",
            self.attribute,
            shown(&self.expected),
            shown(&self.found)
        )
    }
}
