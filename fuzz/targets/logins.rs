//! What a broker says while we log in, and what a token endpoint answers. The first byte chooses which of them speaks, and
//! in which mechanism.
#![no_main]

use std::sync::Arc;

use fuzz::{Call, Peer, Script, run};
use kafka::security::{Login, Sasl, ScramHash, Secret, SecretSource, exercise_answer};
use kafka_protocol::messages::ApiKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((how, rest)) = data.split_first() else {
        return;
    };
    let login = || Login {
        username: "u".to_owned(),
        password: SecretSource::Given(Secret::new("p")),
    };
    let sasl = match how / 8 % 3 {
        0 => Sasl::Scram(ScramHash::Sha256, login()),
        1 => Sasl::Scram(ScramHash::Sha512, login()),
        _ => Sasl::Plain(login()),
    };
    let script = match how % 8 {
        0 | 1 => {
            let Some((status, body)) = rest.split_first_chunk::<2>() else {
                return;
            };
            let status = if how % 8 == 0 {
                200
            } else {
                u16::from_be_bytes(*status) % 1_000
            };
            exercise_answer(status, body);
            return;
        }
        // The whole response, malformed or not.
        2 | 3 => {
            let Some((version, body)) = rest.split_first() else {
                return;
            };
            let api = if how % 8 == 2 {
                ApiKey::SaslHandshake
            } else {
                ApiKey::SaslAuthenticate
            };
            Script::Answer {
                api,
                version: i16::from(*version),
                body: body.to_vec(),
            }
        }
        // Well-formed responses: what the mechanism itself has to read. A line is a turn.
        4 => turns(rest, false),
        // The same, and the first turn begins with our own nonce, without which SCRAM reads no further.
        _ => turns(rest, true),
    };
    let _ = run(Call::Metadata.make(Peer::with_login(script, Arc::new(sasl)), "peer:9092"));
});

fn turns(said: &[u8], echo_nonce: bool) -> Script {
    Script::Login {
        turns: said
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect(),
        echo_nonce,
    }
}
