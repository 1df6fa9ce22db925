//! The formats of what lies in our own topics, for the fuzz targets: anybody with the rights may have written there.

use std::fmt::Debug;

use register::{TopicKey, TopicRecord, json_key};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::gap::{Gap, GapKey};
use crate::position::{
    Beat, BeatKey, Owner, OwnerKey, Position, PositionKey, Start, StartKey, Worker, WorkerKey,
};

/// Reads `bytes` as every kind of key and value. What can be read must say the same once it is written again.
pub fn exercise(bytes: &[u8]) {
    round_trip::<PositionKey>(bytes);
    round_trip::<Position>(bytes);
    round_trip::<OwnerKey>(bytes);
    round_trip::<Owner>(bytes);
    round_trip::<BeatKey>(bytes);
    round_trip::<Beat>(bytes);
    round_trip::<WorkerKey>(bytes);
    round_trip::<Worker>(bytes);
    round_trip::<StartKey>(bytes);
    round_trip::<Start>(bytes);
    round_trip::<GapKey>(bytes);
    round_trip::<Gap>(bytes);
    round_trip::<TopicKey>(bytes);
    round_trip::<TopicRecord>(bytes);
    // One topic holds them all; a key is one or another.
    let kinds = [
        json_key::<PositionKey>(bytes).is_some(),
        json_key::<OwnerKey>(bytes).is_some(),
        json_key::<BeatKey>(bytes).is_some(),
        json_key::<WorkerKey>(bytes).is_some(),
        json_key::<StartKey>(bytes).is_some(),
    ];
    assert!(kinds.into_iter().filter(|is| *is).count() <= 1);
}

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<T>(bytes) {
        let again = serde_json::to_vec(&value).expect("what was read can be written");
        let again = serde_json::from_slice::<T>(&again).expect("what was written can be read");
        assert_eq!(again, value);
    }
}
