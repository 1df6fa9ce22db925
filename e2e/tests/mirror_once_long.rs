//! The same as `mirror_once`, with more records.

#[path = "support/once.rs"]
mod once;

#[test]
fn two_million_records_of_mixed_codecs_are_equal() {
    once::copies_are_equal(250_000);
}
