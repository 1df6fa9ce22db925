//! The answer to every call of the client, in every version: a byte for the call, one for the
//! version, then what follows the correlation id.
#![no_main]

use fuzz::{Call, Peer, Script, run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [call, version, body @ ..] = data else {
        return;
    };
    let call = Call::ALL[usize::from(*call) % Call::ALL.len()];
    let peer = Peer::new(Script::Answer {
        api: call.api(),
        version: i16::from(*version),
        body: body.to_vec(),
    });
    let _ = run(call.make(peer, "peer:9092"));
});
