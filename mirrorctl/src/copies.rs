//! Runs of the replicator, side by side.

use plan::Clients;
use replicator::metrics::{Watched, Watchlist};
use replicator::{Options, Progress, Source, Summary, Throttle};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use topology::Mirror;
use tracing::Instrument;

use crate::failure::Failure;
use crate::output::{self, CopyDisplay, RunEnd, WatchedRun};

/// Running mirrors, one task for each source of each. Dropping it aborts them, which loses
/// nothing: what no committed position covers is copied again.
#[derive(Debug)]
pub(crate) struct Copies {
    runs: JoinSet<(usize, RunEnd)>,
    watched: Vec<WatchedRun>,
    watchlist: Watchlist,
}

impl Copies {
    /// Starts every source of every mirror, each shown in `runs`; `clients` must hold all their
    /// clusters.
    pub(crate) fn start(
        mirrors: &[&Mirror],
        clients: &Clients,
        options: &Options,
        stop: &CancellationToken,
        runs: &Watchlist,
    ) -> Result<Self, Failure> {
        let mut copies = Self {
            runs: JoinSet::new(),
            watched: Vec::new(),
            watchlist: runs.clone(),
        };
        for mirror in mirrors {
            let target = client(clients, &mirror.target)?;
            let options = Options {
                // one rate for the mirror, whatever the number of its sources
                throttle: mirror.throttle.map(Throttle::new),
                stall_after: mirror.stall_after,
                ..options.clone()
            };
            for alias in &mirror.sources {
                let source = Source {
                    alias: alias.clone(),
                    cluster: client(clients, alias)?,
                };
                copies.start_one(
                    mirror,
                    source,
                    target.clone(),
                    options.clone(),
                    stop.clone(),
                );
            }
        }
        Ok(copies)
    }

    fn start_one(
        &mut self,
        mirror: &Mirror,
        source: Source,
        target: kafka::Cluster,
        options: Options,
        stop: CancellationToken,
    ) {
        let progress = Progress::new();
        let label = if mirror.sources.len() > 1 {
            format!("{} ({})", mirror.name, source.alias)
        } else {
            mirror.name.clone()
        };
        self.watchlist.add(Watched {
            mirror: mirror.name.clone(),
            source: source.alias.clone(),
            target: mirror.target.clone(),
            lag_objective: mirror.slo_lag,
            progress: progress.clone(),
        });
        let place = self.watched.len();
        self.watched.push(WatchedRun {
            label,
            mirror: mirror.name.clone(),
            source: source.alias.clone(),
            target: mirror.target.clone(),
            progress: progress.clone(),
        });
        let mirror = mirror.clone();
        self.runs.spawn(async move {
            let alias = source.alias.clone();
            // `mirror` and `source` stand on every line that the run logs
            let span = tracing::error_span!("mirror", mirror = %mirror.name, source = %alias);
            let result = replicator::run(&mirror, source, target, options, progress, stop)
                .instrument(span)
                .await;
            match &result {
                // now, not when the last neighbour ends, which may be in months
                Err(error) => {
                    tracing::error!(mirror = %mirror.name, source = %alias, %error, "the mirror stopped");
                }
                // people read it in the summary on stdout
                Ok(summary) if output::speaks_json() => log_summary(summary),
                Ok(_) => {}
            }
            (place, RunEnd { mirror: mirror.name, source: alias, target: mirror.target, result })
        });
    }

    /// Each run with its live figures.
    pub(crate) fn watched(&self) -> &[WatchedRun] {
        &self.watched
    }

    /// A display of these runs.
    pub(crate) fn display(&self) -> CopyDisplay {
        // the list is final, which a closed channel says
        let (_, list) = watch::channel(self.watched.clone());
        CopyDisplay::new(list)
    }

    /// Shows progress until every run has ended; in the order they were started.
    pub(crate) async fn finish_shown(self) -> Result<Vec<RunEnd>, Failure> {
        let display = self.display();
        tokio::select! {
            ends = self.finish() => ends,
            never = display.show() => match never {},
        }
    }

    /// Waits until every run has ended; in the order they were started.
    pub(crate) async fn finish(mut self) -> Result<Vec<RunEnd>, Failure> {
        let mut ends = Vec::new();
        while let Some(end) = self.runs.join_next().await {
            ends.push(end.map_err(Failure::Panicked)?);
        }
        ends.sort_by_key(|(place, _)| *place);
        Ok(ends.into_iter().map(|(_, end)| end).collect())
    }
}

fn log_summary(summary: &Summary) {
    tracing::info!(
        mirror = summary.mirror,
        source = summary.source,
        target = summary.target,
        records = summary.records,
        bytes = summary.bytes,
        batches_passed = summary.batches_passed,
        batches_merged = summary.batches_merged,
        batches_rebuilt = summary.batches_rebuilt,
        batches_filtered = summary.batches_filtered,
        gaps = summary.gaps,
        quarantined = summary.quarantined,
        topics = summary.topics.len(),
        failed = summary.failures.len(),
        interrupted = summary.interrupted,
        elapsed_ms = summary.elapsed_ms,
        "the mirror ended"
    );
}

/// The connection to the cluster with this alias.
pub(crate) fn client(clients: &Clients, alias: &str) -> Result<kafka::Cluster, Failure> {
    clients
        .get(alias)
        .cloned()
        .ok_or_else(|| Failure::NotConnected {
            alias: alias.to_owned(),
        })
}
