//! Reading the topic and appending to it.

use bytes::Bytes;
use kafka::record::Record;
use kafka::{Cluster, Error, KeyedLog, Mark};
use serde::Serialize;

use crate::entry::Register;
use crate::record::{EndKey, EndRecord, MIRRORS_TOPIC, StateKey, StateRecord};

/// The brokers' time says since when a state holds.
const CONFIGS: [(&str, &str); 2] = [
    ("cleanup.policy", "compact"),
    ("message.timestamp.type", "LogAppendTime"),
];

/// The register of one cluster, which need not have one yet.
#[derive(Debug, Clone)]
pub struct RegisterLog {
    log: KeyedLog,
}

impl RegisterLog {
    /// The register of this cluster.
    pub fn new(cluster: Cluster) -> Self {
        Self {
            log: KeyedLog::new(cluster, MIRRORS_TOPIC),
        }
    }

    /// How far it is written: a small request, to decide whether reading it is worth while. Cancel safe.
    pub async fn mark(&self) -> Result<Mark, Error> {
        self.log.mark().await
    }

    /// All that it says; nothing where there is no topic, which is not created. Cancel safe.
    pub async fn read(&self) -> Result<Register, Error> {
        let mut register = Register::default();
        self.log.read(|record| register.keep(record)).await?;
        Ok(register)
    }

    /// Sets the state of a mirror, durably once this returns `Ok`; the topic is made where it is missing.
    pub async fn set(&self, mirror: &str, record: &StateRecord) -> Result<(), Error> {
        self.log.ensure(&CONFIGS).await?;
        let record = keyed(&state_key(mirror), Some(record))?;
        self.log.append(&[record]).await
    }

    /// Deletes what is known of a mirror, its promotions from these source clusters included.
    pub async fn delete(
        &self,
        mirror: &str,
        source_cluster_ids: impl IntoIterator<Item = &String>,
    ) -> Result<(), Error> {
        let mut records = vec![keyed(&state_key(mirror), None::<&StateRecord>)?];
        for id in source_cluster_ids {
            records.push(keyed(&end_key(mirror, id), None::<&EndRecord>)?);
        }
        self.log.append(&records).await
    }

    /// Says how far the promotion of a mirror is; the topic is made where it is missing.
    pub async fn end(
        &self,
        mirror: &str,
        source_cluster_id: &str,
        end: &EndRecord,
    ) -> Result<(), Error> {
        self.log.ensure(&CONFIGS).await?;
        let record = keyed(&end_key(mirror, source_cluster_id), Some(end))?;
        self.log.append(&[record]).await
    }
}

fn state_key(mirror: &str) -> StateKey {
    StateKey {
        mirror: mirror.to_owned(),
    }
}

fn end_key(mirror: &str, source_cluster_id: &str) -> EndKey {
    EndKey {
        end_of_mirror: mirror.to_owned(),
        source_cluster_id: source_cluster_id.to_owned(),
    }
}

fn keyed<K: Serialize, V: Serialize>(key: &K, value: Option<&V>) -> Result<Record, Error> {
    Ok(Record {
        offset_delta: 0,
        // the brokers put theirs in its place
        timestamp: 0,
        key: Some(json(key)?),
        value: value.map(json).transpose()?,
        headers: Vec::new(),
    })
}

fn json(value: &impl Serialize) -> Result<Bytes, Error> {
    let bytes = serde_json::to_vec(value).map_err(|error| Error::Malformed {
        address: "this client".to_owned(),
        what: "record of a mirror",
        detail: error.to_string(),
    })?;
    Ok(bytes.into())
}
