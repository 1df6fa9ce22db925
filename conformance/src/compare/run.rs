//! Compares pairs of topics on two clusters.

use std::cell::Cell;
use std::time::Duration;

use crate::Error;
use crate::asker::{Asker, Span};
use crate::checks::ReplayBound;
use crate::compare::align::{Alignment, align};
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

/// Compares each source topic with its target topic, up to the end both had when their turn came.
///
/// Compares by place, not by offset, so offsets may have holes. Blocks the calling thread: from
/// async code call it in `spawn_blocking`. Reads only. Missing target topics are waited for
/// together, and once nothing came for the whole patience no later partition is waited for.
pub fn compare(
    source: &Endpoint,
    target: &Endpoint,
    pairs: &[(String, String)],
    options: &CompareOptions,
    observer: &dyn Observer,
) -> Result<Report, Error> {
    let started_ms = now_ms();
    let (source, target) = (
        Asker::open(source, observer)?,
        Asker::open(target, observer)?,
    );
    let source_topics = source.partition_counts(only(pairs))?;
    for (topic, _) in pairs {
        if !source_topics.contains_key(topic) {
            return Err(Error::TopicMissing {
                topic: topic.clone(),
                bootstrap: source.endpoint.bootstrap.clone(),
            });
        }
    }
    let wanted: Vec<&str> = pairs.iter().map(|(_, topic)| topic.as_str()).collect();
    let target_topics = topics::wait_for(&target, &wanted, options.patience)?;
    let mut walk = Comparison {
        ours: Reader::open(&source, QUEUED_KIB),
        theirs: Reader::open(&target, QUEUED_KIB),
        source: &source,
        target: &target,
        options,
        observer,
        patience: Cell::new(options.patience),
    };
    let mut checks = Vec::new();
    let mut records_read = 0;
    for (number, (source_topic, target_topic)) in pairs.iter().enumerate() {
        let pair = Pair {
            source_topic,
            target_topic,
            source_partitions: source_topics.get(source_topic).copied().unwrap_or(0),
            target_partitions: target_topics.get(target_topic).copied(),
        };
        let turn = if pairs.len() > 1 {
            format!(" ({} of {})", number + 1, pairs.len())
        } else {
            String::new()
        };
        let what = format!("comparing {source_topic} and {target_topic}{turn}");
        let judge = walk.pair(&pair, what)?;
        records_read += judge.records_read();
        checks.extend(judge.finish(&mut |records| walk.read_again(&pair, records))?);
    }
    Ok(Report {
        format_version: REPORT_FORMAT_VERSION.to_owned(),
        mode: Mode::Compare,
        run: None,
        seed: None,
        started_ms,
        finished_ms: now_ms(),
        records_read,
        checks,
    })
}

/// The one source topic, where there is one: then the others need not be listed.
fn only(pairs: &[(String, String)]) -> Option<&str> {
    match pairs {
        [(topic, _)] => Some(topic),
        _ => None,
    }
}

struct Pair<'p> {
    source_topic: &'p str,
    target_topic: &'p str,
    source_partitions: i32,
    target_partitions: Option<i32>,
}

struct Comparison<'c> {
    source: &'c Asker<'c>,
    target: &'c Asker<'c>,
    ours: Reader<'c>,
    theirs: Reader<'c>,
    options: &'c CompareOptions,
    observer: &'c dyn Observer,
    /// What is left of it: nothing, once all of it was waited in vain.
    patience: Cell<Duration>,
}

impl Comparison<'_> {
    fn pair(&mut self, pair: &Pair<'_>, what: String) -> Result<Judge, Error> {
        if self.observer.cancelled() {
            return Err(Error::Cancelled);
        }
        let mut judge = Judge::new(
            pair.source_topic,
            pair.target_topic,
            self.options.replays,
            pair.source_partitions,
            pair.target_partitions,
        );
        let both = pair
            .source_partitions
            .min(pair.target_partitions.unwrap_or(0));
        let partitions: Vec<i32> = (0..both).collect();
        // the target's end first: then nothing in the target's snapshot is missing in the source's
        let their_spans = self.target.spans(pair.target_topic, &partitions)?;
        let our_spans = self.source.spans(pair.source_topic, &partitions)?;
        let held = |(_, first, end): Span| (end - first).max(0) as u64;
        let spans = our_spans.into_iter().zip(their_spans);
        let total = spans
            .clone()
            .map(|(ours, theirs)| held(ours).max(held(theirs)))
            .sum();
        let mut pace = Pace::new(self.observer, total, what);
        let observer = self.observer;
        let look = || {
            if observer.cancelled() {
                Err(Error::Cancelled)
            } else {
                Ok(())
            }
        };
        let remembered = usize::try_from(self.options.replays.window).unwrap_or(usize::MAX);
        for (our_span, their_span) in spans {
            if held(our_span) == 0 && held(their_span) == 0 {
                judge.add(our_span.0, Alignment::default());
                continue;
            }
            self.ours.assign(pair.source_topic, &[our_span])?;
            self.theirs.assign(pair.target_topic, &[their_span])?;
            let rule = self.options.timestamps;
            let never = Cell::new(Duration::ZERO);
            let mut source = PartitionSide::new(&mut self.ours, rule, &never, &look);
            let mut target = PartitionSide::new(&mut self.theirs, rule, &self.patience, &look);
            let alignment = align(&mut source, &mut target, remembered, &mut || pace.step())?;
            judge.add(our_span.0, alignment);
        }
        pace.finish();
        Ok(judge)
    }

    /// Reads the two records of a difference once more, so that it can be told in words.
    fn read_again(
        &self,
        pair: &Pair<'_>,
        places: RecordPair,
    ) -> Result<(Option<Record>, Option<Record>), Error> {
        let partition = places.partition;
        let ours = self.one(self.source, pair.source_topic, partition, places.source)?;
        let theirs = self.one(self.target, pair.target_topic, partition, places.target)?;
        Ok((ours, theirs))
    }

    fn one(
        &self,
        asker: &Asker<'_>,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Result<Option<Record>, Error> {
        let mut reader = Reader::open(asker, 1024);
        reader.assign(topic, &[(partition, offset, offset + 1)])?;
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
