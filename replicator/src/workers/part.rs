//! Which of a mirror's tasks a worker should have. Pure.

use std::collections::BTreeSet;
use std::ops::Range;

/// The tasks that are `worker`'s by right, where these live: they are dealt out in the order of the workers' ids, as evenly
/// as may be. Empty for one that is not among them.
pub(super) fn of(workers: &BTreeSet<&str>, worker: &str, tasks: u32) -> Range<u32> {
    let Some(place) = workers.iter().position(|it| *it == worker) else {
        return 0..0;
    };
    let (place, workers) = (place as u32, workers.len() as u32);
    let (each, rest) = (tasks / workers, tasks % workers);
    let first = place * each + place.min(rest);
    first..first + each + u32::from(place < rest)
}

/// Which of `held` are to be given back: as many as are more than its own, first those that are another's by right. What
/// others would have by right may stay where nobody is short of it: moving a task costs a second of lag.
pub(super) fn too_many(held: &BTreeSet<u32>, own: &Range<u32>) -> Vec<u32> {
    let more = held.len().saturating_sub(own.len());
    let (its, others): (Vec<u32>, Vec<u32>) = held.iter().partition(|it| own.contains(it));
    others
        .into_iter()
        .chain(its.into_iter().rev())
        .take(more)
        .collect()
}

/// Which of `free` are to be taken: as many as are missing, first its own, so that two workers rarely reach for one.
pub(super) fn too_few(held: &BTreeSet<u32>, own: &Range<u32>, free: &BTreeSet<u32>) -> Vec<u32> {
    let missing = own.len().saturating_sub(held.len());
    let (its, others): (Vec<u32>, Vec<u32>) = free.iter().partition(|it| own.contains(it));
    its.into_iter().chain(others).take(missing).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn ids(count: usize) -> Vec<String> {
        (0..count).map(|it| format!("w{it:02}")).collect()
    }

    #[test]
    fn every_task_is_one_worker_s_and_none_has_two_more_than_another() {
        for count in 1..=9 {
            let ids = ids(count);
            let workers: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
            for tasks in 1..=20 {
                let parts: Vec<Range<u32>> = ids.iter().map(|it| of(&workers, it, tasks)).collect();
                let all: Vec<u32> = parts.iter().cloned().flatten().collect();
                assert_eq!(all, (0..tasks).collect::<Vec<_>>());
                let sizes = parts.iter().map(ExactSizeIterator::len);
                let (least, most) = (sizes.clone().min(), sizes.max());
                assert!(most <= least.map(|it| it + 1), "{parts:?}");
            }
            assert_eq!(of(&workers, "x", 20), 0..0);
        }
    }

    proptest! {
        /// Whatever they have: once nobody comes or goes, each has its number within a few looks, and nothing moves any more.
        #[test]
        fn it_settles(
            tasks in 1_u32..12,
            count in 1_usize..6,
            before in prop::collection::vec(prop::option::of(0_usize..6), 12),
        ) {
            let ids = ids(count);
            let workers: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
            let mut owner: BTreeMap<u32, usize> = BTreeMap::new();
            for task in 0..tasks {
                if let Some(worker) = before[task as usize].filter(|it| *it < count) {
                    owner.insert(task, worker);
                }
            }
            let held = |owner: &BTreeMap<u32, usize>, worker: usize| -> BTreeSet<u32> {
                owner.iter().filter(|(_, it)| **it == worker).map(|(task, _)| *task).collect()
            };
            let mut moves = Vec::new();
            for _ in 0..4 {
                let mut moved = 0;
                for (at, id) in ids.iter().enumerate() {
                    let own = of(&workers, id, tasks);
                    for task in too_many(&held(&owner, at), &own) {
                        owner.remove(&task);
                        moved += 1;
                    }
                    let free = (0..tasks).filter(|it| !owner.contains_key(it)).collect();
                    for task in too_few(&held(&owner, at), &own, &free) {
                        owner.insert(task, at);
                        moved += 1;
                    }
                }
                moves.push(moved);
            }
            prop_assert_eq!(owner.len() as u32, tasks);
            for (at, id) in ids.iter().enumerate() {
                prop_assert_eq!(held(&owner, at).len(), of(&workers, id, tasks).len());
            }
            prop_assert_eq!(moves[3], 0, "{:?}", moves);
        }
    }
}
