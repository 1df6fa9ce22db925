//! Who changed what, and when: a record on each cluster that an apply touched.

use bytes::Bytes;
use kafka::KeyedLog;
use kafka::record::Record;
use serde::{Deserialize, Serialize};

use super::event::ApplySummary;
use crate::change::Action;

/// The topic of the audit records: kept for ever, in the order of what happened.
pub const AUDIT: &str = "mirrorctl-audit.internal";
const CONFIGS: [(&str, &str); 4] = [
    ("cleanup.policy", "delete"),
    ("message.timestamp.type", "LogAppendTime"),
    ("retention.bytes", "-1"),
    ("retention.ms", "-1"),
];

/// One audit record: an apply began, or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Names the apply: its two records have the same.
    pub apply: String,
    /// `user@host`.
    pub who: String,
    /// The `mirrorctl` that did it.
    pub mirrorctl_version: String,
    /// Digest of what the topology declared.
    pub topology_digest: String,
    /// `metadata.name` of the topology; builds before this key left it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<String>,
    /// What it tells.
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// What an audit record tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AuditEvent {
    /// These changes are about to be made on this cluster.
    Started {
        /// Address and action of each.
        changes: Vec<AuditedChange>,
    },
    /// The apply ended. Without this record, it was killed.
    Finished {
        /// `done`, or why it stopped.
        outcome: String,
        /// What was done, by address.
        applied: Vec<String>,
        /// What somebody, or an apply that was interrupted, had done before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        already_done: Vec<String>,
        /// What may be half done.
        unfinished: Vec<String>,
        /// What was not begun.
        not_started: Vec<String>,
    },
}

/// One change of an apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditedChange {
    /// Address of the resource.
    pub address: String,
    /// What is done to it.
    pub action: Action,
}

/// Writes the records of one apply on one cluster.
#[derive(Debug)]
pub(crate) struct Audit {
    log: KeyedLog,
    template: AuditRecord,
}

impl Audit {
    /// Writes that the apply begins; creates the topic where it is missing.
    pub(crate) async fn started(
        cluster: &kafka::Cluster,
        started: AuditRecord,
    ) -> Result<Self, kafka::Error> {
        let log = KeyedLog::new(cluster.clone(), AUDIT);
        log.ensure(&CONFIGS).await?;
        log.append(&[record(&started)]).await?;
        Ok(Self {
            log,
            template: started,
        })
    }

    /// Writes how it ended, as far as this cluster is concerned.
    pub(crate) async fn finished(
        self,
        outcome: String,
        summary: &ApplySummary,
    ) -> Result<(), kafka::Error> {
        let AuditEvent::Started { changes } = &self.template.event else {
            return Ok(());
        };
        let here = |addresses: &[String]| -> Vec<String> {
            addresses
                .iter()
                .filter(|address| changes.iter().any(|change| change.address == **address))
                .cloned()
                .collect()
        };
        let unfinished: Vec<String> = summary
            .unfinished
            .iter()
            .map(|unfinished| unfinished.address.clone())
            .collect();
        let finished = AuditRecord {
            event: AuditEvent::Finished {
                outcome,
                applied: here(&summary.applied),
                already_done: here(&summary.already_done),
                unfinished: here(&unfinished),
                not_started: here(&summary.not_started),
            },
            ..self.template.clone()
        };
        self.log.append(&[record(&finished)]).await
    }
}

/// Every audit record of a cluster, the oldest first, each with its time in milliseconds since 1970 UTC. What a later
/// version wrote and this one cannot read is left out.
pub async fn history(cluster: &kafka::Cluster) -> Result<Vec<(i64, AuditRecord)>, kafka::Error> {
    let mut history = Vec::new();
    KeyedLog::new(cluster.clone(), AUDIT)
        .read(|record| {
            let value = record.value.as_deref().map(serde_json::from_slice);
            if let Some(Ok(value)) = value {
                history.push((record.timestamp, value));
            }
        })
        .await?;
    Ok(history)
}

fn record(audited: &AuditRecord) -> Record {
    Record {
        offset_delta: 0,
        timestamp: 0,
        key: Some(Bytes::from(audited.apply.clone())),
        // text and lists of text: serialisation has no way to fail
        value: Some(Bytes::from(serde_json::to_vec(audited).unwrap_or_default())),
        headers: Vec::new(),
    }
}
