//! One line of a workload file: a JSON object that says a record.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};

use crate::stamp::STAMP_HEADER;

/// librdkafka takes no larger record from the writer.
const MOST_BYTES: usize = 15 * 1024 * 1024;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
    /// In milliseconds since the epoch.
    pub(crate) timestamp: Option<i64>,
    pub(crate) partition: Option<u32>,
}

/// Why a line says no record.
#[derive(Debug)]
pub(crate) struct Wrong {
    /// From 1.
    pub(crate) column: usize,
    pub(crate) reason: String,
}

/// The line as it is written. What is absent is null.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "camelCase",
    expecting = "a JSON object"
)]
struct Written {
    key: Option<String>,
    #[serde(default, deserialize_with = "decoded")]
    key_base64: Option<Vec<u8>>,
    value: Option<String>,
    #[serde(default, deserialize_with = "decoded")]
    value_base64: Option<Vec<u8>>,
    #[serde(default)]
    headers: Vec<WrittenHeader>,
    timestamp: Option<i64>,
    partition: Option<i64>,
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "camelCase",
    expecting = "a header as {\"name\": …, \"value\": …}"
)]
struct WrittenHeader {
    name: String,
    value: Option<String>,
    #[serde(default, deserialize_with = "decoded")]
    value_base64: Option<Vec<u8>>,
}

fn decoded<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    STANDARD
        .decode(&text)
        .map(Some)
        .map_err(|error| serde::de::Error::custom(format!("no base64: {error}")))
}

/// Reads a line that is not empty, for a topic with this many partitions.
pub(crate) fn read_line(line: &[u8], partitions: u64) -> Result<Content, Wrong> {
    let written: Written = serde_json::from_slice(line).map_err(|error| Wrong {
        column: error.column(),
        reason: without_place(&error.to_string()),
    })?;
    let at = |field: &str, reason: String| Wrong {
        column: column_of(line, field),
        reason,
    };
    let key = one_of(written.key, written.key_base64)
        .ok_or_else(|| at("keyBase64", "key is given twice".to_owned()))?;
    let value = one_of(written.value, written.value_base64)
        .ok_or_else(|| at("valueBase64", "value is given twice".to_owned()))?;
    let mut headers = Vec::with_capacity(written.headers.len());
    for header in written.headers {
        let named = &header.name;
        if named == STAMP_HEADER {
            let reason = format!("{STAMP_HEADER} is the judge's own header");
            return Err(at("headers", reason));
        }
        let Some(value) = one_of(header.value, header.value_base64) else {
            let reason = format!("the value of header {named} is given twice");
            return Err(at("headers", reason));
        };
        headers.push((header.name, value));
    }
    if let Some(millis) = written.timestamp.filter(|millis| *millis < 0) {
        let reason = format!("{millis} is a time before 1970, which Kafka does not know");
        return Err(at("timestamp", reason));
    }
    let partition = match written.partition {
        None => None,
        Some(number) => match u32::try_from(number) {
            Ok(it) if u64::from(it) < partitions => Some(it),
            Ok(_) | Err(_) => {
                let reason = format!("partition {number} of a topic with {partitions} partitions");
                return Err(at("partition", reason));
            }
        },
    };
    let content = Content {
        key,
        value,
        headers,
        timestamp: written.timestamp,
        partition,
    };
    let bytes = content.bytes();
    if bytes > MOST_BYTES {
        return Err(Wrong {
            column: 1,
            reason: format!("a record of {bytes} bytes; {MOST_BYTES} are the most"),
        });
    }
    Ok(content)
}

impl Content {
    fn bytes(&self) -> usize {
        let of = |part: &Option<Vec<u8>>| part.as_ref().map_or(0, Vec::len);
        let headers = self.headers.iter().map(|it| it.0.len() + of(&it.1));
        of(&self.key) + of(&self.value) + headers.sum::<usize>()
    }
}

/// The bytes of a field that may be written in two ways; `None` where it is written in both.
#[expect(
    clippy::option_option,
    reason = "a null is a value, and two values are none"
)]
fn one_of(text: Option<String>, bytes: Option<Vec<u8>>) -> Option<Option<Vec<u8>>> {
    match (text, bytes) {
        (Some(_), Some(_)) => None,
        (Some(text), None) => Some(Some(text.into_bytes())),
        (None, bytes) => Some(bytes),
    }
}

/// The place is told apart from the reason: a line of ours is line 1 of what was parsed.
fn without_place(said: &str) -> String {
    said.split(" at line ").next().unwrap_or(said).to_owned()
}

/// Where a field is named; the first column where it cannot be found.
fn column_of(line: &[u8], field: &str) -> usize {
    let wanted = format!("\"{field}\"");
    let found = line
        .windows(wanted.len())
        .position(|part| part == wanted.as_bytes());
    found.unwrap_or(0) + 1
}
