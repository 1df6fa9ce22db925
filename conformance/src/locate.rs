//! Finds a stamped record on the source, so that a counterexample can name its place there.

use crate::Error;
use crate::asker::Asker;
use crate::endpoint::Endpoint;
use crate::journal::Journal;
use crate::observer::{Observer, Pace};
use crate::reader::{Reader, Step};
use crate::stamp::{RecordId, StampRead, read_stamp};
use crate::verdict::TopicPartitionOffset;

const QUEUED_KIB: u32 = 16 * 1024;

/// Where a record of the run is on the source; `None` when it is not there (any more).
pub(crate) fn locate(
    source: &Endpoint,
    journal: &Journal,
    id: RecordId,
    observer: &dyn Observer,
) -> Result<Option<TopicPartitionOffset>, Error> {
    let Some(stream) = journal.stream_of(id) else {
        return Ok(None);
    };
    let topic = &journal.spec.topic;
    let asker = Asker::open(source, observer)?;
    let mut reader = Reader::open(&asker, QUEUED_KIB);
    let spans = asker.spans(topic, &[stream.partition])?;
    let Some(&(_, first, end)) = spans.first() else {
        return Ok(None);
    };
    let before = stream
        .anchors
        .partition_point(|anchor| anchor.0 <= id.sequence);
    let anchor = before
        .checked_sub(1)
        .map_or(first, |at| stream.anchors[at].1);
    reader.assign(topic, &[(stream.partition, anchor.max(first), end)])?;
    let mut pace = Pace::new(observer, 0, format!("looking for {id} on the source"));
    let mut found = None;
    while found.is_none() && !reader.reached() {
        let step = reader.poll(|partition, offset, record| {
            let stamp = match read_stamp(&record.headers) {
                StampRead::Whole(stamp) | StampRead::NotLast(stamp) => stamp,
                StampRead::Missing | StampRead::Damaged => return Ok(()),
            };
            if stamp.run == journal.run && stamp.id == id {
                found = Some(TopicPartitionOffset::new(topic.clone(), partition, offset));
            }
            Ok(())
        })?;
        match step {
            Step::Record => pace.step()?,
            Step::Quiet => pace.look()?,
        }
    }
    Ok(found)
}
