//! The partitions of one fetch lane: what the next fetch has to name.
//!
//! Work is done for what changed and never for what merely exists: an idle partition costs neither a line in a
//! request nor a look at it.

use std::collections::HashMap;
use std::sync::Arc;

use kafka::fetch::FetchFrom;
use tokio::sync::mpsc;

use crate::fetch_lane::{Delivery, Subscription};

type Key = (Arc<str>, i32);

/// One subscribed partition.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) subscription: Subscription,
    /// The broker's session reads it.
    in_session: bool,
    /// Its queue was full when last looked at.
    full: bool,
    /// It is in `changed`.
    marked: bool,
}

/// What a request says of partitions.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// All where a session begins, else those that are new or moved.
    pub(crate) partitions: Vec<FetchFrom>,
    /// No longer wanted in the session.
    pub(crate) forgotten: Vec<FetchFrom>,
}

/// All readers of a lane.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    all: Vec<Reader>,
    index: HashMap<Key, usize>,
    /// New, moved, or with room again; those that are not `marked` are from before.
    changed: Vec<Key>,
    /// Whose queue is full; those that are not `full` are from before.
    full: Vec<Key>,
    full_count: usize,
    forgotten: Vec<FetchFrom>,
    /// Where a fetch of all of them begins: who comes first gets bytes first. Within a session the broker rotates.
    turn: usize,
}

impl Readers {
    /// Partitions that can be read.
    pub(crate) fn ready(&self) -> usize {
        self.all.len() - self.full_count
    }

    /// Some partition is left out because its queue is full.
    pub(crate) fn any_full(&self) -> bool {
        self.full_count > 0
    }

    /// Takes up a partition. An older subscription of the same partition has ended: a task has one at a time.
    pub(crate) fn add(&mut self, subscription: Subscription) {
        let key = key_of(&subscription.from);
        self.remove(&key);
        self.index.insert(key.clone(), self.all.len());
        self.all.push(Reader {
            subscription,
            in_session: false,
            full: false,
            marked: false,
        });
        self.mark(&key);
    }

    /// The reader of a partition.
    pub(crate) fn get(&mut self, topic: &Arc<str>, partition: i32) -> Option<&mut Reader> {
        let at = *self.index.get(&(topic.clone(), partition))?;
        self.all.get_mut(at)
    }

    /// The next fetch begins elsewhere; also notes a queue that became full.
    pub(crate) fn moved(&mut self, topic: &Arc<str>, partition: i32) {
        let key = (topic.clone(), partition);
        let Some(reader) = self.index.get(&key).map(|at| &mut self.all[*at]) else {
            return;
        };
        if reader.subscription.deliver.capacity() > 0 {
            self.mark(&key);
        } else if !reader.full {
            reader.full = true;
            self.full_count += 1;
            if std::mem::take(&mut reader.in_session) {
                self.forgotten.push(reader.subscription.from.clone());
            }
            self.full.push(key);
        }
    }

    /// Ends a subscription and hands its sender back.
    pub(crate) fn end(
        &mut self,
        topic: &Arc<str>,
        partition: i32,
    ) -> Option<mpsc::Sender<Delivery>> {
        self.remove(&(topic.clone(), partition))
            .map(|reader| reader.subscription.deliver)
    }

    /// Ends all subscriptions and hands their senders back.
    pub(crate) fn end_all(&mut self) -> Vec<mpsc::Sender<Delivery>> {
        let readers = std::mem::take(self).all;
        readers
            .into_iter()
            .map(|reader| reader.subscription.deliver)
            .collect()
    }

    /// Forgets whose task has gone.
    pub(crate) fn drop_closed(&mut self) {
        let closed: Vec<Key> = self
            .all
            .iter()
            .filter(|reader| reader.subscription.deliver.is_closed())
            .map(|reader| key_of(&reader.subscription.from))
            .collect();
        for key in closed {
            self.remove(&key);
        }
    }

    /// Looks again at the queues that were full.
    pub(crate) fn look_for_room(&mut self) {
        for key in std::mem::take(&mut self.full) {
            let Some(at) = self.index.get(&key) else {
                continue;
            };
            let reader = &mut self.all[*at];
            if !reader.full {
                continue;
            }
            if reader.subscription.deliver.capacity() > 0 {
                reader.full = false;
                self.full_count -= 1;
                self.mark(&key);
            } else {
                self.full.push(key);
            }
        }
    }

    /// What the next request has to say. It counts as said: after a failed request begin a new session.
    pub(crate) fn wanted(&mut self, session_established: bool) -> Wanted {
        if !session_established {
            return self.all();
        }
        let mut partitions = Vec::with_capacity(self.changed.len());
        for key in std::mem::take(&mut self.changed) {
            let Some(at) = self.index.get(&key) else {
                continue;
            };
            let reader = &mut self.all[*at];
            if std::mem::take(&mut reader.marked) && !reader.full {
                reader.in_session = true;
                partitions.push(reader.subscription.from.clone());
            }
        }
        // Brokers forget after they add: what is wanted again must not be forgotten.
        let mut forgotten = std::mem::take(&mut self.forgotten);
        forgotten.retain(|gone| {
            let again = self.index.get(&key_of(gone)).map(|at| &self.all[*at]);
            !again.is_some_and(|reader| {
                reader.in_session && reader.subscription.from.topic_id == gone.topic_id
            })
        });
        Wanted {
            partitions,
            forgotten,
        }
    }

    fn all(&mut self) -> Wanted {
        self.changed.clear();
        self.forgotten.clear();
        let count = self.all.len();
        self.turn = (self.turn + 1) % count.max(1);
        let mut partitions = Vec::with_capacity(count);
        for i in 0..count {
            let reader = &mut self.all[(self.turn + i) % count];
            reader.marked = false;
            reader.in_session = !reader.full;
            if reader.in_session {
                partitions.push(reader.subscription.from.clone());
            }
        }
        Wanted {
            partitions,
            forgotten: Vec::new(),
        }
    }

    fn mark(&mut self, key: &Key) {
        if let Some(reader) = self.index.get(key).map(|at| &mut self.all[*at])
            && !std::mem::replace(&mut reader.marked, true)
        {
            self.changed.push(key.clone());
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Reader> {
        let at = self.index.remove(key)?;
        let reader = self.all.swap_remove(at);
        if let Some(moved) = self.all.get(at) {
            self.index.insert(key_of(&moved.subscription.from), at);
        }
        if reader.in_session {
            self.forgotten.push(reader.subscription.from.clone());
        }
        if reader.full {
            self.full_count -= 1;
        }
        Some(reader)
    }
}

fn key_of(from: &FetchFrom) -> Key {
    (from.topic.clone(), from.partition)
}

#[cfg(test)]
mod tests {
    use kafka::Uuid;

    use super::*;
    use crate::identity::PartitionId;
    use crate::progress::PartitionProgress;

    const ESTABLISHED: bool = true;
    const NEW: bool = false;

    struct Lane {
        readers: Readers,
        queues: HashMap<i32, mpsc::Receiver<Delivery>>,
        topic: Arc<str>,
    }

    impl Lane {
        fn of(partitions: i32) -> Self {
            let mut lane = Self {
                readers: Readers::default(),
                queues: HashMap::new(),
                topic: "t".into(),
            };
            for partition in 0..partitions {
                lane.subscribe(partition);
            }
            lane
        }

        fn subscribe(&mut self, partition: i32) {
            let (deliver, queue) = mpsc::channel(1);
            self.queues.insert(partition, queue);
            let id = PartitionId {
                source_topic: self.topic.clone(),
                target_topic: self.topic.clone(),
                partition,
            };
            let from = FetchFrom {
                topic: self.topic.clone(),
                topic_id: Uuid::nil(),
                partition,
                offset: 0,
                leader_epoch: -1,
            };
            let progress = Arc::new(PartitionProgress::new(id, 0, i64::MAX));
            self.readers.add(Subscription::new(from, deliver, progress));
        }

        /// Something is read of a partition; its queue is full then.
        fn read(&mut self, partition: i32) {
            let topic = self.topic.clone();
            let reader = self.readers.get(&topic, partition).expect("a reader");
            reader.subscription.from.offset += 1;
            let news = Delivery::Lost(kafka::Error::Unreachable {
                attempts: String::new(),
            });
            reader.subscription.deliver.try_send(news).expect("room");
            self.readers.moved(&topic, partition);
        }

        fn make_room(&mut self, partition: i32) {
            self.queues
                .get_mut(&partition)
                .and_then(|queue| queue.try_recv().ok())
                .expect("something to take");
            self.readers.look_for_room();
        }

        /// What a request names: partitions with their offsets, and those to forget.
        fn asks(&mut self, established: bool) -> (Vec<(i32, i64)>, Vec<i32>) {
            let wanted = self.readers.wanted(established);
            let mut partitions: Vec<(i32, i64)> = wanted
                .partitions
                .iter()
                .map(|from| (from.partition, from.offset))
                .collect();
            partitions.sort_unstable();
            let forgotten = wanted.forgotten.iter().map(|from| from.partition);
            (partitions, forgotten.collect())
        }
    }

    #[test]
    fn a_session_begins_with_everything_and_goes_on_with_what_changed() {
        let mut lane = Lane::of(3);
        assert_eq!(lane.asks(NEW), (vec![(0, 0), (1, 0), (2, 0)], vec![]));
        assert_eq!(
            lane.asks(ESTABLISHED),
            (vec![], vec![]),
            "idle costs nothing"
        );
        lane.read(1);
        assert_eq!(lane.readers.ready(), 2);
        assert_eq!(
            lane.asks(ESTABLISHED),
            (vec![], vec![1]),
            "its queue is full"
        );
        lane.make_room(1);
        assert_eq!(lane.asks(ESTABLISHED), (vec![(1, 1)], vec![]));
        lane.read(2);
        lane.make_room(2);
        // forgotten and wanted again before the broker heard of either
        assert_eq!(lane.asks(ESTABLISHED), (vec![(2, 1)], vec![]));
        assert_eq!(
            lane.asks(NEW),
            (vec![(0, 0), (1, 1), (2, 1)], vec![]),
            "lost"
        );
    }

    #[test]
    fn who_goes_is_forgotten_and_who_comes_back_is_not() {
        let mut lane = Lane::of(3);
        lane.asks(NEW);
        lane.queues.remove(&0);
        lane.readers.drop_closed();
        assert_eq!(lane.asks(ESTABLISHED), (vec![], vec![0]));
        lane.queues.remove(&2);
        lane.subscribe(2);
        lane.subscribe(0);
        assert_eq!(lane.asks(ESTABLISHED), (vec![(0, 0), (2, 0)], vec![]));
        lane.read(2);
        let topic = lane.topic.clone();
        assert!(lane.readers.end(&topic, 2).is_some());
        assert_eq!(
            lane.readers.ready(),
            2,
            "a full one that goes is not counted on"
        );
        assert_eq!(lane.readers.end_all().len(), 2);
        assert_eq!(lane.readers.ready(), 0);
    }
}
