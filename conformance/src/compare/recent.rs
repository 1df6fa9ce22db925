//! The records both sides had in common lately, to know a repeated record from a foreign one.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

/// Takes the low half of a key that is a hash already.
#[derive(Debug, Default)]
pub(crate) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) | u64::from(*byte);
        }
    }

    fn write_u128(&mut self, value: u128) {
        self.0 = value as u64;
    }
}

/// A map keyed by record hashes.
pub(crate) type HashKeyed<V> = HashMap<u128, V, BuildHasherDefault<AlreadyHashed>>;

/// The last `capacity` records in common, with their place in the walk.
#[derive(Debug)]
pub(crate) struct Recent {
    capacity: usize,
    order: VecDeque<u128>,
    places: HashKeyed<u64>,
    next: u64,
}

impl Recent {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            order: VecDeque::new(),
            places: HashKeyed::default(),
            next: 0,
        }
    }

    pub(crate) fn push(&mut self, identity: u128) {
        if self.order.len() == self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            // an equal record may have come since: then the later one keeps the entry
            let place = self.next - self.capacity as u64;
            if self.places.get(&oldest) == Some(&place) {
                self.places.remove(&oldest);
            }
        }
        self.order.push_back(identity);
        self.places.insert(identity, self.next);
        self.next += 1;
    }

    /// The place of the latest equal record.
    pub(crate) fn place(&self, identity: u128) -> Option<u64> {
        self.places.get(&identity).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn forgets_the_oldest_but_not_its_later_equal() {
        let mut recent = Recent::new(3);
        for identity in [7, 8, 7, 9] {
            recent.push(identity);
        }
        assert_eq!(recent.place(7), Some(2));
        recent.push(10);
        assert_eq!(recent.place(8), None);
        recent.push(11);
        assert_eq!(recent.place(7), None);
        assert_eq!(recent.place(9), Some(3));
    }
}
