//! A run that cannot begin yet.
//!
//! A broker that crashed takes its partitions along until the others elect new leaders, some ten seconds. A replicator that
//! is started just then waits for that, as one that was running does.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::RunError;
use crate::options::Options;
use crate::progress::Progress;

/// Pauses between tries: doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(2);
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

pub(super) struct Patience {
    /// `None`: for ever.
    limit: Option<Duration>,
    progress: Arc<Progress>,
    stop: CancellationToken,
    since: Instant,
    pause: Duration,
    complained: Option<Instant>,
}

impl Patience {
    pub(super) fn new(options: &Options, progress: Arc<Progress>, stop: CancellationToken) -> Self {
        Self {
            limit: options.give_up_after,
            progress,
            stop,
            since: Instant::now(),
            pause: FIRST_PAUSE,
            complained: None,
        }
    }

    /// Returns when it is time to try again; gives the error back where that will not help, or not soon enough, or nobody
    /// wants it any more.
    pub(super) async fn bear(&mut self, error: RunError) -> Result<(), RunError> {
        let over = self
            .limit
            .is_some_and(|limit| self.since.elapsed() >= limit);
        if over || !error.may_pass() || self.stop.is_cancelled() {
            return Err(error);
        }
        if self
            .complained
            .is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY)
        {
            self.complained = Some(Instant::now());
            tracing::warn!(%error, seconds = self.since.elapsed().as_secs(), "cannot begin yet; trying again");
        }
        self.progress.trouble(Some(error.to_string()));
        let pause = tokio::time::sleep(self.pause);
        self.pause = (self.pause * 2).min(LAST_PAUSE);
        match self.stop.run_until_cancelled(pause).await {
            Some(()) => Ok(()),
            None => Err(error),
        }
    }
}
