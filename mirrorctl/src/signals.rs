//! SIGINT and SIGTERM: the first asks to stop, the second ends the process at once. SIGHUP asks a
//! command that has something to read again to do so.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::exit;

/// The signals that ask to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopSignal {
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl StopSignal {
    /// As everybody else calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
        }
    }
}

/// Cancels `stop` on the first signal. Listening ends when the returned set is dropped. Must be
/// called inside the runtime; signals are caught from the moment it returns.
pub(crate) fn watch(stop: CancellationToken) -> io::Result<JoinSet<()>> {
    let mut signals = Signals::listen()?;
    let mut watcher = JoinSet::new();
    watcher.spawn(async move {
        let first = signals.next().await;
        tracing::info!(signal = first.name(), "stopping; once more to end at once");
        stop.cancel();
        let second = signals.next().await;
        tracing::warn!(signal = second.name(), "ended at once, with work under way");
        exit::at_once(second);
    });
    Ok(watcher)
}

/// SIGHUP, from the moment this is made: it no longer ends the process.
#[derive(Debug)]
pub(crate) struct Hangups(Signal);

impl Hangups {
    /// Must be called inside the runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Returns once for any number of signals that came meanwhile. Cancel safe.
    pub(crate) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // the runtime is going away, and no signal will come
            std::future::pending::<()>().await;
        }
    }
}
