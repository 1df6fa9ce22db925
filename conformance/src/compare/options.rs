//! What is compared, and how patiently.

use std::time::Duration;

use crate::checks::ReplayBound;
use crate::compare::entry::TimestampRule;
use crate::mirror::MirrorFacts;
use crate::record::{RecordHasher, RecordView};

/// What has to be equal, and how patient to be.
#[derive(Debug, Clone, Default)]
pub struct CompareOptions {
    /// How much repetition on the target is within the promise.
    pub replays: ReplayBound,
    /// What has to be equal about timestamps.
    pub timestamps: TimestampRule,
    /// How long to wait at the target's end for records the source has: for a mirror that runs.
    pub patience: Duration,
    /// What is declared of the mirror between the two, where one is judged rather than two topics.
    pub mirror: Option<MirrorFacts>,
    /// From where on; from the first record when absent.
    pub since: Option<Since>,
    /// Which share of the records; all when absent.
    pub sample: Option<Sample>,
}

impl CompareOptions {
    /// What was left out, in words; nothing where everything was compared.
    pub(crate) fn limits(&self) -> Vec<String> {
        let since = self.since.map(|since| match since {
            Since::Millis(at) => format!(
                "only records from {} on were compared",
                chrono::DateTime::from_timestamp_millis(at)
                    .map_or_else(|| at.to_string(), |at| at.to_rfc3339())
            ),
            Since::Offset(offset) => format!(
                "only records from source offset {offset} of each partition on were compared"
            ),
        });
        let sample = self.sample.map(|sample| {
            format!(
                "a sample of {} % was compared: the records whose key (or content, where there is no key) hashes into it",
                f64::from(sample.per_myriad) / 100.0
            )
        });
        since.into_iter().chain(sample).collect()
    }
}

/// From where on partitions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// From the first record that is not older, in milliseconds since the epoch.
    Millis(i64),
    /// From this offset of each source partition.
    Offset(i64),
}

/// A share of the records, which the hash of a key decides: the same records on both sides and in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    per_myriad: u32,
}

impl Sample {
    const WHOLE: u32 = 10_000;

    /// `percent` of the keys, between 0.01 and 100; `None` beyond.
    pub fn percent(percent: f64) -> Option<Self> {
        let per_myriad = (percent * 100.0).round();
        (1.0..=f64::from(Self::WHOLE))
            .contains(&per_myriad)
            .then_some(Self {
                per_myriad: per_myriad as u32,
            })
    }

    pub(crate) fn takes(self, hasher: &mut RecordHasher, record: &RecordView<'_>) -> bool {
        let hash = match record.key {
            Some(key) => hasher.content(Some(key), None, &[]),
            None => hasher.content(None, record.value, &record.headers),
        };
        (hash % u128::from(Self::WHOLE)) < u128::from(self.per_myriad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;

    #[test]
    fn a_sample_is_a_share_of_the_keys_and_always_the_same() {
        let mut hasher = RecordHasher::default();
        let mut takes = |percent: f64, key: u32| {
            let key = key.to_be_bytes();
            let record = RecordView {
                key: Some(&key),
                value: None,
                headers: Vec::new(),
                timestamp: Timestamp::create(0),
            };
            Sample::percent(percent).is_some_and(|sample| sample.takes(&mut hasher, &record))
        };
        let share = (0..10_000).filter(|key| takes(10.0, *key)).count();
        assert!((900..1_100).contains(&share), "{share}");
        assert!((0..1_000).all(|key| takes(100.0, key)));
        let small: Vec<u32> = (0..1_000).filter(|key| takes(5.0, *key)).collect();
        assert!(
            small.iter().all(|key| takes(10.0, *key)),
            "a larger sample holds a smaller one"
        );
        for wrong in [0.0, 0.001, 100.01, -1.0, f64::NAN] {
            assert_eq!(Sample::percent(wrong), None, "{wrong}");
        }
    }
}
