//! `mirrors`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::{DurationText, Name, OneOrMany, SizeText};
use crate::choices::{
    Delivery, Engine, MirrorState, OnDataLoss, OnOversize, OnSourceDelete, OnTopicReset,
};

/// A flow of records from source clusters into a target cluster.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Mirror {
    /// Its name.
    pub(crate) name: Name,
    /// The alias of the source cluster, or a list: several sources into one target.
    pub(crate) source: OneOrMany,
    /// The alias of the target cluster.
    pub(crate) target: String,
    /// What copies the records.
    #[serde(default)]
    pub(crate) engine: Engine,
    /// The topics to mirror: a regular expression, or several separated by commas. `.*` unless written.
    pub(crate) topics_pattern: Option<String>,
    /// The topics not to mirror. MirrorMaker 2's default unless written; internal topics are never mirrored.
    pub(crate) topics_exclude_pattern: Option<String>,
    /// The consumer groups to follow. `.*` unless written.
    pub(crate) groups_pattern: Option<String>,
    /// The consumer groups not to follow. MirrorMaker 2's default unless written.
    pub(crate) groups_exclude_pattern: Option<String>,
    /// How topics are named on the target. MirrorMaker 2's default unless written.
    pub(crate) replication_policy: Option<ReplicationPolicy>,
    /// Where a partition without a position begins. `earliest` unless written.
    #[serde(default)]
    pub(crate) start_offset: StartOffset,
    /// How often a record may arrive.
    #[serde(default)]
    pub(crate) delivery: Delivery,
    /// What is kept equal about topics.
    #[serde(default)]
    pub(crate) topic_sync: TopicSync,
    /// Whether committed offsets follow.
    #[serde(default)]
    pub(crate) group_offset_sync: GroupOffsetSync,
    /// Whether ACLs follow.
    #[serde(default)]
    pub(crate) acl_sync: AclSync,
    /// When records were lost on the source before they were copied.
    #[serde(default)]
    pub(crate) on_data_loss: OnDataLoss,
    /// When a source topic was deleted and created anew.
    #[serde(default)]
    pub(crate) on_topic_reset: OnTopicReset,
    /// When the target refuses a record as too large.
    #[serde(default)]
    pub(crate) on_oversize: OnOversize,
    /// Limits.
    pub(crate) throttle: Option<Throttle>,
    /// Objectives.
    pub(crate) slo: Option<Slo>,
    /// Whether it is meant to run.
    #[serde(default)]
    pub(crate) state: MirrorState,
    /// Topics, by their names on the source, that are not copied for now: a regular expression, or several separated by
    /// commas. They keep their positions.
    pub(crate) paused_topics: Option<String>,
    /// A partition that has something to copy and makes no progress for this long is named. `1m` unless written.
    pub(crate) stall_after: Option<DurationText>,
    /// Into how many parts the mirror's partitions are split. Processes that run the mirror at the same time share them, at
    /// most one process a part. 1 unless written: one process copies everything, and others stand by. Other engines: the
    /// most tasks (`tasks.max`) or threads (`--num.streams`) that copy at the same time.
    #[schemars(range(min = 1, max = 64))]
    pub(crate) tasks: Option<u32>,
    /// How many records per partition may be sent ahead of the committed position; bounds duplicates after a crash.
    /// 50000 unless written.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub(crate) replay_window: Option<u32>,
    /// How many bytes may be in flight over all partitions; bounds memory. Unless written 12MiB, and on long links
    /// what the round trip asks for, up to 192MiB. 1MiB at least.
    pub(crate) byte_budget: Option<SizeText>,
}

/// How topics are named on the target.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReplicationPolicy {
    /// The rule.
    #[serde(rename = "type")]
    pub(crate) kind: PolicyType,
    /// For `default`: what stands between alias and name. `.` unless written.
    #[schemars(length(min = 1), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub(crate) separator: Option<String>,
    /// For `prefix`: what stands before the name.
    #[schemars(length(min = 1), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub(crate) prefix: Option<String>,
    /// For `rename`: the first rule that matches the whole name gives the new one.
    #[schemars(length(min = 1))]
    pub(crate) rules: Option<Vec<RenameRule>>,
}

/// The naming rules there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PolicyType {
    /// The same name on both sides.
    Identity,
    /// Source alias, separator, name.
    Default,
    /// A fixed text before the name.
    Prefix,
    /// Rewriting by regular expressions.
    Rename,
}

/// One rewriting rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RenameRule {
    /// A regular expression for whole names.
    pub(crate) from: String,
    /// The new name; `$1` or `${name}` stand for groups.
    pub(crate) to: String,
}

/// Where a partition without a position begins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum StartOffset {
    /// At the first record that is there.
    #[default]
    Earliest,
    /// At the end.
    Latest,
    /// At the first record at or after a time.
    Timestamp(Timestamp),
}

/// A moment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Timestamp {
    Millis(i64),
    Text(String),
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "integer"],
            "minimum": 0,
            "description": "RFC 3339, as in 2026-01-31T08:00:00Z, or milliseconds since 1970"
        })
    }
}

/// What is kept equal about topics.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct TopicSync {
    /// The partition count follows when it grows.
    pub(crate) partitions: bool,
    /// Configuration set on the source topic follows, at creation and afterwards. What the file declares for a topic
    /// of the target under `topics` is left alone.
    pub(crate) config: bool,
    /// Configuration keys that do not follow, as regular expressions. MirrorMaker 2's default unless written.
    pub(crate) config_exclude: Option<Vec<String>>,
    /// The replication factor of created topics; the target's default when absent.
    #[schemars(range(min = 1, max = 32_767))]
    pub(crate) replication_factor: Option<u16>,
    /// How often new topics and partitions are looked for. `10s` unless written, 200ms at least.
    pub(crate) interval: Option<DurationText>,
    /// How often configuration is compared. `1m` unless written, 200ms at least.
    pub(crate) config_interval: Option<DurationText>,
    /// When the source topic is deleted.
    pub(crate) on_source_delete: OnSourceDelete,
}

impl Default for TopicSync {
    fn default() -> Self {
        Self {
            partitions: true,
            config: true,
            config_exclude: None,
            replication_factor: None,
            interval: None,
            config_interval: None,
            on_source_delete: OnSourceDelete::default(),
        }
    }
}

/// Whether committed offsets follow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct GroupOffsetSync {
    /// Whether they follow.
    pub(crate) enabled: bool,
    /// How often. `60s` unless written.
    pub(crate) interval: Option<DurationText>,
}

/// Whether ACLs follow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct AclSync {
    /// Whether they follow.
    pub(crate) enabled: bool,
}

/// Limits of a mirror, over all its sources together.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Throttle {
    /// The most bytes per second that are read from the sources, as they are on the wire (compressed).
    pub(crate) bytes_per_second: SizeText,
}

/// Objectives of a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Slo {
    /// The longest time a record may wait before it is on the target.
    pub(crate) lag: Option<DurationText>,
    /// The longest time that copying may be interrupted without losing records: `plan` warns of source topics that keep
    /// records for a shorter time.
    pub(crate) outage_budget: Option<DurationText>,
}
