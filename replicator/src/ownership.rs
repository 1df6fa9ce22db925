//! Which run a mirror, or a task of it, belongs to, when two are started by mistake or one comes back from the dead.
//!
//! The positions topic is one partition, so its log is an order that everybody agrees on. A run appends an owner record,
//! reads to the end, and trusts what it finds before that record; what other runs append after it is ignored. Before a
//! run copies a partition for the first time, it makes its claim on it durable and reads to the end again: either no
//! other owner is there yet, then whoever comes later finds the claim and goes on with the same producer, or another
//! owner is there, and this run stops before it has written a record.
//!
//! A run that is no longer the owner and does not know it yet does no harm in exactly-once: it writes with the same
//! producers, whose sequences the target takes once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka::{Cluster, Error};

use crate::appender::{Appender, json_record};
use crate::leaders::Leaders;
use crate::position::{
    Beat, BeatKey, Owner, OwnerKey, POSITIONS_TOPIC, Position, PositionKey, Start, StartKey,
};
use crate::position_log::PositionReader;
use crate::position_writer::now_ms;
use crate::task::Task;

/// How long it may take to become the owner: a young topic has no leader for a moment.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// Some 200 bytes each, well below the default `message.max.bytes`.
const STARTS_A_BATCH: usize = 1000;

/// A run's hold on one mirror and source cluster, or on one of its tasks.
#[derive(Debug)]
pub(crate) struct Ownership {
    reader: PositionReader,
    appender: Appender,
    key: OwnerKey,
    task: Task,
    ours: Owner,
    term: i64,
}

/// By what a run's positions are known.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Random id of the run.
    pub(crate) instance: String,
    /// Offset of the owner record by which it took what it has.
    pub(crate) term: i64,
}

/// Whose the mirror is.
#[derive(Debug)]
pub(crate) enum Held {
    /// Ours, as before.
    Still,
    /// Ours again: what was written between the other's owner record and now is ignored by whoever reads it, and has to
    /// be written once more where it matters.
    Again,
    /// That of a run that began later.
    Lost(Owner),
}

impl Ownership {
    /// Takes the task over from whoever has any part of it, and reads the mirror's positions.
    pub(crate) async fn take(
        target: Cluster,
        mirror: &str,
        source_cluster_id: &str,
        task: Task,
    ) -> Result<Self, Error> {
        let key = OwnerKey {
            owner_of_mirror: mirror.to_owned(),
            source_cluster_id: source_cluster_id.to_owned(),
            task: task.key(),
        };
        let ours = Owner {
            instance: kafka::Uuid::new_v4().to_string(),
            since_ms: now_ms(),
            tasks: task.key().map(|_| task.of),
        };
        // Not those of the partitions: looking must not ask for the metadata of all their topics.
        let leaders = Arc::new(Leaders::tracking(target, POSITIONS_TOPIC));
        let mut ownership = Self {
            reader: PositionReader::new(leaders.clone(), mirror, source_cluster_id),
            appender: Appender::new(leaders, POSITIONS_TOPIC),
            key,
            task,
            ours,
            term: 0,
        };
        ownership.say_so().await?;
        ownership.reader.read_to_end().await?;
        let owners = ownership.reader.owners();
        // one that lost it at once finds that out before it copies
        ownership.term = owners.term_of(ownership.instance()).unwrap_or(0);
        Ok(ownership)
    }

    /// What this run's positions carry.
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            instance: self.ours.instance.clone(),
            term: self.term,
        }
    }

    fn instance(&self) -> &str {
        &self.ours.instance
    }

    /// The newest position of each partition, as of the last look.
    pub(crate) fn positions(&self) -> &BTreeMap<PositionKey, Position> {
        self.reader.positions()
    }

    /// Where the first task lets partitions begin that have no position, as of the last look.
    pub(crate) fn starts(&self) -> &BTreeMap<PositionKey, Start> {
        self.reader.starts()
    }

    /// Lets partitions of other tasks begin there. Durable when this returns.
    pub(crate) async fn let_begin(&mut self, starts: &[(PositionKey, Start)]) -> Result<(), Error> {
        for some in starts.chunks(STARTS_A_BATCH) {
            let now = now_ms();
            let records = some.iter().map(|(key, start)| {
                let key = StartKey {
                    start_of_mirror: key.mirror.clone(),
                    source_cluster_id: key.source_cluster_id.clone(),
                    topic: key.topic.clone(),
                    partition: key.partition,
                };
                json_record(&key, start, now)
            });
            let records = records.collect::<Result<Vec<_>, Error>>()?;
            self.appender.append_within(TAKEN_WITHIN, &records).await?;
        }
        Ok(())
    }

    /// Reads on to the end of the log.
    ///
    /// The last thing that a dying run sent may land after the owner record of the run that follows it. So where the other
    /// began earlier than this run, this run says once more that the mirror is its own. Of two that live, the one that
    /// began earlier finds itself the older one and stops; should their clocks differ, still only one of them goes on.
    pub(crate) async fn look(&mut self) -> Result<Held, Error> {
        let mut held = Held::Still;
        loop {
            self.reader.read_to_end().await?;
            let others = self.reader.owners().of(self.task);
            let others = others.map(|(_, owner)| owner);
            let Some(other) = others
                .filter(|owner| owner.instance != self.ours.instance)
                .max_by_key(|owner| (owner.since_ms, owner.instance.clone()))
            else {
                return Ok(held);
            };
            if (other.since_ms, &other.instance) > (self.ours.since_ms, &self.ours.instance) {
                return Ok(Held::Lost(other.clone()));
            }
            self.say_so().await?;
            held = Held::Again;
        }
    }

    /// Shows those that stand by that this run lives, or that it has `ended`. After an error, or when dropped, it may be
    /// shown or not.
    pub(crate) async fn beat(&mut self, ended: bool) -> Result<(), Error> {
        let key = BeatKey {
            beat_of_mirror: self.key.owner_of_mirror.clone(),
            source_cluster_id: self.key.source_cluster_id.clone(),
            task: self.key.task,
        };
        let beat = Beat {
            instance: self.ours.instance.clone(),
            at_ms: now_ms(),
            ended,
        };
        let record = json_record(&key, &beat, beat.at_ms)?;
        self.appender.append(std::slice::from_ref(&record)).await
    }

    /// The last run that says so owns the mirror. Durable when this returns.
    async fn say_so(&mut self) -> Result<(), Error> {
        let record = json_record(&self.key, &self.ours, now_ms())?;
        let records = std::slice::from_ref(&record);
        self.appender.append_within(TAKEN_WITHIN, records).await
    }
}
