//! What is declared of the mirror that is judged, as far as two clusters show whether it is kept.

use std::fmt;
use std::sync::Arc;

/// The parts of a declaration that are asked about by name.
pub trait MirrorRules: fmt::Debug + Send + Sync {
    /// Whether this setting of a target topic follows the source.
    fn follows(&self, target_topic: &str, key: &str) -> bool;
    /// Whether this target topic is deleted when its source topic is: declared, and permitted.
    fn deletes(&self, source_topic: &str, target_topic: &str) -> bool;
}

/// Where `MirrorMaker` 2 notes which source offset is which target offset: in one of two topics, as it is configured
/// (`offset-syncs.topic.location`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetSyncTopics {
    /// On the source, which is its default.
    pub on_source: String,
    /// On the target.
    pub on_target: String,
}

/// The mirror that two clusters are compared for.
#[derive(Debug, Clone)]
pub struct MirrorFacts {
    /// Its name, as in what it keeps about itself.
    pub name: String,
    /// Whether it keeps positions and a gap ledger on the target, as the built-in engine does.
    pub keeps_notes: bool,
    /// Whether it is judged as a whole, too, and not some topics of it alone.
    pub whole: bool,
    /// What begins the name of a topic on the target that has gone from the target to the source and back; `None` where
    /// names do not tell where a topic comes from.
    pub second_hop: Option<String>,
    /// What ends the name of the topic beside a target topic that holds records too large for it.
    pub quarantine_suffix: String,
    /// Where the mirror notes offsets as `MirrorMaker` 2 does; `None` where it does not.
    pub offset_syncs: Option<OffsetSyncTopics>,
    /// What is asked about by name.
    pub rules: Arc<dyn MirrorRules>,
}
