//! What the writer knows: which writes were acknowledged, which failed, and which nobody can tell.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::ranges::RangeSet;
use crate::stamp::RecordId;
use crate::supplied::SuppliedRecords;
use crate::watched::Watched;
use crate::workload::WorkloadSpec;

const FORMAT_VERSION: u32 = 1;

/// The fate of the writes of one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamJournal {
    /// The source partition the stream is pinned to.
    pub partition: i32,
    /// Sequences handed to the producer so far: all below this number.
    pub written: u64,
    /// Writes the source acknowledged.
    pub acknowledged: RangeSet,
    /// Writes the source certainly does not have.
    pub failed: RangeSet,
    /// Writes whose fate is not known (for example: timed out in flight).
    pub unknown: RangeSet,
    /// Every so often, the source offset of an acknowledged sequence: `(sequence, offset)`, rising.
    pub anchors: Vec<(u64, i64)>,
}

/// The journal of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The shape of this file.
    pub format_version: u32,
    /// The run id every stamp of the run carries.
    pub run: u64,
    /// What was written.
    pub spec: WorkloadSpec,
    /// Partitions of the source topic when the run started.
    pub partitions: i32,
    /// The create time the spread starts at, in milliseconds since the epoch.
    pub first_timestamp_ms: i64,
    /// Wall clock at the start, in milliseconds since the epoch.
    pub started_ms: i64,
    /// Wall clock at the end, in milliseconds since the epoch.
    pub finished_ms: i64,
    /// One entry a stream, indexed by stream.
    pub streams: Vec<StreamJournal>,
    /// What was seen on the target meanwhile, where somebody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Watched>,
    /// The records, where they come from a file.
    #[serde(skip)]
    supplied: Option<Arc<SuppliedRecords>>,
}

impl Journal {
    /// The journal of a run that has written nothing yet: one stream a partition.
    pub fn planned(spec: WorkloadSpec, partitions: i32, started_ms: i64, run: u64) -> Self {
        let streams = (0..partitions)
            .map(|partition| StreamJournal {
                partition,
                ..StreamJournal::default()
            })
            .collect();
        let first_timestamp_ms = started_ms - spec.spread.as_millis() as i64;
        Self {
            format_version: FORMAT_VERSION,
            run,
            spec,
            partitions,
            first_timestamp_ms,
            started_ms,
            finished_ms: started_ms,
            streams,
            watched: None,
            supplied: None,
        }
    }

    /// The journal of a run that has written nothing of a user's own records yet. They decide how many there are.
    pub fn supplied(
        spec: WorkloadSpec,
        records: SuppliedRecords,
        partitions: i32,
        started_ms: i64,
        run: u64,
    ) -> Self {
        let spec = WorkloadSpec {
            records: records.records(),
            supplied: Some(records.file().clone()),
            ..spec
        };
        Self {
            supplied: Some(Arc::new(records)),
            ..Self::planned(spec, partitions, started_ms, run)
        }
    }

    /// The records, where they come from a file.
    pub(crate) fn own_records(&self) -> Option<&SuppliedRecords> {
        self.supplied.as_deref()
    }

    /// The stream of a record, by its place among all records: by turns, so that all lengths differ by one at most, or as the
    /// file says.
    pub(crate) fn stream_at(&self, place: u64) -> u32 {
        match &self.supplied {
            Some(records) => records.stream_at(place),
            None => (place % self.streams.len().max(1) as u64) as u32,
        }
    }

    /// How many records the workload plans for a stream.
    pub fn stream_length(&self, stream: u32) -> u64 {
        if let Some(records) = &self.supplied {
            return records.stream_length(stream);
        }
        let streams = self.streams.len().max(1) as u64;
        let rest = self.spec.records % streams;
        self.spec.records / streams + u64::from(u64::from(stream) < rest)
    }

    /// The stream a record belongs to, if the run has written that record.
    pub(crate) fn stream_of(&self, id: RecordId) -> Option<&StreamJournal> {
        self.streams
            .get(id.stream as usize)
            .filter(|stream| id.sequence < stream.written)
    }

    /// Acknowledged writes over all streams.
    pub fn acknowledged(&self) -> u64 {
        self.streams
            .iter()
            .map(|stream| stream.acknowledged.len())
            .sum()
    }

    /// Writes of unknown fate over all streams.
    pub fn unknown(&self) -> u64 {
        self.streams.iter().map(|stream| stream.unknown.len()).sum()
    }

    /// Failed writes over all streams.
    pub fn failed(&self) -> u64 {
        self.streams.iter().map(|stream| stream.failed.len()).sum()
    }

    /// Writes the journal to a file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let failed = |source| Error::JournalFile {
            path: path.to_owned(),
            source,
        };
        let text = serde_json::to_vec_pretty(self).map_err(|error| Error::JournalFormat {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        let mut beside = path.as_os_str().to_owned();
        beside.push(".partial");
        fs::write(&beside, text).map_err(failed)?;
        fs::rename(&beside, path).map_err(failed)
    }

    /// Reads a journal from a file.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let wrong = |reason| Error::JournalFormat {
            path: path.to_owned(),
            reason,
        };
        let text = fs::read(path).map_err(|source| Error::JournalFile {
            path: path.to_owned(),
            source,
        })?;
        let mut journal: Self =
            serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if journal.format_version != FORMAT_VERSION {
            return Err(wrong(format!(
                "format version {}, this program reads {FORMAT_VERSION}",
                journal.format_version
            )));
        }
        if let Some(file) = &journal.spec.supplied {
            let records = SuppliedRecords::again(file, journal.partitions)?;
            journal.supplied = Some(Arc::new(records));
        }
        Ok(journal)
    }
}
