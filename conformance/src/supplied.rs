//! Records of a user's own file as a workload: JSON lines, read whole before anything is written.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twox_hash::{XxHash3_64, XxHash3_128};

use crate::Error;
use crate::stamp::RecordId;
use crate::supplied_line::{Content, read_line};

/// The file is kept in memory, because any record of it has to be made again; with the other memory of the judge this stays
/// below 256 MiB.
const MOST_BYTES: u64 = 96 * 1024 * 1024;

/// Which file the records of a workload come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppliedFile {
    /// Where it is.
    pub path: PathBuf,
    /// xxh3-128 of its bytes, as hexadecimal digits: the judge must read the same file as the writer.
    pub digest: String,
}

/// A line of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    /// First byte of the line in the file.
    at: u32,
    /// In milliseconds since the epoch; below zero where the line names none.
    timestamp: i64,
}

/// The records of a file, each with its place in a stream.
#[derive(Clone, PartialEq, Eq)]
pub struct SuppliedRecords {
    file: SuppliedFile,
    text: Vec<u8>,
    /// The stream of each record, in the order of the file.
    order: Vec<u32>,
    /// The records of each stream.
    streams: Vec<Vec<Line>>,
}

/// The text would be of no use in a log.
impl fmt::Debug for SuppliedRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuppliedRecords")
            .field("file", &self.file)
            .field("records", &self.order.len())
            .finish_non_exhaustive()
    }
}

impl SuppliedRecords {
    /// Reads every line of a file and gives each record its partition: the one it names, or the one that its key decides, or, without
    /// a key, the next one by turns. The first line that is wrong is an error, with its line and column.
    pub fn read(path: &Path, partitions: i32) -> Result<Self, Error> {
        let unread = |source| Error::WorkloadFile {
            path: path.to_owned(),
            source,
        };
        let whole = fs::canonicalize(path).map_err(unread)?;
        let bytes = fs::metadata(&whole).map_err(unread)?.len();
        if bytes > MOST_BYTES {
            return Err(Error::Invalid(format!(
                "{} has {bytes} bytes; a workload file may have {MOST_BYTES} at most, because the judge keeps it in memory",
                path.display()
            )));
        }
        let text = fs::read(&whole).map_err(unread)?;
        let digest = format!("{:032x}", XxHash3_128::oneshot(&text));
        let mut records = Self {
            file: SuppliedFile {
                path: whole,
                digest,
            },
            text: Vec::new(),
            order: Vec::new(),
            streams: vec![Vec::new(); usize::try_from(partitions).unwrap_or(0)],
        };
        records.take(path, text)?;
        if records.order.is_empty() {
            return Err(Error::Invalid(format!(
                "{} holds no record: one JSON object a line",
                path.display()
            )));
        }
        Ok(records)
    }

    /// Reads the file of a journal again, which must not have changed.
    pub(crate) fn again(file: &SuppliedFile, partitions: i32) -> Result<Self, Error> {
        let found = Self::read(&file.path, partitions)?;
        if found.file.digest == file.digest {
            Ok(found)
        } else {
            Err(Error::WorkloadChanged {
                path: file.path.clone(),
            })
        }
    }

    fn take(&mut self, path: &Path, text: Vec<u8>) -> Result<(), Error> {
        let partitions = self.streams.len() as u64;
        let (mut at, mut turn) = (0, 0);
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let begins = at;
            at += line.len() + 1;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let content = read_line(line, partitions).map_err(|wrong| Error::WorkloadLine {
                path: path.to_owned(),
                line: number + 1,
                column: wrong.column,
                reason: wrong.reason,
            })?;
            let partition = match (content.partition, &content.key) {
                (Some(partition), _) => u64::from(partition),
                (None, Some(key)) => XxHash3_64::oneshot(key) % partitions,
                (None, None) => {
                    turn += 1;
                    (turn - 1) % partitions
                }
            };
            self.order.push(partition as u32);
            self.streams[partition as usize].push(Line {
                at: begins as u32,
                timestamp: content.timestamp.unwrap_or(-1),
            });
        }
        self.text = text;
        Ok(())
    }

    /// Which file this is.
    pub(crate) fn file(&self) -> &SuppliedFile {
        &self.file
    }

    /// How many records there are.
    pub(crate) fn records(&self) -> u64 {
        self.order.len() as u64
    }

    /// How many records a stream has.
    pub(crate) fn stream_length(&self, stream: u32) -> u64 {
        self.streams.get(stream as usize).map_or(0, Vec::len) as u64
    }

    /// The stream of a record, by its place in the file.
    pub(crate) fn stream_at(&self, place: u64) -> u32 {
        self.order.get(place as usize).copied().unwrap_or_default()
    }

    /// The create time that a record names.
    pub(crate) fn timestamp(&self, id: RecordId) -> Option<i64> {
        self.line(id)
            .map(|line| line.timestamp)
            .filter(|it| *it >= 0)
    }

    /// Key, value and headers; `None` for a record that is not in the file.
    pub(crate) fn content(&self, id: RecordId) -> Option<Content> {
        let rest = &self.text[self.line(id)?.at as usize..];
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or(rest);
        // it could be read before
        read_line(line, self.streams.len() as u64).ok()
    }

    fn line(&self, id: RecordId) -> Option<&Line> {
        let stream = self.streams.get(id.stream as usize)?;
        stream.get(usize::try_from(id.sequence).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<SuppliedRecords, Error> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("records.jsonl");
        fs::write(&path, text).expect("written");
        SuppliedRecords::read(&path, 3)
    }

    fn id(stream: u32, sequence: u64) -> RecordId {
        RecordId { stream, sequence }
    }

    #[test]
    fn each_record_has_a_place_and_can_be_made_again() {
        let text = br#"{"key":"k","value":"one","timestamp":1700000000000,"partition":2}

{"value":"two"}
{"key":"k","value":null,"partition":2,"headers":[{"name":"h","value":"x"},{"name":"h"}]}
{"keyBase64":"AP8=","valueBase64":""}
{}
"#;
        let records = read(text).expect("fine");
        assert_eq!(records.records(), 5);
        let lengths: Vec<u64> = (0..3).map(|it| records.stream_length(it)).collect();
        assert_eq!(lengths.iter().sum::<u64>(), 5);
        assert_eq!(records.stream_at(0), 2);
        let first = records.content(id(2, 0)).expect("there");
        assert_eq!(first.key.as_deref(), Some(b"k".as_slice()));
        assert_eq!(first.value.as_deref(), Some(b"one".as_slice()));
        assert_eq!(records.timestamp(id(2, 0)), Some(1_700_000_000_000));
        let second = records.content(id(2, 1)).expect("there");
        assert_eq!(second.value, None);
        assert_eq!(
            second.headers,
            [
                ("h".to_owned(), Some(b"x".to_vec())),
                ("h".to_owned(), None)
            ]
        );
        assert_eq!(records.timestamp(id(2, 1)), None);
        // without a key by turns: the second line and the last
        assert_eq!((records.stream_at(1), records.stream_at(4)), (0, 1));
        let bytes = records.content(id(records.stream_at(3), 0));
        let binary = |content: &Content| content.key.as_deref() == Some([0, 0xff].as_slice());
        let by_key = (0..3).flat_map(|stream| (0..3).map(move |sequence| id(stream, sequence)));
        let found = by_key.filter_map(|id| records.content(id)).find(binary);
        assert_eq!(found.expect("decoded").value, Some(Vec::new()));
        assert!(bytes.is_some());
        assert_eq!(records.content(id(0, 99)), None);
    }

    #[test]
    fn records_of_a_key_share_a_partition() {
        let lines: Vec<String> = (0..50)
            .map(|number| format!("{{\"key\":\"k{}\",\"value\":\"{number}\"}}", number % 5))
            .collect();
        let lines = lines.join("\n");
        let records = read(lines.as_bytes()).expect("fine");
        for key in 0..5 {
            let streams: Vec<u32> = (0..10)
                .map(|turn| records.stream_at(turn * 5 + key))
                .collect();
            assert!(streams.iter().all(|it| *it == streams[0]), "{streams:?}");
        }
    }

    #[test]
    fn the_first_wrong_line_is_named_with_its_column() {
        let cases: [(&str, usize, usize, &str); 9] = [
            ("{\"value\":\"a\"}\n{\"value\":}\n", 2, 10, "expected value"),
            ("{\"valu\":\"a\"}", 1, 7, "unknown field `valu`"),
            (
                "\n\n{\"value\":5}",
                3,
                10,
                "invalid type: integer `5`, expected a string",
            ),
            (
                "{\"value\":\"a\",\"partition\":3}",
                1,
                14,
                "partition 3 of a topic with 3 partitions",
            ),
            (
                "{\"value\":\"a\",\"valueBase64\":\"YQ==\"}",
                1,
                14,
                "value is given twice",
            ),
            ("{\"keyBase64\":\"a-\"}", 1, 18, "no base64"),
            ("{\"timestamp\":-5}", 1, 2, "a time before 1970"),
            (
                "{\"headers\":[{\"name\":\"mirrorctl-stamp\"}]}",
                1,
                2,
                "the judge's own header",
            ),
            ("{\"value\":\"a\"} x", 1, 15, "trailing characters"),
        ];
        for (text, line, column, reason) in cases {
            let Err(Error::WorkloadLine {
                line: found_line,
                column: found_column,
                reason: found,
                ..
            }) = read(text.as_bytes())
            else {
                panic!("{text} was read");
            };
            assert_eq!(
                (found_line, found_column),
                (line, column),
                "{text}: {found}"
            );
            assert!(found.contains(reason), "{text}: {found}");
            assert!(!found.contains("at line"), "{found}");
        }
        assert!(matches!(read(b"\n\n"), Err(Error::Invalid(_))));
    }

    #[test]
    fn a_file_that_changed_is_not_judged_by() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("records.jsonl");
        fs::write(&path, "{\"value\":\"a\"}\n").expect("written");
        let records = SuppliedRecords::read(&path, 1).expect("fine");
        assert_eq!(
            SuppliedRecords::again(records.file(), 1).expect("the same"),
            records
        );
        fs::write(&path, "{\"value\":\"b\"}\n").expect("written");
        assert!(matches!(
            SuppliedRecords::again(records.file(), 1),
            Err(Error::WorkloadChanged { .. })
        ));
    }
}
