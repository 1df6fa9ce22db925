//! What stands in a partition's way, and whether the declared policy lets it go on.
//!
//! The order is always the same: find out what happened, ask the policy, note the gap durably,
//! then move. Whatever is dropped in between, the next attempt finds the same gap again.

use std::sync::Arc;

use kafka::{Cluster, Error, OffsetSpec, RetryClass, TopicPartition};
use tokio::time::Instant;
use topology::{Mirror, OnDataLoss, OnOversize};

use crate::gap::{self, Gap, GapKey, GapKind};
use crate::gap_ledger::GapLedger;
use crate::identity::PartitionId;
use crate::leaders::{Leader, Leaders};
use crate::outcome::{Stopped, Trouble};
use crate::partition::{Partition, Shared};
use crate::position_writer::now_ms;

/// A mirror's policies about losses, and where it notes them.
#[derive(Debug)]
pub(crate) struct Losses {
    mirror: String,
    source_cluster_id: String,
    pub(crate) on_data_loss: OnDataLoss,
    pub(crate) on_oversize: OnOversize,
    ledger: GapLedger,
}

/// A gap before it has its key: what the partition knows of it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) kind: GapKind,
    /// Id of the source topic that the offsets belong to.
    pub(crate) source_topic_id: String,
    /// See [`GapKey::lost_epoch`].
    pub(crate) lost_epoch: Option<i32>,
    pub(crate) from: i64,
    pub(crate) to: Option<i64>,
    pub(crate) records: Option<u64>,
    pub(crate) resumed_at: i64,
    pub(crate) reason: String,
    pub(crate) policy: &'static str,
}

/// What became of an obstacle.
#[derive(Debug)]
pub(crate) enum Passage {
    /// The partition stands where it can go on.
    Passed,
    /// Not an obstacle any more, or not known yet: try again after a pause.
    Again(Trouble),
}

impl Losses {
    pub(crate) fn new(mirror: &Mirror, source: &Cluster, target: Arc<Leaders>) -> Self {
        Self {
            mirror: mirror.name.clone(),
            source_cluster_id: source.cluster_id().to_owned(),
            on_data_loss: mirror.on_data_loss,
            on_oversize: mirror.on_oversize,
            ledger: GapLedger::new(target),
        }
    }

    /// Durable once this returns `Ok`. Tries again for as long as that may help.
    pub(crate) async fn note(&self, id: &PartitionId, found: Found) -> Result<(), Error> {
        let key = GapKey {
            mirror: self.mirror.clone(),
            source_cluster_id: self.source_cluster_id.clone(),
            topic: id.source_topic.to_string(),
            partition: id.partition,
            from: found.from,
            kind: found.kind,
            source_topic_id: found.source_topic_id,
            lost_epoch: found.lost_epoch,
        };
        let gap = Gap {
            version: gap::VERSION,
            target_topic: id.target_topic.to_string(),
            to: found.to,
            records: found.records,
            resumed_at: found.resumed_at,
            reason: found.reason,
            policy: found.policy.to_owned(),
            at_ms: now_ms(),
        };
        self.ledger.note(&key, &gap).await?;
        tracing::warn!(partition = %id, kind = key.kind.name(), from = key.from, to = gap.to,
            resumed_at = gap.resumed_at, reason = %gap.reason, policy = found.policy,
            "gap noted; going on");
        Ok(())
    }
}

impl Partition {
    /// Gets past what stopped a round, where the policy allows it. Called with nothing in flight
    /// and the flow rewound; returns with the flow where copying goes on. Cancel safe: a gap that
    /// was noted and not passed is found and noted again, under the same key.
    pub(crate) async fn pass(
        &mut self,
        shared: &Shared,
        stopped: Stopped,
    ) -> Result<Passage, Stopped> {
        match stopped {
            Stopped::OutOfRange { .. } => self.pass_out_of_range(shared).await,
            Stopped::Diverged { at } => self.pass_truncation(shared, at).await,
            Stopped::InsideBatch {
                batch_start,
                batch_end,
                bytes,
                ..
            } if self.was_cut(shared, batch_start, batch_end, bytes).await => Ok(Passage::Passed),
            Stopped::TooLarge(refused) => self.pass_too_large(shared, refused).await,
            other => Err(other),
        }
    }

    async fn pass_out_of_range(&mut self, shared: &Shared) -> Result<Passage, Stopped> {
        let (start, end) = match self.source_range(shared).await? {
            Ok(range) => range,
            Err(trouble) => return Ok(Passage::Again(trouble)),
        };
        let position = self.flow.watermark();
        if position > end {
            return self.pass_truncation(shared, end).await;
        }
        if position >= start {
            // A leader that was behind for a moment.
            return Ok(Passage::Again(Trouble::OutOfRange { position }));
        }
        if shared.losses.on_data_loss == OnDataLoss::Fail {
            return Err(Stopped::DataLost {
                position,
                log_start: start,
            });
        }
        let found = Found {
            kind: GapKind::Deleted,
            source_topic_id: self.position.source_topic_id.clone(),
            lost_epoch: None,
            from: position,
            to: Some(start),
            records: None,
            resumed_at: start,
            reason: "deleted on the source before it was copied (retention or DeleteRecords)"
                .to_owned(),
            policy: "onDataLoss: continue",
        };
        self.note(shared, found).await?;
        self.flow.jump(start);
        self.lineage.clear();
        Ok(Passage::Passed)
    }

    /// The source's log is another one from `diverged` on.
    async fn pass_truncation(
        &mut self,
        shared: &Shared,
        diverged: i64,
    ) -> Result<Passage, Stopped> {
        let position = self.flow.watermark();
        if shared.losses.on_data_loss == OnDataLoss::Fail {
            return Err(Stopped::Truncated { position, diverged });
        }
        let found = Found {
            kind: GapKind::Truncation,
            source_topic_id: self.position.source_topic_id.clone(),
            lost_epoch: self.lineage.before(position).map(|epoch| epoch.number),
            from: diverged,
            to: Some(position),
            records: None,
            resumed_at: diverged,
            reason: "the source lost these after they were copied (unclean leader election): the \
                     target still has them, and what took their offsets is copied behind them"
                .to_owned(),
            policy: "onDataLoss: continue",
        };
        self.note(shared, found).await?;
        self.flow.jump(diverged);
        self.lineage.cut(diverged);
        Ok(Passage::Passed)
    }

    /// Log start and high watermark of the source topic that the position speaks of.
    async fn source_range(&self, shared: &Shared) -> Result<Result<(i64, i64), Trouble>, Stopped> {
        let asked = Instant::now();
        let mut range = [0; 2];
        let partition = self.source_partition();
        for (at, spec) in [OffsetSpec::Earliest, OffsetSpec::Latest]
            .into_iter()
            .enumerate()
        {
            let partition = std::slice::from_ref(&partition);
            let listed = shared.source.cluster().list_offsets(partition, spec).await;
            match listed.map(|listed| listed.into_values().next()) {
                Ok(Some(Ok(listed))) => range[at] = listed.offset,
                Ok(Some(Err(error))) if error.class() == RetryClass::Fatal => {
                    return Err(Stopped::SourceRefused(error));
                }
                Ok(Some(Err(error))) => return Ok(Err(Trouble::SourceRefused(error))),
                Ok(None) => return Ok(Err(Trouble::LaneGone)),
                Err(error) if error.class() == RetryClass::Fatal => {
                    return Err(Stopped::Client(error));
                }
                Err(error) => return Ok(Err(Trouble::Source(error))),
            }
        }
        // Offsets are listed by name: they must not be those of a topic that was recreated.
        let id = &self.id;
        match shared
            .source
            .of(&id.source_topic, id.partition, Some(asked))
            .await
        {
            Ok(leader) if leader.topic_id.to_string() == self.position.source_topic_id => {
                let [start, end] = range;
                Ok(Ok((start, end)))
            }
            Ok(_) => Err(Stopped::SourceReset {
                topic: id.source_topic.clone(),
            }),
            Err(error) => Ok(Err(Trouble::Source(error))),
        }
    }

    /// Asks a leader that was elected since whether its log holds what was copied.
    pub(crate) async fn check_lineage(
        &mut self,
        shared: &Shared,
        leader: &Leader,
    ) -> Result<Result<(), Trouble>, Stopped> {
        let position = self.flow.watermark();
        let Some(last) = self.lineage.before(position) else {
            return Ok(Ok(()));
        };
        if leader.epoch <= last.number || !self.lineage.is_unverified(leader.epoch) {
            return Ok(Ok(()));
        }
        let cluster = shared.source.cluster();
        let partition = self.source_partition();
        match cluster
            .end_of_epoch(&leader.node, &partition, leader.epoch, last.number)
            .await
        {
            Ok(found) if found.end_offset < 0 => {
                tracing::warn!(partition = %self.id, epoch = last.number,
                    "the source knows nothing of the leader epoch that was copied last; \
                     a truncation would not be seen");
            }
            Ok(found) => {
                let diverged =
                    self.lineage
                        .divergence(found.leader_epoch, found.end_offset, position);
                if let Some(at) = diverged {
                    return Err(Stopped::Diverged { at });
                }
            }
            // Brokers before 0.11.
            Err(Error::UnsupportedVersion { .. }) => {}
            Err(error) if error.class() == RetryClass::Fatal => return Err(Stopped::Client(error)),
            Err(error) => return Ok(Err(Trouble::Source(error))),
        }
        self.lineage.verified(leader.epoch);
        Ok(Ok(()))
    }

    /// For a partition that has nothing to copy: whether the source still has what was copied.
    pub(crate) async fn look_back(&mut self, shared: &Shared) -> Result<(), Stopped> {
        let id = self.id.clone();
        if let Ok(leader) = shared.source.of(&id.source_topic, id.partition, None).await
            && leader.topic_id.to_string() == self.position.source_topic_id
            && let Err(trouble) = self.check_lineage(shared, &leader).await?
        {
            tracing::debug!(partition = %id, %trouble, "whether the source was truncated is not known");
        }
        if self.flow.watermark() > self.progress.until {
            let offset = self.flow.watermark();
            return Err(Stopped::OutOfRange { offset });
        }
        Ok(())
    }

    /// Durable once this returns `Ok`.
    pub(crate) async fn note(&self, shared: &Shared, found: Found) -> Result<(), Stopped> {
        let offsets = found.to.map_or(0, |to| (to - found.from).unsigned_abs());
        shared
            .losses
            .note(&self.id, found)
            .await
            .map_err(Stopped::Ledger)?;
        self.progress.gap(offsets);
        Ok(())
    }

    pub(crate) fn source_partition(&self) -> TopicPartition {
        TopicPartition::new(self.id.source_topic.to_string(), self.id.partition)
    }
}
