//! Raw fetch: record batches as the broker stores them (KIP-74 size limits, KIP-516 topic ids), with or without a
//! session (KIP-227).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use crate::connection::{Connection, PendingResponse};
use crate::error::{BrokerError, Error};

/// From this version on requests name topics by id alone.
const TOPIC_IDS_FROM: i16 = 13;

/// Limits of one fetch.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// How long the broker may wait for `min_bytes`.
    pub max_wait: Duration,
    /// The broker answers as soon as it has this many bytes.
    pub min_bytes: i32,
    /// Soft limit over all partitions: one batch is always returned whole.
    pub max_bytes: i32,
    /// Soft limit a partition.
    pub partition_max_bytes: i32,
}

/// Where to read one partition from.
#[derive(Debug, Clone)]
pub struct FetchFrom {
    /// Topic name.
    pub topic: Arc<str>,
    /// Topic id, so that a recreated topic is an error and not other data.
    pub topic_id: Uuid,
    /// Partition index.
    pub partition: i32,
    /// First offset wanted. The answer begins with the whole batch that holds it.
    pub offset: i64,
    /// Leader epoch from metadata, −1 to skip the check (KIP-320).
    pub leader_epoch: i32,
}

/// One partition's part of a fetch response.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition index.
    pub partition: i32,
    /// The broker's refusal; then the other fields mean nothing.
    pub error: Option<BrokerError>,
    /// End of what is replicated.
    pub high_watermark: i64,
    /// End of what no open transaction can still take back.
    pub last_stable_offset: i64,
    /// Start of what is still there.
    pub log_start_offset: i64,
    /// Batches back to back, the last one perhaps cut short; shares the response's buffer.
    pub records: Bytes,
    /// Aborted transactions that touch `records`: producer id and first offset.
    pub aborted: Vec<(i64, i64)>,
}

/// A fetch on its way.
#[derive(Debug)]
pub struct PendingFetch {
    response: PendingResponse,
    connection: Connection,
    version: i16,
    names: Names,
    timeout: Duration,
}

/// Names of the topics that were asked for by id.
type Names = HashMap<Uuid, Arc<str>>;

/// A fetch session with one broker (KIP-227): it remembers the partitions and their offsets, so that a request names
/// only what changed, and an answer only what is new.
///
/// One request at a time, on one connection. After an error, or on another connection, begin with a new one.
#[derive(Debug, Default)]
pub struct FetchSession {
    /// 0 until the broker gave one; it may have no room for more.
    id: i32,
    /// Of the next request; 0 asks for a new session.
    epoch: i32,
    names: Names,
}

impl FetchSession {
    /// The broker remembers what it was asked for: the next request is about changes alone.
    pub fn is_established(&self) -> bool {
        self.id != 0 && self.epoch != 0
    }

    /// The next request begins a new session and must name every partition. The broker drops the old one.
    pub fn reset(&mut self) {
        self.epoch = 0;
        self.names.clear();
    }

    /// Takes in the session's part of an answer. True where the partitions in it are to be used; false where the
    /// session was lost and everything has to be asked for again.
    fn advance(&mut self, response: &FetchResponse) -> Result<bool, Error> {
        let Some(error) = BrokerError::from_code(response.error_code, None) else {
            if self.id != response.session_id {
                self.id = response.session_id;
                self.epoch = 0;
            }
            self.epoch = if self.id == 0 {
                0
            } else {
                self.epoch % i32::MAX + 1
            };
            return Ok(true);
        };
        if !self.is_established() {
            return Err(Error::broker("Fetch", error));
        }
        match error.name().as_str() {
            "FETCH_SESSION_ID_NOT_FOUND" => self.id = 0,
            "INVALID_FETCH_SESSION_EPOCH"
            | "FETCH_SESSION_TOPIC_ID_ERROR"
            | "INCONSISTENT_TOPIC_ID"
            | "UNKNOWN_TOPIC_ID" => {}
            _ => return Err(Error::broker("Fetch", error)),
        }
        self.reset();
        Ok(false)
    }
}

/// Sends a read-committed fetch. Waits only while the connection's write queue is full.
pub async fn send(
    connection: &Connection,
    limits: FetchLimits,
    partitions: &[FetchFrom],
) -> Result<PendingFetch, Error> {
    let version = connection.version_of::<FetchRequest>()?;
    // No session: epoch −1 says that none is wanted either.
    let request = request(limits, partitions, version)
        .with_session_id(0)
        .with_session_epoch(-1);
    let mut pending = dispatch(connection, limits, version, &request).await?;
    pending.names = names(partitions).collect();
    Ok(pending)
}

/// Sends a read-committed fetch within a session. `partitions` is all of them while the session is not established,
/// then those that are new or whose offset changed; `forgotten` those that are no longer wanted. Waits only while the
/// connection's write queue is full.
///
/// The answer must be taken with [`PendingFetch::receive_in`] before the next request.
pub async fn send_in(
    session: &mut FetchSession,
    connection: &Connection,
    limits: FetchLimits,
    partitions: &[FetchFrom],
    forgotten: &[FetchFrom],
) -> Result<PendingFetch, Error> {
    let version = connection.version_of::<FetchRequest>()?;
    let mut request = request(limits, partitions, version)
        .with_session_id(session.id)
        .with_session_epoch(session.epoch);
    if session.is_established() {
        request.forgotten_topics_data = forget(forgotten, version);
    }
    session.names.extend(names(partitions));
    dispatch(connection, limits, version, &request).await
}

fn names(partitions: &[FetchFrom]) -> impl Iterator<Item = (Uuid, Arc<str>)> {
    partitions.iter().map(|p| (p.topic_id, p.topic.clone()))
}

async fn dispatch(
    connection: &Connection,
    limits: FetchLimits,
    version: i16,
    request: &FetchRequest,
) -> Result<PendingFetch, Error> {
    let frame = connection.encode(request, version)?;
    Ok(PendingFetch {
        response: connection.send(frame).await?,
        connection: connection.clone(),
        version,
        names: Names::new(),
        timeout: limits.max_wait + connection.request_timeout(),
    })
}

impl PendingFetch {
    /// Waits for the response and takes it apart; batches are not copied.
    pub async fn receive(self) -> Result<Vec<Fetched>, Error> {
        let body = self.response.within("Fetch", self.timeout).await?;
        let response = self.connection.decode::<FetchRequest>(body, self.version)?;
        if let Some(error) = BrokerError::from_code(response.error_code, None) {
            return Err(Error::broker("Fetch", error));
        }
        take_apart(response, self.version, &self.names, &self.connection)
    }

    /// As [`PendingFetch::receive`], for a request of a session. Where the broker has lost the session the answer is
    /// empty and the session no longer established.
    pub async fn receive_in(self, session: &mut FetchSession) -> Result<Vec<Fetched>, Error> {
        let body = self.response.within("Fetch", self.timeout).await?;
        let response = self.connection.decode::<FetchRequest>(body, self.version)?;
        if !session.advance(&response)? {
            return Ok(Vec::new());
        }
        take_apart(response, self.version, &session.names, &self.connection)
    }
}

fn take_apart(
    response: FetchResponse,
    version: i16,
    names: &Names,
    connection: &Connection,
) -> Result<Vec<Fetched>, Error> {
    let mut fetched = Vec::new();
    for topic in response.responses {
        let name = if version >= TOPIC_IDS_FROM {
            names.get(&topic.topic_id).cloned()
        } else {
            Some(Arc::from(topic.topic.0.as_str()))
        };
        let Some(name) = name else {
            return Err(Error::Malformed {
                address: connection.address().to_owned(),
                what: "Fetch",
                detail: format!("topic id {} was not asked for", topic.topic_id),
            });
        };
        for partition in topic.partitions {
            let aborted = partition.aborted_transactions.unwrap_or_default();
            fetched.push(Fetched {
                topic: name.clone(),
                partition: partition.partition_index,
                error: BrokerError::from_code(partition.error_code, None),
                high_watermark: partition.high_watermark,
                last_stable_offset: partition.last_stable_offset,
                log_start_offset: partition.log_start_offset,
                records: partition.records.unwrap_or_default(),
                aborted: aborted
                    .iter()
                    .map(|a| (a.producer_id.0, a.first_offset))
                    .collect(),
            });
        }
    }
    Ok(fetched)
}

fn forget(partitions: &[FetchFrom], version: i16) -> Vec<ForgottenTopic> {
    let mut topics: Vec<ForgottenTopic> = Vec::new();
    let mut at: HashMap<(&str, Uuid), usize> = HashMap::new();
    for from in partitions {
        let index = *at.entry((&from.topic, from.topic_id)).or_insert_with(|| {
            let mut topic = ForgottenTopic::default();
            if version >= TOPIC_IDS_FROM {
                topic.topic_id = from.topic_id;
            } else {
                topic.topic = TopicName(StrBytes::from_string(from.topic.to_string()));
            }
            topics.push(topic);
            topics.len() - 1
        });
        topics[index].partitions.push(from.partition);
    }
    topics
}

fn request(limits: FetchLimits, partitions: &[FetchFrom], version: i16) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    let mut at: HashMap<&str, usize> = HashMap::new();
    for from in partitions {
        let index = *at.entry(&from.topic).or_insert_with(|| {
            let mut topic = FetchTopic::default();
            if version >= TOPIC_IDS_FROM {
                topic.topic_id = from.topic_id;
            } else {
                topic.topic = TopicName(StrBytes::from_string(from.topic.to_string()));
            }
            topics.push(topic);
            topics.len() - 1
        });
        topics[index].partitions.push(
            FetchPartition::default()
                .with_partition(from.partition)
                .with_current_leader_epoch(from.leader_epoch)
                .with_fetch_offset(from.offset)
                .with_last_fetched_epoch(-1)
                .with_log_start_offset(-1)
                .with_partition_max_bytes(limits.partition_max_bytes),
        );
    }
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(limits.max_wait.as_millis() as i32)
        .with_min_bytes(limits.min_bytes)
        .with_max_bytes(limits.max_bytes)
        .with_isolation_level(1)
        .with_topics(topics)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(error_code: i16, session_id: i32) -> FetchResponse {
        FetchResponse::default()
            .with_error_code(error_code)
            .with_session_id(session_id)
    }

    fn established() -> FetchSession {
        let mut session = FetchSession::default();
        assert!(session.advance(&answer(0, 7)).expect("no error"));
        session
    }

    #[test]
    fn epochs_count_the_requests_of_a_session_and_wrap_to_one() {
        let mut session = FetchSession::default();
        assert!(!session.is_established());
        assert_eq!((session.id, session.epoch), (0, 0));
        for epoch in 1..4 {
            assert!(session.advance(&answer(0, 7)).expect("no error"));
            assert_eq!((session.id, session.epoch), (7, epoch));
        }
        session.epoch = i32::MAX;
        session.advance(&answer(0, 7)).expect("no error");
        assert_eq!((session.id, session.epoch), (7, 1));
    }

    #[test]
    fn without_room_for_a_session_every_request_is_a_first_one() {
        let mut session = FetchSession::default();
        for _ in 0..2 {
            assert!(session.advance(&answer(0, 0)).expect("no error"));
            assert!(!session.is_established());
            assert_eq!((session.id, session.epoch), (0, 0));
        }
    }

    #[test]
    fn a_lost_session_is_begun_anew_and_a_stale_one_is_closed_with_it() {
        const NOT_FOUND: i16 = 70;
        const INVALID_EPOCH: i16 = 71;
        const TOPIC_ID_ERROR: i16 = 106;
        let mut lost = established();
        assert!(!lost.advance(&answer(NOT_FOUND, 0)).expect("recovers"));
        assert_eq!((lost.id, lost.epoch), (0, 0));
        for code in [INVALID_EPOCH, TOPIC_ID_ERROR] {
            let mut stale = established();
            assert!(!stale.advance(&answer(code, 0)).expect("recovers"));
            // the id goes along, so that the broker drops the old session
            assert_eq!((stale.id, stale.epoch), (7, 0));
            assert!(!stale.is_established());
            assert!(stale.advance(&answer(0, 9)).expect("no error"));
            assert_eq!((stale.id, stale.epoch), (9, 1));
        }
    }

    #[test]
    fn other_errors_and_errors_of_a_first_request_are_the_callers() {
        assert!(established().advance(&answer(29, 0)).is_err());
        assert!(FetchSession::default().advance(&answer(71, 0)).is_err());
    }
}
