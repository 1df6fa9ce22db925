//! A partition on its way to other brokers (KIP-455). There is nothing to copy here, since replicas share one memory:
//! it arrives at once, unless the cluster was told to hold such moves.

use crate::cluster::EmbeddedCluster;
use crate::partition::{NO_LEADER, PartitionState};

/// A move that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    /// Where it goes to.
    pub(crate) target: Vec<i32>,
    /// Brokers of the target that did not hold the partition; they are not in sync.
    pub(crate) adding: Vec<i32>,
    /// Brokers that it leaves.
    pub(crate) removing: Vec<i32>,
}

impl PartitionState {
    /// Begins a move, in place of one that is under way. It is over at once unless it is held and copies something.
    pub(crate) fn move_to(&mut self, target: Vec<i32>, held: bool, alive: &[i32]) {
        let before = std::mem::take(&mut self.replicas);
        let without = |list: &[i32], other: &[i32]| -> Vec<i32> {
            let missing = list.iter().copied().filter(|id| !other.contains(id));
            missing.collect()
        };
        let already_adding = self
            .moving
            .take()
            .map_or(Vec::new(), |moving| moving.adding);
        let mut adding = without(&target, &before);
        adding.extend(already_adding.into_iter().filter(|id| target.contains(id)));
        let removing = without(&before, &target);
        self.replicas = target.iter().chain(&removing).copied().collect();
        let nothing_to_copy = adding.is_empty();
        self.moving = Some(Move {
            target,
            adding,
            removing,
        });
        if nothing_to_copy || !held {
            self.arrive(alive);
        }
    }

    /// Ends a move: the partition is where it was to go, in a new leader epoch if its leader is not there.
    pub(crate) fn arrive(&mut self, alive: &[i32]) {
        if let Some(moving) = self.moving.take() {
            self.settle(moving.target, alive);
        }
    }

    /// Ends a move: the partition stays where it was. Whether there was a move.
    pub(crate) fn turn_back(&mut self, alive: &[i32]) -> bool {
        let Some(moving) = self.moving.take() else {
            return false;
        };
        let mut replicas = self.replicas.clone();
        replicas.retain(|id| !moving.adding.contains(id));
        self.settle(replicas, alive);
        true
    }

    fn settle(&mut self, replicas: Vec<i32>, alive: &[i32]) {
        self.replicas = replicas;
        if self.leader == NO_LEADER || !self.replicas.contains(&self.leader) {
            let next = self.in_sync(alive).next().unwrap_or(NO_LEADER);
            self.lead(next);
        } else {
            self.wake();
        }
    }
}

impl EmbeddedCluster {
    /// From now on partitions that are reassigned stay on their way, as if there were much to copy.
    pub fn hold_reassignments(&self) {
        self.shared.set_hold_moves(true);
    }

    /// All partitions that are on their way arrive, and later ones arrive at once.
    pub fn finish_reassignments(&self) {
        self.shared.set_hold_moves(false);
        let alive = self.shared.alive();
        for (_, topic) in self.shared.catalog().iter() {
            for partition in &topic.partitions {
                partition.lock().arrive(&alive);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::partition::Partition;

    const ALL: [i32; 4] = [1, 2, 3, 4];

    #[test]
    fn a_held_move_shows_both_sides_and_arrives() {
        let partition = Partition::new(vec![1, 2], &ALL);
        let mut state = partition.lock();
        state.move_to(vec![3, 2], true, &ALL);
        assert_eq!(state.replicas, [3, 2, 1]);
        assert_eq!(state.in_sync(&ALL).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(state.leader, 1);
        // another target before the first is reached: 3 is still not in sync
        state.move_to(vec![3, 4], true, &ALL);
        assert_eq!(state.replicas, [3, 4, 2, 1]);
        assert_eq!(state.in_sync(&ALL).collect::<Vec<_>>(), [2, 1]);
        state.arrive(&ALL);
        assert_eq!((&state.replicas[..], state.leader), (&[3, 4][..], 3));
        assert_eq!(state.in_sync(&ALL).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn a_move_turns_back_once() {
        let partition = Partition::new(vec![1, 2], &ALL);
        let mut state = partition.lock();
        state.move_to(vec![2, 3], true, &ALL);
        assert!(state.turn_back(&ALL));
        assert_eq!((&state.replicas[..], state.leader), (&[2, 1][..], 1));
        assert!(!state.turn_back(&ALL));
    }

    #[test]
    fn what_copies_nothing_is_never_held() {
        let partition = Partition::new(vec![1, 2, 3], &ALL);
        let mut state = partition.lock();
        state.move_to(vec![3, 1], true, &ALL);
        assert_eq!((&state.replicas[..], state.leader), (&[3, 1][..], 1));
        assert!(state.moving.is_none());
    }
}
