//! Positions as they lie in their topic: anybody with the rights may have written them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use replicator::{Position, PositionKey};

fuzz_target!(|data: &[u8]| {
    if let Ok(key) = serde_json::from_slice::<PositionKey>(data) {
        let again = serde_json::to_vec(&key).expect("writes");
        assert_eq!(
            serde_json::from_slice::<PositionKey>(&again).ok(),
            Some(key)
        );
    }
    if let Ok(position) = serde_json::from_slice::<Position>(data) {
        let again = serde_json::to_vec(&position).expect("writes");
        assert_eq!(
            serde_json::from_slice::<Position>(&again).ok(),
            Some(position)
        );
    }
});
