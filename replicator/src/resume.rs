//! Exactly once after an interruption: how much of the source does the target have already?
//!
//! The broker keeps the sequences of one producer contiguous, and sequences are a function of the source's records. So
//! the last sequence that the target accepted says which records it has. Two sources tell it, and neither alone is
//! enough: `DescribeProducers` (KIP-664) knows what the leader appended, also beyond the high watermark, and forgets
//! producers that were idle (`producer.id.expiration.ms`) or whose records are old; the target's log remembers for as
//! long as it retains, and shows only what is replicated.

use std::time::Duration;

use kafka::batch::{BatchHeader, RawBatch, next_sequence, sequences_between};
use kafka::fetch::{FetchFrom, FetchLimits, Fetched};
use kafka::{BrokerError, Connection, Error, OffsetSpec, RetryClass, TopicPartition};
use tokio::time::Instant;

use crate::leaders::Leader;
use crate::outcome::{Stopped, Trouble};
use crate::position::ProducerPosition;

/// More than this from one sequence to another is a step back.
const HALF_CIRCLE: u32 = 1 << 30;
/// How long the target may take to replicate what its leader has appended.
const REPLICATED_WITHIN: Duration = Duration::from_secs(30);
const FETCH_BYTES: i32 = 1 << 20;

/// Why the question has no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// Ask again.
    Trouble(Trouble),
    /// Going on would lose or repeat records.
    Stopped(Stopped),
}

impl From<Error> for NoAnswer {
    fn from(error: Error) -> Self {
        if error.class() == RetryClass::Fatal {
            Self::Stopped(Stopped::Client(error))
        } else {
            Self::Trouble(Trouble::Target(error))
        }
    }
}

impl From<BrokerError> for NoAnswer {
    fn from(error: BrokerError) -> Self {
        if error.class() == RetryClass::Fatal {
            Self::Stopped(Stopped::Refused(error))
        } else {
            Self::Trouble(Trouble::TargetRefused(error))
        }
    }
}

/// What the target has of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// How many records after the position's sequence it has, all of them replicated and without a hole.
    pub(crate) ahead: u32,
    /// It does not know the producer any more although it has records of it: it would take any sequence.
    pub(crate) forgotten: bool,
}

/// Asks the target's leader and its log what came after `producer.sequence`.
///
/// Another instance may be writing meanwhile: the answer is then already old, which does no harm, because the target
/// refuses what does not follow its last sequence. Cancel safe: it only reads.
pub(crate) async fn records_ahead(
    target: &kafka::Cluster,
    leader: &Leader,
    topic: &std::sync::Arc<str>,
    partition: i32,
    producer: ProducerPosition,
) -> Result<Found, NoAnswer> {
    let known = target
        .describe_producers(&leader.node, topic, partition)
        .await?
        .into_iter()
        .find(|active| active.producer.id == producer.id && active.last_sequence >= 0);
    let goal = match known {
        Some(active) if active.producer.epoch > producer.epoch => {
            return Err(NoAnswer::Stopped(Stopped::Superseded {
                ours: producer.epoch,
                theirs: active.producer.epoch,
            }));
        }
        Some(active) if active.producer.epoch == producer.epoch => {
            let next = next_sequence(active.last_sequence, 1);
            let ahead = sequences_between(producer.sequence, next);
            if ahead == 0 {
                return Ok(Found {
                    ahead,
                    forgotten: false,
                });
            }
            if ahead > HALF_CIRCLE {
                return Err(NoAnswer::Stopped(Stopped::TargetLost {
                    producer_id: producer.id,
                    last: active.last_sequence,
                    acknowledged: producer.sequence,
                }));
            }
            Goal::Sequence(next)
        }
        Some(_) | None => Goal::EndOfLog,
    };
    let tail = Tail {
        from: FetchFrom {
            topic: topic.clone(),
            topic_id: leader.topic_id,
            partition,
            offset: producer.target_offset,
            leader_epoch: leader.epoch,
        },
        producer,
        expected: producer.sequence,
        begun: false,
        retained: true,
    };
    let start = log_start(target, topic, partition).await?;
    let tail = tail.not_before(start);
    let connection = target.open(&leader.node).await?;
    let next = tail.read(&connection, goal).await?;
    let ahead = sequences_between(producer.sequence, next);
    Ok(Found {
        ahead,
        forgotten: goal == Goal::EndOfLog && (producer.sequence != 0 || ahead > 0),
    })
}

async fn log_start(target: &kafka::Cluster, topic: &str, partition: i32) -> Result<i64, NoAnswer> {
    let partition = TopicPartition::new(topic, partition);
    let listed = target
        .list_offsets(std::slice::from_ref(&partition), OffsetSpec::Earliest)
        .await?;
    match listed.into_values().next() {
        Some(Ok(listed)) => Ok(listed.offset),
        Some(Err(error)) => Err(error.into()),
        None => Ok(0),
    }
}

/// Where reading the tail of the target's log may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// The leader says that the sequence before this one is appended: wait until it is replicated.
    Sequence(i32),
    /// The leader knows nothing: whatever the log shows.
    EndOfLog,
}

/// The target's log from a position's target offset on.
#[derive(Debug)]
struct Tail {
    from: FetchFrom,
    producer: ProducerPosition,
    /// The sequence that our next batch must begin with.
    expected: i32,
    /// The first of our batches was seen.
    begun: bool,
    /// Nothing after the position was deleted from the target's log.
    retained: bool,
}

impl Tail {
    /// Retention may have taken what lay before `start`.
    fn not_before(mut self, start: i64) -> Self {
        if start > self.from.offset {
            self.from.offset = start;
            self.retained = false;
        }
        self
    }

    /// The sequence after our last replicated record.
    async fn read(mut self, connection: &Connection, goal: Goal) -> Result<i32, NoAnswer> {
        let deadline = Instant::now() + REPLICATED_WITHIN;
        let limits = FetchLimits {
            max_wait: match goal {
                Goal::Sequence(_) => Duration::from_millis(100),
                Goal::EndOfLog => Duration::ZERO,
            },
            min_bytes: 1,
            max_bytes: FETCH_BYTES,
            partition_max_bytes: FETCH_BYTES,
        };
        loop {
            let fetched = kafka::fetch::send(connection, limits, std::slice::from_ref(&self.from))
                .await?
                .receive()
                .await?
                .into_iter()
                .next();
            let end = match fetched {
                Some(fetched) => self.take(fetched)?,
                None => i64::MAX,
            };
            let at_end = self.from.offset >= end;
            let unseen = !self.retained && !self.begun;
            match goal {
                // Reached, or passed: another instance may have gone on meanwhile.
                Goal::Sequence(next) if sequences_between(next, self.expected) <= HALF_CIRCLE => {
                    return Ok(self.expected);
                }
                // Deleted, and what is deleted was replicated.
                Goal::Sequence(next) if at_end && unseen => return Ok(next),
                Goal::EndOfLog if at_end && unseen => {
                    let start = self.from.offset;
                    return Err(Stopped::TailDeleted { start }.into());
                }
                Goal::EndOfLog if at_end => return Ok(self.expected),
                Goal::Sequence(_) | Goal::EndOfLog => {}
            }
            if Instant::now() >= deadline {
                return Err(NoAnswer::Trouble(Trouble::Target(Error::Timeout {
                    api: "replication",
                    address: connection.address().to_owned(),
                    timeout: REPLICATED_WITHIN,
                })));
            }
        }
    }

    /// Takes in what was fetched; returns the end of what could have been.
    fn take(&mut self, fetched: Fetched) -> Result<i64, NoAnswer> {
        if let Some(error) = fetched.error {
            if error.name() == "OFFSET_OUT_OF_RANGE" {
                return Err(Stopped::TargetTruncated {
                    offset: self.from.offset,
                }
                .into());
            }
            return Err(error.into());
        }
        let mut records = fetched.records;
        while let Some(batch) = RawBatch::split_from(&mut records).map_err(Stopped::Unreadable)? {
            let header = batch.header;
            if header.next_offset() > self.from.offset {
                self.from.offset = header.next_offset();
                self.follow(&header)?;
            }
        }
        Ok(fetched.last_stable_offset)
    }

    fn follow(&mut self, header: &BatchHeader) -> Result<(), Stopped> {
        let producer = self.producer.identity();
        if header.producer_id != producer.id
            || header.producer_epoch != producer.epoch
            || header.is_control()
        {
            return Ok(());
        }
        let records = header.last_offset_delta + 1;
        let after = next_sequence(header.base_sequence, records);
        let behind = sequences_between(after, self.expected) <= HALF_CIRCLE;
        if behind && !self.begun {
            // From before the position: its target offset is a lower bound only.
            return Ok(());
        }
        let deleted_before = !self.retained && !self.begun;
        if header.base_sequence != self.expected && !deleted_before {
            return Err(Stopped::Hole {
                target_offset: header.base_offset,
                expected: self.expected,
                found: header.base_sequence,
            });
        }
        self.begun = true;
        self.expected = after;
        Ok(())
    }
}

impl From<Stopped> for NoAnswer {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}
