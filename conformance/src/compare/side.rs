//! The two sides of a comparison as readers of clusters.

use std::cell::Cell;
use std::time::Duration;

use crate::Error;
use crate::compare::align::Side;
use crate::compare::entry::{Entry, TimestampRule};
use crate::compare::latest::Latest;
use crate::compare::options::Sample;
use crate::reader::{Reader, Step};
use crate::record::{RecordHasher, RecordView};

/// Of records that are not taken, so many go by until somebody looks whether to stop.
const LOOK_EVERY: u32 = 4_096;

/// What is taken from the records that go by.
#[derive(Debug)]
pub(crate) struct Taking<'t> {
    pub(crate) rule: TimestampRule,
    pub(crate) sample: Option<Sample>,
    /// Keeps the newest record of each key.
    pub(crate) latest: Option<&'t mut Latest>,
}

impl Taking<'_> {
    pub(crate) fn take(
        &mut self,
        hasher: &mut RecordHasher,
        offset: i64,
        record: &RecordView<'_>,
    ) -> Option<Entry> {
        if self
            .sample
            .is_some_and(|sample| !sample.takes(hasher, record))
        {
            return None;
        }
        if let Some(latest) = self.latest.as_deref_mut() {
            latest.take(hasher, offset, record);
        }
        Some(Entry::new(hasher, self.rule, offset, record))
    }
}

/// One partition of a topic, read to its captured end and, while something is missing, beyond.
pub(crate) struct PartitionSide<'r, 'e> {
    reader: &'r mut Reader<'e>,
    hasher: RecordHasher,
    taking: Taking<'r>,
    patience: &'r Cell<Duration>,
    waits: bool,
    passed_over: u32,
    look: &'r dyn Fn() -> Result<(), Error>,
}

impl<'r, 'e> PartitionSide<'r, 'e> {
    /// A side that waits at its captured end for the other, up to `patience` without a record; what
    /// was waited in vain is not waited again, by this side or another with the same patience.
    pub(crate) fn new(
        reader: &'r mut Reader<'e>,
        taking: Taking<'r>,
        patience: &'r Cell<Duration>,
        look: &'r dyn Fn() -> Result<(), Error>,
    ) -> Self {
        Self {
            reader,
            hasher: RecordHasher::default(),
            taking,
            patience,
            waits: true,
            passed_over: 0,
            look,
        }
    }
}

impl Side for PartitionSide<'_, '_> {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            if self.reader.reached() {
                if !self.waits {
                    return Ok(None);
                }
                if self.reader.quiet_for() >= self.patience.get() {
                    self.patience.set(Duration::ZERO);
                    return Ok(None);
                }
            }
            let mut entry = None;
            let (hasher, taking) = (&mut self.hasher, &mut self.taking);
            let step = self.reader.poll(|_, offset, record| {
                entry = taking.take(hasher, offset, record);
                Ok(())
            })?;
            match step {
                Step::Record if entry.is_some() => return Ok(entry),
                Step::Record => {
                    self.passed_over = self.passed_over.wrapping_add(1);
                    if self.passed_over.is_multiple_of(LOOK_EVERY) {
                        (self.look)()?;
                    }
                }
                Step::Quiet => (self.look)()?,
            }
        }
    }

    fn stop_waiting(&mut self) {
        self.waits = false;
    }
}
