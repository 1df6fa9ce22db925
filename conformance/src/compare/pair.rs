//! Walks one pair of topics, and gathers what else is judged about it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Error;
use crate::asker::{Asker, Span};
use crate::checks::{oversize, retention_gap};
use crate::compare::align::{Alignment, Side, Wanted, align};
use crate::compare::compaction::Settled;
use crate::compare::judge::{Judge, RecordPair, Starts};
use crate::compare::latest::Pair as LatestPair;
use crate::compare::options::CompareOptions;
use crate::compare::side::{PartitionSide, Taking};
use crate::compare::start::{End, begin};
use crate::notes::{Notes, Subject, TopicNotes};
use crate::observer::{Observer, Pace};
use crate::offset_syncs::OffsetSync;
use crate::reader::{Reader, Step};
use crate::record::{Record, RecordHasher};
use crate::topics::Config;
use crate::verdict::{CheckResult, Verdict};

/// As many lost records of a topic are read again, to see how large they are.
const SIZED: usize = 20;
/// Between two looks at what should become equal.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(500);
const CLEANUP_POLICY: &str = "cleanup.policy";

pub(crate) struct Pair<'p> {
    pub(crate) source_topic: &'p str,
    pub(crate) target_topic: &'p str,
    pub(crate) source_partitions: i32,
    pub(crate) target_partitions: Option<i32>,
}

pub(crate) struct Comparison<'c> {
    pub(crate) source: &'c Asker<'c>,
    pub(crate) target: &'c Asker<'c>,
    /// The source with what is not committed.
    pub(crate) uncommitted: &'c Asker<'c>,
    pub(crate) ours: Reader<'c>,
    pub(crate) theirs: Reader<'c>,
    pub(crate) options: &'c CompareOptions,
    pub(crate) observer: &'c dyn Observer,
    /// What is left of it: nothing, once all of it was waited in vain.
    pub(crate) patience: Cell<Duration>,
    pub(crate) source_configs: BTreeMap<String, Config>,
    /// Only where a mirror is judged.
    pub(crate) target_configs: BTreeMap<String, Config>,
    pub(crate) subject: Option<Subject>,
    /// What the mirror has noted about itself; `None` where it notes nothing, or we may not read it.
    pub(crate) notes: Option<Notes>,
    /// What `MirrorMaker` 2 has noted about offsets, by source topic; `None` until it is read.
    pub(crate) syncs: Option<BTreeMap<String, Vec<OffsetSync>>>,
}

/// What a compacted topic's partitions are judged by.
#[derive(Debug, Clone, Copy)]
struct Compacted {
    /// Retention takes records, too.
    expires: bool,
}

impl Comparison<'_> {
    /// Every verdict about a pair, and how many records were read for it.
    pub(crate) fn judged(
        &mut self,
        pair: &Pair<'_>,
        what: String,
    ) -> Result<(u64, Vec<CheckResult>), Error> {
        if self.observer.cancelled() {
            return Err(Error::Cancelled);
        }
        let both = pair
            .source_partitions
            .min(pair.target_partitions.unwrap_or(0));
        let partitions: Vec<i32> = (0..both).collect();
        // the target's end first: then nothing in the target's snapshot is missing in the source's
        let their_spans = self.target.spans(pair.target_topic, &partitions)?;
        let our_spans = self.source.spans(pair.source_topic, &partitions)?;
        let firsts = our_spans.iter().map(|span| (span.0, span.1)).collect();
        let mut judge = self.walked(pair, our_spans, their_spans, what)?;
        let notes = self.noted(pair, &mut judge)?;
        let lost = judge.lost().take(SIZED).collect::<Vec<_>>();
        let places: Vec<_> = judge.places().collect();
        let mut results = judge.finish(&mut |records| self.read_again(pair, records))?;
        let subject = format!("{} → {}", pair.source_topic, pair.target_topic);
        if self.compaction_is_unknown(pair) {
            results.push(unknown_compaction(&subject));
        }
        if let Some(mirror) = self.options.mirror.clone() {
            results.push(self.config_synced(pair, &mirror, &subject)?);
            if let Some(names) = &mirror.offset_syncs {
                results.extend(self.syncs_followed(pair, names, &subject)?);
            }
            if let Some(notes) = notes {
                results.push(retention_gap(&subject, pair.source_topic, &notes, &firsts));
                let facts = self.oversize_facts(pair, &mirror, notes.clone(), &lost)?;
                results.push(oversize(&subject, &facts));
                results.extend(self.reset_noticed(pair, notes.clone(), &subject)?);
                results.extend(self.offsets_mapped(pair, &notes, &places, &subject)?);
            }
        }
        Ok((judge.records_read(), results))
    }

    fn walked(
        &mut self,
        pair: &Pair<'_>,
        our_spans: Vec<Span>,
        their_spans: Vec<Span>,
        what: String,
    ) -> Result<Judge, Error> {
        let mut judge = Judge::new(
            pair.source_topic,
            pair.target_topic,
            self.options.replays,
            pair.source_partitions,
            pair.target_partitions,
        );
        let held = |(_, first, end): Span| (end - first).max(0) as u64;
        let spans = our_spans.into_iter().zip(their_spans);
        let total = spans
            .clone()
            .map(|(ours, theirs)| held(ours).max(held(theirs)))
            .sum();
        let mut pace = Pace::new(self.observer, total, what);
        let compacted = self.compacted(pair);
        let mut settled = Vec::new();
        for (our_span, their_span) in spans {
            let partition = our_span.0;
            if held(our_span) == 0 && held(their_span) == 0 {
                judge.add(partition, Starts::default(), Alignment::default());
                continue;
            }
            let (our_span, their_span, starts) = self.begun(pair, our_span, their_span)?;
            let mut latest = compacted.map(|_| LatestPair::default());
            let mut found = self.aligned(pair, our_span, their_span, latest.as_mut(), &mut pace)?;
            // a log without a hole holds nothing that was aborted
            if found.holds_foreign() && held(our_span) != found.source_records {
                self.set_aborted_apart(pair, our_span, &mut found)?;
            }
            if let (Some(mut latest), Some(compacted)) = (latest, compacted) {
                settled.push((partition, self.settle(&mut latest, compacted)?));
            }
            judge.add(partition, starts, found);
        }
        pace.finish();
        if compacted.is_some() {
            judge.compacted(settled);
        }
        Ok(judge)
    }

    fn begun(
        &mut self,
        pair: &Pair<'_>,
        our_span: Span,
        their_span: Span,
    ) -> Result<(Span, Span, Starts), Error> {
        let mut ours = End {
            asker: self.source,
            reader: &mut self.ours,
            topic: pair.source_topic,
            span: our_span,
        };
        let mut theirs = End {
            asker: self.target,
            reader: &mut self.theirs,
            topic: pair.target_topic,
            span: their_span,
        };
        let starts = begin(&mut ours, &mut theirs, self.options.since)?;
        Ok((ours.span, theirs.span, starts))
    }

    fn aligned(
        &mut self,
        pair: &Pair<'_>,
        our_span: Span,
        their_span: Span,
        latest: Option<&mut LatestPair>,
        pace: &mut Pace<'_>,
    ) -> Result<Alignment, Error> {
        self.ours.assign(pair.source_topic, &[our_span])?;
        self.theirs.assign(pair.target_topic, &[their_span])?;
        let compacted = latest.is_some();
        let (our_latest, their_latest) = latest.map(|it| (&mut it.source, &mut it.target)).unzip();
        let options = self.options;
        let taking = |latest| Taking {
            rule: options.timestamps,
            sample: options.sample,
            latest,
        };
        let look = looks(self.observer);
        let never = Cell::new(Duration::ZERO);
        let mut source = PartitionSide::new(&mut self.ours, taking(our_latest), &never, &look);
        // what a cleaner took never comes; whether keys become equal is waited for after the walk
        let patience = if compacted { &never } else { &self.patience };
        let mut target =
            PartitionSide::new(&mut self.theirs, taking(their_latest), patience, &look);
        let wanted = Wanted {
            remembered: usize::try_from(options.replays.window).unwrap_or(usize::MAX),
            offsets: self
                .notes
                .as_ref()
                .and_then(|notes| notes.of(pair.source_topic).positions.remove(&our_span.0))
                .filter(|position| position.target_offset.is_some())
                .map(|position| position.offset)
                .into_iter()
                .collect(),
        };
        align(&mut source, &mut target, wanted, &mut || pace.step())
    }

    /// Reads the source once more, with and without what is not committed.
    fn set_aborted_apart(
        &mut self,
        pair: &Pair<'_>,
        span: Span,
        found: &mut Alignment,
    ) -> Result<(), Error> {
        let (partition, first, _) = span;
        let mut everything = Reader::open(self.uncommitted, 8 * 1024);
        let whole = self.uncommitted.spans(pair.source_topic, &[partition])?;
        let whole: Vec<Span> = whole
            .into_iter()
            .map(|(it, _, end)| (it, first, end))
            .collect();
        everything.assign(pair.source_topic, &whole)?;
        self.ours.assign(pair.source_topic, &[span])?;
        let options = self.options;
        let taking = || Taking {
            rule: options.timestamps,
            sample: options.sample,
            latest: None,
        };
        let look = looks(self.observer);
        let never = Cell::new(Duration::ZERO);
        let mut everything = PartitionSide::new(&mut everything, taking(), &never, &look);
        let mut committed = PartitionSide::new(&mut self.ours, taking(), &never, &look);
        everything.stop_waiting();
        committed.stop_waiting();
        found.set_aborted_apart(&mut everything, &mut committed, &mut || look())
    }

    /// Looks again at keys that were unlike, as long as there is patience: until they are alike, or the source has written
    /// them once more. Both readers stand where the walk ended.
    fn settle(&mut self, latest: &mut LatestPair, compacted: Compacted) -> Result<Settled, Error> {
        // a walk that gave up ends before the ends
        self.read_on(latest)?;
        let before = latest.unlike();
        let started = Instant::now();
        let mut open = before.len();
        while open > 0 && started.elapsed() < self.patience.get() {
            if self.observer.cancelled() {
                return Err(Error::Cancelled);
            }
            sleep(LOOK_AGAIN);
            self.theirs.capture_ends()?;
            self.ours.capture_ends()?;
            self.read_on(latest)?;
            let looked = before.iter().map(|it| (it, latest.look(it.key)));
            open = looked
                .filter(|(before, now)| !now.alike() && !now.in_motion(before))
                .count();
        }
        if open > 0 {
            self.patience.set(Duration::ZERO);
        }
        Ok(Settled::new(latest, &before, compacted.expires))
    }

    fn read_on(&mut self, latest: &mut LatestPair) -> Result<(), Error> {
        let options = self.options;
        let look = looks(self.observer);
        let sides = [
            (&mut self.theirs, &mut latest.target),
            (&mut self.ours, &mut latest.source),
        ];
        for (reader, latest) in sides {
            let mut hasher = RecordHasher::default();
            let mut taking = Taking {
                rule: options.timestamps,
                sample: options.sample,
                latest: Some(latest),
            };
            while !reader.reached() {
                let step = reader.poll(|_, offset, record| {
                    taking.take(&mut hasher, offset, record);
                    Ok(())
                })?;
                if step == Step::Quiet {
                    look()?;
                }
            }
        }
        Ok(())
    }

    /// Whether cleaners take superseded records from the source topic.
    fn compacted(&self, pair: &Pair<'_>) -> Option<Compacted> {
        let config = self.source_configs.get(pair.source_topic)?.as_ref().ok()?;
        let policy = config.get(CLEANUP_POLICY)?.value.as_ref()?;
        policy.contains("compact").then(|| Compacted {
            expires: policy.contains("delete"),
        })
    }

    fn compaction_is_unknown(&self, pair: &Pair<'_>) -> bool {
        let config = self.source_configs.get(pair.source_topic);
        self.options.mirror.is_some() && !config.is_some_and(Result::is_ok)
    }

    /// What the mirror has noted about the topic; read anew where records are missing, because a gap may have been noted
    /// since.
    fn noted(&mut self, pair: &Pair<'_>, judge: &mut Judge) -> Result<Option<TopicNotes>, Error> {
        if judge.lost().next().is_some()
            && let Some(subject) = &self.subject
        {
            self.notes = Some(Notes::read(self.target, subject)?);
        }
        let Some(notes) = &self.notes else {
            return Ok(None);
        };
        let mut notes = notes.of(pair.source_topic);
        notes
            .positions
            .retain(|_, position| position.target_topic == pair.target_topic);
        // nothing is noted of a topic that was never copied, and another topic's gaps are none of ours
        if notes.positions.is_empty() {
            return Ok(None);
        }
        judge.noted(notes.clone());
        Ok(Some(notes))
    }

    /// Reads the two records of a difference once more, so that it can be told in words.
    fn read_again(
        &mut self,
        pair: &Pair<'_>,
        places: RecordPair,
    ) -> Result<(Option<Record>, Option<Record>), Error> {
        let (partition, observer) = (places.partition, self.observer);
        let (ours, theirs) = (&mut self.ours, &mut self.theirs);
        let ours = one(ours, pair.source_topic, partition, places.source, observer)?;
        let theirs = one(
            theirs,
            pair.target_topic,
            partition,
            places.target,
            observer,
        )?;
        Ok((ours, theirs))
    }
}

/// Whether to stop, as sides of a walk ask it.
fn looks(observer: &dyn Observer) -> impl Fn() -> Result<(), Error> {
    move || {
        if observer.cancelled() {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }
}

pub(super) fn one(
    reader: &mut Reader<'_>,
    topic: &str,
    partition: i32,
    offset: i64,
    observer: &dyn Observer,
) -> Result<Option<Record>, Error> {
    reader.assign(topic, &[(partition, offset, offset + 1)])?;
    let mut found = None;
    while !reader.reached() {
        if observer.cancelled() {
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

fn unknown_compaction(subject: &str) -> CheckResult {
    CheckResult {
        id: "compaction".to_owned(),
        subject: subject.to_owned(),
        title: "both sides hold the same newest record of each key".to_owned(),
        verdict: Verdict::Inconclusive {
            reason: "whether the source topic is compacted could not be read".to_owned(),
        },
        figures: crate::verdict::Figures::new(),
    }
}
