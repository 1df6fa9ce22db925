//! Fetch lanes: one task and one connection each, several a source broker.
//!
//! A lane holds the partitions that were subscribed to it and reads them in turns, in a fetch session (KIP-227), so
//! that idle ones cost nothing. It reads ahead of the partition tasks by a bounded queue each; a partition whose
//! queue is full is left out of the next fetch, and without a share of the byte budget there is no next fetch.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use kafka::batch::{BatchError, RawBatch};
use kafka::fetch::{FetchFrom, FetchLimits, FetchSession, Fetched};
use kafka::{BrokerError, BrokerNode, Cluster, Connection, Error};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::budget::{Budget, Share};
use crate::link::Link;
use crate::progress::PartitionProgress;
use crate::readers::Readers;
use crate::throttle::{LanePartitions, Throttle};
use crate::traffic::{Side, Traffic};

/// Fetched stretches a partition may have waiting.
const READ_AHEAD: usize = 2;
/// Subscriptions waiting to be taken up by a lane.
const SUBSCRIBE_QUEUE: usize = 256;
/// A fetch waits at the broker for something to read, and meanwhile nothing can be added to it: neither a new
/// subscription nor a partition whose queue has room again. So it waits shortly after anything has happened, and
/// twice as long each time that nothing did.
const FIRST_POLL: Duration = Duration::from_millis(5);
/// An idle lane asks twice a second.
const LONGEST_POLL: Duration = Duration::from_millis(500);
/// How often a wait for the throttle is counted while it lasts: a large batch at a low rate takes minutes.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// While some partition is left out: it must not starve behind idle ones.
const LONGEST_POLL_WITHOUT_SOME: Duration = Duration::from_millis(40);

/// What a lane hands to a partition task.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// Bytes read.
    Records(Stretch),
    /// The broker refused this partition; the subscription has ended.
    Refused(BrokerError),
    /// The connection failed; the subscription has ended.
    Lost(Error),
    /// The bytes are not record batches we know; the subscription has ended.
    Unreadable(BatchError),
}

/// Consecutive bytes of one partition, with their share of the budget.
#[derive(Debug)]
pub(crate) struct Stretch {
    pub(crate) records: Bytes,
    pub(crate) aborted: Vec<(i64, i64)>,
    pub(crate) share: Arc<Share>,
}

/// One partition's wish to be read from an offset on.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) from: FetchFrom,
    pub(crate) deliver: mpsc::Sender<Delivery>,
    progress: Arc<PartitionProgress>,
}

impl Subscription {
    pub(crate) fn new(
        from: FetchFrom,
        deliver: mpsc::Sender<Delivery>,
        progress: Arc<PartitionProgress>,
    ) -> Self {
        Self {
            from,
            deliver,
            progress,
        }
    }
}

/// What partition tasks tell their lane between deliveries.
#[derive(Debug, Default)]
struct Signals {
    /// Some queue has room again, or some task has gone.
    room: Notify,
    gone: AtomicBool,
}

/// What a partition task holds of its subscription. Dropping it ends the subscription.
#[derive(Debug)]
pub(crate) struct Reading {
    deliveries: mpsc::Receiver<Delivery>,
    signals: Arc<Signals>,
}

impl Reading {
    /// The next delivery; `None` where the lane is gone. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Delivery> {
        let delivery = self.deliveries.recv().await;
        self.signals.room.notify_one();
        delivery
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // Closed before the lane is told, so that it finds it so.
        self.deliveries.close();
        self.signals.gone.store(true, Ordering::Release);
        self.signals.room.notify_one();
    }
}

/// A way into one lane.
#[derive(Debug, Clone)]
pub(crate) struct FetchLane {
    subscribe: mpsc::Sender<Subscription>,
    signals: Arc<Signals>,
}

impl FetchLane {
    /// Has a partition read from an offset on. Waits while the lane has many wishes before this
    /// one. Cancel safe.
    pub(crate) async fn subscribe(
        &self,
        from: FetchFrom,
        progress: Arc<PartitionProgress>,
    ) -> Reading {
        let (deliver, deliveries) = mpsc::channel(READ_AHEAD);
        let subscription = Subscription::new(from, deliver, progress);
        // A lane that ended meanwhile drops the subscription, which the reader sees at once.
        let _ = self.subscribe.send(subscription).await;
        Reading {
            deliveries,
            signals: self.signals.clone(),
        }
    }
}

/// All lanes of one source cluster.
#[derive(Debug)]
pub(crate) struct FetchLanes {
    source: Cluster,
    budget: Budget,
    /// Lanes that there may be.
    most: u64,
    link: Link,
    fetch_bytes: usize,
    throttle: Option<Throttle>,
    traffic: Arc<Traffic>,
    lanes: HashMap<(i32, u64), FetchLane>,
    tasks: JoinSet<()>,
}

impl FetchLanes {
    pub(crate) fn new(
        source: Cluster,
        budget: Budget,
        budget_bytes: u64,
        brokers: usize,
        link: Link,
        throttle: Option<Throttle>,
        traffic: Arc<Traffic>,
    ) -> Self {
        // Every lane must be able to have one fetch out while as much again is being handled.
        let lanes = (brokers.max(1) as u64) * link.fetch_lanes();
        let fair = (budget_bytes / (lanes * 2)) as usize;
        Self {
            source,
            budget,
            most: lanes,
            link,
            fetch_bytes: link.fetch_bytes().min(fair).max(64 << 10),
            throttle,
            traffic,
            lanes: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// The lane for a partition at its leader.
    pub(crate) fn lane(&mut self, leader: &BrokerNode, topic: &str, partition: i32) -> FetchLane {
        let key = (
            leader.id,
            lane_of(topic, partition, self.link.fetch_lanes()),
        );
        if let Some(lane) = self
            .lanes
            .get(&key)
            .filter(|lane| !lane.subscribe.is_closed())
        {
            return lane.clone();
        }
        let lane = self.start(leader.clone());
        self.lanes.insert(key, lane.clone());
        lane
    }

    fn start(&mut self, node: BrokerNode) -> FetchLane {
        let (subscribe, subscriptions) = mpsc::channel(SUBSCRIBE_QUEUE);
        let signals = Arc::<Signals>::default();
        let lane = Lane {
            source: self.source.clone(),
            node,
            budget: self.budget.clone(),
            neighbours: self.most,
            fetch_bytes: self.fetch_bytes,
            partition_fetch_bytes: self.link.partition_fetch_bytes(),
            throttled: self.throttle.as_ref().map(Throttle::lane),
            traffic: self.traffic.clone(),
            subscriptions,
            signals: signals.clone(),
            readers: Readers::default(),
            session: FetchSession::default(),
            poll: FIRST_POLL,
        };
        self.tasks.spawn(lane.run());
        FetchLane { subscribe, signals }
    }
}

/// Which of a broker's connections a partition uses, always the same one. Neighbours in one topic
/// go to different ones, whatever the number of brokers that the partitions are spread over.
pub(crate) fn lane_of(topic: &str, partition: i32, lanes: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    topic.hash(&mut hasher);
    let spread = partition as u64;
    ((hasher.finish() >> 1) + spread + spread / lanes) % lanes
}

struct Lane {
    source: Cluster,
    node: BrokerNode,
    budget: Budget,
    /// Lanes that share the budget, this one included.
    neighbours: u64,
    fetch_bytes: usize,
    partition_fetch_bytes: usize,
    throttled: Option<LanePartitions>,
    traffic: Arc<Traffic>,
    subscriptions: mpsc::Receiver<Subscription>,
    signals: Arc<Signals>,
    readers: Readers,
    session: FetchSession,
    /// How long the next fetch may wait at the broker.
    poll: Duration,
}

impl Lane {
    /// Ends when the lanes' owner is gone. A failed connection ends all subscriptions, which come
    /// back once their tasks have looked up the leader again.
    async fn run(mut self) {
        let mut connection: Option<Connection> = None;
        while self.wait_for_work().await {
            let result = self.turn_once(&mut connection).await;
            if let Err(error) = result {
                tracing::debug!(broker = self.node.id, %error, "fetch lane lost its connection");
                connection = None;
                self.session = FetchSession::default();
                for deliver in self.readers.end_all() {
                    // A full queue is read first; the closed channel behind it says the same.
                    let _ = deliver.try_send(Delivery::Lost(error.clone()));
                }
            }
        }
    }

    /// Takes up subscriptions; returns once some partition can be read, or false at the end.
    async fn wait_for_work(&mut self) -> bool {
        loop {
            while let Ok(subscription) = self.subscriptions.try_recv() {
                self.take_up(subscription);
            }
            if self.signals.gone.swap(false, Ordering::Acquire) {
                self.readers.drop_closed();
            }
            self.readers.look_for_room();
            if self.readers.ready() > 0 {
                return true;
            }
            tokio::select! {
                subscription = self.subscriptions.recv() => match subscription {
                    Some(subscription) => {
                        self.take_up(subscription);
                        // The others of a starting mirror come in the same moment: one fetch for
                        // all of them, not a long poll for the first.
                        tokio::task::yield_now().await;
                    }
                    None => return false,
                },
                () = self.signals.room.notified() => {}
            }
        }
    }

    fn take_up(&mut self, subscription: Subscription) {
        self.readers.add(subscription);
        self.poll = FIRST_POLL;
    }

    async fn turn_once(&mut self, connection: &mut Option<Connection>) -> Result<(), Error> {
        let is_new = !connection.as_ref().is_some_and(Connection::is_open);
        if is_new {
            // A session is of one connection.
            self.session = FetchSession::default();
        }
        let open = self
            .source
            .reuse_or_open(connection.take(), &self.node)
            .await?;
        if is_new {
            self.traffic.connected(Side::Source);
        }
        let fetch_bytes = self.throttled_fetch_bytes().await;
        let fetch_bytes = self.budget.room(fetch_bytes, self.neighbours).await;
        let Some(mut share) = self.budget.acquire(fetch_bytes).await else {
            return Ok(());
        };
        let longest = if self.readers.any_full() {
            LONGEST_POLL_WITHOUT_SOME
        } else {
            LONGEST_POLL
        };
        let limits = FetchLimits {
            max_wait: self.poll.min(longest),
            min_bytes: 1,
            max_bytes: fetch_bytes as i32,
            partition_max_bytes: self.partition_fetch_bytes.min(fetch_bytes) as i32,
        };
        let wanted = self.readers.wanted(self.session.is_established());
        let fetched = kafka::fetch::send_in(
            &mut self.session,
            &open,
            limits,
            &wanted.partitions,
            &wanted.forgotten,
        )
        .await?
        .receive_in(&mut self.session)
        .await?;
        self.traffic
            .fetched(fetched.iter().map(|it| it.records.len()).sum());
        self.poll = (self.poll * 2).min(LONGEST_POLL);
        if let Some(throttled) = &self.throttled {
            let whole = fetched.iter().map(|it| whole_batches(it.records.clone()));
            throttled.throttle().charge(whole.sum());
        }
        for fetched in fetched {
            self.deliver(fetched, &mut share);
        }
        *connection = Some(open);
        Ok(())
    }

    /// Waits for this lane's turn under the throttle, where there is one; how much to ask for.
    async fn throttled_fetch_bytes(&mut self) -> usize {
        let Some(throttled) = &mut self.throttled else {
            return self.fetch_bytes;
        };
        let ready = self.readers.ready();
        throttled.set(ready);
        let throttle = throttled.throttle();
        let mut waiting = self.traffic.throttled();
        while tokio::time::timeout(COUNT_EVERY, throttle.wait())
            .await
            .is_err()
        {
            waiting.count();
        }
        drop(waiting);
        throttle.fetch_bytes(ready).min(self.fetch_bytes)
    }

    fn deliver(&mut self, fetched: Fetched, share: &mut Share) {
        let (topic, partition) = (fetched.topic.clone(), fetched.partition);
        let Some(reader) = self.readers.get(&topic, partition) else {
            return;
        };
        let subscription = &mut reader.subscription;
        let last = if let Some(error) = fetched.error {
            Delivery::Refused(error)
        } else {
            subscription.progress.saw_end(fetched.last_stable_offset);
            match next_offset(fetched.records.clone(), subscription.from.offset) {
                Ok(next) if next > subscription.from.offset => {
                    subscription.from.offset = next;
                    let stretch = Stretch {
                        share: Arc::new(share.split(fetched.records.len())),
                        records: fetched.records,
                        aborted: fetched.aborted,
                    };
                    // There was room when the fetch was sent, and only this lane sends.
                    let _ = subscription.deliver.try_send(Delivery::Records(stretch));
                    self.readers.moved(&topic, partition);
                    self.poll = FIRST_POLL;
                    return;
                }
                Ok(_) => return,
                Err(error) => Delivery::Unreadable(error),
            }
        };
        if let Some(deliver) = self.readers.end(&topic, partition) {
            let _ = deliver.try_send(last);
        }
    }
}

/// Bytes of whole batches: what a broker cuts off at the end of an answer is fetched again.
fn whole_batches(mut records: Bytes) -> usize {
    let mut bytes = 0;
    while let Ok(Some(batch)) = RawBatch::split_from(&mut records) {
        bytes += batch.wire_len();
    }
    bytes
}

/// Offset after the last whole batch.
fn next_offset(mut records: Bytes, from: i64) -> Result<i64, BatchError> {
    let mut next = from;
    while let Some(batch) = RawBatch::split_from(&mut records)? {
        next = next.max(batch.header.next_offset());
    }
    Ok(next)
}
