//! The two sides of a comparison as readers of clusters.

use std::cell::Cell;
use std::time::Duration;

use crate::Error;
use crate::compare::align::Side;
use crate::compare::entry::{Entry, TimestampRule};
use crate::reader::{Reader, Step};
use crate::record::RecordHasher;

/// One partition of a topic, read to its captured end and, while something is missing, beyond.
pub(crate) struct PartitionSide<'r, 'e> {
    reader: &'r mut Reader<'e>,
    hasher: RecordHasher,
    rule: TimestampRule,
    patience: &'r Cell<Duration>,
    waits: bool,
    look: &'r dyn Fn() -> Result<(), Error>,
}

impl<'r, 'e> PartitionSide<'r, 'e> {
    /// A side that waits at its captured end for the other, up to `patience` without a record; what
    /// was waited in vain is not waited again, by this side or another with the same patience.
    pub(crate) fn new(
        reader: &'r mut Reader<'e>,
        rule: TimestampRule,
        patience: &'r Cell<Duration>,
        look: &'r dyn Fn() -> Result<(), Error>,
    ) -> Self {
        Self {
            reader,
            hasher: RecordHasher::default(),
            rule,
            patience,
            waits: true,
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
            let (hasher, rule) = (&mut self.hasher, self.rule);
            let step = self.reader.poll(|_, offset, record| {
                entry = Some(Entry::new(hasher, rule, offset, record));
                Ok(())
            })?;
            match step {
                Step::Record => return Ok(entry),
                Step::Quiet => (self.look)()?,
            }
        }
    }

    fn stop_waiting(&mut self) {
        self.waits = false;
    }
}
