use serde::{Deserialize, Serialize};

/// Compacted topic on the target cluster that holds the positions of all mirrors into it.
///
/// Positions live with the data they speak of: a target that is restored from a backup brings the
/// positions that fit it.
pub const POSITIONS_TOPIC: &str = "mirrorctl-positions.internal";

/// Record key: one position a mirror, source cluster and source topic-partition. JSON, its fields
/// in this order, because compaction compares bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PositionKey {
    /// Name of the mirror in the topology.
    pub mirror: String,
    /// Id of the source cluster (not its alias, which may be renamed).
    pub source_cluster_id: String,
    /// Topic on the source.
    pub topic: String,
    /// Partition on both sides.
    pub partition: i32,
}

/// Record value: how far a partition is copied. JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// Format of this value.
    pub version: u32,
    /// Every source record before this offset is acknowledged by the target.
    pub offset: i64,
    /// Topic on the target.
    pub target_topic: String,
    /// Topic id on the source: another id is another topic, whose offsets mean other records.
    pub source_topic_id: String,
    /// Topic id on the target: another id is a recreated topic, which holds nothing yet.
    pub target_topic_id: String,
    /// When this was written, ms since the epoch.
    pub committed_at_ms: i64,
}

/// The format that this build writes.
pub(crate) const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_on_the_wire_is_stable() {
        let key = PositionKey {
            mirror: "m".into(),
            source_cluster_id: "abc".into(),
            topic: "t".into(),
            partition: 3,
        };
        assert_eq!(
            serde_json::to_string(&key).expect("json"),
            r#"{"mirror":"m","sourceClusterId":"abc","topic":"t","partition":3}"#
        );
        let old = r#"{"version":1,"offset":7,"targetTopic":"t","sourceTopicId":"a",
            "targetTopicId":"b","committedAtMs":5,"aFieldFromTheFuture":true}"#;
        let position: Position = serde_json::from_str(old).expect("unknown fields are ignored");
        assert_eq!(position.offset, 7);
    }
}
