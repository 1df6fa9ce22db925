//! Produce lanes: one task and one connection each, several a target broker.
//!
//! A lane fills each request with at most one batch a partition and keeps one or several requests in
//! flight ([`crate::request_slots`]). A partition always uses the same lane of a broker, so its batches arrive in order.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use kafka::produce::ProduceBatch;
use kafka::{BrokerError, BrokerNode, Cluster, Connection, Error};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::budget::Share;
use crate::fetch_lane::lane_of;
use crate::flow::{MAX_IN_FLIGHT_FAR, Ticket};
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
    slots: HashMap<i32, SharedSlots>,
    tasks: JoinSet<()>,
}

impl ProduceLanes {
    pub(crate) fn new(target: Cluster, link: Link, traffic: Arc<Traffic>) -> Self {
        Self {
            target,
            link,
            traffic,
            lanes: HashMap::new(),
            slots: HashMap::new(),
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
        let (send, shipments) = mpsc::channel(QUEUE);
        let slots = self
            .slots
            .entry(leader.id)
            .or_insert_with(|| SharedSlots::new(self.link));
        let lane = Lane {
            target: self.target.clone(),
            traffic: self.traffic.clone(),
            node: leader.clone(),
            shipments,
            waiting: Waiting::default(),
            slots: slots.lane(),
        };
        self.tasks.spawn(lane.run());
        self.lanes.insert(key, send.clone());
        send
    }
}

struct Lane {
    target: Cluster,
    traffic: Arc<Traffic>,
    node: BrokerNode,
    shipments: mpsc::Receiver<Shipment>,
    waiting: Waiting,
    slots: RequestSlots,
}

/// What is kept of a shipment while its request is unanswered. The payload is not: a repetition
/// is read from the source again.
struct Sent {
    ticket: Ticket,
    times: Times,
    bytes: usize,
    reply: mpsc::Sender<Receipt>,
    _shares: Vec<Arc<Share>>,
}

type SentRequest = HashMap<(Arc<str>, i32), Sent>;

impl Lane {
    /// Ends when the lanes' owner and all partitions are gone.
    async fn run(mut self) {
        let mut connection: Option<Connection> = None;
        let mut in_flight = FuturesOrdered::new();
        loop {
            while let Some(slot) = self.slot() {
                let (batches, sent) = self.next_request();
                match self.send(&mut connection, batches).await {
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
                        connection = None;
                        settle(sent, &Err(error), &self.traffic);
                    }
                }
            }
            tokio::select! {
                biased;
                Some((result, sent)) = in_flight.next(), if !in_flight.is_empty() => {
                    if let Err(error) = &result {
                        tracing::debug!(broker = self.node.id, %error, "produce request failed");
                        connection = None;
                    }
                    settle(sent, &result, &self.traffic);
                }
                shipment = self.shipments.recv(), if self.waiting.len() < QUEUE => match shipment {
                    Some(shipment) => {
                        self.waiting.push(shipment);
                        while let Ok(more) = self.shipments.try_recv() {
                            self.waiting.push(more);
                        }
                    }
                    None if in_flight.is_empty() => return,
                    None => {
                        while let Some((result, sent)) = in_flight.next().await {
                            settle(sent, &result, &self.traffic);
                        }
                        return;
                    }
                },
            }
        }
    }

    /// For one more request, if there is anything to send.
    fn slot(&self) -> Option<RequestSlot> {
        if self.waiting.is_empty() {
            return None;
        }
        self.slots.take()
    }

    async fn send(
        &self,
        connection: &mut Option<Connection>,
        batches: Vec<ProduceBatch>,
    ) -> Result<kafka::produce::PendingProduce, Error> {
        let is_new = !connection.as_ref().is_some_and(Connection::is_open);
        let open = self
            .target
            .reuse_or_open(connection.take(), &self.node)
            .await?;
        if is_new {
            self.traffic.connected(Side::Target);
        }
        let pending = kafka::produce::send(&open, &batches, REPLICATION_TIMEOUT).await?;
        *connection = Some(open);
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
