use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How far behind its rate a mirror may be and still catch up: enough for late timers and the
/// round trips of long links, too little to be seen as a burst.
const CATCH_UP: Duration = Duration::from_millis(500);
/// One round of fetches, over all lanes, asks for this much time's worth of bytes.
const ROUND: Duration = Duration::from_millis(250);
/// Less would be all overhead. A single larger batch comes whole in any case and is paid for after.
const LEAST_FETCH: usize = 16 << 10;

/// A rate of bytes that all fetch lanes of a mirror share, those of all its sources together.
/// Clones share one rate.
///
/// The batches that were fetched are charged once they are there, because a broker may send more
/// than asked for (the first batch always comes whole) or less. A debt is paid by waiting before the next fetch, so the rate holds
/// over any time longer than one fetch takes, whatever the size of batches. Waiting holds no
/// memory: it comes before the byte budget.
#[derive(Debug, Clone)]
pub struct Throttle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    bytes_per_second: u64,
    /// When everything charged so far is paid for; `None` before the first charge.
    paid_at: Mutex<Option<Instant>>,
    /// Partitions being read by all lanes: a lane's part of a round is its part of them.
    partitions: AtomicUsize,
}

impl Throttle {
    /// At most this many bytes a second; 0 is taken as 1.
    pub fn new(bytes_per_second: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                bytes_per_second: bytes_per_second.max(1),
                paid_at: Mutex::new(None),
                partitions: AtomicUsize::new(0),
            }),
        }
    }

    pub(crate) fn bytes_per_second(&self) -> u64 {
        self.inner.bytes_per_second
    }

    /// Waits until everything charged so far is paid for. Cancel safe.
    pub(crate) async fn wait(&self) {
        loop {
            let paid_at = *self.paid_at();
            match paid_at {
                Some(at) if at > Instant::now() => tokio::time::sleep_until(at).await,
                Some(_) | None => return,
            }
        }
    }

    /// Pays for bytes that were fetched.
    pub(crate) fn charge(&self, bytes: usize) {
        let now = Instant::now();
        let cost = Duration::from_secs_f64(bytes as f64 / self.inner.bytes_per_second as f64);
        let mut paid_at = self.paid_at();
        let from = match *paid_at {
            // Time in which nothing was wanted is not saved up.
            Some(at) => at.max(now.checked_sub(CATCH_UP).unwrap_or(now)),
            None => now,
        };
        *paid_at = Some(from + cost);
    }

    /// How many bytes a lane with this many partitions to read may ask for at once.
    pub(crate) fn fetch_bytes(&self, partitions: usize) -> usize {
        let round = self.inner.bytes_per_second as f64 * ROUND.as_secs_f64();
        let all = self
            .inner
            .partitions
            .load(Ordering::Relaxed)
            .max(partitions);
        let part = round * partitions as f64 / all.max(1) as f64;
        (part as usize).max(LEAST_FETCH)
    }

    /// A lane's count of partitions, to be kept up to date by the lane.
    pub(crate) fn lane(&self) -> LanePartitions {
        LanePartitions {
            throttle: self.clone(),
            count: 0,
        }
    }

    fn paid_at(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.inner
            .paid_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many of the throttled partitions one lane reads; taken off again when it is dropped.
#[derive(Debug)]
pub(crate) struct LanePartitions {
    throttle: Throttle,
    count: usize,
}

impl LanePartitions {
    pub(crate) fn set(&mut self, count: usize) {
        let partitions = &self.throttle.inner.partitions;
        partitions.fetch_add(count, Ordering::Relaxed);
        partitions.fetch_sub(self.count, Ordering::Relaxed);
        self.count = count;
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.throttle
    }
}

impl Drop for LanePartitions {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lanes that fetch as fast as they may for `seconds`; answers take `latency` and are
    /// `batch` bytes or what was asked for, whichever is more. Returns the bytes of each lane.
    async fn fetched(
        bytes_per_second: u64,
        lanes: &[usize],
        batch: usize,
        seconds: u64,
    ) -> Vec<usize> {
        let throttle = Throttle::new(bytes_per_second);
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut tasks = tokio::task::JoinSet::new();
        let mut counts: Vec<LanePartitions> = Vec::new();
        for (at, partitions) in lanes.iter().copied().enumerate() {
            let mut lane = throttle.lane();
            lane.set(partitions);
            counts.push(lane);
            let throttle = throttle.clone();
            tasks.spawn(async move {
                let mut bytes = 0;
                loop {
                    throttle.wait().await;
                    let asked = throttle.fetch_bytes(partitions).min(2 << 20);
                    tokio::time::sleep(Duration::from_millis(3)).await;
                    if Instant::now() >= end {
                        return (at, bytes);
                    }
                    let got = asked.max(batch);
                    throttle.charge(got);
                    bytes += got;
                }
            });
        }
        let mut by_lane = vec![0; lanes.len()];
        while let Some(lane) = tasks.join_next().await {
            let (at, bytes) = lane.expect("lane");
            by_lane[at] = bytes;
        }
        by_lane
    }

    #[tokio::test(start_paused = true)]
    async fn ten_seconds_are_within_a_tenth_of_the_rate_at_any_rate_and_batch_size() {
        for rate in [1_000_000, 50_000_000] {
            for batch in [0, 60_000, 1 << 20] {
                let bytes: usize = fetched(rate, &[4, 4, 4, 4], batch, 10).await.iter().sum();
                let wanted = rate as f64 * 10.0;
                // each lane may have one batch that is larger than what was asked for
                let allowed = wanted * 0.1 + 4.0 * batch as f64;
                assert!(
                    (bytes as f64 - wanted).abs() <= allowed,
                    "{bytes} bytes at {rate}/s with batches of {batch}"
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn partitions_get_equal_parts_however_lanes_share_them() {
        let bytes = fetched(10_000_000, &[1, 7], 0, 10).await;
        let (one, seven) = (bytes[0] as f64, bytes[1] as f64);
        assert!((seven / one - 7.0).abs() < 0.5, "{bytes:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_hour_is_no_credit() {
        let throttle = Throttle::new(1_000);
        throttle.charge(1_000);
        tokio::time::advance(Duration::from_hours(1)).await;
        let began = Instant::now();
        for _ in 0..10 {
            throttle.wait().await;
            throttle.charge(1_000);
        }
        throttle.wait().await;
        assert!(began.elapsed() >= Duration::from_millis(9_400));
    }
}
