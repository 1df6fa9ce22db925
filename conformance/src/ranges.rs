//! A set of sequence numbers kept as ranges, so that memory grows with gaps and never with records.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A set of `u64` held as sorted, disjoint, non-adjacent half-open ranges.
///
/// Serialised as `[[first, end], …]` with `end` exclusive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RangeSet {
    ranges: Vec<(u64, u64)>,
}

impl RangeSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set of every number in `start..end`.
    pub fn span(start: u64, end: u64) -> Self {
        let ranges = if start < end {
            vec![(start, end)]
        } else {
            Vec::new()
        };
        Self { ranges }
    }

    /// Adds `value`; returns whether it was new. Rising input costs O(1).
    pub fn insert(&mut self, value: u64) -> bool {
        // the usual case: the stream goes on where it stopped
        if let Some(last) = self.ranges.last_mut() {
            if value == last.1 {
                last.1 += 1;
                return true;
            }
            if value > last.1 {
                self.ranges.push((value, value + 1));
                return true;
            }
        } else {
            self.ranges.push((value, value + 1));
            return true;
        }
        let at = self.ranges.partition_point(|range| range.1 < value);
        let range = self.ranges[at];
        if value >= range.0 && value < range.1 {
            return false;
        }
        if value == range.1 {
            self.ranges[at].1 += 1;
            if at + 1 < self.ranges.len() && self.ranges[at + 1].0 == value + 1 {
                self.ranges[at].1 = self.ranges[at + 1].1;
                self.ranges.remove(at + 1);
            }
        } else if value + 1 == range.0 {
            self.ranges[at].0 = value;
        } else {
            self.ranges.insert(at, (value, value + 1));
        }
        true
    }

    /// Whether `value` is in the set.
    pub fn contains(&self, value: u64) -> bool {
        let at = self.ranges.partition_point(|range| range.1 <= value);
        self.ranges.get(at).is_some_and(|range| range.0 <= value)
    }

    /// How many numbers the set holds.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|(start, end)| end - start).sum()
    }

    /// Whether the set holds nothing.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The largest number in the set.
    pub fn max(&self) -> Option<u64> {
        self.ranges.last().map(|range| range.1 - 1)
    }

    /// The smallest number of the set beyond `value`.
    pub fn next_after(&self, value: u64) -> Option<u64> {
        let at = self.ranges.partition_point(|range| range.1 <= value + 1);
        self.ranges.get(at).map(|range| range.0.max(value + 1))
    }

    /// The ranges, rising, each `(first, end)` with `end` exclusive.
    pub fn ranges(&self) -> &[(u64, u64)] {
        &self.ranges
    }

    /// The numbers of this set that are not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut ranges = Vec::new();
        let mut holes = other.ranges.iter().peekable();
        for &(mut start, end) in &self.ranges {
            while holes.next_if(|hole| hole.1 <= start).is_some() {}
            let mut ahead = holes.clone();
            while let Some(&(hole_start, hole_end)) = ahead.next_if(|hole| hole.0 < end) {
                if hole_start > start {
                    ranges.push((start, hole_start));
                }
                start = start.max(hole_end);
            }
            if start < end {
                ranges.push((start, end));
            }
        }
        Self { ranges }
    }
}

impl FromIterator<u64> for RangeSet {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        let mut set = Self::new();
        for value in values {
            set.insert(value);
        }
        set
    }
}

impl Serialize for RangeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.ranges.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RangeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ranges = Vec::<(u64, u64)>::deserialize(deserializer)?;
        let rising = ranges.iter().all(|range| range.0 < range.1)
            && ranges.windows(2).all(|pair| pair[0].1 < pair[1].0);
        if rising {
            Ok(Self { ranges })
        } else {
            Err(serde::de::Error::custom(
                "ranges must rise, be disjoint and not touch",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::RangeSet;

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(values in prop::collection::vec(0_u64..60, 0..80),
                                   others in prop::collection::vec(0_u64..60, 0..80)) {
            let mut plain = BTreeSet::new();
            let mut set = RangeSet::new();
            for &value in &values {
                prop_assert_eq!(set.insert(value), plain.insert(value));
            }
            for value in 0..62 {
                prop_assert_eq!(set.contains(value), plain.contains(&value));
            }
            prop_assert_eq!(set.len(), plain.len() as u64);
            prop_assert_eq!(set.max(), plain.last().copied());
            let disjoint = set.ranges().windows(2).all(|pair| pair[0].1 < pair[1].0);
            prop_assert!(disjoint);

            let other_plain: BTreeSet<u64> = others.iter().copied().collect();
            let other: RangeSet = others.into_iter().collect();
            let rest: RangeSet = plain.difference(&other_plain).copied().collect();
            prop_assert_eq!(set.minus(&other), rest);
        }
    }

    #[test]
    fn overlapping_ranges_do_not_deserialise() {
        assert!(serde_json::from_str::<RangeSet>("[[0,5],[4,6]]").is_err());
        assert!(serde_json::from_str::<RangeSet>("[[0,5],[6,7]]").is_ok());
    }
}
