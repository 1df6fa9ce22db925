//! What the records add up to, mirror by mirror.

use std::collections::BTreeMap;

use kafka::record::Record;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::json_key::json_key;
use crate::record::{BY_FILE, EndKey, EndRecord, StateKey, StateRecord, VERSION};

/// All mirrors that a cluster knows, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Register {
    mirrors: BTreeMap<String, Entry>,
}

/// One mirror.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its state; nothing where there never was a record, or where it was deleted.
    pub standing: Option<Standing>,
    /// Whether there was a record and somebody deleted it. The brokers forget that after a while (`delete.retention.ms`).
    pub deleted: bool,
    /// How far its promotion is, by id of the source cluster. [`Entry::end`] leaves out what belongs to an earlier one.
    pub ends: BTreeMap<String, EndRecord>,
}

/// What the state record of a mirror says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// This.
    Known {
        /// The record.
        record: StateRecord,
        /// Since when: the brokers' time of the record, ms since the epoch.
        since_ms: i64,
    },
    /// Something that this version does not understand.
    Unreadable {
        /// Why.
        reason: String,
        /// Whether a later version wrote it, as far as can be told.
        newer: bool,
    },
}

impl Register {
    /// What is known of this mirror.
    pub fn get(&self, mirror: &str) -> Option<&Entry> {
        self.mirrors.get(mirror)
    }

    /// The same as an owned value; an empty one where nothing is known.
    pub fn entry(&self, mirror: &str) -> Entry {
        self.get(mirror).cloned().unwrap_or_default()
    }

    /// Takes in the next record of the topic. One whose key is not ours is left alone.
    pub(crate) fn keep(&mut self, record: &Record) {
        let Some(key) = record.key.as_deref() else {
            return;
        };
        if let Some(StateKey { mirror }) = json_key(key) {
            let entry = self.mirrors.entry(mirror).or_default();
            entry.standing = record
                .value
                .as_deref()
                .map(|value| standing(value, record.timestamp));
            entry.deleted = record.value.is_none();
        } else if let Some(EndKey {
            end_of_mirror,
            source_cluster_id,
        }) = json_key(key)
        {
            let ends = &mut self.mirrors.entry(end_of_mirror).or_default().ends;
            // one that cannot be understood says nothing about the end
            match record.value.as_deref().map(understood::<EndRecord>) {
                Some(Ok(end)) => ends.insert(source_cluster_id, end),
                Some(Err(_)) | None => ends.remove(&source_cluster_id),
            };
        }
    }
}

impl Entry {
    /// How far the promotion of this source is, where the mirror is promoted and that one is under way or over.
    pub fn end(&self, source_cluster_id: &str) -> Option<&EndRecord> {
        let Some(Standing::Known { since_ms, .. }) = &self.standing else {
            return None;
        };
        let end = self.ends.get(source_cluster_id)?;
        (end.promoted_at_ms == *since_ms).then_some(end)
    }

    /// How the promotion of this source ended that a topology file alone had asked for, before any record did. The mirror may
    /// have run again since, which [`is_handed_over`](crate::is_handed_over) tells.
    pub fn end_by_file(&self, source_cluster_id: &str) -> Option<&EndRecord> {
        let end = self.ends.get(source_cluster_id)?;
        (end.ended && end.promoted_at_ms == BY_FILE).then_some(end)
    }
}

fn standing(value: &[u8], since_ms: i64) -> Standing {
    match understood(value) {
        Ok(record) => Standing::Known { record, since_ms },
        Err((reason, newer)) => Standing::Unreadable { reason, newer },
    }
}

/// What is read before the rest is believed.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn understood<T: DeserializeOwned>(value: &[u8]) -> Result<T, (String, bool)> {
    match serde_json::from_slice(value) {
        Ok(Version { version }) if version > VERSION => {
            let reason = format!("its format {version} is of a later version of mirrorctl");
            Err((reason, true))
        }
        Ok(Version { .. }) => {
            serde_json::from_slice(value).map_err(|error| (error.to_string(), false))
        }
        Err(error) => Err((error.to_string(), false)),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use topology::MirrorState;

    use super::*;

    fn record(key: &str, value: Option<&str>, timestamp: i64) -> Record {
        Record {
            offset_delta: 0,
            timestamp,
            key: Some(Bytes::from(key.to_owned())),
            value: value.map(|value| Bytes::from(value.to_owned())),
            headers: Vec::new(),
        }
    }

    fn kept(records: &[Record]) -> Entry {
        let mut register = Register::default();
        for record in records {
            register.keep(record);
        }
        register.entry("pay")
    }

    const PAY: &str = r#"{"mirror":"pay"}"#;
    const END: &str = r#"{"endOfMirror":"pay","sourceClusterId":"abc"}"#;

    #[test]
    fn the_last_record_counts_and_unknown_fields_do_not_matter() {
        let paused = r#"{"version":1,"state":"paused","sources":{"a":"abc"},"by":"x","more":[1]}"#;
        let entry = kept(&[
            record(PAY, Some(r#"{"version":1,"state":"running"}"#), 3),
            record(PAY, Some(paused), 7),
            record(
                r#"{"mirror":"other"}"#,
                Some(r#"{"version":1,"state":"promoted"}"#),
                8,
            ),
            record("noise", None, 9),
        ]);
        let Some(Standing::Known { record, since_ms }) = entry.standing else {
            panic!("{entry:?}");
        };
        assert_eq!((record.state, since_ms), (MirrorState::Paused, 7));
        assert_eq!(record.sources["a"].as_deref(), Some("abc"));
        assert!(!entry.deleted);
    }

    #[test]
    fn a_deleted_record_is_told_from_one_that_never_was() {
        let running = record(PAY, Some(r#"{"version":1,"state":"running"}"#), 3);
        let entry = kept(&[running, record(PAY, None, 4)]);
        assert_eq!((entry.standing, entry.deleted), (None, true));
        assert_eq!(kept(&[]), Entry::default());
    }

    #[test]
    fn what_cannot_be_understood_is_no_state() {
        for (value, later) in [
            ("", false),
            ("paused", false),
            (r#"{"state":"paused"}"#, false),
            (r#"{"version":1,"state":"halted"}"#, false),
            (r#"{"version":2,"state":"paused"}"#, true),
        ] {
            let entry = kept(&[record(PAY, Some(value), 3)]);
            let Some(Standing::Unreadable { newer, .. }) = entry.standing else {
                panic!("{value}: {entry:?}");
            };
            assert_eq!(newer, later, "{value}");
        }
    }

    const END_OF_FILE: &str =
        r#"{"version":1,"promotedAtMs":0,"source":"a","ended":DONE,"complete":true}"#;

    #[test]
    fn an_end_belongs_to_one_promotion() {
        let promoted = |at| record(PAY, Some(r#"{"version":1,"state":"promoted"}"#), at);
        let end = r#"{"version":1,"promotedAtMs":3,"source":"a","ended":true,"complete":true}"#;
        let entry = kept(&[promoted(3), record(END, Some(end), 4)]);
        assert!(entry.end("abc").is_some_and(|end| end.complete));
        assert_eq!(entry.end("def"), None);
        let again = kept(&[promoted(3), record(END, Some(end), 4), promoted(9)]);
        assert_eq!(again.end("abc"), None);
        let gone = kept(&[promoted(3), record(END, Some(end), 4), record(END, None, 5)]);
        assert_eq!(gone.end("abc"), None);
        assert_eq!(entry.end_by_file("abc"), None);
        // what the file alone asked for is no answer to a record
        let by_file = END_OF_FILE.replace("DONE", "true");
        let by_file = kept(&[record(END, Some(&by_file), 2), promoted(3)]);
        assert_eq!(by_file.end("abc"), None);
        assert!(by_file.end_by_file("abc").is_some_and(|end| end.complete));
        let begun = END_OF_FILE.replace("DONE", "false");
        assert_eq!(
            kept(&[record(END, Some(&begun), 2)]).end_by_file("abc"),
            None
        );
    }
}
