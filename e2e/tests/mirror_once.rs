//! `replicate --once`: records of every codec and shape are equal on both sides.

#[path = "support/once.rs"]
mod once;

#[test]
fn four_hundred_thousand_records_of_mixed_codecs_are_equal() {
    once::copies_are_equal(50_000);
}
