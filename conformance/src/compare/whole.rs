//! What is judged of a mirror as a whole.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Error;
use crate::asker::Asker;
use crate::checks::{CopiedTopic, delete_policy, one_hop};
use crate::mirror::MirrorFacts;
use crate::verdict::{CheckResult, Verdict};

const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Judges what names and topics tell. `copied` are source topics with their target topics, where the mirror notes them.
pub(crate) fn judge(
    source: &Asker<'_>,
    target: &Asker<'_>,
    mirror: &MirrorFacts,
    copied: Option<BTreeSet<(String, String)>>,
    patience: &Cell<Duration>,
) -> Result<Vec<CheckResult>, Error> {
    let subject = format!("mirror {}", mirror.name);
    let mut results = Vec::new();
    if let Some(second_hop) = &mirror.second_hop {
        let topics = target.partition_counts(None)?;
        let names = topics.keys().map(String::as_str);
        results.push(one_hop(&subject, second_hop, names));
    }
    let Some(copied) = copied else {
        return Ok(results);
    };
    let started = Instant::now();
    loop {
        let topics = looked_at(source, target, mirror, &copied)?;
        let result = delete_policy(&subject, &topics);
        if !matches!(result.verdict, Verdict::Fail { .. }) {
            results.push(result);
            return Ok(results);
        }
        if started.elapsed() >= patience.get() {
            patience.set(Duration::ZERO);
            results.push(result);
            return Ok(results);
        }
        if source.observer.cancelled() {
            return Err(Error::Cancelled);
        }
        sleep(LOOK_AGAIN);
    }
}

fn looked_at(
    source: &Asker<'_>,
    target: &Asker<'_>,
    mirror: &MirrorFacts,
    copied: &BTreeSet<(String, String)>,
) -> Result<Vec<CopiedTopic>, Error> {
    let (ours, theirs) = (
        source.partition_counts(None)?,
        target.partition_counts(None)?,
    );
    let look = |(from, to): &(String, String)| {
        // what is hidden from us is not in the list either, so the broker is asked by name
        let source_is_gone = !ours.contains_key(from) && source.is_unknown(from)?;
        let target_is_there = theirs.contains_key(to) || !target.is_unknown(to)?;
        Ok(CopiedTopic {
            source: from.clone(),
            target: to.clone(),
            source_is_gone,
            target_is_there,
            goes: mirror.rules.deletes(from, to),
        })
    };
    copied.iter().map(look).collect()
}
