//! placeholder
mod choices;
mod pattern;
mod policy;
mod resolved;
pub use choices::*;
pub use pattern::{Pattern, PatternError};
pub use policy::{RenameRule, ReplicationPolicy};
pub use resolved::*;
