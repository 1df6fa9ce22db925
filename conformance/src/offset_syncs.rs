//! What `MirrorMaker` 2 notes about offsets: of some source offsets where their records were written on the target. Read
//! without any code of it: two structs of Kafka's own protocol types (KIP-382).

use std::collections::BTreeMap;

use crate::Error;
use crate::asker::Asker;
use crate::mirror::OffsetSyncTopics;
use crate::notes;
use crate::record::RecordView;

/// As many are kept of a partition; the latest.
const MOST: usize = 1_024;

/// A source offset, and the target offset that its record was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetSync {
    pub(crate) partition: i32,
    pub(crate) upstream: i64,
    pub(crate) downstream: i64,
}

type BySource = BTreeMap<String, BTreeMap<i32, Vec<OffsetSync>>>;

/// By source topic, each partition's in the order they were written. Empty where there is no such topic.
pub(crate) fn read(
    source: &Asker<'_>,
    target: &Asker<'_>,
    names: &OffsetSyncTopics,
) -> Result<BTreeMap<String, Vec<OffsetSync>>, Error> {
    let mut found = BySource::new();
    for (asker, topic) in [(source, &names.on_source), (target, &names.on_target)] {
        notes::read(asker, topic, |record| take(&mut found, record))?;
    }
    let flat = found.into_iter().map(|(topic, partitions)| {
        let syncs = partitions.into_values().flatten();
        (topic, syncs.collect())
    });
    Ok(flat.collect())
}

fn take(found: &mut BySource, record: &RecordView<'_>) {
    let Some((topic, partition)) = record.key.and_then(key) else {
        return;
    };
    let Some((upstream, downstream)) = record.value.and_then(value) else {
        return;
    };
    let syncs = found
        .entry(topic)
        .or_default()
        .entry(partition)
        .or_default();
    // who goes back copies again, and what was noted before means nothing any more
    if syncs.last().is_some_and(|last| upstream <= last.upstream) {
        syncs.clear();
    }
    if syncs.len() == MOST {
        syncs.remove(0);
    }
    syncs.push(OffsetSync {
        partition,
        upstream,
        downstream,
    });
}

/// `topic: STRING, partition: INT32`.
fn key(bytes: &[u8]) -> Option<(String, i32)> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(i16::from_be_bytes(*length)).ok()?;
    let (topic, rest) = rest.split_at_checked(length)?;
    let partition: &[u8; 4] = rest.try_into().ok()?;
    let topic = std::str::from_utf8(topic).ok()?;
    Some((topic.to_owned(), i32::from_be_bytes(*partition)))
}

/// `upstreamOffset: INT64, offset: INT64`.
fn value(bytes: &[u8]) -> Option<(i64, i64)> {
    let bytes: &[u8; 16] = bytes.try_into().ok()?;
    let (upstream, downstream) = bytes.split_first_chunk()?;
    let downstream = downstream.try_into().ok()?;
    Some((
        i64::from_be_bytes(*upstream),
        i64::from_be_bytes(downstream),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;

    fn sync(found: &mut BySource, topic: &str, partition: i32, offsets: (i64, i64)) {
        let mut key = (topic.len() as i16).to_be_bytes().to_vec();
        key.extend(topic.as_bytes());
        key.extend(partition.to_be_bytes());
        let value = [offsets.0.to_be_bytes(), offsets.1.to_be_bytes()].concat();
        show(found, &key, Some(&value));
    }

    fn show(found: &mut BySource, key: &[u8], value: Option<&[u8]>) {
        let record = RecordView {
            key: Some(key),
            value,
            headers: Vec::new(),
            timestamp: Timestamp::create(0),
        };
        take(found, &record);
    }

    #[test]
    fn syncs_are_kept_by_partition_until_the_mirror_goes_back() {
        let mut found = BySource::new();
        sync(&mut found, "a", 0, (5, 7));
        sync(&mut found, "a", 0, (105, 110));
        sync(&mut found, "a", 1, (3, 3));
        sync(&mut found, "b", 0, (1, 2));
        let pairs = |found: &BySource, topic: &str, partition| -> Vec<(i64, i64)> {
            let syncs = found[topic][&partition].iter();
            syncs.map(|it| (it.upstream, it.downstream)).collect()
        };
        assert_eq!(pairs(&found, "a", 0), [(5, 7), (105, 110)]);
        assert_eq!(pairs(&found, "b", 0), [(1, 2)]);
        sync(&mut found, "a", 0, (60, 170));
        assert_eq!(pairs(&found, "a", 0), [(60, 170)]);
        assert_eq!(pairs(&found, "a", 1), [(3, 3)]);
        for number in 0..2_000 {
            sync(&mut found, "b", 0, (10 + number, 10 + number));
        }
        assert_eq!(found["b"][&0].len(), MOST);
        assert_eq!(found["b"][&0][MOST - 1].upstream, 2_009);
    }

    #[test]
    fn what_is_no_sync_is_passed_over() {
        let mut found = BySource::new();
        show(&mut found, b"", Some(&[0; 16]));
        show(&mut found, &[0, 9, b'a', 0, 0, 0, 0], Some(&[0; 16]));
        show(&mut found, &[0xff, 0xff, 0, 0, 0, 0], Some(&[0; 16]));
        show(&mut found, &[0, 1, b'a', 0, 0, 0, 0], Some(&[0; 15]));
        show(&mut found, &[0, 1, b'a', 0, 0, 0, 0], None);
        assert!(found.is_empty(), "{found:?}");
    }
}
