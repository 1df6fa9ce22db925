//! Batches that wait for a place in a produce request, in order a partition and fair between partitions.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::produce_lane::Shipment;

type Key = (Arc<str>, i32);

/// A queue a partition, and whose turn it is.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    queues: HashMap<Key, VecDeque<Shipment>>,
    /// Partitions with something waiting, each once.
    turns: VecDeque<Key>,
    count: usize,
}

impl Waiting {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn push(&mut self, shipment: Shipment) {
        let key = (shipment.batch.topic.clone(), shipment.batch.partition);
        let queue = self.queues.entry(key.clone()).or_default();
        if queue.is_empty() {
            self.turns.push_back(key);
        }
        queue.push_back(shipment);
        self.count += 1;
    }

    /// At most one batch a partition, up to `limit` bytes; a single larger batch goes alone. The partition that does
    /// not fit any more is the first of the next request.
    pub(crate) fn next_request(&mut self, limit: usize) -> Vec<Shipment> {
        let mut request = Vec::new();
        let mut bytes = 0;
        for _ in 0..self.turns.len() {
            let Some(key) = self.turns.pop_front() else {
                break;
            };
            let Some(queue) = self.queues.get_mut(&key) else {
                continue;
            };
            let Some(length) = queue.front().map(|next| next.batch.payload.len()) else {
                continue;
            };
            if bytes > 0 && bytes + length > limit {
                self.turns.push_front(key);
                break;
            }
            bytes += length;
            self.count -= 1;
            request.extend(queue.pop_front());
            if queue.is_empty() {
                self.queues.remove(&key);
            } else {
                self.turns.push_back(key);
            }
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use kafka::batch::HEADER_LEN;
    use kafka::produce::ProduceBatch;

    use super::*;
    use crate::flow::Flow;
    use crate::produce_lane::receipts;

    fn shipment(partition: i32, size: usize, flow: &mut Flow) -> Shipment {
        Shipment {
            batch: ProduceBatch {
                topic: "t".into(),
                partition,
                header: [0; HEADER_LEN],
                payload: vec![0; size].into(),
            },
            ticket: flow.send(1, 0, 0).0,
            times: crate::traffic::Times {
                oldest_ms: 0,
                newest_ms: 0,
            },
            reply: receipts().0,
            shares: Vec::new(),
            passed_on: None,
        }
    }

    fn taken(waiting: &mut Waiting, limit: usize) -> Vec<(i32, usize)> {
        let request = waiting.next_request(limit);
        request
            .iter()
            .map(|shipment| (shipment.batch.partition, shipment.batch.payload.len()))
            .collect()
    }

    #[test]
    fn a_partition_is_named_once_keeps_its_order_and_waits_for_its_turn() {
        let mut flow = Flow::new(0, 1);
        let mut waiting = Waiting::default();
        for (partition, size) in [(0, 10), (0, 11), (0, 12), (1, 20), (2, 30)] {
            waiting.push(shipment(partition, size, &mut flow));
        }
        assert_eq!(taken(&mut waiting, 35), [(0, 10), (1, 20)]);
        assert_eq!(taken(&mut waiting, 35), [(2, 30)], "it comes first now");
        assert_eq!(taken(&mut waiting, 5), [(0, 11)], "too large, so alone");
        assert_eq!(taken(&mut waiting, 35), [(0, 12)]);
        assert!(waiting.is_empty());
        assert!(waiting.next_request(35).is_empty());
    }
}
