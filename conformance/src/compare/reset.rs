//! Looks whether a mirror has noticed that its source topic was created again.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rdkafka::Offset;

use crate::Error;
use crate::asker::Asker;
use crate::checks::topic_reset;
use crate::compare::pair::Pair;
use crate::notes::{Notes, Subject, TopicNotes};
use crate::verdict::{CheckResult, Verdict};

const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Where the mirror notes what it does, and for how long it may take to notice something.
pub(crate) struct Watch<'w> {
    pub(crate) source: &'w Asker<'w>,
    pub(crate) target: &'w Asker<'w>,
    pub(crate) mirror: &'w Subject,
    pub(crate) patience: &'w Cell<Duration>,
}

impl Watch<'_> {
    /// The verdict on the notes as they are, or as they become.
    pub(crate) fn judge(
        &self,
        pair: &Pair<'_>,
        mut notes: TopicNotes,
        subject: &str,
    ) -> Result<CheckResult, Error> {
        let started = Instant::now();
        loop {
            let ends = self.ends(pair)?;
            let result = topic_reset(subject, pair.source_topic, &notes, &ends);
            if !matches!(result.verdict, Verdict::Fail { .. }) {
                return Ok(result);
            }
            if started.elapsed() >= self.patience.get() {
                self.patience.set(Duration::ZERO);
                return Ok(result);
            }
            if self.source.observer.cancelled() {
                return Err(Error::Cancelled);
            }
            sleep(LOOK_AGAIN);
            notes = Notes::read(self.target, self.mirror)?.of(pair.source_topic);
            let here = |topic: &str| topic == pair.target_topic;
            notes.positions.retain(|_, it| here(&it.target_topic));
        }
    }

    fn ends(&self, pair: &Pair<'_>) -> Result<BTreeMap<i32, i64>, Error> {
        let partitions: Vec<i32> = (0..pair.source_partitions).collect();
        let ends = self
            .source
            .offsets(pair.source_topic, &partitions, Offset::End)?;
        Ok(partitions.into_iter().zip(ends).collect())
    }
}
