//! Reads partitions of a topic through librdkafka, up to ends captured before, in bounded memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::Timestamp as KafkaTimestamp;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use crate::Error;
use crate::asker::{ANSWER, Asker, Span, close, unless_cancelled};
use crate::context::{Consumer, serve};
use crate::record::{RecordView, Timestamp, TimestampKind};

/// How long one poll waits; bounds how late a reader notices that it should stop.
const POLL: Duration = Duration::from_millis(100);
/// Nothing arriving for this long before a captured end is an error.
const STALL: Duration = Duration::from_mins(1);
/// With the end of the log reported and nothing readable for this long, the rest of the log up
/// to the captured end holds no record (batches emptied by compaction).
const EMPTY_TAIL: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy)]
struct Place {
    next: i64,
    end: i64,
    log_end_reported: bool,
}

/// What one poll brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A record, which the callback has seen.
    Record,
    /// Nothing within the poll time.
    Quiet,
}

/// A reader of some partitions of a topic at a time. Joins no group and commits nothing.
pub(crate) struct Reader<'e> {
    asker: &'e Asker<'e>,
    topic: String,
    queued_kib: u32,
    /// Made when there is something to read: a consumer looks up a coordinator.
    consumer: Option<Arc<Consumer>>,
    places: BTreeMap<i32, Place>,
    /// How many of them were not read up to their captured ends.
    open: usize,
    heard: Instant,
    /// Records have arrived since `heard`: looking at the clock for each would be a good part of the work.
    stirred: bool,
    last_error: Option<String>,
}

impl<'e> Reader<'e> {
    /// A reader without partitions. `queued_kib` bounds what is held ahead of it.
    pub(crate) fn open(asker: &'e Asker<'e>, queued_kib: u32) -> Self {
        Self {
            asker,
            topic: String::new(),
            queued_kib,
            consumer: None,
            places: BTreeMap::new(),
            open: 0,
            heard: Instant::now(),
            stirred: false,
            last_error: None,
        }
    }

    /// Reads these partitions from now on, each from its offset to its end.
    pub(crate) fn assign(&mut self, topic: &str, spans: &[Span]) -> Result<(), Error> {
        let endpoint = self.asker.endpoint;
        let mut list = TopicPartitionList::with_capacity(spans.len());
        let new_topic = self.topic != topic;
        topic.clone_into(&mut self.topic);
        self.places.clear();
        for &(partition, start, end) in spans {
            list.add_partition_offset(topic, partition, Offset::Offset(start))
                .map_err(endpoint.failed("choosing a start offset"))?;
            let place = Place {
                next: start,
                end,
                log_end_reported: false,
            };
            self.places.insert(partition, place);
        }
        self.count_open();
        self.last_error = None;
        let consumer = match self.consumer.take() {
            Some(consumer) => consumer,
            None => self.connect()?,
        };
        let consumer = self.consumer.insert(consumer);
        if new_topic {
            // librdkafka would find the leaders by itself, but looks only once a second
            let (client, name) = (consumer.clone(), topic.to_owned());
            unless_cancelled(self.asker.observer, move || {
                client.fetch_metadata(Some(&name), ANSWER).map(drop)
            })?
            .map_err(endpoint.failed(format!("asking for the leaders of {topic}")))?;
        }
        self.heard = Instant::now();
        self.stirred = false;
        consumer
            .assign(&list)
            .map_err(endpoint.failed(format!("assigning partitions of {topic}")))
    }

    /// A consumer that may connect: with a token, where it needs one.
    fn connect(&self) -> Result<Arc<Consumer>, Error> {
        let endpoint = self.asker.endpoint;
        let consumer: Consumer = endpoint
            .consumer(self.queued_kib)
            .create_with_context(endpoint.context())
            .map_err(endpoint.failed("creating a consumer"))?;
        let consumer = Arc::new(consumer);
        let served = Arc::clone(&consumer);
        unless_cancelled(self.asker.observer, move || {
            serve(&served, served.client().context(), ANSWER);
        })?;
        Ok(consumer)
    }

    /// Moves the end of every partition to where the log ends now.
    pub(crate) fn capture_ends(&mut self) -> Result<(), Error> {
        let partitions: Vec<i32> = self.places.keys().copied().collect();
        let ends = self.asker.offsets(&self.topic, &partitions, Offset::End)?;
        for (partition, end) in partitions.into_iter().zip(ends) {
            if let Some(place) = self.places.get_mut(&partition)
                && end > place.end
            {
                place.end = end;
                place.log_end_reported = false;
            }
        }
        self.count_open();
        self.heard = Instant::now();
        Ok(())
    }

    fn count_open(&mut self) {
        let places = self.places.values();
        self.open = places.filter(|place| place.next < place.end).count();
    }

    /// Whether every partition was read up to its captured end.
    pub(crate) fn reached(&self) -> bool {
        self.open == 0
    }

    /// How long nothing has arrived.
    pub(crate) fn quiet_for(&self) -> Duration {
        if self.stirred {
            Duration::ZERO
        } else {
            self.heard.elapsed()
        }
    }

    /// Nothing has arrived just now.
    fn rests(&mut self) {
        if std::mem::take(&mut self.stirred) {
            self.heard = Instant::now();
        }
    }

    /// Waits up to 100 ms for a record and shows it as `(partition, offset, record)`.
    pub(crate) fn poll(
        &mut self,
        mut show: impl FnMut(i32, i64, &RecordView<'_>) -> Result<(), Error>,
    ) -> Result<Step, Error> {
        let Some(consumer) = &self.consumer else {
            return Ok(Step::Quiet);
        };
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                // under way before the last assignment
                if message.topic() != self.topic {
                    return Ok(Step::Quiet);
                }
                let (partition, offset) = (message.partition(), message.offset());
                if let Some(place) = self.places.get_mut(&partition) {
                    // a message that was under way before the last assignment
                    if offset < place.next {
                        return Ok(Step::Quiet);
                    }
                    let was_open = place.next < place.end;
                    place.next = offset + 1;
                    self.open -= usize::from(was_open && place.next >= place.end);
                } else {
                    return Ok(Step::Quiet);
                }
                self.stirred = true;
                self.last_error = None;
                show(partition, offset, &view(&message))?;
                Ok(Step::Record)
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                self.rests();
                self.log_end(partition)?;
                Ok(Step::Quiet)
            }
            Some(Err(error)) => {
                self.rests();
                self.complain(error)?;
                Ok(Step::Quiet)
            }
            None => {
                self.rests();
                self.look_for_stall()?;
                Ok(Step::Quiet)
            }
        }
    }

    /// librdkafka has reached the end of a log: what follows the last record (transaction markers)
    /// counts as read.
    fn log_end(&mut self, partition: i32) -> Result<(), Error> {
        let Some(consumer) = &self.consumer else {
            return Ok(());
        };
        let positions = consumer
            .position()
            .map_err(self.asker.endpoint.failed("asking for the position"))?;
        let position = positions
            .find_partition(&self.topic, partition)
            .map(|p| p.offset());
        if let Some(place) = self.places.get_mut(&partition) {
            place.log_end_reported = true;
            if let Some(Offset::Offset(offset)) = position {
                place.next = place.next.max(offset);
            }
        }
        self.count_open();
        Ok(())
    }

    fn complain(&mut self, error: KafkaError) -> Result<(), Error> {
        let for_good = matches!(error, KafkaError::MessageConsumptionFatal(_))
            || matches!(
                error.rdkafka_error_code(),
                Some(
                    RDKafkaErrorCode::AutoOffsetReset
                        | RDKafkaErrorCode::TopicAuthorizationFailed
                        | RDKafkaErrorCode::BadMessage
                        | RDKafkaErrorCode::BadCompression
                )
            );
        if for_good {
            let operation = format!("reading {}", self.topic);
            return Err(self.asker.endpoint.failed(operation)(error));
        }
        // librdkafka reconnects by itself, and may not look up the coordinator of a group that nobody
        // joins; a lasting trouble shows as a stall
        tracing::debug!(topic = %self.topic, %error, "librdkafka reports");
        self.last_error = Some(error.to_string());
        self.look_for_stall()
    }

    fn look_for_stall(&mut self) -> Result<(), Error> {
        let Some((&partition, &place)) =
            self.places.iter().find(|(_, place)| place.next < place.end)
        else {
            return Ok(());
        };
        let quiet = self.heard.elapsed();
        if place.log_end_reported && quiet >= EMPTY_TAIL {
            // the broker has to be there to say so, or this silence means nothing
            self.asker.offsets(&self.topic, &[partition], Offset::End)?;
            if let Some(place) = self.places.get_mut(&partition) {
                place.next = place.end;
            }
            self.count_open();
            return Ok(());
        }
        if quiet < STALL {
            return Ok(());
        }
        Err(Error::Stalled {
            topic: self.topic.clone(),
            partition,
            bootstrap: self.asker.endpoint.bootstrap.clone(),
            offset: place.next,
            end: place.end,
            idle: quiet,
            last_error: self.last_error.take(),
        })
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            close(consumer);
        }
    }
}

fn view<'m>(message: &'m BorrowedMessage<'_>) -> RecordView<'m> {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers
            .iter()
            .map(|header| (header.key, header.value))
            .collect()
    });
    let timestamp = match message.timestamp() {
        KafkaTimestamp::NotAvailable => Timestamp {
            millis: -1,
            kind: TimestampKind::Absent,
        },
        KafkaTimestamp::CreateTime(millis) => Timestamp {
            millis,
            kind: TimestampKind::Create,
        },
        KafkaTimestamp::LogAppendTime(millis) => Timestamp {
            millis,
            kind: TimestampKind::LogAppend,
        },
    };
    RecordView {
        key: message.key(),
        value: message.payload(),
        headers,
        timestamp,
    }
}
