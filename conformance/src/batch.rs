//! Records on their way from one thread to another, in a few pieces of memory whatever their number.

use std::ops::Range;

use crate::Error;
use crate::record::{HeaderView, RecordView, Timestamp};

/// So many records are passed on together, or fewer of large ones.
const RECORDS: usize = 1_024;
const BYTES: usize = 256 * 1024;

/// Where a key, a value or a header's value lies; `None` is null, which is not empty.
type Piece = Option<Range<usize>>;

/// Records in the order in which they were put in.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    names: String,
    headers: Vec<(Range<usize>, Piece)>,
    records: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    partition: i32,
    offset: i64,
    key: Piece,
    value: Piece,
    headers: Range<usize>,
    timestamp: Timestamp,
}

impl Batch {
    /// Copies a record into it.
    pub(crate) fn put(&mut self, partition: i32, offset: i64, record: &RecordView<'_>) {
        let (key, value) = (self.piece(record.key), self.piece(record.value));
        let first = self.headers.len();
        for (name, value) in &record.headers {
            let start = self.names.len();
            self.names.push_str(name);
            let value = self.piece(*value);
            self.headers.push((start..self.names.len(), value));
        }
        self.records.push(Kept {
            partition,
            offset,
            key,
            value,
            headers: first..self.headers.len(),
            timestamp: record.timestamp,
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether it is time to pass it on.
    pub(crate) fn is_full(&self) -> bool {
        self.records.len() >= RECORDS || self.bytes.len() >= BYTES
    }

    /// Shows its records as `(partition, offset, record)`.
    pub(crate) fn show(
        &self,
        mut look: impl FnMut(i32, i64, &RecordView<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut headers: Vec<HeaderView<'_>> = Vec::new();
        for kept in &self.records {
            let own = &self.headers[kept.headers.clone()];
            headers.extend(
                own.iter()
                    .map(|(name, value)| (&self.names[name.clone()], self.part(value))),
            );
            let view = RecordView {
                key: self.part(&kept.key),
                value: self.part(&kept.value),
                headers,
                timestamp: kept.timestamp,
            };
            look(kept.partition, kept.offset, &view)?;
            // the next one takes the same memory
            headers = view.headers;
            headers.clear();
        }
        Ok(())
    }

    fn piece(&mut self, bytes: Option<&[u8]>) -> Piece {
        bytes.map(|bytes| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(bytes);
            start..self.bytes.len()
        })
    }

    fn part(&self, piece: &Piece) -> Option<&[u8]> {
        piece.clone().map(|range| &self.bytes[range])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out_null_not_as_empty() {
        let one = RecordView {
            key: Some(b"k"),
            value: None,
            headers: vec![("a", None), ("b", Some(b"")), ("a", Some(b"1"))],
            timestamp: Timestamp::create(7),
        };
        let other = RecordView {
            key: None,
            value: Some(b"later"),
            headers: Vec::new(),
            timestamp: Timestamp::create(8),
        };
        let mut batch = Batch::default();
        assert!(batch.is_empty());
        batch.put(3, 40, &one);
        batch.put(4, 0, &other);
        let mut shown = Vec::new();
        batch
            .show(|partition, offset, record| {
                shown.push((partition, offset, record.to_record()));
                Ok(())
            })
            .expect("shown");
        assert_eq!(shown, [(3, 40, one.to_record()), (4, 0, other.to_record())]);
    }

    #[test]
    fn many_records_and_large_ones_fill_it() {
        let bytes = vec![0; BYTES];
        let of = |value| RecordView {
            key: None,
            value: Some(value),
            headers: Vec::new(),
            timestamp: Timestamp::create(0),
        };
        let mut large = Batch::default();
        large.put(0, 0, &of(&bytes));
        assert!(large.is_full());
        let mut many = Batch::default();
        for offset in 1..=RECORDS {
            assert!(!many.is_full());
            many.put(0, offset as i64, &of(b""));
        }
        assert!(many.is_full());
    }
}
