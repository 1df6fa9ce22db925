use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits count KiB, because a semaphore's count is 32 bits.
const UNIT: usize = 1024;

/// The bytes that may be between a fetch request and the target's acknowledgement.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    permits: Arc<Semaphore>,
    total: usize,
}

/// A share of the budget; dropping it gives the bytes back.
#[derive(Debug)]
pub(crate) struct Share {
    permit: OwnedSemaphorePermit,
}

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        let total = (bytes as usize / UNIT).max(1);
        Self {
            permits: Arc::new(Semaphore::new(total)),
            total,
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
        Some(Share { permit })
    }
}

impl Share {
    /// Takes `bytes` out of this share; what it has not is not taken (a batch larger than the
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
        Share { permit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
