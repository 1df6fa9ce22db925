//! How a caller follows and stops long work.

/// Follows a run. Called from the thread that does the work, at most some ten times a second.
pub trait Observer: Send + Sync {
    /// `done` of `total` records of the work named `what`; `total` is 0 when it is not known.
    fn progress(&self, done: u64, total: u64, what: &str);
    /// Whether to stop as soon as it is safe; asked again at least every 100 ms.
    fn cancelled(&self) -> bool;
}

/// Nobody looks and nobody stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn progress(&self, _done: u64, _total: u64, _what: &str) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// Keeps progress calls at about ten a second, whatever the record rate.
pub(crate) struct Pace<'a> {
    observer: &'a dyn Observer,
    what: String,
    total: u64,
    done: u64,
    told: std::time::Instant,
}

impl<'a> Pace<'a> {
    const INTERVAL: std::time::Duration = std::time::Duration::from_millis(100);

    pub(crate) fn new(observer: &'a dyn Observer, total: u64, what: String) -> Self {
        observer.progress(0, total, &what);
        Self {
            observer,
            what,
            total,
            done: 0,
            told: std::time::Instant::now(),
        }
    }

    /// One record more; looks at the clock only every 256 records.
    pub(crate) fn step(&mut self) -> Result<(), crate::Error> {
        self.done += 1;
        if self.done.is_multiple_of(256) {
            self.look()
        } else {
            Ok(())
        }
    }

    /// Tells progress when it is due, and stops when asked to.
    pub(crate) fn look(&mut self) -> Result<(), crate::Error> {
        if self.told.elapsed() >= Self::INTERVAL {
            self.told = std::time::Instant::now();
            self.observer
                .progress(self.done, self.total.max(self.done), &self.what);
            if self.observer.cancelled() {
                return Err(crate::Error::Cancelled);
            }
        }
        Ok(())
    }

    pub(crate) fn finish(&self) {
        self.observer
            .progress(self.done, self.total.max(self.done), &self.what);
    }
}
