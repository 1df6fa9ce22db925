//! Keys of the records in our own topics.

use serde::de::DeserializeOwned;

/// A record's key, where it is one of ours: a JSON object. `None` for any other, also for an array with the same values, which
/// serde takes for a structure too: compaction compares bytes, so it would be a second key for one thing.
pub fn json_key<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    if bytes.first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TopicKey;

    #[test]
    fn a_key_is_an_object() {
        let key: TopicKey =
            json_key(br#"{"mirror":"m","sourceClusterId":"s","topic":"t"}"#).expect("one of ours");
        assert_eq!(key.topic, "t");
        assert_eq!(json_key::<TopicKey>(br#"["m","s","t"]"#), None);
        assert_eq!(json_key::<TopicKey>(br#"{"mirror":"m"}"#), None);
        assert_eq!(json_key::<TopicKey>(b""), None);
    }
}
