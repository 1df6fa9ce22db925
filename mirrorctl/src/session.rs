//! What every command gets: where to print, and when to stop.

use std::future::Future;

use replicator::metrics::Watchlist;
use tokio_util::sync::CancellationToken;

use crate::exit::Outcome;
use crate::failure::Failure;
use crate::output::Terminal;

/// One run of the program.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Where results and notes go.
    pub(crate) terminal: Terminal,
    /// Cancelled by the first SIGINT or SIGTERM.
    pub(crate) stop: CancellationToken,
    /// The runs of the replicator in this process, for whoever wants to see them.
    pub(crate) runs: Watchlist,
}

/// What commands return.
pub(crate) type Ended = Result<Outcome, Failure>;

impl Session {
    /// Runs something that can simply be dropped when the user wants to stop.
    pub(crate) async fn until_stopped<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        self.stop
            .run_until_cancelled(work)
            .await
            .ok_or(Failure::Interrupted)
    }

    /// Runs blocking work on a thread of its own. The work has to watch [`Session::stop`] itself.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Failure::Panicked)
    }
}
