//! Two topics, partition by partition, record by record.

use std::collections::HashMap;
use std::thread;

use super::difference::Difference;
use super::partition::{PartitionReader, end_offsets};
use super::record::Record;
use crate::Result;

/// A topic and where to find it.
#[derive(Debug, Clone, Copy)]
pub struct TopicAt<'a> {
    /// Bootstrap servers of its cluster.
    pub servers: &'a str,
    /// Its name.
    pub topic: &'a str,
}

/// What a comparison that allows replays counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AtLeastOnce {
    /// Records on the source.
    pub records: u64,
    /// Records on the target beyond those.
    pub duplicates: u64,
}

/// Whether both topics hold the same records in the same order in the same partitions: `Ok(Ok(count))`, or the first
/// difference of the lowest partition that has one. Reads to the ends as they are on the way: nobody may be writing.
pub fn identical(source: TopicAt<'_>, target: TopicAt<'_>) -> Result<Result<u64, Difference>> {
    let counts = each_partition(source, target, identical_partition)?;
    Ok(counts.map(|counts| counts.into_iter().sum()))
}

/// Whether the target holds every record of the source, first occurrences in order, and besides those nothing but
/// replays: runs that repeat what came before, in order. The records of one partition must all differ.
pub fn at_least_once(
    source: TopicAt<'_>,
    target: TopicAt<'_>,
) -> Result<Result<AtLeastOnce, Difference>> {
    let counts = each_partition(source, target, replayed_partition)?;
    Ok(counts.map(|counts| {
        counts
            .into_iter()
            .fold(AtLeastOnce::default(), |sum, count| AtLeastOnce {
                records: sum.records + count.records,
                duplicates: sum.duplicates + count.duplicates,
            })
    }))
}

fn each_partition<T: Send>(
    source: TopicAt<'_>,
    target: TopicAt<'_>,
    compare: fn(&PartitionReader, &PartitionReader, i32) -> Result<Result<T, Difference>>,
) -> Result<Result<Vec<T>, Difference>> {
    let expected = end_offsets(source.servers, source.topic)?.len();
    let found = end_offsets(target.servers, target.topic)?.len();
    if expected != found {
        return Ok(Err(Difference {
            partition: expected.min(found) as i32,
            source_offset: None,
            target_offset: None,
            what: format!("{expected} partitions expected, {found} found"),
        }));
    }
    thread::scope(|scope| {
        let readers: Vec<_> = (0..expected as i32)
            .map(|partition| {
                scope.spawn(move || {
                    let source = PartitionReader::open(source.servers, source.topic, partition)?;
                    let target = PartitionReader::open(target.servers, target.topic, partition)?;
                    compare(&source, &target, partition)
                })
            })
            .collect();
        let results: Vec<_> = readers
            .into_iter()
            .map(|reader| {
                reader
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect::<Result<_>>()?;
        Ok(results.into_iter().collect())
    })
}

fn identical_partition(
    source: &PartitionReader,
    target: &PartitionReader,
    partition: i32,
) -> Result<Result<u64, Difference>> {
    let mut count = 0;
    loop {
        let (expected, found) = (source.next()?, target.next()?);
        let what = match (&expected, &found) {
            (None, None) => return Ok(Ok(count)),
            (Some(expected), Some(found)) => expected.first_difference(found),
            (Some(expected), None) => Some(format!("missing: {}", expected.show())),
            (None, Some(found)) => Some(format!("one too many: {}", found.show())),
        };
        if let Some(what) = what {
            return Ok(Err(difference(
                partition,
                expected.as_ref(),
                found.as_ref(),
                what,
            )));
        }
        count += 1;
    }
}

fn replayed_partition(
    source: &PartitionReader,
    target: &PartitionReader,
    partition: i32,
) -> Result<Result<AtLeastOnce, Difference>> {
    // position of each source record; 16 bytes a record
    let mut positions = HashMap::new();
    while let Some(record) = source.next()? {
        let position = positions.len();
        if positions.insert(record.fingerprint(), position).is_some() {
            let what = format!("two equal records on the source: {}", record.show());
            return Ok(Err(difference(partition, Some(&record), None, what)));
        }
    }
    let mut replay = Replay::new(positions.len());
    while let Some(record) = target.next()? {
        let position = positions.get(&record.fingerprint()).copied();
        if let Err(what) = replay.accept(position) {
            let what = format!("{what}: {}", record.show());
            return Ok(Err(difference(partition, None, Some(&record), what)));
        }
    }
    Ok(replay
        .finish()
        .map_err(|what| difference(partition, None, None, what)))
}

fn difference(
    partition: i32,
    expected: Option<&Record>,
    found: Option<&Record>,
    what: String,
) -> Difference {
    Difference {
        partition,
        source_offset: expected.map(|record| record.offset),
        target_offset: found.map(|record| record.offset),
        what,
    }
}

/// Follows a target partition as positions on its source.
#[derive(Debug)]
struct Replay {
    total: usize,
    /// How many source records have been seen, from the first.
    complete: usize,
    /// The position that continues the current run; never beyond `complete`.
    next: usize,
    duplicates: u64,
}

impl Replay {
    fn new(total: usize) -> Self {
        Self {
            total,
            complete: 0,
            next: 0,
            duplicates: 0,
        }
    }

    fn accept(&mut self, position: Option<usize>) -> Result<(), String> {
        let Some(position) = position else {
            return Err("a record that the source does not have".to_owned());
        };
        // the current run goes on, or a new one starts further back; a crash may cut a replay short, too
        if position > self.next {
            return Err(format!(
                "record number {position} of the source where at most number {} is due",
                self.next
            ));
        }
        self.next = position + 1;
        if position == self.complete {
            self.complete += 1;
        } else {
            self.duplicates += 1;
        }
        Ok(())
    }

    fn finish(self) -> Result<AtLeastOnce, String> {
        if self.complete < self.total {
            return Err(format!(
                "{} of {} records are missing",
                self.total - self.complete,
                self.total
            ));
        }
        Ok(AtLeastOnce {
            records: self.total as u64,
            duplicates: self.duplicates,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(total: usize, positions: &[usize]) -> Result<AtLeastOnce, String> {
        let mut replay = Replay::new(total);
        for position in positions {
            replay.accept(Some(*position))?;
        }
        replay.finish()
    }

    #[test]
    fn replays_are_counted() {
        assert_eq!(
            follow(4, &[0, 1, 2, 3]),
            Ok(AtLeastOnce {
                records: 4,
                duplicates: 0
            })
        );
        assert_eq!(
            follow(4, &[0, 1, 2, 1, 2, 3]),
            Ok(AtLeastOnce {
                records: 4,
                duplicates: 2
            })
        );
        assert_eq!(
            follow(4, &[0, 1, 2, 0, 0, 1, 2, 3]),
            Ok(AtLeastOnce {
                records: 4,
                duplicates: 4
            })
        );
        assert_eq!(
            follow(3, &[0, 1, 2, 0, 1, 2]),
            Ok(AtLeastOnce {
                records: 3,
                duplicates: 3
            })
        );
    }

    #[test]
    fn loss_disorder_and_strangers_are_not() {
        assert!(follow(4, &[0, 1, 2]).is_err(), "the last is missing");
        assert!(follow(4, &[0, 2, 1, 3]).is_err(), "swapped");
        assert!(follow(4, &[0, 2, 3]).is_err(), "one is missing");
        assert!(follow(4, &[0, 1, 2, 0, 3]).is_err(), "a replay with a hole");
        assert!(Replay::new(1).accept(None).is_err(), "not on the source");
    }
}
