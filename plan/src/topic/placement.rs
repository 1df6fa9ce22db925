//! Which brokers shall hold a partition when its topic gets another replication factor, or has to be on more racks: a pure
//! function.
//!
//! Only partitions with another number of replicas than asked for, or on fewer racks than there can be, are touched, and of
//! those only as many replicas are added, dropped or exchanged as it takes. Added ones go to racks and brokers that hold the fewest; equal inputs give equal
//! results.

use std::collections::{BTreeMap, BTreeSet};

use topology::Placement;

use crate::observed::ObservedPartition;

/// Brokers that are up, each with its rack where it has one.
pub(crate) type Brokers = BTreeMap<i32, Option<String>>;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// How many replicas; as many as there are where that is not said.
    pub(crate) factor: Option<u16>,
    /// Whether they have to be on as many racks as there can be.
    pub(crate) placement: Placement,
}

/// Whether the replicas could be on more racks than they are. Where the rack of a broker is not known, nothing is said, as
/// brokers themselves do it; and a broker that is down may come back to where it was.
pub(crate) fn is_crowded(replicas: &[i32], brokers: &Brokers) -> bool {
    let all: Option<BTreeSet<&str>> = brokers.values().map(Option::as_deref).collect();
    let rack = |id| brokers.get(id).and_then(Option::as_deref);
    let on: Option<BTreeSet<&str>> = replicas.iter().map(rack).collect();
    match (all, on) {
        (Some(all), Some(on)) => on.len() < all.len().min(replicas.len()),
        (None, _) | (_, None) => false,
    }
}

/// Where the partitions shall be that are not as `wanted`, or are on their way; the preferred leader first. Partitions that
/// nothing has to be done about are absent. Fewer replicas than asked for where there are not enough brokers.
pub(crate) fn place(
    partitions: &[ObservedPartition],
    brokers: &Brokers,
    wanted: Wanted,
) -> BTreeMap<u32, Vec<i32>> {
    let mut places = Places {
        brokers,
        replicas: brokers.keys().map(|id| (*id, 0)).collect(),
        leaders: brokers.keys().map(|id| (*id, 0)).collect(),
    };
    for partition in partitions {
        let to = base(partition, brokers);
        for id in to {
            places.count_replica(*id, 1);
        }
        if let Some(first) = to.first() {
            places.count_leader(*first, 1);
        }
    }
    let mut moved = BTreeMap::new();
    for (index, partition) in (0_u32..).zip(partitions) {
        let to = base(partition, brokers);
        let factor = wanted.factor.map_or(to.len(), usize::from);
        let mut replicas = places.resized(partition, factor);
        match wanted.placement {
            Placement::Any => {}
            Placement::Racks => places.spread(partition, &mut replicas),
        }
        if replicas != to || to.len() != factor || partition.moving_to.is_some() {
            moved.insert(index, replicas);
        }
    }
    places.balance_leaders(partitions, &mut moved);
    moved
}

/// Where a partition is reckoned to be: where it is on its way to, unless it cannot get there.
fn base<'a>(partition: &'a ObservedPartition, brokers: &Brokers) -> &'a [i32] {
    let held_or_up = |id: &i32| partition.replicas.contains(id) || brokers.contains_key(id);
    if partition.destination().iter().all(held_or_up) {
        partition.destination()
    } else {
        &partition.replicas
    }
}

/// How much is where.
struct Places<'a> {
    brokers: &'a Brokers,
    /// Replicas of the topic by broker.
    replicas: BTreeMap<i32, i64>,
    /// Partitions of the topic by preferred leader.
    leaders: BTreeMap<i32, i64>,
}

impl Places<'_> {
    fn count_replica(&mut self, broker: i32, by: i64) {
        *self.replicas.entry(broker).or_default() += by;
    }

    fn count_leader(&mut self, broker: i32, by: i64) {
        *self.leaders.entry(broker).or_default() += by;
    }

    fn rack(&self, broker: i32) -> Option<&str> {
        self.brokers.get(&broker)?.as_deref()
    }

    /// How many of the replicas share the broker's rack; none where it has no rack.
    fn in_rack_of(&self, broker: i32, replicas: &[i32]) -> usize {
        let rack = self.rack(broker);
        let others = replicas.iter().filter(|id| **id != broker);
        others
            .filter(|id| rack.is_some() && self.rack(**id) == rack)
            .count()
    }

    fn held(&self, broker: i32) -> i64 {
        self.replicas.get(&broker).copied().unwrap_or_default()
    }

    fn led(&self, broker: i32) -> i64 {
        self.leaders.get(&broker).copied().unwrap_or_default()
    }

    /// The partition with `factor` replicas.
    fn resized(&mut self, partition: &ObservedPartition, factor: usize) -> Vec<i32> {
        let mut replicas = base(partition, self.brokers).to_vec();
        let led_before = replicas.first().copied();
        while replicas.len() > factor.max(1) {
            let dropped = self.to_drop(partition, &replicas);
            self.count_replica(replicas.remove(dropped), -1);
        }
        while replicas.len() < factor {
            let free = self.brokers.keys().filter(|id| !replicas.contains(id));
            let Some(added) = free
                .min_by_key(|id| (self.in_rack_of(**id, &replicas), self.held(**id), **id))
                .copied()
            else {
                break;
            };
            self.count_replica(added, 1);
            replicas.push(added);
        }
        self.count_leaders(led_before, &replicas);
        replicas
    }

    /// Puts replicas that share a rack on racks that hold none, until there is no such rack, or no such replica.
    fn spread(&mut self, partition: &ObservedPartition, replicas: &mut Vec<i32>) {
        let led_before = replicas.first().copied();
        while is_crowded(replicas, self.brokers) {
            let elsewhere = self
                .brokers
                .keys()
                .filter(|id| !replicas.contains(id) && self.in_rack_of(**id, replicas) == 0);
            let added = elsewhere.min_by_key(|id| (self.held(**id), **id)).copied();
            let sharing = replicas
                .iter()
                .enumerate()
                .filter(|(_, id)| self.in_rack_of(**id, replicas) > 0);
            let worst = sharing.max_by_key(|(index, id)| {
                (
                    !partition.in_sync.contains(id),
                    *index > 0,
                    self.in_rack_of(**id, replicas),
                    self.held(**id),
                    *index,
                )
            });
            let Some((added, (index, dropped))) = added.zip(worst.map(|(index, id)| (index, *id)))
            else {
                break;
            };
            self.count_replica(dropped, -1);
            self.count_replica(added, 1);
            replicas.remove(index);
            replicas.push(added);
        }
        self.count_leaders(led_before, replicas);
    }

    /// Counts another preferred leader, where it is another one.
    fn count_leaders(&mut self, before: Option<i32>, replicas: &[i32]) {
        let now = replicas.first().copied();
        if now != before {
            if let Some(id) = before {
                self.count_leader(id, -1);
            }
            if let Some(id) = now {
                self.count_leader(id, 1);
            }
        }
    }

    /// Index of the replica to drop: one whose broker is down, then one that is not in sync, then one that shares its
    /// rack, then one on the fullest broker. The preferred leader's stays while it is as good as any other.
    fn to_drop(&self, partition: &ObservedPartition, replicas: &[i32]) -> usize {
        let worst = replicas.iter().enumerate().max_by_key(|(index, id)| {
            (
                !self.brokers.contains_key(id),
                !partition.in_sync.contains(id),
                *index > 0,
                self.in_rack_of(**id, replicas),
                self.held(**id),
                *index,
            )
        });
        worst.map_or(0, |(index, _)| index)
    }

    /// Has another replica of the same partition lead where that evens out who leads how many. It costs no copying.
    fn balance_leaders(
        &mut self,
        partitions: &[ObservedPartition],
        moved: &mut BTreeMap<u32, Vec<i32>>,
    ) {
        // each exchange makes the sum of squares smaller, so this comes to an end by itself; the bound is for the reader
        for _ in 0..=partitions.len() {
            let mut changed = false;
            for replicas in moved.values_mut() {
                let Some(leader) = replicas.first().copied() else {
                    continue;
                };
                let up = replicas.iter().filter(|id| self.brokers.contains_key(id));
                let Some(least) = up.min_by_key(|id| (self.led(**id), **id)).copied() else {
                    continue;
                };
                if self.led(least) + 1 < self.led(leader) {
                    replicas.retain(|id| *id != least);
                    replicas.insert(0, least);
                    self.count_leader(leader, -1);
                    self.count_leader(least, 1);
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::option;
    use proptest::prelude::*;

    use topology::Placement;

    use super::{Brokers, Wanted, is_crowded, place};
    use crate::observed::ObservedPartition;

    fn factor(factor: u16) -> Wanted {
        Wanted {
            factor: Some(factor),
            placement: Placement::Any,
        }
    }

    fn on(replicas: &[i32]) -> ObservedPartition {
        ObservedPartition {
            replicas: replicas.to_vec(),
            in_sync: replicas.to_vec(),
            moving_to: None,
        }
    }

    fn brokers(racks: &[(i32, &str)]) -> Brokers {
        let rack = |rack: &str| (!rack.is_empty()).then(|| rack.to_owned());
        racks.iter().map(|(id, name)| (*id, rack(name))).collect()
    }

    fn placed(partitions: &[&[i32]], racks: &[(i32, &str)], factor: u16) -> Vec<Vec<i32>> {
        let partitions: Vec<_> = partitions.iter().map(|replicas| on(replicas)).collect();
        place(&partitions, &brokers(racks), self::factor(factor))
            .into_values()
            .collect()
    }

    const PLAIN: [(i32, &str); 3] = [(1, ""), (2, ""), (3, "")];
    const RACKS: [(i32, &str); 4] = [(1, "a"), (2, "a"), (3, "b"), (4, "b")];

    #[test]
    fn what_has_the_factor_is_left_alone() {
        assert_eq!(
            placed(&[&[1, 2], &[3, 2]], &PLAIN, 2),
            Vec::<Vec<i32>>::new()
        );
        let moved = place(&[on(&[1, 2]), on(&[3])], &brokers(&PLAIN), factor(2));
        assert_eq!(moved.into_keys().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn replicas_are_added_where_the_fewest_are_and_on_another_rack() {
        assert_eq!(placed(&[&[1], &[2]], &PLAIN, 2), [[1, 3], [2, 1]]);
        assert_eq!(placed(&[&[1], &[3]], &RACKS, 2), [[1, 4], [3, 2]]);
        assert_eq!(placed(&[&[1]], &RACKS, 3), [[1, 3, 2]]);
    }

    #[test]
    fn leaders_are_evened_out_among_replicas() {
        let placed = placed(&[&[1], &[1], &[1]], &PLAIN, 3);
        let leaders: BTreeSet<i32> = placed.iter().map(|replicas| replicas[0]).collect();
        assert_eq!(leaders, BTreeSet::from([1, 2, 3]), "{placed:?}");
    }

    #[test]
    fn a_decrease_keeps_the_preferred_leader_while_it_is_sound() {
        assert_eq!(placed(&[&[2, 1, 3]], &PLAIN, 1), [[2]]);
        assert_eq!(
            placed(&[&[1, 2, 3]], &RACKS, 2),
            [[1, 3]],
            "one of each rack"
        );
        // broker 9 is down
        assert_eq!(placed(&[&[9, 2, 3]], &PLAIN, 2), [[2, 3]]);
        let mut behind = on(&[1, 2, 3]);
        behind.in_sync = vec![1, 3];
        let moved = place(&[behind], &brokers(&PLAIN), factor(2));
        assert_eq!(moved[&0], [1, 3], "2 is behind");
    }

    #[test]
    fn what_is_on_its_way_already_goes_there() {
        let moving = ObservedPartition {
            moving_to: Some(vec![1, 3]),
            ..on(&[1])
        };
        let moved = place(&[moving], &brokers(&PLAIN), factor(2));
        assert_eq!(moved, BTreeMap::from([(0, vec![1, 3])]));
    }

    #[test]
    fn what_is_on_its_way_to_a_broker_that_is_down_goes_elsewhere() {
        let moving = ObservedPartition {
            moving_to: Some(vec![1, 9]),
            ..on(&[1])
        };
        let moved = place(&[moving], &brokers(&PLAIN), factor(2));
        assert_eq!(moved, BTreeMap::from([(0, vec![1, 2])]));
    }

    fn spread(partitions: &[&[i32]], racks: &[(i32, &str)]) -> Vec<Vec<i32>> {
        let partitions: Vec<_> = partitions.iter().map(|replicas| on(replicas)).collect();
        let wanted = Wanted {
            factor: None,
            placement: Placement::Racks,
        };
        place(&partitions, &brokers(racks), wanted)
            .into_values()
            .collect()
    }

    #[test]
    fn replicas_that_share_a_rack_are_put_on_others() {
        assert_eq!(
            spread(&[&[1, 2], &[3, 1]], &RACKS),
            [[1, 4]],
            "the leader stays"
        );
        assert_eq!(
            spread(&[&[1, 2, 3]], &RACKS),
            Vec::<Vec<i32>>::new(),
            "two racks are all there are"
        );
        assert_eq!(spread(&[&[1], &[2]], &RACKS), Vec::<Vec<i32>>::new());
        // without racks, and with one that is not known, nothing is said
        assert_eq!(spread(&[&[1, 2]], &PLAIN), Vec::<Vec<i32>>::new());
        let unknown = [(1, "a"), (2, "a"), (3, "b"), (4, "")];
        assert_eq!(spread(&[&[1, 2]], &unknown), Vec::<Vec<i32>>::new());
        // broker 9 is down, and may come back to another rack
        assert_eq!(spread(&[&[1, 9]], &RACKS), Vec::<Vec<i32>>::new());
    }

    prop_compose! {
        fn partition()(
            replicas in btree_set(1i32..8, 1..5),
            first in 0usize..5,
            behind in any::<bool>(),
        ) -> ObservedPartition {
            let mut replicas: Vec<i32> = replicas.into_iter().collect();
            let first = first % replicas.len();
            replicas.rotate_left(first);
            let mut partition = on(&replicas);
            if behind {
                partition.in_sync.truncate(1);
            }
            partition
        }
    }

    proptest! {
        #[test]
        fn every_target_has_the_factor_and_as_little_moves_as_can_be(
            partitions in vec(partition(), 1..12),
            brokers in btree_map(1i32..8, option::of("[abc]"), 1..7),
            factor in 1u16..5,
        ) {
            prop_assume!(usize::from(factor) <= brokers.len());
            let wanted = self::factor(factor);
            let moved = place(&partitions, &brokers, wanted);
            prop_assert_eq!(&place(&partitions, &brokers, wanted), &moved);
            for (index, partition) in (0_u32..).zip(&partitions) {
                let Some(to) = moved.get(&index) else {
                    prop_assert_eq!(partition.replicas.len(), usize::from(factor));
                    continue;
                };
                let distinct: BTreeSet<&i32> = to.iter().collect();
                prop_assert_eq!(distinct.len(), usize::from(factor));
                prop_assert_eq!(to.len(), usize::from(factor));
                let added: Vec<&i32> = to.iter().filter(|id| !partition.replicas.contains(id)).collect();
                let grows = usize::from(factor).saturating_sub(partition.replicas.len());
                prop_assert_eq!(added.len(), grows, "copies no more than it must");
                prop_assert!(added.iter().all(|id| brokers.contains_key(id)), "only to brokers that are up");
                // a sound preferred leader keeps its replica
                let first = partition.replicas[0];
                let sound = |id: &i32| brokers.contains_key(id) && partition.in_sync.contains(id);
                if sound(&first) {
                    prop_assert!(to.contains(&first));
                }
                // what is dropped is never better than what stays
                let dropped_sound = partition.replicas.iter().any(|id| sound(id) && !to.contains(id));
                if dropped_sound {
                    prop_assert!(to.iter().all(sound));
                }
            }
        }

        #[test]
        fn what_is_spread_is_on_as_many_racks_as_can_be_and_stays_there(
            partitions in vec(partition(), 1..12),
            brokers in btree_map(1i32..8, "[abc]".prop_map(Some), 1..7),
            factor in option::of(1u16..5),
        ) {
            prop_assume!(factor.is_none_or(|factor| usize::from(factor) <= brokers.len()));
            let wanted = Wanted { factor, placement: Placement::Racks };
            let moved = place(&partitions, &brokers, wanted);
            let mut after = partitions.clone();
            for (index, to) in &moved {
                let before = &partitions[*index as usize].replicas;
                let distinct: BTreeSet<&i32> = to.iter().collect();
                prop_assert_eq!(distinct.len(), to.len());
                prop_assert_eq!(to.len(), factor.map_or(before.len(), usize::from));
                prop_assert!(to.iter().all(|id| before.contains(id) || brokers.contains_key(id)));
                after[*index as usize] = on(to);
            }
            for partition in &after {
                prop_assert!(!is_crowded(&partition.replicas, &brokers), "{:?}", partition);
            }
            prop_assert_eq!(place(&after, &brokers, wanted), BTreeMap::new());
        }
    }
}
