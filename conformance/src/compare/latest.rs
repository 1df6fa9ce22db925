//! What a compacted topic holds of each key: the newest record. Bounded: where there are too many keys, a share of them is
//! kept, which the hash of the key decides.

use crate::compare::recent::HashKeyed;
use crate::record::{RecordHasher, RecordView};

/// As many keys of a partition are kept at most; some 64 bytes each.
const MOST_KEYS: usize = 500_000;

/// The newest record of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) offset: i64,
    /// Hash of key, value and headers in order.
    pub(crate) content: u128,
    /// Its value is null: the key is deleted.
    pub(crate) tombstone: bool,
}

/// One side of one partition.
#[derive(Debug)]
pub(crate) struct Latest {
    keys: HashKeyed<Held>,
    most: usize,
    /// One key in 2^halvings is kept.
    halvings: u32,
    pub(crate) without_key: u64,
}

impl Default for Latest {
    fn default() -> Self {
        Self::bounded(MOST_KEYS)
    }
}

impl Latest {
    pub(crate) fn bounded(most: usize) -> Self {
        Self {
            keys: HashKeyed::default(),
            most,
            halvings: 0,
            without_key: 0,
        }
    }

    /// The next record of the partition.
    pub(crate) fn take(&mut self, hasher: &mut RecordHasher, offset: i64, record: &RecordView<'_>) {
        let Some(key) = record.key else {
            self.without_key += 1;
            return;
        };
        let key = hasher.content(Some(key), None, &[]);
        if !kept(key, self.halvings) {
            return;
        }
        let held = Held {
            offset,
            content: hasher.content(record.key, record.value, &record.headers),
            tombstone: record.value.is_none(),
        };
        self.keys.insert(key, held);
        while self.keys.len() > self.most {
            self.halve(self.halvings + 1);
        }
    }

    fn halve(&mut self, halvings: u32) {
        self.halvings = halvings;
        self.keys.retain(|key, _| kept(*key, halvings));
    }

    pub(crate) fn of(&self, key: u128) -> Option<Held> {
        self.keys.get(&key).copied()
    }
}

/// The high half of a hash decides: the low one is what the map goes by.
fn kept(key: u128, halvings: u32) -> bool {
    (key >> 64) as u64 & ((1 << halvings) - 1) == 0
}

/// A key that the two sides do not hold alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unlike {
    pub(crate) key: u128,
    pub(crate) source: Option<Held>,
    pub(crate) target: Option<Held>,
}

/// What both sides of a partition hold.
#[derive(Debug, Default)]
pub(crate) struct Pair {
    pub(crate) source: Latest,
    pub(crate) target: Latest,
}

impl Pair {
    /// Keys that are held unlike, those of the source first, in the order of their offsets.
    pub(crate) fn unlike(&mut self) -> Vec<Unlike> {
        let halvings = self.halvings();
        self.source.halve(halvings);
        self.target.halve(halvings);
        let missing = |key: &&u128| self.source.of(**key).is_none();
        let keys = self
            .source
            .keys
            .keys()
            .chain(self.target.keys.keys().filter(missing));
        let mut unlike: Vec<Unlike> = keys
            .map(|&key| self.look(key))
            .filter(|it| !it.alike())
            .collect();
        unlike.sort_unstable_by_key(|it| {
            let offset = |held: Option<Held>| held.map_or(i64::MAX, |held| held.offset);
            (offset(it.source), offset(it.target))
        });
        unlike
    }

    /// What both sides hold of a key by now.
    pub(crate) fn look(&self, key: u128) -> Unlike {
        Unlike {
            key,
            source: self.source.of(key),
            target: self.target.of(key),
        }
    }

    /// Keys that both sides were compared by.
    pub(crate) fn compared(&self) -> u64 {
        let only = self.target.keys.keys();
        let only = only.filter(|key| self.source.of(**key).is_none());
        (self.source.keys.len() + only.count()) as u64
    }

    /// One key in 2^halvings was compared.
    pub(crate) fn halvings(&self) -> u32 {
        self.source.halvings.max(self.target.halvings)
    }
}

impl Unlike {
    /// Whether readers of the newest record of each key see the same: a key that is deleted may still have its tombstone or
    /// not have it any more.
    pub(crate) fn alike(&self) -> bool {
        match (self.source, self.target) {
            (Some(ours), Some(theirs)) => ours.content == theirs.content,
            (Some(only), None) | (None, Some(only)) => only.tombstone,
            (None, None) => true,
        }
    }

    /// Whether the source has written the key since.
    pub(crate) fn in_motion(&self, before: &Self) -> bool {
        self.source.map(|held| held.offset) != before.source.map(|held| held.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;

    fn fold(latest: &mut Latest, records: &[(u16, Option<u8>)]) {
        let mut hasher = RecordHasher::default();
        for (offset, (key, value)) in records.iter().enumerate() {
            let (key, value) = (key.to_be_bytes(), value.map(|value| [value]));
            let view = RecordView {
                key: Some(&key),
                value: value.as_ref().map(<[u8; 1]>::as_slice),
                headers: Vec::new(),
                timestamp: Timestamp::create(0),
            };
            latest.take(&mut hasher, offset as i64, &view);
        }
    }

    #[test]
    fn memory_is_bounded_and_both_sides_keep_the_same_share() {
        let all: Vec<(u16, Option<u8>)> = (0..2_000).map(|key| (key, Some(1))).collect();
        let mut pair = Pair {
            source: Latest::bounded(100),
            target: Latest::bounded(300),
        };
        fold(&mut pair.source, &all);
        fold(&mut pair.target, &all);
        assert!(pair.source.keys.len() <= 100 && pair.target.keys.len() <= 300);
        assert!(pair.unlike().is_empty());
        assert!(pair.compared() > 0);
        assert_eq!(pair.target.halvings, pair.source.halvings);
    }

    #[test]
    fn a_share_still_shows_what_differs_in_it() {
        let all: Vec<(u16, Option<u8>)> = (0..2_000).map(|key| (key, Some(1))).collect();
        let other: Vec<(u16, Option<u8>)> = (0..2_000).map(|key| (key, Some(2))).collect();
        let mut pair = Pair {
            source: Latest::bounded(100),
            target: Latest::bounded(100),
        };
        fold(&mut pair.source, &all);
        fold(&mut pair.target, &other);
        assert_eq!(pair.unlike().len() as u64, pair.compared());
    }
}
