//! What a connection reads, from the first byte on: whoever answers may not be a broker.
#![no_main]

use fuzz::{Call, Peer, Script, run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let peer = Peer::new(Script::Bytes(data.to_vec()));
    // Only an error may come of it, or nothing.
    let _ = run(Call::Metadata.make(peer, "peer:9092"));
});
