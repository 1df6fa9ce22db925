//! Positions, owners, gaps and topic records as they lie in their topics: anybody with the rights may have written them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| replicator::stored::exercise(data));
