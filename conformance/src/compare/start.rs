//! Where the walk over a partition begins: at the first record, at a chosen one, and never where retention has left more on
//! one side than on the other. Records keep their times, so a time finds the same record on both sides.

use crate::Error;
use crate::asker::{Asker, Span};
use crate::compare::judge::Starts;
use crate::compare::options::Since;
use crate::reader::{Reader, Step};
use crate::record::{Timestamp, TimestampKind};

/// One side of a partition.
pub(crate) struct End<'a, 'e> {
    pub(crate) asker: &'a Asker<'a>,
    pub(crate) reader: &'a mut Reader<'e>,
    pub(crate) topic: &'a str,
    pub(crate) span: Span,
}

impl End<'_, '_> {
    fn partition(&self) -> i32 {
        self.span.0
    }

    fn is_empty(&self) -> bool {
        self.span.1 >= self.span.2
    }

    /// The time of the first record from an offset on.
    fn time_from(&mut self, offset: i64) -> Result<Option<Timestamp>, Error> {
        let (partition, first, end) = self.span;
        let from = offset.max(first);
        if from >= end {
            return Ok(None);
        }
        self.reader.assign(self.topic, &[(partition, from, end)])?;
        let mut time = None;
        while time.is_none() && !self.reader.reached() {
            let step = self.reader.poll(|_, _, record| {
                time.get_or_insert(record.timestamp);
                Ok(())
            })?;
            if step == Step::Quiet && self.asker.observer.cancelled() {
                return Err(Error::Cancelled);
            }
        }
        Ok(time)
    }

    /// Begins at the first record that is not older, or at the end.
    fn begin_at(&mut self, millis: i64) -> Result<(), Error> {
        let (partition, first, end) = self.span;
        let found = self.asker.at_time(self.topic, partition, millis)?;
        self.span.1 = found.map_or(end, |offset| offset.clamp(first, end.max(first)));
        Ok(())
    }
}

/// Moves both sides to where they begin.
pub(crate) fn begin(
    ours: &mut End<'_, '_>,
    theirs: &mut End<'_, '_>,
    since: Option<Since>,
) -> Result<Starts, Error> {
    let (our_first, their_first) = (ours.span.1, theirs.span.1);
    match since {
        None => {}
        Some(Since::Millis(millis)) => {
            ours.begin_at(millis)?;
            theirs.begin_at(millis)?;
        }
        Some(Since::Offset(offset)) => match ours.time_from(offset)? {
            Some(time) if time.kind == TimestampKind::Create => {
                ours.begin_at(time.millis)?;
                theirs.begin_at(time.millis)?;
            }
            Some(_) => {
                return Err(Error::Invalid(format!(
                    "{} partition {}: an offset is found on the target by its create time, and these records have none",
                    ours.topic,
                    ours.partition()
                )));
            }
            None => {
                ours.span.1 = ours.span.2;
                theirs.span.1 = theirs.span.2;
            }
        },
    }
    let chosen = since.is_some();
    let cut = |first: i64, side: &End<'_, '_>| first > 0 && side.span.1 == first;
    let (ours_cut, theirs_cut) = (cut(our_first, ours), cut(their_first, theirs));
    if (ours_cut || theirs_cut) && !ours.is_empty() && !theirs.is_empty() {
        let (our_start, their_start) = (ours.span.1, theirs.span.1);
        let times = (ours.time_from(our_start)?, theirs.time_from(their_start)?);
        if let (Some(our_time), Some(their_time)) = times
            && our_time.kind == TimestampKind::Create
            && their_time.kind == TimestampKind::Create
        {
            if ours_cut {
                theirs.begin_at(our_time.millis)?;
            }
            if theirs_cut {
                ours.begin_at(their_time.millis)?;
            }
        }
    }
    Ok(Starts {
        // with a chosen time, records that are only appended later may lie before the first common one
        source_is_cut: ours_cut || chosen,
        target_is_cut: theirs_cut,
        chosen,
    })
}
