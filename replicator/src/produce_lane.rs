//! Produce lanes: one task and one connection each, several a target broker.
//!
//! A lane fills each request with at most one batch a partition and keeps one or several requests in
//! flight ([`crate::request_slots`]). A partition always uses the same lane of a broker, so its batches arrive in order.
//! Where one connection serves a broker better ([`crate::lane_choice`]), the lanes pass on what they get to one that they
//! have in common, when nothing of their own is unanswered any more, and back again when that is done with all of it: so
//! the order holds.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use kafka::produce::ProduceBatch;
use kafka::{BrokerError, BrokerNode, Cluster, Connection, Error};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::budget::Share;
use crate::fail_point::FailPoint;
use crate::fetch_lane::lane_of;
use crate::flow::{MAX_IN_FLIGHT_FAR, Ticket};
use crate::lane_choice::{LaneChoice, Spread};
use crate::link::{Link, PRODUCE_LANES};
use crate::request_slots::{RequestSlot, RequestSlots, SharedSlots};
use crate::traffic::{Side, Times, Traffic};
use crate::waiting::Waiting;

/// A request is closed at this size; a single larger batch goes alone.
const REQUEST_BYTES: usize = 4 << 20;
/// Batches waiting for a lane; each partition has at most its window of them.
const QUEUE: usize = 1024;
/// How long the leader may wait for the in-sync replicas.
const REPLICATION_TIMEOUT: Duration = Duration::from_secs(10);

/// One batch on its way to the target, with everything that must live as long as it.
#[derive(Debug)]
pub(crate) struct Shipment {
    pub(crate) batch: ProduceBatch,
    pub(crate) ticket: Ticket,
    pub(crate) times: Times,
    pub(crate) reply: mpsc::Sender<Receipt>,
    pub(crate) shares: Vec<Arc<Share>>,
    /// Of the lane that passed it on: it is told when this is dropped.
    pub(crate) passed_on: Option<TaskTrackerToken>,
}

/// What became of a shipment.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) ticket: Ticket,
    pub(crate) times: Times,
    /// The target offset of the batch's first record; `None` where the broker did not say.
    pub(crate) outcome: Result<Option<i64>, Refusal>,
}

/// Why a batch is not known to be on the target.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// The leader said no.
    Broker(BrokerError),
    /// The connection failed; whether the batch was applied is not known.
    Unknown(Error),
}

/// Receipts a partition can have outstanding: the channel never makes a lane wait.
pub(crate) fn receipts() -> (mpsc::Sender<Receipt>, mpsc::Receiver<Receipt>) {
    mpsc::channel(MAX_IN_FLIGHT_FAR)
}

/// All lanes of the target cluster.
#[derive(Debug)]
pub(crate) struct ProduceLanes {
    target: Cluster,
    link: Link,
    traffic: Arc<Traffic>,
    lanes: HashMap<(i32, u64), mpsc::Sender<Shipment>>,
    brokers: HashMap<i32, BrokerLanes>,
    tasks: JoinSet<()>,
}

/// What all lanes to one broker have in common.
#[derive(Debug)]
struct BrokerLanes {
    slots: SharedSlots,
    choice: Arc<LaneChoice>,
    common: mpsc::Sender<Shipment>,
}

impl ProduceLanes {
    pub(crate) fn new(target: Cluster, link: Link, traffic: Arc<Traffic>) -> Self {
        Self {
            target,
            link,
            traffic,
            lanes: HashMap::new(),
            brokers: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// The lane for a partition at its leader.
    pub(crate) fn lane(
        &mut self,
        leader: &BrokerNode,
        topic: &str,
        partition: i32,
    ) -> mpsc::Sender<Shipment> {
        let key = (leader.id, lane_of(topic, partition, PRODUCE_LANES));
        if let Some(lane) = self.lanes.get(&key).filter(|lane| !lane.is_closed()) {
            return lane.clone();
        }
        let (slots, choice, common) = self.broker(leader);
        let detour = Detour {
            spread: choice.spread(),
            common,
            passed_on: TaskTracker::new(),
        };
        let lane = self.start(leader, slots, choice, Some(detour));
        self.lanes.insert(key, lane.clone());
        lane
    }

    /// What a further lane to this broker needs. The common one is started with the first.
    fn broker(
        &mut self,
        node: &BrokerNode,
    ) -> (RequestSlots, Arc<LaneChoice>, mpsc::Sender<Shipment>) {
        if self
            .brokers
            .get(&node.id)
            .is_none_or(|broker| broker.common.is_closed())
        {
            let slots = SharedSlots::new(self.link);
            let choice = Arc::new(LaneChoice::new(node.id, self.link, self.traffic.clone()));
            let common = self.start(node, slots.lane(), choice.clone(), None);
            let broker = BrokerLanes {
                slots,
                choice,
                common,
            };
            self.brokers.insert(node.id, broker);
        }
        let broker = &self.brokers[&node.id];
        (
            broker.slots.lane(),
            broker.choice.clone(),
            broker.common.clone(),
        )
    }

    fn start(
        &mut self,
        node: &BrokerNode,
        slots: RequestSlots,
        choice: Arc<LaneChoice>,
        detour: Option<Detour>,
    ) -> mpsc::Sender<Shipment> {
        let (send, shipments) = mpsc::channel(QUEUE);
        let lane = Lane {
            target: self.target.clone(),
            traffic: self.traffic.clone(),
            node: node.clone(),
            shipments,
            waiting: Waiting::default(),
            connection: None,
            slots,
            choice,
        };
        self.tasks.spawn(lane.run(detour));
        send
    }
}

/// The way over the lane in common.
#[derive(Debug)]
struct Detour {
    spread: watch::Receiver<Spread>,
    common: mpsc::Sender<Shipment>,
    /// What it has not settled yet.
    passed_on: TaskTracker,
}

impl Detour {
    fn is_taken(&self) -> bool {
        *self.spread.borrow() == Spread::Together
    }

    /// Returns when it begins or ends; never where the choice is gone, which lives as long as its lanes.
    async fn changed(&mut self) {
        if self.spread.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits until all of it is settled.
    async fn settled(&self) {
        self.passed_on.close();
        self.passed_on.wait().await;
        self.passed_on.reopen();
    }

    async fn pass_on(&self, mut shipment: Shipment) -> ControlFlow<()> {
        shipment.passed_on = Some(self.passed_on.token());
        match self.common.send(shipment).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

struct Lane {
    target: Cluster,
    traffic: Arc<Traffic>,
    node: BrokerNode,
    shipments: mpsc::Receiver<Shipment>,
    waiting: Waiting,
    connection: Option<Connection>,
    slots: RequestSlots,
    choice: Arc<LaneChoice>,
}

/// What is kept of a shipment while its request is unanswered. The payload is not: a repetition
/// is read from the source again.
struct Sent {
    ticket: Ticket,
    times: Times,
    bytes: usize,
    reply: mpsc::Sender<Receipt>,
    _shares: Vec<Arc<Share>>,
    _passed_on: Option<TaskTrackerToken>,
}

type SentRequest = HashMap<(Arc<str>, i32), Sent>;

impl Lane {
    /// Ends when the lanes' owner and all partitions are gone.
    async fn run(mut self, detour: Option<Detour>) {
        let Some(mut detour) = detour else {
            while self.send_until(std::future::pending()).await.is_continue() {}
            return;
        };
        loop {
            let begins = async {
                while !detour.is_taken() {
                    detour.changed().await;
                }
            };
            if self.send_until(begins).await.is_break()
                || self.pass_on(&mut detour).await.is_break()
            {
                return;
            }
        }
    }

    /// Sends over its own connection until told to stop, and then until all is answered.
    async fn send_until(&mut self, stop: impl Future<Output = ()>) -> ControlFlow<()> {
        let mut in_flight = FuturesOrdered::new();
        let mut stops = false;
        tokio::pin!(stop);
        loop {
            if stops && in_flight.is_empty() {
                return ControlFlow::Continue(());
            }
            while !stops && let Some(slot) = self.slot() {
                let (batches, sent) = self.next_request();
                match self.send(batches).await {
                    Ok(pending) => {
                        let traffic = self.traffic.clone();
                        let written = Instant::now();
                        in_flight.push_back(async move {
                            let result = pending.receive().await;
                            traffic.produced(written.elapsed());
                            drop(slot);
                            (result, sent)
                        });
                    }
                    Err(error) => {
                        self.connection = None;
                        settle(sent, &Err(error), &self.traffic);
                    }
                }
            }
            tokio::select! {
                biased;
                Some((result, sent)) = in_flight.next(), if !in_flight.is_empty() => {
                    match &result {
                        Ok(_) => self.answered(&sent, in_flight.is_empty()),
                        Err(error) => {
                            tracing::debug!(broker = self.node.id, %error, "produce request failed");
                            self.connection = None;
                        }
                    }
                    settle(sent, &result, &self.traffic);
                }
                () = &mut stop, if !stops => stops = true,
                shipment = self.shipments.recv(), if self.waiting.len() < QUEUE => {
                    let Some(shipment) = shipment else {
                        while let Some((result, sent)) = in_flight.next().await {
                            settle(sent, &result, &self.traffic);
                        }
                        return ControlFlow::Break(());
                    };
                    self.waiting.push(shipment);
                    while let Ok(more) = self.shipments.try_recv() {
                        self.waiting.push(more);
                    }
                }
            }
        }
    }

    /// Leaves everything to the common lane until the detour ends, and it has settled that.
    async fn pass_on(&mut self, detour: &mut Detour) -> ControlFlow<()> {
        while !self.waiting.is_empty() {
            for shipment in self.waiting.next_request(usize::MAX) {
                detour.pass_on(shipment).await?;
            }
        }
        while detour.is_taken() {
            tokio::select! {
                () = detour.changed() => {}
                shipment = self.shipments.recv() => {
                    let Some(shipment) = shipment else {
                        return ControlFlow::Break(());
                    };
                    detour.pass_on(shipment).await?;
                }
            }
        }
        detour.settled().await;
        ControlFlow::Continue(())
    }

    /// The last request under way, or another one.
    fn answered(&self, sent: &SentRequest, was_last: bool) {
        let bytes = sent.values().map(|sent| sent.bytes).sum();
        self.choice
            .answered(bytes, !was_last || !self.waiting.is_empty());
    }

    /// For one more request, if there is anything to send.
    fn slot(&self) -> Option<RequestSlot> {
        if self.waiting.is_empty() {
            return None;
        }
        self.slots.take()
    }

    async fn send(
        &mut self,
        batches: Vec<ProduceBatch>,
    ) -> Result<kafka::produce::PendingProduce, Error> {
        let is_new = !self.connection.as_ref().is_some_and(Connection::is_open);
        let open = self
            .target
            .reuse_or_open(self.connection.take(), &self.node)
            .await?;
        if is_new {
            self.traffic.connected(Side::Target);
        }
        FailPoint::BeforeProduce.pass();
        let pending = kafka::produce::send(&open, &batches, REPLICATION_TIMEOUT).await?;
        self.connection = Some(open);
        Ok(pending)
    }

    /// The next request's batches, and what stays here of them.
    fn next_request(&mut self) -> (Vec<ProduceBatch>, SentRequest) {
        let shipments = self.waiting.next_request(REQUEST_BYTES);
        let mut batches: Vec<ProduceBatch> = Vec::with_capacity(shipments.len());
        let mut sent = SentRequest::with_capacity(shipments.len());
        for shipment in shipments {
            sent.insert(
                (shipment.batch.topic.clone(), shipment.batch.partition),
                Sent {
                    ticket: shipment.ticket,
                    times: shipment.times,
                    bytes: shipment.batch.payload.len(),
                    reply: shipment.reply,
                    _shares: shipment.shares,
                    _passed_on: shipment.passed_on,
                },
            );
            batches.push(shipment.batch);
        }
        batches.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        (batches, sent)
    }
}

/// Tells every partition of a request what became of its batch.
fn settle(
    mut sent: SentRequest,
    result: &Result<Vec<kafka::produce::Produced>, Error>,
    traffic: &Traffic,
) {
    let tell = |sent: Sent, outcome| {
        // The partition's receipt channel has room for its whole window; a task that is gone does
        // not need the news.
        let _ = sent.reply.try_send(Receipt {
            ticket: sent.ticket,
            times: sent.times,
            outcome,
        });
    };
    match result {
        Ok(produced) => {
            FailPoint::Answered.pass();
            for produced in produced {
                if let Some(sent) = sent.remove(&(produced.topic.clone(), produced.partition)) {
                    let outcome = match &produced.outcome {
                        Ok(offset) => {
                            traffic.acknowledged(sent.times);
                            traffic.took(sent.bytes);
                            Ok(Some(*offset).filter(|offset| *offset >= 0))
                        }
                        Err(error) => Err(Refusal::Broker(error.clone())),
                    };
                    tell(sent, outcome);
                }
            }
            for ((topic, partition), left_out) in sent {
                let error = Error::Malformed {
                    address: "the target".to_owned(),
                    what: "Produce response",
                    detail: format!("it says nothing of {topic}-{partition}"),
                };
                tell(left_out, Err(Refusal::Unknown(error)));
            }
        }
        Err(error) => {
            for sent in sent.into_values() {
                tell(sent, Err(Refusal::Unknown(error.clone())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use broker::{ClusterOptions, EmbeddedCluster};
    use bytes::Bytes;
    use kafka::record::{Record, encode};
    use kafka::{ClientOptions, Compression, NewTopic, Plaintext};

    use super::*;
    use crate::flow::Flow;

    const PARTITIONS: i32 = 16;
    const BATCHES: i64 = 300;
    const WINDOW: i64 = 5;

    /// Sends batches of one record each, some at a time, and checks that they lie on the target in the order in which they
    /// were sent.
    async fn send_all(lane: mpsc::Sender<Shipment>, partition: i32) {
        let record = Record {
            key: None,
            value: Some(Bytes::from_static(b"value")),
            offset_delta: 0,
            timestamp: 1_760_000_000_000,
            headers: Vec::new(),
        };
        let batch = encode(&[record], Compression::None).expect("a batch");
        let (reply, mut replies) = receipts();
        let mut flow = Flow::new(0, 1 << 20);
        let mut sent = 0;
        for settled in 0..BATCHES {
            while sent < BATCHES && sent - settled < WINDOW {
                let shipment = Shipment {
                    batch: ProduceBatch {
                        topic: "t".into(),
                        partition,
                        header: *batch.bytes().first_chunk().expect("a header"),
                        payload: batch.payload(),
                    },
                    ticket: flow.send(1, 0, sent + 1).0,
                    times: Times::of(&batch.header),
                    reply: reply.clone(),
                    shares: Vec::new(),
                    passed_on: None,
                };
                lane.send(shipment).await.expect("a lane");
                sent += 1;
            }
            let receipt = replies.recv().await.expect("a receipt");
            let offset = receipt.outcome.expect("taken");
            assert_eq!(offset, Some(settled), "partition {partition}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn order_holds_while_lanes_come_together_and_part_again() {
        let embedded = EmbeddedCluster::start(ClusterOptions::default())
            .await
            .expect("a cluster");
        let options = ClientOptions::new([embedded.bootstrap_servers()]);
        let target = Cluster::connect(options, Arc::new(Plaintext))
            .await
            .expect("connected");
        let topic = NewTopic {
            name: "t".to_owned(),
            partitions: Some(PARTITIONS),
            replication_factor: Some(1),
            configs: std::collections::BTreeMap::new(),
        };
        target.create_topics(&[topic]).await.expect("answered");
        let metadata = target
            .metadata_of(&["t".to_owned()])
            .await
            .expect("metadata");
        let leader = metadata.brokers.values().next().expect("a broker").clone();
        let link = Link::measure(&target).await.expect("measured");
        let mut lanes = ProduceLanes::new(target, link, Arc::default());
        let mut partitions: JoinSet<()> = (0..PARTITIONS)
            .map(|partition| send_all(lanes.lane(&leader, "t", partition), partition))
            .collect();
        let choice = lanes.brokers[&leader.id].choice.clone();
        let mut changes = 0;
        loop {
            tokio::select! {
                ended = partitions.join_next() => match ended {
                    Some(ended) => ended.expect("in order"),
                    None => break,
                },
                () = tokio::time::sleep(Duration::from_millis(2)) => {
                    choice.take([Spread::Together, Spread::Apart][changes % 2]);
                    changes += 1;
                }
            }
        }
        assert!(changes > 4, "{changes} changes are no test");
    }
}
