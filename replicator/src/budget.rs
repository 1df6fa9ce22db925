use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Permits count KiB, because a semaphore's count is 32 bits.
const UNIT: usize = 1024;
/// The smallest fetch.
const LEAST_FETCH: u64 = 64 << 10;

/// The bytes that may be between a fetch request and the target's acknowledgement.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    permits: Arc<Semaphore>,
    total: usize,
    carriage: Arc<Carriage>,
}

/// What is under way: bytes that were fetched and are not acknowledged.
#[derive(Debug)]
struct Carriage {
    carried: AtomicU64,
    /// How many may be.
    window: AtomicU64,
    /// Either has changed.
    changed: Notify,
}

/// A share of the budget; dropping it gives the bytes back.
#[derive(Debug)]
pub(crate) struct Share {
    permit: OwnedSemaphorePermit,
    /// Counted as under way while this lives; 0 for a share that nothing was fetched for.
    carried: u64,
    carriage: Arc<Carriage>,
}

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        let total = (bytes as usize / UNIT).max(1);
        Self {
            permits: Arc::new(Semaphore::new(total)),
            total,
            carriage: Arc::new(Carriage {
                carried: AtomicU64::new(0),
                window: AtomicU64::new(u64::MAX),
                changed: Notify::new(),
            }),
        }
    }

    /// Bytes in all.
    pub(crate) fn total(&self) -> u64 {
        (self.total * UNIT) as u64
    }

    /// Bytes that were fetched and are not acknowledged.
    pub(crate) fn carried(&self) -> u64 {
        self.carriage.carried.load(Ordering::Relaxed)
    }

    /// Lets as many bytes be under way.
    pub(crate) fn open(&self, window: u64) {
        self.carriage.window.store(window, Ordering::Relaxed);
        self.carriage.changed.notify_waiters();
    }

    /// How many of `bytes` one of `lanes` may ask for now, so that all together stay within the window. Waits while there
    /// is no room. Cancel safe.
    pub(crate) async fn room(&self, bytes: usize, lanes: u64) -> usize {
        loop {
            let changed = self.carriage.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let window = self.carriage.window.load(Ordering::Relaxed);
            if window >= self.total() {
                return bytes;
            }
            let carried = self.carried();
            let part = window.saturating_sub(carried) / lanes.max(1);
            if part >= LEAST_FETCH || carried == 0 {
                return bytes.min(part.max(LEAST_FETCH) as usize);
            }
            changed.await;
        }
    }

    /// Bytes in use and bytes in all.
    pub(crate) fn usage(&self) -> (u64, u64) {
        let free = self.permits.available_permits();
        let used = self.total.saturating_sub(free);
        ((used * UNIT) as u64, (self.total * UNIT) as u64)
    }

    /// Waits for `bytes` (at most the whole budget). Cancel safe. `None` never happens while the
    /// budget lives: the semaphore is not closed.
    pub(crate) async fn acquire(&self, bytes: usize) -> Option<Share> {
        let units = bytes.div_ceil(UNIT).min(self.total) as u32;
        let permit = self.permits.clone().acquire_many_owned(units).await.ok()?;
        Some(Share {
            permit,
            carried: 0,
            carriage: self.carriage.clone(),
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.carried > 0 {
            self.carriage
                .carried
                .fetch_sub(self.carried, Ordering::Relaxed);
            self.carriage.changed.notify_waiters();
        }
    }
}

impl Share {
    /// Takes `bytes` that were fetched out of this share; what it has not is not taken (a batch larger than the
    /// fetch limit is returned by the broker all the same).
    pub(crate) fn split(&mut self, bytes: usize) -> Share {
        let units = bytes.div_ceil(UNIT).min(self.permit.num_permits());
        let permit = self.permit.split(units).unwrap_or_else(|| {
            // Unreachable by the bound above; an empty share keeps the types simple.
            OwnedSemaphorePermit::semaphore(&self.permit)
                .clone()
                .try_acquire_many_owned(0)
                .unwrap_or_else(|_| unreachable!("zero permits are always there"))
        });
        let carried = bytes as u64;
        self.carriage.carried.fetch_add(carried, Ordering::Relaxed);
        Share {
            permit,
            carried,
            carriage: self.carriage.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_narrow_window_makes_fetches_smaller_and_then_wait() {
        let budget = Budget::new(64 << 20);
        assert_eq!(budget.room(8 << 20, 8).await, 8 << 20, "no window");
        budget.open(4 << 20);
        assert_eq!(budget.room(8 << 20, 8).await, 512 << 10);
        let mut reserved = budget.acquire(8 << 20).await.expect("share");
        assert_eq!(
            budget.room(8 << 20, 8).await,
            512 << 10,
            "nothing is fetched"
        );
        let fetched = reserved.split(4 << 20);
        let mut waiting = std::pin::pin!(budget.room(8 << 20, 8));
        let now = tokio::time::timeout(std::time::Duration::from_millis(20), &mut waiting).await;
        assert!(now.is_err(), "the window is full");
        drop(fetched);
        assert_eq!(waiting.await, 512 << 10);
    }

    #[tokio::test]
    async fn shares_return_when_dropped_and_splitting_conserves_them() {
        let budget = Budget::new(64 * 1024);
        let mut all = budget.acquire(1 << 30).await.expect("share");
        assert_eq!(budget.permits.available_permits(), 0);
        let part = all.split(10 * 1024);
        drop(all);
        assert_eq!(budget.permits.available_permits(), 54);
        drop(part);
        assert_eq!(budget.permits.available_permits(), 64);
    }
}
