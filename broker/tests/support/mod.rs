//! What the tests talk to a broker with: a raw client and hand-made record batches.

pub(crate) mod batch;
pub(crate) mod raw;
