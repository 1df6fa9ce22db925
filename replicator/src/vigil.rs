//! Who of those that copy a mirror, or would, shows that it lives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kafka::{Cluster, Error};
use tokio::time::Instant;

use crate::leaders::Leaders;
use crate::position::POSITIONS_TOPIC;
use crate::position_log::PositionReader;
use crate::task::Task;

/// How often it is looked whether another still has the mirror.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Who shows no sign of life for so long is gone; each shows one every [`crate::run::LOOK_EVERY`].
pub(crate) const SILENT_FOR: Duration = Duration::from_secs(15);

/// Watches the runs that have a mirror, and the workers that share it.
///
/// Their clocks are not compared with ours: what counts is for how long nothing new was seen.
#[derive(Debug)]
pub(crate) struct Vigil {
    log: PositionReader,
    /// The last sign of each, by its id, and when it was seen.
    signs: BTreeMap<String, (i64, Instant)>,
}

impl Vigil {
    pub(crate) fn new(target: Cluster, mirror: &str, source_cluster_id: &str) -> Self {
        let leaders = Arc::new(Leaders::tracking(target, POSITIONS_TOPIC));
        Self {
            log: PositionReader::new(leaders, mirror, source_cluster_id),
            signs: BTreeMap::new(),
        }
    }

    /// Returns once nobody has the task, or any part of it, with the reason.
    pub(crate) async fn keep(mut self, task: Task) -> &'static str {
        loop {
            if let Err(error) = self.look().await {
                tracing::debug!(%error, "whose the mirror is cannot be read; trying again");
            }
            if let Some(why) = self.why_free(task) {
                return why;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Reads on in the log. Where that fails, the others cannot show anything there either, and are not taken for silent.
    pub(crate) async fn look(&mut self) -> Result<(), Error> {
        let read = self.log.read_to_end().await;
        let now = Instant::now();
        if read.is_err() {
            for (_, seen) in self.signs.values_mut() {
                *seen = now;
            }
            return read;
        }
        let owners = self.log.owners().all().map(|(task, owner)| {
            let beat = self.log.beat(task);
            let its = beat.filter(|beat| beat.instance == owner.instance);
            (&owner.instance, its.map_or(0, |beat| beat.at_ms))
        });
        let workers = self.log.workers().iter();
        let workers = workers.map(|(id, worker)| (id, worker.at_ms));
        let signs = owners.chain(workers).map(|(id, sign)| {
            let seen = match self.signs.get(id) {
                Some((before, seen)) if *before == sign => *seen,
                Some(_) | None => now,
            };
            (id.clone(), (sign, seen))
        });
        self.signs = signs.collect();
        Ok(())
    }

    /// Why whoever wants this task may have it; `None` where another lives that has it, or a part of it.
    pub(crate) fn why_free(&self, task: Task) -> Option<&'static str> {
        let mut why = "nobody has it";
        for (number, owner) in self.log.owners().of(task) {
            let beat = self.log.beat(number);
            let beat = beat.filter(|beat| beat.instance == owner.instance);
            why = if beat.is_some_and(|beat| beat.ended) {
                "the other has ended"
            } else if !self.lives(&owner.instance, SILENT_FOR) {
                "the other shows no sign of life"
            } else {
                return None;
            };
        }
        Some(why)
    }

    /// The workers that live and split the mirror into so many tasks: who splits it otherwise takes none of these, and a part
    /// that was left to it would be nobody's.
    pub(crate) fn workers(&self, tasks: u32) -> BTreeSet<&str> {
        let alike = self.log.workers().iter();
        let alike = alike.filter(|(_, worker)| worker.tasks == tasks);
        let ids = alike.map(|(id, _)| id.as_str());
        ids.filter(|id| self.lives(id, SILENT_FOR)).collect()
    }

    /// Workers that have been gone for so long that they need not be remembered.
    pub(crate) fn long_gone(&self) -> Vec<String> {
        let workers = self.log.workers().keys();
        let gone = workers.filter(|id| !self.lives(id, 4 * SILENT_FOR));
        gone.cloned().collect()
    }

    fn lives(&self, id: &str, silent_for: Duration) -> bool {
        let sign = self.signs.get(id);
        sign.is_some_and(|(_, seen)| seen.elapsed() < silent_for)
    }
}
