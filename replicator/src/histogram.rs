use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds in microseconds: doubled from 1 ms on, the last but one raised to five minutes.
const BOUNDS_US: [u64; 20] = {
    let mut bounds = [0; 20];
    let mut place = 0;
    while place < 19 {
        bounds[place] = 1_000 << place;
        place += 1;
    }
    bounds[19] = 300_000_000;
    bounds
};

/// Durations counted in exponential buckets from 1 ms to 5 min. Observing touches three atomics and
/// never waits.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    /// One a bound, and one for what is longer.
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// A moment of a [`Histogram`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HistogramReading {
    /// Sum of all durations, in seconds.
    pub(crate) sum_seconds: f64,
    /// How many durations.
    pub(crate) count: u64,
    /// Upper bound in seconds (the last infinite) and how many lie in the bucket, not cumulated.
    pub(crate) buckets: Vec<(f64, u64)>,
}

impl Histogram {
    pub(crate) fn observe(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        // Wraps after half a million years of durations.
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> HistogramReading {
        let bounds = BOUNDS_US.iter().map(|us| *us as f64 / 1e6);
        let buckets: Vec<(f64, u64)> = bounds
            .chain([f64::INFINITY])
            .zip(&self.counts)
            .map(|(bound, count)| (bound, count.load(Ordering::Relaxed)))
            .collect();
        HistogramReading {
            sum_seconds: self.sum_us.load(Ordering::Relaxed) as f64 / 1e6,
            count: buckets.iter().map(|(_, count)| count).sum(),
            buckets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_lies_in_the_first_bucket_that_is_not_shorter() {
        let histogram = Histogram::default();
        for ms in [0, 1, 2, 3, 299_999, 300_000, 300_001, 3_600_000] {
            histogram.observe(Duration::from_millis(ms));
        }
        let reading = histogram.read();
        let of = |bound: f64| {
            let found = reading
                .buckets
                .iter()
                .find(|(at, _)| (at - bound).abs() < 1e-9);
            found.expect("a bound").1
        };
        assert_eq!((of(0.001), of(0.002), of(0.004)), (2, 1, 1));
        assert_eq!(of(300.0), 2);
        assert_eq!(reading.buckets.last().map(|last| last.1), Some(2));
        assert_eq!(reading.count, 8);
        assert!((reading.sum_seconds - 4_500.006).abs() < 1e-6);
        assert!(reading.buckets.is_sorted_by(|a, b| a.0 < b.0));
    }
}
