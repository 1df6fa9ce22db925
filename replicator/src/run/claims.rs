//! Exactly-once: a partition is this run's before its first record.

use kafka::{OffsetSpec, TopicPartition};
use tokio::sync::watch;

use super::discovery::Beginning;
use super::starts::offsets;
use super::{Run, on_target, positions_error};
use crate::error::RunError;
use crate::ownership::Held;
use crate::position::ProducerPosition;
use crate::trust::Moment;

impl Run<'_> {
    /// Gives each partition that has none a producer, and makes that durable before its first record. Fails where the
    /// mirror belongs to another run by then.
    pub(super) async fn claim(&mut self, beginnings: &mut [Beginning]) -> Result<(), RunError> {
        let unclaimed: Vec<TopicPartition> = beginnings
            .iter()
            .filter(|beginning| beginning.producer.is_none())
            .map(|beginning| {
                TopicPartition::new(
                    beginning.id.target_topic.to_string(),
                    beginning.id.partition,
                )
            })
            .collect();
        if unclaimed.is_empty() {
            return Ok(());
        }
        let ends = offsets(
            &self.target,
            &self.mirror.target,
            &unclaimed,
            OffsetSpec::Latest,
            on_target,
        )
        .await?;
        for beginning in beginnings
            .iter_mut()
            .filter(|beginning| beginning.producer.is_none())
        {
            let id = &beginning.id;
            let place = TopicPartition::new(id.target_topic.to_string(), id.partition);
            let producer = ProducerPosition {
                id: self.producer.id,
                epoch: self.producer.epoch,
                sequence: 0,
                target_offset: ends.get(&place).copied().unwrap_or(0),
            };
            beginning.producer = Some(producer);
            beginning.claimed = true;
            beginning.position.producer = Some(producer);
        }
        loop {
            self.commit_claims(beginnings).await;
            if !matches!(self.still_ours().await?, Held::Again) {
                return Ok(());
            }
            self.adopt(beginnings);
        }
    }

    /// While the mirror was another run's, that run may have claimed these partitions: what the log says of them now
    /// counts, ours or not, and something may have been written with it.
    fn adopt(&self, beginnings: &mut [Beginning]) {
        for beginning in beginnings.iter_mut().filter(|beginning| beginning.claimed) {
            let known = self.ownership.positions().get(&beginning.key);
            if let Some(known) = known.filter(|known| {
                known.producer.is_some()
                    && known.source_topic_id == beginning.position.source_topic_id
                    && known.target_topic_id == beginning.position.target_topic_id
            }) {
                beginning.offset = known.offset;
                beginning.producer = known.producer;
                beginning.position = known.clone();
                beginning.claimed = false;
            }
        }
    }

    /// Returns once the claims are durable, or at the stop.
    async fn commit_claims(&self, beginnings: &[Beginning]) {
        let durable: Vec<watch::Receiver<u64>> = beginnings
            .iter()
            .filter(|beginning| beginning.claimed)
            .map(|beginning| {
                let (committed, commits) = watch::channel(0);
                let slot = self.slots.of(beginning.key.clone());
                slot.update(beginning.position.clone(), 0, committed, true);
                commits
            })
            .collect();
        for mut commits in durable {
            tokio::select! {
                _ = commits.changed() => {}
                () = self.shared.stop.cancelled() => {}
            }
        }
    }

    /// Fails where the mirror belongs to another run; nothing of ours is written from then on.
    pub(super) async fn still_ours(&mut self) -> Result<Held, RunError> {
        let asked = Moment::now();
        let held = self
            .ownership
            .look()
            .await
            .map_err(|error| positions_error(self.mirror, error))?;
        let trust = &self.shared.trust;
        let other = match held {
            Held::Still => {
                trust.confirm(asked);
                return Ok(held);
            }
            Held::Again => {
                trust.taken_again();
                trust.confirm(asked);
                return Ok(held);
            }
            Held::Lost(other) => other,
        };
        self.slots.close();
        self.shared.stop.cancel();
        Err(RunError::Superseded {
            mirror: self.mirror.name.clone(),
            instance: other.instance,
        })
    }
}
