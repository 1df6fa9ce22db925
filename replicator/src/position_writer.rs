//! Writes positions, one request at a time, so that an older one never lands after a newer one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kafka::Error;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::appender::{Appender, RETRY_PAUSE, json_record};
use crate::fail_point::FailPoint;
use crate::leaders::Leaders;
use crate::ownership::Identity;
use crate::position::{POSITIONS_TOPIC, Position, PositionKey};
use crate::traffic::Traffic;

/// Positions are written this often while they move, sooner where a partition's replay window
/// fills. Each write is one small request.
const COMMIT_INTERVAL: Duration = Duration::from_millis(25);
/// Positions in one batch: about 400 bytes each, well below the default `message.max.bytes`.
const POSITIONS_A_BATCH: usize = 1000;

/// One partition's place in the writer.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    shared: Arc<Shared>,
    key: PositionKey,
}

#[derive(Debug, Clone)]
struct Pending {
    position: Position,
    acknowledged: u64,
    committed: watch::Sender<u64>,
    /// Tells a position from a newer one that came while it was being written.
    generation: u64,
}

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<HashMap<PositionKey, Pending>>,
    generations: AtomicU64,
    moved: Notify,
    urgent: Notify,
    /// The mirror belongs to another run: nothing is written any more.
    closed: AtomicBool,
}

impl Slot {
    /// Hands in a newer position; it replaces one that is not written yet. `committed` is sent
    /// `acknowledged` once the position is durable.
    pub(crate) fn update(
        &self,
        position: Position,
        acknowledged: u64,
        committed: watch::Sender<u64>,
        urgent: bool,
    ) {
        let pending = Pending {
            position,
            acknowledged,
            committed,
            generation: self.shared.generations.fetch_add(1, Ordering::Relaxed),
        };
        lock(&self.shared.pending).insert(self.key.clone(), pending);
        self.shared.moved.notify_one();
        if urgent {
            self.shared.urgent.notify_one();
        }
    }
}

/// Hands out [`Slot`]s of one writer.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    shared: Arc<Shared>,
}

impl Slots {
    pub(crate) fn of(&self, key: PositionKey) -> Slot {
        Slot {
            shared: self.shared.clone(),
            key,
        }
    }

    /// Whether [`Slots::close`] was called.
    pub(crate) fn are_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Relaxed)
    }

    /// Nothing is written from now on, but for a write that is on its way.
    pub(crate) fn close(&self) {
        self.shared.closed.store(true, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes positions, one request at a time, so that an older one never lands after a newer one.
#[derive(Debug)]
pub(crate) struct PositionWriter {
    shared: Arc<Shared>,
    traffic: Arc<Traffic>,
    appender: Appender,
    run: Identity,
}

impl PositionWriter {
    /// `run` is what the positions are written for.
    pub(crate) fn new(leaders: Arc<Leaders>, run: Identity, traffic: Arc<Traffic>) -> Self {
        Self {
            shared: Arc::default(),
            traffic,
            appender: Appender::new(leaders, POSITIONS_TOPIC),
            run,
        }
    }

    /// Places for partitions, also once the writer runs.
    pub(crate) fn slots(&self) -> Slots {
        Slots {
            shared: self.shared.clone(),
        }
    }

    /// Runs until `finish` is cancelled, then writes what is left, giving up at `deadline` after
    /// that. Returns the error that kept the last positions from being written.
    pub(crate) async fn run(
        mut self,
        finish: CancellationToken,
        deadline: Duration,
    ) -> Result<(), Error> {
        let shared = self.shared.clone();
        loop {
            tokio::select! {
                () = finish.cancelled() => break,
                () = shared.moved.notified() => {}
            }
            tokio::select! {
                () = tokio::time::sleep(COMMIT_INTERVAL) => {}
                () = shared.urgent.notified() => {}
                () = finish.cancelled() => {}
            }
            let result = tokio::select! {
                result = self.write_pending() => result,
                () = finish.cancelled() => break,
            };
            if let Err(error) = result {
                tracing::warn!(%error, "positions could not be written; trying again");
                shared.moved.notify_one();
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
        let until = Instant::now() + deadline;
        loop {
            match tokio::time::timeout_at(until, self.write_pending()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if Instant::now() + RETRY_PAUSE >= until => return Err(error),
                Ok(Err(_)) => tokio::time::sleep(RETRY_PAUSE).await,
                Err(_) => {
                    return Err(Error::Timeout {
                        api: "positions",
                        address: POSITIONS_TOPIC.to_owned(),
                        timeout: deadline,
                    });
                }
            }
        }
    }

    /// Writes everything that is pending. What fails stays pending, unless a newer one came.
    /// Cancelled in the middle, a position is written or still pending.
    async fn write_pending(&mut self) -> Result<(), Error> {
        loop {
            if self.shared.closed.load(Ordering::Relaxed) {
                lock(&self.shared.pending).clear();
                return Ok(());
            }
            let batch: Vec<(PositionKey, Pending)> = lock(&self.shared.pending)
                .iter()
                .take(POSITIONS_A_BATCH)
                .map(|(key, pending)| (key.clone(), pending.clone()))
                .collect();
            if batch.is_empty() {
                return Ok(());
            }
            let now = now_ms();
            let mut records = Vec::with_capacity(batch.len());
            for (key, pending) in &batch {
                let position = Position {
                    committed_at_ms: now,
                    owner: Some(self.run.instance.clone()),
                    term: Some(self.run.term),
                    ..pending.position.clone()
                };
                records.push(json_record(key, &position, now)?);
            }
            FailPoint::BeforeCommit.pass();
            self.appender.append(&records).await?;
            FailPoint::Committed.pass();
            self.traffic.committed(records.len());
            let mut pending = lock(&self.shared.pending);
            for (key, written) in batch {
                written.committed.send_replace(written.acknowledged);
                if pending
                    .get(&key)
                    .is_some_and(|entry| entry.generation == written.generation)
                {
                    pending.remove(&key);
                }
            }
        }
    }
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
}
