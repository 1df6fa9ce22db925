//! One record as a reader sees it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rdkafka::Timestamp;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

/// Everything about a record that a mirror must keep; the offset is where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it was found.
    pub offset: i64,
    /// `None` is null.
    pub key: Option<Vec<u8>>,
    /// `None` is null.
    pub value: Option<Vec<u8>>,
    /// In their order; names may come twice.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Its time, and whose.
    pub timestamp: Timestamp,
}

impl Record {
    pub(crate) fn of(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            headers
                .iter()
                .map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec)))
                .collect()
        });
        Self {
            offset: message.offset(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers,
            timestamp: message.timestamp(),
        }
    }

    /// The same wherever it lies: with offset 0.
    #[must_use]
    pub fn anywhere(self) -> Self {
        Self { offset: 0, ..self }
    }

    /// The value of its first header of this name, as text.
    pub fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        Some(String::from_utf8_lossy(value.as_deref()?).into_owned())
    }

    /// What differs between this record, the expected one, and another; `None` when nothing does.
    pub(crate) fn first_difference(&self, found: &Self) -> Option<String> {
        let differs = |what: &str, expected: String, found: String| {
            Some(format!("{what}: expected {expected}, found {found}"))
        };
        if self.key != found.key {
            differs("key", show(self.key.as_deref()), show(found.key.as_deref()))
        } else if self.value != found.value {
            differs(
                "value",
                show(self.value.as_deref()),
                show(found.value.as_deref()),
            )
        } else if self.headers != found.headers {
            differs("headers", self.show_headers(), found.show_headers())
        } else if self.timestamp == found.timestamp {
            None
        } else {
            differs(
                "timestamp",
                format!("{:?}", self.timestamp),
                format!("{:?}", found.timestamp),
            )
        }
    }

    /// Equal for records that differ in nothing but their offset.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.key.hash(&mut hasher);
        self.value.hash(&mut hasher);
        self.headers.hash(&mut hasher);
        match self.timestamp {
            Timestamp::NotAvailable => 0u8.hash(&mut hasher),
            Timestamp::CreateTime(at) => (1u8, at).hash(&mut hasher),
            Timestamp::LogAppendTime(at) => (2u8, at).hash(&mut hasher),
        }
        hasher.finish()
    }

    /// The record in a few words.
    pub(crate) fn show(&self) -> String {
        let (key, value) = (show(self.key.as_deref()), show(self.value.as_deref()));
        format!(
            "key {key}, value {value}, headers {}, {:?}",
            self.show_headers(),
            self.timestamp
        )
    }

    fn show_headers(&self) -> String {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(key, value)| format!("{key}={}", show(value.as_deref())))
            .collect();
        format!("[{}]", headers.join(", "))
    }
}

/// Bytes for a person: `null` is not the empty string.
fn show(bytes: Option<&[u8]>) -> String {
    const SHOWN: usize = 40;
    let Some(bytes) = bytes else {
        return "null".to_owned();
    };
    let start = &bytes[..bytes.len().min(SHOWN)];
    let text = String::from_utf8_lossy(start);
    if bytes.len() > SHOWN {
        format!("{text:?}… ({} bytes)", bytes.len())
    } else {
        format!("{text:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            offset: 1,
            key: Some(b"k".to_vec()),
            value: None,
            headers: vec![("h".to_owned(), None)],
            timestamp: Timestamp::CreateTime(5),
        }
    }

    #[test]
    fn each_part_of_a_record_counts() {
        let original = record();
        let cases = [
            (
                "key",
                Record {
                    key: None,
                    ..record()
                },
            ),
            (
                "key",
                Record {
                    key: Some(Vec::new()),
                    ..record()
                },
            ),
            (
                "value",
                Record {
                    value: Some(Vec::new()),
                    ..record()
                },
            ),
            (
                "headers",
                Record {
                    headers: Vec::new(),
                    ..record()
                },
            ),
            (
                "headers",
                Record {
                    headers: vec![("h".to_owned(), Some(Vec::new()))],
                    ..record()
                },
            ),
            (
                "timestamp",
                Record {
                    timestamp: Timestamp::CreateTime(6),
                    ..record()
                },
            ),
            (
                "timestamp",
                Record {
                    timestamp: Timestamp::LogAppendTime(5),
                    ..record()
                },
            ),
        ];
        for (part, changed) in cases {
            let difference = original.first_difference(&changed).expect(part);
            assert!(difference.starts_with(part), "{difference}");
            assert_ne!(original.fingerprint(), changed.fingerprint(), "{part}");
        }
    }

    #[test]
    fn the_offset_does_not_count() {
        let moved = Record {
            offset: 99,
            ..record()
        };
        assert_eq!(record().first_difference(&moved), None);
        assert_eq!(record().fingerprint(), moved.fingerprint());
    }
}
