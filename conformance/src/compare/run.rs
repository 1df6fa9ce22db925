//! Compares pairs of topics on two clusters.

use std::time::Duration;

use crate::Error;
use crate::checks::ReplayBound;
use crate::compare::align::align;
use crate::compare::entry::TimestampRule;
use crate::compare::judge::{Judge, RecordPair};
use crate::compare::side::PartitionSide;
use crate::endpoint::Endpoint;
use crate::observer::{Observer, Pace};
use crate::reader::Reader;
use crate::record::Record;
use crate::report::{Mode, REPORT_FORMAT_VERSION, Report};
use crate::topics;
use crate::write::now_ms;

/// librdkafka holds at most this much ahead of the walk, on each side.
const QUEUED_KIB: u32 = 24 * 1024;

/// What has to be equal, and how patient to be.
#[derive(Debug, Clone, Default)]
pub struct CompareOptions {
    /// How much repetition on the target is within the promise.
    pub replays: ReplayBound,
    /// What has to be equal about timestamps.
    pub timestamps: TimestampRule,
    /// How long to wait at the target's end for records the source has: for a mirror that runs.
    pub patience: Duration,
}

/// Compares each source topic with its target topic, up to the end both had at the start.
///
/// Compares by place, not by offset, so offsets may have holes. Blocks the calling thread: from
/// async code call it in `spawn_blocking`. Reads only.
pub fn compare(
    source: &Endpoint,
    target: &Endpoint,
    pairs: &[(String, String)],
    options: &CompareOptions,
    observer: &dyn Observer,
) -> Result<Report, Error> {
    let started_ms = now_ms();
    let mut checks = Vec::new();
    let mut records_read = 0;
    for (source_topic, target_topic) in pairs {
        let pair = Pair {
            source,
            target,
            source_topic,
            target_topic,
            options,
            observer,
        };
        let judge = pair.walk()?;
        records_read += judge.records_read();
        checks.extend(judge.finish(&mut |records| pair.read_again(records))?);
    }
    Ok(Report {
        format_version: REPORT_FORMAT_VERSION,
        mode: Mode::Compare,
        run: None,
        seed: None,
        started_ms,
        finished_ms: now_ms(),
        records_read,
        checks,
    })
}

struct Pair<'c> {
    source: &'c Endpoint,
    target: &'c Endpoint,
    source_topic: &'c str,
    target_topic: &'c str,
    options: &'c CompareOptions,
    observer: &'c dyn Observer,
}

impl Pair<'_> {
    fn walk(&self) -> Result<Judge, Error> {
        let partitions =
            topics::partition_count(self.source, self.source_topic)?.ok_or_else(|| {
                Error::TopicMissing {
                    topic: self.source_topic.to_owned(),
                    bootstrap: self.source.bootstrap.clone(),
                }
            })?;
        let patience = self.options.patience;
        let found = topics::wait_for(self.target, self.target_topic, patience, self.observer)?;
        let mut judge = Judge::new(
            self.source_topic,
            self.target_topic,
            self.options.replays,
            partitions,
            found,
        );
        let mut ours = Reader::open(self.source, self.source_topic, QUEUED_KIB)?;
        let mut theirs = Reader::open(self.target, self.target_topic, QUEUED_KIB)?;
        let remembered = usize::try_from(self.options.replays.window).unwrap_or(usize::MAX);
        let mut spans = Vec::new();
        let mut total = 0;
        for partition in 0..partitions.min(found.unwrap_or(0)) {
            // the target's end first: then nothing in the target's snapshot is missing in the source's
            let (their_first, their_end) = theirs.watermarks(partition)?;
            let (first, end) = ours.watermarks(partition)?;
            total += (end - first).max(their_end - their_first).max(0) as u64;
            spans.push(((partition, first, end), (partition, their_first, their_end)));
        }
        let what = format!("comparing {} and {}", self.source_topic, self.target_topic);
        let mut pace = Pace::new(self.observer, total, what);
        let look = || {
            if self.observer.cancelled() {
                Err(Error::Cancelled)
            } else {
                Ok(())
            }
        };
        for (our_span, their_span) in spans {
            ours.assign(&[our_span])?;
            theirs.assign(&[their_span])?;
            let rule = self.options.timestamps;
            let mut source = PartitionSide::snapshot(&mut ours, rule, &look);
            let mut target = PartitionSide::patient(&mut theirs, rule, patience, &look);
            let alignment = align(&mut source, &mut target, remembered, &mut || pace.step())?;
            judge.add(our_span.0, alignment);
        }
        pace.finish();
        Ok(judge)
    }

    /// Reads the two records of a difference once more, so that it can be told in words.
    fn read_again(&self, places: RecordPair) -> Result<(Option<Record>, Option<Record>), Error> {
        let ours = self.one(
            self.source,
            self.source_topic,
            places.partition,
            places.source,
        )?;
        let theirs = self.one(
            self.target,
            self.target_topic,
            places.partition,
            places.target,
        )?;
        Ok((ours, theirs))
    }

    fn one(
        &self,
        endpoint: &Endpoint,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Result<Option<Record>, Error> {
        let mut reader = Reader::open(endpoint, topic, 1024)?;
        reader.assign(&[(partition, offset, offset + 1)])?;
        let mut found = None;
        while !reader.reached() {
            if self.observer.cancelled() {
                return Err(Error::Cancelled);
            }
            reader.poll(|_, at, record| {
                if at == offset {
                    found = Some(record.to_record());
                }
                Ok(())
            })?;
        }
        Ok(found)
    }
}
