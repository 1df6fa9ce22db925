//! What is kept of a record while two partitions are walked side by side.

use serde::{Deserialize, Serialize};

use crate::record::{RecordHasher, RecordView, Timestamp, TimestampKind};

/// What has to be equal about timestamps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimestampRule {
    /// The milliseconds and the type (create time or log-append time).
    #[default]
    Exact,
    /// The milliseconds; the type may differ.
    Millis,
    /// Nothing.
    Ignore,
}

/// A record reduced to its hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) offset: i64,
    /// Hash of key, value and headers in order.
    pub(crate) content: u128,
    /// Hash of everything that has to be equal.
    pub(crate) identity: u128,
    pub(crate) timestamp: Timestamp,
}

impl Entry {
    pub(crate) fn new(
        hasher: &mut RecordHasher,
        rule: TimestampRule,
        offset: i64,
        record: &RecordView<'_>,
    ) -> Self {
        let content = hasher.content(record.key, record.value, &record.headers);
        let timestamp = record.timestamp;
        Self {
            offset,
            content,
            identity: identity(content, timestamp, rule),
            timestamp,
        }
    }
}

fn identity(content: u128, timestamp: Timestamp, rule: TimestampRule) -> u128 {
    let kind: u8 = match (rule, timestamp.kind) {
        (TimestampRule::Ignore, _) => return content,
        (TimestampRule::Millis, _) => 0,
        (TimestampRule::Exact, TimestampKind::Create) => 1,
        (TimestampRule::Exact, TimestampKind::LogAppend) => 2,
        (TimestampRule::Exact, TimestampKind::Absent) => 3,
    };
    let mut bytes = [0; 25];
    bytes[..16].copy_from_slice(&content.to_be_bytes());
    bytes[16..24].copy_from_slice(&timestamp.millis.to_be_bytes());
    bytes[24] = kind;
    twox_hash::XxHash3_128::oneshot(&bytes)
}
