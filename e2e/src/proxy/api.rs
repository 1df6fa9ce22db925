//! The requests of Kafka's protocol, by name.

use std::fmt;

/// A kind of request. Keys and names are those of the protocol guide (<https://kafka.apache.org/protocol>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Api {
    key: i16,
    name: &'static str,
}

macro_rules! apis {
    ($($constant:ident $key:literal $name:literal),* $(,)?) => {
        impl Api {
            $(
                #[doc = concat!("`", $name, "`.")]
                pub const $constant: Self = Self { key: $key, name: $name };
            )*

            /// Every request that clients send.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];
        }
    };
}

apis! {
    PRODUCE 0 "Produce",
    FETCH 1 "Fetch",
    LIST_OFFSETS 2 "ListOffsets",
    METADATA 3 "Metadata",
    OFFSET_COMMIT 8 "OffsetCommit",
    OFFSET_FETCH 9 "OffsetFetch",
    FIND_COORDINATOR 10 "FindCoordinator",
    JOIN_GROUP 11 "JoinGroup",
    HEARTBEAT 12 "Heartbeat",
    LEAVE_GROUP 13 "LeaveGroup",
    SYNC_GROUP 14 "SyncGroup",
    API_VERSIONS 18 "ApiVersions",
    CREATE_TOPICS 19 "CreateTopics",
    DELETE_TOPICS 20 "DeleteTopics",
    INIT_PRODUCER_ID 22 "InitProducerId",
    OFFSET_FOR_LEADER_EPOCH 23 "OffsetForLeaderEpoch",
    ADD_PARTITIONS_TO_TXN 24 "AddPartitionsToTxn",
    ADD_OFFSETS_TO_TXN 25 "AddOffsetsToTxn",
    END_TXN 26 "EndTxn",
    TXN_OFFSET_COMMIT 28 "TxnOffsetCommit",
    DESCRIBE_CONFIGS 32 "DescribeConfigs",
    CREATE_PARTITIONS 37 "CreatePartitions",
    INCREMENTAL_ALTER_CONFIGS 44 "IncrementalAlterConfigs",
    DESCRIBE_CLUSTER 60 "DescribeCluster",
    DESCRIBE_PRODUCERS 61 "DescribeProducers",
}

impl Api {
    /// The request of this name, as the protocol writes it (`Produce`).
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|api| api.name == name)
    }

    pub(crate) fn of(key: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|api| api.key == key)
    }

    pub(crate) fn key(self) -> i16 {
        self.key
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
