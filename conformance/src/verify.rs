//! Judges a mirrored workload by its stamps.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::Error;
use crate::asker::Asker;
use crate::checks::{
    MissingFacts, Panel, PartitionRule, RecoveryBound, ReplayBound, Scope,
    default_config_exclusions, latency, recovery, retention_gap_of_missing, topic_creation,
};
use crate::endpoint::Endpoint;
use crate::events::FaultEvent;
use crate::feed::Feed;
use crate::journal::Journal;
use crate::locate::locate;
use crate::notes::{Notes, Subject, TopicNotes};
use crate::observer::{Observer, Pace};
use crate::report::{Mode, REPORT_FORMAT_VERSION, Report, Timeline};
use crate::topics;
use crate::verdict::{CheckResult, Verdict};
use crate::write::now_ms;

/// librdkafka holds at most this much ahead of the checks, not counting what it keeps about each
/// record (some 200 bytes, more than half of the memory where records are small).
const QUEUED_KIB: u32 = 32 * 1024;

/// What the mirror promised, and how patient to be.
#[derive(Debug, Clone)]
pub struct StampedOptions {
    /// The topic on the target.
    pub target_topic: String,
    /// How much repetition is within the promise.
    pub replays: ReplayBound,
    /// How source partitions map to target partitions.
    pub partition_rule: PartitionRule,
    /// Topic settings that need not be equal.
    pub config_exclude: BTreeSet<String>,
    /// While acknowledged records are missing on the target: how long to wait for the next one.
    /// Zero judges what is there now, for a mirror that has ended.
    pub patience: Duration,
    /// The mirror's name, where it keeps a gap ledger on the target: then what is missing is looked up there.
    pub ledger_of: Option<String>,
    /// What was done to the mirror and its clusters meanwhile.
    pub events: Vec<FaultEvent>,
    /// What is declared of the mirror's lag, where that is.
    pub objective: Option<Duration>,
    /// After a fault, how long it may take until the lag is within the objective again.
    pub recovery: Duration,
}

impl StampedOptions {
    /// At-least-once with the default bound, same partitions, no waiting.
    pub fn new(target_topic: impl Into<String>) -> Self {
        Self {
            target_topic: target_topic.into(),
            replays: ReplayBound::default(),
            partition_rule: PartitionRule::default(),
            config_exclude: default_config_exclusions(),
            patience: Duration::ZERO,
            ledger_of: None,
            events: Vec::new(),
            objective: None,
            recovery: Duration::from_mins(1),
        }
    }
}

/// Reads the target and judges it against the journal of what was written to the source.
///
/// Blocks the calling thread: from async code call it in `spawn_blocking`. Reads only. Ends when
/// everything acknowledged was seen and the target was read to its end, or when nothing more came
/// for the declared patience.
pub fn check_stamped(
    source: &Endpoint,
    target: &Endpoint,
    journal: &Journal,
    options: &StampedOptions,
    observer: &dyn Observer,
) -> Result<Report, Error> {
    let started_ms = now_ms();
    let source_topic = &journal.spec.topic;
    let subject = format!("{source_topic} → {}", options.target_topic);
    let source_facts =
        topics::facts(source, source_topic, observer)?.ok_or_else(|| Error::TopicMissing {
            topic: source_topic.clone(),
            bootstrap: source.bootstrap.clone(),
        })?;
    let only_ours = holds_only_the_run(source, journal, source_facts.partitions, observer)?;
    let scope = Scope {
        journal,
        target_topic: Arc::from(options.target_topic.as_str()),
    };
    let mut panel = Panel::new(&scope, options.replays, options.partition_rule, only_ours);
    let asker = Asker::open(target, observer)?;
    let wanted = options.target_topic.as_str();
    let there = topics::wait_for(&asker, &[wanted], options.patience)?;
    if let Some(&partitions) = there.get(wanted) {
        read_target(&asker, partitions, journal, options, &mut panel)?;
    }
    let gone = explained(source, &asker, &panel, options, &subject, only_ours)?;
    let target_facts = topics::facts(target, &options.target_topic, observer)?;
    let mut checks = panel.finish(&subject);
    for check in &mut checks {
        name_source(source, journal, check, observer)?;
    }
    checks.extend(gone);
    let looks = journal.watched.as_ref().map(|it| it.looks.clone());
    let looks = looks.unwrap_or_default();
    checks.push(topic_creation(
        &subject,
        &source_facts,
        target_facts.as_ref(),
        &options.config_exclude,
        journal.acknowledged() - panel.missing(),
        &looks,
    ));
    checks.extend(over_time(&subject, journal, options));
    Ok(Report {
        format_version: REPORT_FORMAT_VERSION.to_owned(),
        mode: Mode::Stamped,
        run: Some(journal.run.to_string()),
        // a file decides its records itself
        seed: journal.spec.supplied.is_none().then_some(journal.spec.seed),
        started_ms,
        finished_ms: now_ms(),
        records_read: panel.records(),
        limits: Vec::new(),
        timeline: timeline(journal, options),
        checks,
    })
}

/// What is judged by what was seen while the records were written; nothing where nobody looked.
fn over_time(subject: &str, journal: &Journal, options: &StampedOptions) -> Vec<CheckResult> {
    let Some(watched) = &journal.watched else {
        return Vec::new();
    };
    let bound = options.objective.map(|lag| RecoveryBound {
        lag,
        within: options.recovery,
    });
    vec![
        recovery(subject, &watched.samples, &options.events, bound),
        latency(subject, watched, &options.events, options.objective),
    ]
}

fn timeline(journal: &Journal, options: &StampedOptions) -> Option<Timeline> {
    let lag = journal.watched.as_ref().map(|it| it.samples.clone());
    let timeline = Timeline {
        events: options.events.clone(),
        lag: lag.unwrap_or_default(),
    };
    (!timeline.is_empty()).then_some(timeline)
}

/// Whether the source topic cannot hold more records than this run may have written.
fn holds_only_the_run(
    source: &Endpoint,
    journal: &Journal,
    partitions: i32,
    observer: &dyn Observer,
) -> Result<bool, Error> {
    let asker = Asker::open(source, observer)?;
    let all: Vec<i32> = (0..partitions).collect();
    let spans = asker.spans(&journal.spec.topic, &all)?;
    let offsets: u64 = spans
        .iter()
        .map(|(_, first, end)| (end - first).max(0) as u64)
        .sum();
    Ok(offsets <= journal.acknowledged() + journal.unknown())
}

/// Whether what is missing and gone from the source was reported; nothing to say where nothing is missing.
fn explained(
    source: &Endpoint,
    target: &Asker<'_>,
    panel: &Panel<'_>,
    options: &StampedOptions,
    subject: &str,
    only_ours: bool,
) -> Result<Option<CheckResult>, Error> {
    let missing = panel.missing_ranges();
    if missing.is_empty() {
        return Ok(None);
    }
    let journal = panel.journal();
    let source = Asker::open(source, target.observer)?;
    let topic = &journal.spec.topic;
    let partitions: Vec<i32> = journal.streams.iter().map(|it| it.partition).collect();
    let spans = source.spans(topic, &partitions)?;
    let notes = match (&options.ledger_of, source.cluster_id()?) {
        (Some(mirror), Some(source_cluster_id)) => {
            let subject = Subject {
                mirror: mirror.clone(),
                source_cluster_id,
            };
            match Notes::read(target, &subject) {
                Ok(notes) => notes.of(topic),
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => {
                    tracing::warn!(%error, "the gap ledger could not be read, and is not judged");
                    return Ok(None);
                }
            }
        }
        (None, _) | (_, None) => TopicNotes::default(),
    };
    let facts = MissingFacts {
        journal,
        missing,
        source_firsts: spans.iter().map(|span| (span.0, span.1)).collect(),
        only_ours,
        notes,
    };
    Ok(Some(retention_gap_of_missing(subject, &facts)))
}

fn read_target(
    asker: &Asker<'_>,
    partitions: i32,
    journal: &Journal,
    options: &StampedOptions,
    panel: &mut Panel<'_>,
) -> Result<(), Error> {
    let topic = options.target_topic.as_str();
    let all: Vec<i32> = (0..partitions).collect();
    let spans = asker.spans(topic, &all)?;
    let held = spans.iter().map(|(_, first, end)| (end - first).max(0));
    let total = journal.acknowledged().max(held.sum::<i64>() as u64);
    let mut pace = Pace::new(asker.observer, total, format!("checking {topic}"));
    thread::scope(|scope| -> Result<(), Error> {
        let mut feed = Feed::start(scope, asker, topic, &spans, QUEUED_KIB);
        let mut last_look = false;
        loop {
            if let Some(batch) = feed.next()? {
                batch.show(|partition, offset, record| {
                    panel.observe(partition, offset, record);
                    pace.step()
                })?;
            }
            pace.look()?;
            if !feed.reached() {
                continue;
            }
            // at the end: once more to where the target ends by now, so that late repeats are seen
            if panel.missing() == 0 {
                if last_look {
                    return Ok(());
                }
                last_look = true;
                feed.look_again();
            } else if feed.quiet_for().is_some_and(|it| it >= options.patience) {
                return Ok(());
            }
        }
    })?;
    pace.finish();
    Ok(())
}

/// Looks up where the record of a counterexample is on the source.
fn name_source(
    source: &Endpoint,
    journal: &Journal,
    check: &mut CheckResult,
    observer: &dyn Observer,
) -> Result<(), Error> {
    let Verdict::Fail { counterexample, .. } = &mut check.verdict else {
        return Ok(());
    };
    let Some(id) = counterexample
        .record
        .filter(|id| journal.stream_of(*id).is_some())
    else {
        return Ok(());
    };
    counterexample.source = locate(source, journal, id, observer)?;
    if counterexample.source.is_none() {
        counterexample
            .found
            .push_str("; the source itself does not have the record any more");
    }
    Ok(())
}
