//! The entries of the gap ledger.

use serde::{Deserialize, Serialize};

/// Compacted topic on the target cluster that holds every gap of all mirrors into it: offsets
/// whose records are not on the target although the mirror has moved past them, or that are on the
/// target although the source has taken them back.
///
/// An entry is durable before the position moves past its gap. Holes that a source has by itself,
/// because of compaction or transaction markers, are no gaps.
pub const GAPS_TOPIC: &str = "mirrorctl-gaps.internal";

/// The format that this build writes.
pub(crate) const VERSION: u32 = 1;

/// Record key: one gap. JSON, its fields in this order, because compaction compares bytes. Found
/// again after a crash, the same gap has the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GapKey {
    /// Name of the mirror in the topology.
    pub mirror: String,
    /// Id of the source cluster.
    pub source_cluster_id: String,
    /// Topic on the source.
    pub topic: String,
    /// Partition on both sides.
    pub partition: i32,
    /// First source offset of the gap.
    pub from: i64,
    /// What it is: different gaps may begin at one offset.
    pub kind: GapKind,
    /// Id of the source topic that the offsets belong to: a recreated topic has its own.
    pub source_topic_id: String,
    /// For a truncation: leader epoch of the last record that was taken back, which tells it from an
    /// earlier one at the same offset. Absent where it is not known, and for other kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_epoch: Option<i32>,
}

/// Why there is a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// Retention or `DeleteRecords` took records from the source before they were copied. The
    /// protocol does not say which of the two.
    Deleted,
    /// The source lost records that had been copied, in an unclean leader election: the target
    /// holds records that the source no longer has, and others took their offsets.
    Truncation,
    /// The source topic was recreated: what the old one still held is gone, and the target holds
    /// both, the old before the new.
    TopicReset,
    /// The target topic was recreated: it is filled anew.
    TargetReset,
    /// A record that is too large for the target topic is in the quarantine topic instead.
    Oversize,
}

impl GapKind {
    /// The kind in one word, as in the ledger, in `status --gaps` for programs, and in log lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Truncation => "truncation",
            Self::TopicReset => "topic-reset",
            Self::TargetReset => "target-reset",
            Self::Oversize => "oversize",
        }
    }
}

/// Record value: what is known of a gap. JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// Format of this value.
    pub version: u32,
    /// Topic on the target.
    pub target_topic: String,
    /// Source offset after the gap's last one; unknown where the topic that it lay in is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// How many records it is; unknown where the log cannot tell, because offsets may have had
    /// holes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Source offset at which copying went on.
    pub resumed_at: i64,
    /// What happened, in words.
    pub reason: String,
    /// The policy that let the mirror go on: `onDataLoss: continue`.
    pub policy: String,
    /// When, ms since the epoch.
    pub at_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_on_the_wire_is_stable() {
        let key = GapKey {
            mirror: "m".into(),
            source_cluster_id: "abc".into(),
            topic: "t".into(),
            partition: 3,
            from: 5,
            kind: GapKind::TopicReset,
            source_topic_id: "id".into(),
            lost_epoch: None,
        };
        let text = r#"{"mirror":"m","sourceClusterId":"abc","topic":"t","partition":3,"from":5,"kind":"topic-reset","sourceTopicId":"id"}"#;
        assert_eq!(serde_json::to_string(&key).expect("json"), text);
        assert_eq!(serde_json::from_str::<GapKey>(text).expect("json"), key);
        let truncation = GapKey {
            lost_epoch: Some(4),
            ..key
        };
        let text = text.replace("\"id\"}", "\"id\",\"lostEpoch\":4}");
        assert_eq!(serde_json::to_string(&truncation).expect("json"), text);
        for kind in [
            GapKind::Deleted,
            GapKind::Truncation,
            GapKind::TopicReset,
            GapKind::TargetReset,
            GapKind::Oversize,
        ] {
            let written = serde_json::to_string(&kind).expect("json");
            assert_eq!(written, format!("\"{}\"", kind.name()));
        }
        let value = r#"{"version":1,"targetTopic":"t","to":9,"resumedAt":9,"reason":"r",
            "policy":"onDataLoss: continue","atMs":7,"aFieldFromTheFuture":true}"#;
        let gap: Gap = serde_json::from_str(value).expect("unknown fields are ignored");
        assert_eq!((gap.to, gap.records), (Some(9), None));
    }
}
