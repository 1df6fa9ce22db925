//! A mirror is a run's own for as long as it copies; in exactly-once, a partition is so before its first record.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka::{OffsetSpec, RetryClass, TopicPartition};
use register::{RegisterLog, Standing};
use tokio::sync::watch;
use topology::{Delivery, MirrorState};

use super::discovery::Beginning;
use super::starts::offsets;
use super::{LOOK_EVERY, Run, on_target, positions_error};
use crate::error::RunError;
use crate::options::Mode;
use crate::ownership::Held;
use crate::position::ProducerPosition;
use crate::topics::Begin;
use crate::trust::Moment;

/// How long the end of a run may take on account of those that stand by.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(2);

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
        let claimed = beginnings.iter().filter(|beginning| beginning.claimed);
        self.commit(claimed).await;
    }

    /// At-least-once: where the way back after a promotion begins is durable before its first record.
    pub(super) async fn commit_begins(
        &self,
        beginnings: &[Beginning],
        begins: &BTreeMap<TopicPartition, Begin>,
    ) {
        let begun = beginnings
            .iter()
            .filter(|beginning| begins.contains_key(&beginning.partition));
        self.commit(begun).await;
    }

    async fn commit(&self, beginnings: impl Iterator<Item = &Beginning>) {
        let durable: Vec<watch::Receiver<u64>> = beginnings
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

    /// Looks whose the mirror is, and shows those that stand by that this run lives. What cannot be read or written now
    /// will be the next time.
    pub(super) async fn look(&mut self) -> Result<(), RunError> {
        let stop = self.shared.stop.clone();
        if self.mirror.delivery == Delivery::AtLeastOnce && !self.shared.trust.holds() {
            tracing::warn!(
                seconds = self.options.trust.as_secs(),
                "this process stood still for that long or longer: nothing is sent before it is clear that the mirror is still its own"
            );
        }
        let looking = async {
            self.still_ours().await?;
            let beaten = self.ownership.beat(false).await;
            beaten.map_err(|error| positions_error(self.mirror, error))
        };
        let looked = tokio::time::timeout(LOOK_EVERY, stop.run_until_cancelled(looking)).await;
        match looked {
            Ok(Some(Err(error))) if error.is_over() => return Err(error),
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, "whose the mirror is cannot be told; trying again");
            }
            Ok(Some(Ok(())) | None) | Err(_) => {}
        }
        if !self.shared.trust.holds() && !stop.is_cancelled() {
            tracing::warn!("whose the mirror is cannot be read; nothing is sent until it can");
        }
        Ok(())
    }

    /// Looks whose the mirror is where that may have changed unseen: what is changed on the target from here on must not undo
    /// what another run did meanwhile.
    pub(super) async fn make_sure(&mut self) -> Result<(), RunError> {
        if !self.shared.trust.holds() {
            self.still_ours().await?;
        }
        Ok(())
    }

    /// The same before a drain, which does not wait for it long: what is in flight is not sent where it cannot be told.
    pub(super) async fn make_sure_to_drain(&mut self) -> Result<(), RunError> {
        match tokio::time::timeout(LOOK_EVERY, self.make_sure()).await {
            Ok(Err(error)) if error.is_over() => Err(error),
            Ok(Err(error)) => {
                tracing::debug!(%error, "whose the mirror is cannot be told: what is in flight is not sent");
                Ok(())
            }
            Ok(Ok(())) | Err(_) => Ok(()),
        }
    }

    /// Tells those that stand by that the mirror is free, where it was ours.
    pub(super) async fn give_back(&mut self) {
        if self.slots.are_closed() {
            return;
        }
        let told = tokio::time::timeout(GIVEN_BACK_WITHIN, self.ownership.beat(true)).await;
        if !matches!(told, Ok(Ok(()))) {
            tracing::debug!("who stands by could not be told; they will notice");
        }
    }

    /// Fails where the mirror belongs to another run, and nothing of ours is written from then on; or where it was promoted
    /// while this run did not look.
    pub(super) async fn still_ours(&mut self) -> Result<Held, RunError> {
        let asked = Moment::now();
        let looked_away = !self.shared.trust.holds();
        let held = self
            .ownership
            .look()
            .await
            .map_err(|error| positions_error(self.mirror, error))?;
        if let Held::Lost(other) = held {
            self.slots.close();
            self.shared.stop.cancel();
            return Err(RunError::Superseded {
                mirror: self.mirror.name.clone(),
                instance: other.instance,
            });
        }
        if looked_away {
            self.not_promoted().await?;
        }
        let trust = &self.shared.trust;
        if matches!(held, Held::Again) {
            trust.taken_again();
        }
        trust.confirm(asked);
        Ok(held)
    }

    /// Nobody else copied, and yet the topics may be the applications' by now. A last copy is that promotion itself.
    async fn not_promoted(&self) -> Result<(), RunError> {
        if self.options.mode == Mode::Last {
            return Ok(());
        }
        let register = match RegisterLog::new(self.target.clone()).read().await {
            Ok(register) => register,
            // who must not read it goes by the topology file alone
            Err(error) if error.class() == RetryClass::Fatal => return Ok(()),
            Err(error) => return Err(on_target(self.mirror.target.clone(), error)),
        };
        match register.entry(&self.mirror.name).standing {
            Some(Standing::Known { record, .. }) if record.state == MirrorState::Promoted => {
                self.shared.stop.cancel();
                Err(RunError::Promoted {
                    mirror: self.mirror.name.clone(),
                })
            }
            Some(Standing::Known { .. } | Standing::Unreadable { .. }) | None => Ok(()),
        }
    }
}
