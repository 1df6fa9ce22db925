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
    /// Which run of the replicator wrote this: what a run wrote after it had lost the mirror to another is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Where in this topic the owner record stands by which that run took the mirror, or its part of it: of two runs, that
    /// with the greater one came later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<i64>,
    /// The producer that copies this partition exactly once; absent in at-least-once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub producer: Option<ProducerPosition>,
    /// Leader epoch on the source of the record before `offset`, by which a truncation of the
    /// source is noticed (KIP-320). Unknown at the start and right after a gap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader_epoch: Option<i32>,
    /// First offset that was copied of that epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader_epoch_start: Option<i64>,
    /// Why the run that wrote this stopped here and left the partition, in words; its next position takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}

/// Who writes a partition on the target, and which of its sequences belongs to [`Position::offset`]. With it a restart
/// can ask the target how much of the source is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProducerPosition {
    /// Producer id, this partition's for as long as the mirror lives.
    pub id: i64,
    /// Producer epoch.
    pub epoch: i16,
    /// Sequence of the first record at or after [`Position::offset`].
    pub sequence: i32,
    /// On the target no record at or after [`Position::offset`] lies before this target offset.
    pub target_offset: i64,
}

impl ProducerPosition {
    /// Id and epoch.
    pub(crate) fn identity(&self) -> kafka::ProducerIdentity {
        kafka::ProducerIdentity {
            id: self.id,
            epoch: self.epoch,
        }
    }
}

/// Record key of [`Owner`]: one a mirror and source cluster, and one for each of its tasks. JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OwnerKey {
    pub(crate) owner_of_mirror: String,
    pub(crate) source_cluster_id: String,
    /// Absent where the mirror is meant as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<u32>,
}

/// Record value: the run that a mirror, or one of its tasks, belongs to. The last one in the log wins; positions that others
/// write after it are ignored, and who reads that it is no longer the owner stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Owner {
    /// Random id of the run.
    pub(crate) instance: String,
    /// When it began, ms since the epoch.
    pub(crate) since_ms: i64,
    /// Into how many tasks it takes the mirror to be split; whoever takes it to be split otherwise has lost it.
    /// Absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tasks: Option<u32>,
}

/// Record key of [`Beat`]: one a mirror and source cluster, and one for each of its tasks. JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BeatKey {
    pub(crate) beat_of_mirror: String,
    pub(crate) source_cluster_id: String,
    /// Absent where the mirror is meant as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<u32>,
}

/// Record value: a sign of life of a run, for those that stand by. It takes nothing from anybody: whose a mirror is, owner
/// records say alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Beat {
    /// Random id of the run.
    pub(crate) instance: String,
    /// When, ms since the epoch: no two of a run are alike.
    pub(crate) at_ms: i64,
    /// It was the last one.
    #[serde(default)]
    pub(crate) ended: bool,
}

/// Record key of [`Worker`]: one a process that shares a mirror with others. JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WorkerKey {
    pub(crate) worker_of_mirror: String,
    pub(crate) source_cluster_id: String,
    /// Random id of the worker.
    pub(crate) worker: String,
}

/// Record value: a sign of life of a worker, whether it has tasks or waits for some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Worker {
    /// When, ms since the epoch: no two of a worker are alike.
    pub(crate) at_ms: i64,
    /// Into how many tasks it takes the mirror to be split: it can have none of another split.
    pub(crate) tasks: u32,
}

/// Record key of [`Start`]: one a partition that had no position yet when the first task found it. JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StartKey {
    pub(crate) start_of_mirror: String,
    pub(crate) source_cluster_id: String,
    pub(crate) topic: String,
    pub(crate) partition: i32,
}

/// Record value: where a partition of another task begins. Its position, once there is one, counts instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Start {
    /// First source offset to be copied.
    pub(crate) offset: i64,
    /// Topic id on the source.
    pub(crate) source_topic_id: String,
}

/// The format that this build writes. Version 1 has neither owner nor producer.
pub(crate) const VERSION: u32 = 2;

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
        assert_eq!(position.producer, None);
    }

    #[test]
    fn the_key_of_an_owner_is_not_that_of_a_position() {
        let key = OwnerKey {
            owner_of_mirror: "m".into(),
            source_cluster_id: "abc".into(),
            task: None,
        };
        let json = serde_json::to_string(&key).expect("json");
        assert_eq!(json, r#"{"ownerOfMirror":"m","sourceClusterId":"abc"}"#);
        assert!(serde_json::from_str::<PositionKey>(&json).is_err());
    }
}
