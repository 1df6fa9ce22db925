//! What a reader of the target saw, one record at a time.

use crate::journal::Journal;
use crate::record::RecordView;
use crate::stamp::{RecordId, Stamp, StampRead, read_stamp};

/// Where a record on the target comes from, as far as its headers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A record this run wrote.
    Ours {
        /// Its stamp.
        stamp: Stamp,
        /// Whether the stamp is the last header, as written.
        stamp_is_last: bool,
    },
    /// The stamp names a record that this run has never written.
    Unwritten(RecordId),
    /// A record of another run.
    OtherRun,
    /// No stamp.
    Unstamped,
    /// A stamp that cannot be read, or several.
    Damaged,
}

/// One record on the target.
#[derive(Debug, Clone)]
pub struct Sighting<'a> {
    /// Target partition.
    pub partition: i32,
    /// Target offset.
    pub offset: i64,
    /// What was read.
    pub record: &'a RecordView<'a>,
    /// Where it comes from.
    pub origin: Origin,
}

impl<'a> Sighting<'a> {
    /// Reads the stamp of a record and judges it against the journal.
    pub fn new(journal: &Journal, partition: i32, offset: i64, record: &'a RecordView<'a>) -> Self {
        let origin = match read_stamp(&record.headers) {
            StampRead::Whole(stamp) => of_stamp(journal, stamp, true),
            StampRead::NotLast(stamp) => of_stamp(journal, stamp, false),
            StampRead::Missing => Origin::Unstamped,
            StampRead::Damaged => Origin::Damaged,
        };
        Self {
            partition,
            offset,
            record,
            origin,
        }
    }

    /// The id of the record, if this run wrote it.
    pub fn id(&self) -> Option<RecordId> {
        match self.origin {
            Origin::Ours { stamp, .. } => Some(stamp.id),
            Origin::Unwritten(_) | Origin::OtherRun | Origin::Unstamped | Origin::Damaged => None,
        }
    }
}

fn of_stamp(journal: &Journal, stamp: Stamp, stamp_is_last: bool) -> Origin {
    if stamp.run != journal.run {
        Origin::OtherRun
    } else if journal.stream_of(stamp.id).is_none() {
        Origin::Unwritten(stamp.id)
    } else {
        Origin::Ours {
            stamp,
            stamp_is_last,
        }
    }
}
