//! Compares pairs of topics on two clusters.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::Error;
use crate::asker::Asker;
use crate::compare::options::CompareOptions;
use crate::compare::pair::{Comparison, Pair};
use crate::compare::whole;
use crate::endpoint::Endpoint;
use crate::mirror::MirrorFacts;
use crate::notes::{Notes, Subject};
use crate::observer::Observer;
use crate::reader::Reader;
use crate::report::{Mode, REPORT_FORMAT_VERSION, Report};
use crate::topics;
use crate::write::now_ms;

/// librdkafka holds at most this much ahead of the walk, on each side.
const QUEUED_KIB: u32 = 24 * 1024;

/// Compares each source topic with its target topic, up to the end both had when their turn came, and judges what is declared
/// of the mirror between them.
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
    let uncommitted = source.uncommitted();
    let uncommitted = Asker::open(&uncommitted, observer)?;
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
    let names: Vec<String> = pairs.iter().map(|(topic, _)| topic.clone()).collect();
    let source_configs = topics::configs(source.endpoint, &names, observer)?;
    let there = wanted
        .iter()
        .filter(|topic| target_topics.contains_key(**topic));
    let target_configs = match &options.mirror {
        Some(_) => {
            let names: Vec<String> = there.map(|topic| (*topic).to_owned()).collect();
            topics::configs(target.endpoint, &names, observer)?
        }
        None => BTreeMap::new(),
    };
    let (subject, notes) = noted(&source, &target, options.mirror.as_ref())?;
    let mut walk = Comparison {
        ours: Reader::open(&source, QUEUED_KIB),
        theirs: Reader::open(&target, QUEUED_KIB),
        source: &source,
        target: &target,
        uncommitted: &uncommitted,
        options,
        observer,
        patience: Cell::new(options.patience),
        source_configs,
        target_configs,
        subject,
        notes,
        syncs: None,
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
        let (read, results) = walk.judged(&pair, what)?;
        records_read += read;
        checks.extend(results);
    }
    if let Some(mirror) = options.mirror.as_ref().filter(|mirror| mirror.whole) {
        let copied = walk.notes.as_ref().map(Notes::copied);
        checks.extend(whole::judge(
            &source,
            &target,
            mirror,
            copied,
            &walk.patience,
        )?);
    }
    Ok(Report {
        format_version: REPORT_FORMAT_VERSION.to_owned(),
        mode: Mode::Compare,
        run: None,
        seed: None,
        started_ms,
        finished_ms: now_ms(),
        records_read,
        limits: options.limits(),
        timeline: None,
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

/// What the mirror keeps about itself, where it does and where we may read it.
fn noted(
    source: &Asker<'_>,
    target: &Asker<'_>,
    mirror: Option<&MirrorFacts>,
) -> Result<(Option<Subject>, Option<Notes>), Error> {
    let Some(mirror) = mirror.filter(|mirror| mirror.keeps_notes) else {
        return Ok((None, None));
    };
    let Some(source_cluster_id) = source.cluster_id()? else {
        return Ok((None, None));
    };
    let subject = Subject {
        mirror: mirror.name.clone(),
        source_cluster_id,
    };
    match Notes::read(target, &subject) {
        Ok(notes) => Ok((Some(subject), Some(notes))),
        Err(Error::Cancelled) => Err(Error::Cancelled),
        Err(error) => {
            tracing::warn!(%error, "what the mirror has noted on the target could not be read, and is not judged");
            Ok((None, None))
        }
    }
}
