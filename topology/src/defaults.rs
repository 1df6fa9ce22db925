//! What holds where the file says nothing. Names and values are MirrorMaker 2's where it has them.

use std::time::Duration;

/// Everything.
pub(crate) const TOPICS: &str = ".*";
/// MirrorMaker 2's `topics.exclude`.
pub(crate) const TOPICS_EXCLUDE: &[&str] = &[r"mm2.*\.internal", r".*\.replica", "__.*"];
/// Never mirrored, whatever the file says: what MirrorMaker 2's `isInternalTopic` names (Kafka's, its own, Connect's),
/// and our own.
pub(crate) const TOPICS_INTERNAL: &[&str] = &[
    "__.*",
    r"\..*",
    r"mm2.*\.internal",
    r".*\.checkpoints\.internal",
    "connect.*-(configs|offsets|status)",
    "mirrorctl-.*",
    r".*\.mirrorctl-quarantine",
];
/// Ends the names of the topics that keep records too large for their target topic.
pub const QUARANTINE_SUFFIX: &str = ".mirrorctl-quarantine";
/// Everything.
pub(crate) const GROUPS: &str = ".*";
/// MirrorMaker 2's `groups.exclude`.
pub(crate) const GROUPS_EXCLUDE: &str = "console-consumer-.*, connect-.*, __.*";
/// MirrorMaker 2's `replication.policy.separator`.
pub(crate) const SEPARATOR: &str = ".";
/// MirrorMaker 2's `config.properties.exclude`.
pub(crate) const CONFIG_EXCLUDE: &[&str] = &[
    r"follower\.replication\.throttled\.replicas",
    r"leader\.replication\.throttled\.replicas",
    r"message\.timestamp\.difference\.max\.ms",
    r"message\.timestamp\.before\.max\.ms",
    r"message\.timestamp\.after\.max\.ms",
    r"log\.message\.timestamp\.before\.max\.ms",
    r"log\.message\.timestamp\.after\.max\.ms",
    // records keep the time they have on the source
    r"message\.timestamp\.type",
    r"unclean\.leader\.election\.enable",
    r"min\.insync\.replicas",
];
/// The first password of a user.
pub(crate) const PASSWORD_GENERATION: u32 = 1;
/// How often a SCRAM password is hashed. Kafka's tools take 4096, the least that RFC 7677 allows.
pub(crate) const SCRAM_ITERATIONS: u32 = 8_192;
/// MirrorMaker 2's `sync.group.offsets.interval.seconds`.
pub(crate) const GROUP_SYNC_INTERVAL: Duration = Duration::from_mins(1);
/// Between two looks for new topics and partitions. MirrorMaker 2's `refresh.topics.interval.seconds` is ten minutes.
pub(crate) const TOPIC_SYNC_INTERVAL: Duration = Duration::from_secs(10);
/// Between two comparisons of topic configuration. MirrorMaker 2's `sync.topic.configs.interval.seconds` is ten minutes.
pub(crate) const CONFIG_SYNC_INTERVAL: Duration = Duration::from_mins(1);
/// Looking more often would be all that is done.
pub(crate) const LEAST_INTERVAL: Duration = Duration::from_millis(200);
/// Longer than a broker's restart.
pub(crate) const STALL_AFTER: Duration = Duration::from_mins(1);
/// One process copies a mirror. The name is Kafka Connect's (`tasks.max`).
pub(crate) const TASKS: u32 = 1;
/// Records per partition sent ahead of the committed position.
pub(crate) const REPLAY_WINDOW: u32 = 50_000;
/// Fewer bytes in flight than one large batch would stand still.
pub(crate) const LEAST_BYTE_BUDGET: u64 = 1 << 20;
