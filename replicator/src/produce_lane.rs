//! Produce lanes: one task and one connection each, several a target broker.
//!
//! A lane fills each request with at most one batch a partition and keeps several requests in
//! flight. A partition always uses the same lane of a broker, so its batches arrive in order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use kafka::produce::ProduceBatch;
use kafka::{BrokerError, BrokerNode, Cluster, Connection, Error};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::budget::Share;
use crate::fetch_lane::lane_of;
use crate::flow::{MAX_IN_FLIGHT, Ticket};

/// Connections a broker. It handles one request of a connection at a time, so fewer leave its cores
/// idle: four brought a third more than two on four cores, eight hardly more than four.
const LANES_A_BROKER: u64 = 4;
/// Requests of one connection that may be unanswered.
const REQUESTS_IN_FLIGHT: usize = 5;
/// A request is closed at this size; a single larger batch goes alone.
const REQUEST_BYTES: usize = 4 << 20;
/// Batches waiting for a lane; each partition has at most [`MAX_IN_FLIGHT`] of them.
const QUEUE: usize = 1024;
/// How long the leader may wait for the in-sync replicas.
const REPLICATION_TIMEOUT: Duration = Duration::from_secs(10);

/// One batch on its way to the target, with everything that must live as long as it.
#[derive(Debug)]
pub(crate) struct Shipment {
    pub(crate) batch: ProduceBatch,
    pub(crate) ticket: Ticket,
    pub(crate) reply: mpsc::Sender<Receipt>,
    pub(crate) share: Arc<Share>,
}

/// What became of a shipment.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) ticket: Ticket,
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
    mpsc::channel(MAX_IN_FLIGHT)
}

/// All lanes of the target cluster.
#[derive(Debug)]
pub(crate) struct ProduceLanes {
    target: Cluster,
    lanes: HashMap<(i32, u64), mpsc::Sender<Shipment>>,
    tasks: JoinSet<()>,
}

impl ProduceLanes {
    pub(crate) fn new(target: Cluster) -> Self {
        Self {
            target,
            lanes: HashMap::new(),
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
        let key = (leader.id, lane_of(topic, partition, LANES_A_BROKER));
        if let Some(lane) = self.lanes.get(&key).filter(|lane| !lane.is_closed()) {
            return lane.clone();
        }
        let (send, shipments) = mpsc::channel(QUEUE);
        let lane = Lane {
            target: self.target.clone(),
            node: leader.clone(),
            shipments,
            waiting: VecDeque::new(),
        };
        self.tasks.spawn(lane.run());
        self.lanes.insert(key, send.clone());
        send
    }
}

struct Lane {
    target: Cluster,
    node: BrokerNode,
    shipments: mpsc::Receiver<Shipment>,
    waiting: VecDeque<Shipment>,
}

/// What is kept of a shipment while its request is unanswered. The payload is not: a repetition
/// is read from the source again.
struct Sent {
    ticket: Ticket,
    reply: mpsc::Sender<Receipt>,
    _share: Arc<Share>,
}

type SentRequest = HashMap<(Arc<str>, i32), Sent>;

impl Lane {
    /// Ends when the lanes' owner and all partitions are gone.
    async fn run(mut self) {
        let mut connection: Option<Connection> = None;
        let mut in_flight = FuturesOrdered::new();
        loop {
            while in_flight.len() < REQUESTS_IN_FLIGHT && !self.waiting.is_empty() {
                let (batches, sent) = self.next_request();
                match self.send(&mut connection, batches).await {
                    Ok(pending) => {
                        in_flight.push_back(async move { (pending.receive().await, sent) });
                    }
                    Err(error) => {
                        connection = None;
                        settle(sent, &Err(error));
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
                    settle(sent, &result);
                }
                shipment = self.shipments.recv(), if self.waiting.len() < QUEUE => match shipment {
                    Some(shipment) => {
                        self.waiting.push_back(shipment);
                        while let Ok(more) = self.shipments.try_recv() {
                            self.waiting.push_back(more);
                        }
                    }
                    None if in_flight.is_empty() => return,
                    None => {
                        while let Some((result, sent)) = in_flight.next().await {
                            settle(sent, &result);
                        }
                        return;
                    }
                },
            }
        }
    }

    async fn send(
        &self,
        connection: &mut Option<Connection>,
        batches: Vec<ProduceBatch>,
    ) -> Result<kafka::produce::PendingProduce, Error> {
        let open = self
            .target
            .reuse_or_open(connection.take(), &self.node)
            .await?;
        let pending = kafka::produce::send(&open, &batches, REPLICATION_TIMEOUT).await?;
        *connection = Some(open);
        Ok(pending)
    }

    /// At most one batch a partition, up to [`REQUEST_BYTES`], in the order they came.
    fn next_request(&mut self) -> (Vec<ProduceBatch>, SentRequest) {
        let mut batches: Vec<ProduceBatch> = Vec::new();
        let mut sent = SentRequest::new();
        let mut later = VecDeque::new();
        // Partitions that must wait: a batch behind one that was left out must stay behind it.
        let mut held: HashSet<(Arc<str>, i32)> = HashSet::new();
        let mut bytes = 0;
        while let Some(shipment) = self.waiting.pop_front() {
            let key = (shipment.batch.topic.clone(), shipment.batch.partition);
            let fits = bytes == 0 || bytes + shipment.batch.payload.len() <= REQUEST_BYTES;
            if !fits || sent.contains_key(&key) || held.contains(&key) {
                held.insert(key);
                later.push_back(shipment);
                continue;
            }
            bytes += shipment.batch.payload.len();
            batches.push(shipment.batch);
            sent.insert(
                key,
                Sent {
                    ticket: shipment.ticket,
                    reply: shipment.reply,
                    _share: shipment.share,
                },
            );
        }
        self.waiting = later;
        batches.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        (batches, sent)
    }
}

/// Tells every partition of a request what became of its batch.
fn settle(mut sent: SentRequest, result: &Result<Vec<kafka::produce::Produced>, Error>) {
    let tell = |sent: Sent, outcome| {
        // The partition's receipt channel has room for its whole window; a task that is gone does
        // not need the news.
        let _ = sent.reply.try_send(Receipt {
            ticket: sent.ticket,
            outcome,
        });
    };
    match result {
        Ok(produced) => {
            for produced in produced {
                if let Some(sent) = sent.remove(&(produced.topic.clone(), produced.partition)) {
                    let outcome = match &produced.outcome {
                        Ok(offset) => Ok(Some(*offset).filter(|offset| *offset >= 0)),
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
