//! Where translated offsets point to, found on a walk.

use proptest::prelude::*;

use super::lane::{Lane, ONCE, original};
use crate::compare::align::{Wanted, align};
use crate::compare::entry::TimestampRule;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// The record that follows an offset is the one that is found by looking through everything.
    #[test]
    fn the_next_record_is_found(
        lost in prop::collection::btree_set(0_usize..300, 0..20),
        offsets in prop::collection::btree_set(-5_i64..620, 0..10),
    ) {
        let ours = original(300);
        let theirs: Vec<_> = ours.iter().enumerate()
            .filter(|(place, _)| !lost.contains(place)).map(|(_, record)| record.clone()).collect();
        let wanted = Wanted {
            remembered: ONCE.window as usize,
            offsets: offsets.iter().copied().collect(),
        };
        let rule = TimestampRule::Exact;
        let found = align(&mut Lane::new(&ours, rule), &mut Lane::new(&theirs, rule), wanted, &mut || Ok(()));
        let places = found.expect("no reader fails").places;
        let mut expected = Vec::new();
        for offset in offsets {
            // lanes have offsets of twice the place
            let next = (0_usize..300).find(|place| *place as i64 * 2 >= offset && !lost.contains(place));
            if let Some(next) = next {
                let before = lost.iter().filter(|place| **place < next).count();
                expected.push((offset, next as i64 * 2, (next - before) as i64 * 2));
            }
        }
        prop_assert_eq!(places, expected);
    }
}
