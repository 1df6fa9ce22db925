//! A record as a reader sees it, its hash, and how two records are told apart in words.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

/// Where the timestamp of a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimestampKind {
    /// Set by the producer.
    Create,
    /// Set by the broker when it appended the record.
    LogAppend,
    /// The record has none.
    Absent,
}

/// A record's timestamp, in milliseconds since the Unix epoch (−1 when absent), and its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timestamp {
    /// Milliseconds since the Unix epoch.
    pub millis: i64,
    /// Who set it.
    pub kind: TimestampKind,
}

impl Timestamp {
    /// A timestamp set by the producer.
    pub fn create(millis: i64) -> Self {
        Self {
            millis,
            kind: TimestampKind::Create,
        }
    }
}

/// A header as read: its name and its value, where `None` (null) is not the same as empty.
pub type HeaderView<'a> = (&'a str, Option<&'a [u8]>);

/// A borrowed record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// The key; `None` is null, which is not empty.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is null (a tombstone), which is not empty.
    pub value: Option<&'a [u8]>,
    /// Headers in order, names may repeat.
    pub headers: Vec<HeaderView<'a>>,
    /// The timestamp and its kind.
    pub timestamp: Timestamp,
}

/// An owned record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The key; `None` is null.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is null.
    pub value: Option<Vec<u8>>,
    /// Headers in order, names may repeat.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// The timestamp and its kind.
    pub timestamp: Timestamp,
}

impl Record {
    /// Borrows the record.
    pub fn view(&self) -> RecordView<'_> {
        RecordView {
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_deref()))
                .collect(),
            timestamp: self.timestamp,
        }
    }
}

impl RecordView<'_> {
    /// Copies the record.
    pub(crate) fn to_record(&self) -> Record {
        Record {
            key: self.key.map(<[u8]>::to_vec),
            value: self.value.map(<[u8]>::to_vec),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.map(<[u8]>::to_vec)))
                .collect(),
            timestamp: self.timestamp,
        }
    }
}

/// Hashes records with xxh3-128; keeps one scratch buffer so that hashing does not allocate.
#[derive(Debug, Default)]
pub(crate) struct RecordHasher {
    scratch: Vec<u8>,
}

impl RecordHasher {
    /// The hash of key, value and headers in order; null, empty and absent all differ.
    pub(crate) fn content(
        &mut self,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[HeaderView<'_>],
    ) -> u128 {
        self.encode(key, value, headers);
        XxHash3_128::oneshot(&self.scratch)
    }

    /// As [`Self::content`], with a timestamp in milliseconds.
    pub(crate) fn content_at(
        &mut self,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[HeaderView<'_>],
        millis: i64,
    ) -> u128 {
        self.encode(key, value, headers);
        self.scratch.extend_from_slice(&millis.to_be_bytes());
        XxHash3_128::oneshot(&self.scratch)
    }

    fn encode(&mut self, key: Option<&[u8]>, value: Option<&[u8]>, headers: &[HeaderView<'_>]) {
        self.scratch.clear();
        self.put(key);
        self.put(value);
        self.scratch
            .extend_from_slice(&(headers.len() as u64).to_be_bytes());
        for (name, value) in headers {
            self.put(Some(name.as_bytes()));
            self.put(*value);
        }
    }

    // length first, so that no two different records encode alike; null has a length of its own
    fn put(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            None => self.scratch.extend_from_slice(&u64::MAX.to_be_bytes()),
            Some(bytes) => {
                self.scratch
                    .extend_from_slice(&(bytes.len() as u64).to_be_bytes());
                self.scratch.extend_from_slice(bytes);
            }
        }
    }
}

/// What differs first between two records, in words: what was expected and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The field and its expected content.
    pub(crate) expected: String,
    /// The field and the content found.
    pub(crate) found: String,
}

/// The first difference in key, value or headers (not in the timestamp), if there is one.
pub(crate) fn content_difference(
    expected: &RecordView<'_>,
    found: &RecordView<'_>,
) -> Option<Difference> {
    if let Some(difference) = field_difference("key", expected.key, found.key) {
        return Some(difference);
    }
    if let Some(difference) = field_difference("value", expected.value, found.value) {
        return Some(difference);
    }
    for (index, (wanted, got)) in expected.headers.iter().zip(&found.headers).enumerate() {
        if wanted.0 != got.0 {
            return Some(Difference {
                expected: format!("header {index} named {:?}", wanted.0),
                found: format!("header {index} named {:?}", got.0),
            });
        }
        let field = format!("header {index} {:?}", wanted.0);
        if let Some(difference) = field_difference(&field, wanted.1, got.1) {
            return Some(difference);
        }
    }
    (expected.headers.len() != found.headers.len()).then(|| Difference {
        expected: format!(
            "{} headers ({})",
            expected.headers.len(),
            names(&expected.headers)
        ),
        found: format!(
            "{} headers ({})",
            found.headers.len(),
            names(&found.headers)
        ),
    })
}

fn names(headers: &[HeaderView<'_>]) -> String {
    let names: Vec<&str> = headers.iter().map(|header| header.0).collect();
    names.join(", ")
}

fn field_difference(
    field: &str,
    expected: Option<&[u8]>,
    found: Option<&[u8]>,
) -> Option<Difference> {
    if expected == found {
        return None;
    }
    let at = match (expected, found) {
        (Some(expected), Some(found)) => expected
            .iter()
            .zip(found)
            .position(|(a, b)| a != b)
            .unwrap_or(expected.len().min(found.len())),
        (None, _) | (_, None) => 0,
    };
    Some(Difference {
        expected: format!("{field} {}", excerpt(expected, at)),
        found: format!("{field} {}", excerpt(found, at)),
    })
}

/// At most sixteen bytes of a field from `at` on, in hexadecimal, with its length.
fn excerpt(bytes: Option<&[u8]>, at: usize) -> String {
    const SHOWN: usize = 16;
    let Some(bytes) = bytes else {
        return "null".to_owned();
    };
    if bytes.is_empty() {
        return "empty".to_owned();
    }
    let mut text = format!("of {} bytes", bytes.len());
    if at < bytes.len() {
        let end = bytes.len().min(at + SHOWN);
        let _ = write!(text, ", from byte {at}: ");
        for byte in &bytes[at..end] {
            let _ = write!(text, "{byte:02x}");
        }
        if end < bytes.len() {
            text.push('…');
        }
    }
    text
}

/// A timestamp in words.
pub(crate) fn describe_timestamp(timestamp: Timestamp) -> String {
    match timestamp.kind {
        TimestampKind::Create => format!("create time {}", timestamp.millis),
        TimestampKind::LogAppend => format!("log-append time {}", timestamp.millis),
        TimestampKind::Absent => "no timestamp".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            key: Some(b"k".to_vec()),
            value: Some(b"value".to_vec()),
            headers: vec![("a".into(), Some(vec![1])), ("a".into(), None)],
            timestamp: Timestamp::create(5),
        }
    }

    fn hash(record: &Record) -> u128 {
        let view = record.view();
        RecordHasher::default().content_at(
            view.key,
            view.value,
            &view.headers,
            view.timestamp.millis,
        )
    }

    #[test]
    fn every_field_changes_the_hash_and_is_named() {
        type Change = fn(&mut Record);
        let changes: [(&str, Change); 9] = [
            ("key null", |r| r.key = None),
            ("key empty", |r| r.key = Some(vec![])),
            ("value null", |r| r.value = None),
            ("value of 5 bytes", |r| r.value = Some(b"valuE".to_vec())),
            ("value of 6 bytes", |r| r.value = Some(b"value1".to_vec())),
            ("header 0 named \"b\"", |r| r.headers[0].0 = "b".into()),
            ("header 1 \"a\" empty", |r| r.headers[1].1 = Some(vec![])),
            ("header 0 \"a\" null", |r| r.headers.swap(0, 1)),
            ("1 headers (a)", |r| drop(r.headers.pop())),
        ];
        for (words, change) in changes {
            let mut altered = record();
            change(&mut altered);
            assert_ne!(hash(&record()), hash(&altered), "{words}");
            let found = content_difference(&record().view(), &altered.view()).map(|d| d.found);
            assert!(
                found.as_deref().is_some_and(|f| f.starts_with(words)),
                "{words}: {found:?}"
            );
        }
        let mut later = record();
        later.timestamp.millis = 6;
        assert_ne!(hash(&record()), hash(&later));
        assert_eq!(content_difference(&record().view(), &later.view()), None);
    }

    #[test]
    fn bytes_do_not_slide_between_fields() {
        let mut hasher = RecordHasher::default();
        let one = hasher.content(Some(b"ab"), Some(b"c"), &[]);
        let two = hasher.content(Some(b"a"), Some(b"bc"), &[]);
        assert_ne!(one, two);
    }
}
