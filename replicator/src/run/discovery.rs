//! From discovered topics to partitions that are copied.

use std::collections::BTreeMap;

use kafka::{OffsetSpec, TopicPartition};
use topology::Delivery;
use tracing::Instrument;

use super::Run;
use crate::error::RunError;
use crate::findings;
use crate::flow::Flow;
use crate::identity::PartitionId;
use crate::lineage::{Epoch, Lineage};
use crate::options::Mode;
use crate::oversize::Cutter;
use crate::partition::{Commits, Guarantee, Partition};
use crate::position::{Position, PositionKey, ProducerPosition, VERSION};
use crate::progress::PartitionProgress;
use crate::topics::{self, MirroredTopic};

impl Run<'_> {
    /// Finds topics and starts their partitions; ends early at the stop.
    pub(super) async fn discover(&mut self) -> Result<(), RunError> {
        let stop = self.shared.stop.clone();
        let discovered = stop.run_until_cancelled(self.discover_all()).await;
        discovered.unwrap_or(Ok(()))
    }

    async fn discover_all(&mut self) -> Result<(), RunError> {
        self.make_sure().await?;
        if !self.ended.is_empty() || self.task.of > 1 {
            // reads on in the log of positions
            self.still_ours().await?;
        }
        let topics::Discovered {
            ready,
            refused,
            over,
            begins,
            left_out,
            paused,
            selected,
        } = self
            .upkeep
            .discover(&self.running, self.ownership.positions())
            .await?;
        self.end_topics(&over);
        if self.task.leads() {
            // said once, for all tasks
            self.progress.leave_out(left_out);
            if self.options.mode == Mode::Continuous {
                self.show_paused(&paused).await;
            }
            self.progress.select(selected);
            self.refuse(&refused, &ready).await;
        }
        self.shared
            .source
            .track(ready.iter().map(|topic| topic.source.name.clone()))
            .await;
        self.shared
            .target
            .track(ready.iter().map(|topic| topic.target.name.clone()))
            .await;
        self.notice_recreated(&ready);
        if self.task.leads() && self.task.of > 1 {
            self.let_others_begin(&ready, &begins).await?;
        }
        let new: Vec<(MirroredTopic, TopicPartition)> = ready
            .into_iter()
            .flat_map(|topic| {
                (0..topic.source.partitions.len() as i32)
                    .map(move |partition| {
                        let key = TopicPartition::new(topic.source.name.clone(), partition);
                        (topic.clone(), key)
                    })
                    .collect::<Vec<_>>()
            })
            .filter(|(_, partition)| self.task.has(partition))
            .filter(|(_, partition)| !self.running.contains(partition))
            .collect();
        let new = self.set_leaderless_aside(new).await;
        let (new, led_starts) = if self.task.leads() {
            (new, BTreeMap::new())
        } else {
            self.led(new)
        };
        if new.is_empty() {
            self.first_discovery = false;
            return Ok(());
        }
        findings::warn_of_extra_partitions(new.iter().map(|(topic, _)| topic));
        let unknown: Vec<(MirroredTopic, TopicPartition)> = new
            .iter()
            // where a way back begins is known without a position, or was said already
            .filter(|(_, partition)| !begins.contains_key(partition))
            .filter(|(_, partition)| {
                let key = self.position_key(partition);
                !self.ownership.positions().contains_key(&key)
            })
            .cloned()
            .collect();
        findings::warn_of_unexplained_records(&unknown, &self.target).await;
        let partitions: Vec<TopicPartition> = new
            .iter()
            // one with a position may begin without
            .filter(|(topic, it)| {
                let metadata = topic.source.partitions.get(it.partition as usize);
                metadata.is_some_and(|it| it.leader.is_some())
            })
            .map(|(_, partition)| partition.clone())
            .collect();
        let mut starts = self.start_offsets(&partitions, &begins).await?;
        starts.extend(led_starts);
        let ends = match self.options.mode {
            Mode::Once | Mode::Last => {
                self.source_offsets(&partitions, OffsetSpec::LatestCommitted)
                    .await?
            }
            Mode::Continuous => BTreeMap::new(),
        };
        if self.options.mode == Mode::Last {
            // of two that begin the last copy at once one finds out before it copies
            self.still_ours().await?;
            self.note_target_ends(&new).await;
        }
        self.begin_again(&new).await?;
        self.begin_anew(&new, &starts).await?;
        let mut beginnings = Vec::with_capacity(new.len());
        for (topic, partition) in new {
            let start = starts.get(&partition).copied().unwrap_or(0);
            let until = match self.options.mode {
                Mode::Once | Mode::Last => ends.get(&partition).copied().unwrap_or(0),
                Mode::Continuous => i64::MAX,
            };
            beginnings.extend(self.beginning(&topic, partition, start, until));
        }
        if self.mirror.delivery == Delivery::ExactlyOnce {
            self.claim(&mut beginnings).await?;
        } else if !begins.is_empty() {
            // a crash right after the first record must not make it look as if somebody else wrote it
            self.commit_begins(&beginnings, &begins).await;
        }
        for beginning in beginnings {
            self.start(beginning);
        }
        self.first_discovery = false;
        Ok(())
    }

    /// Where a partition begins, from its position or without one; `None` where it must not be copied, which is said.
    fn beginning(
        &mut self,
        topic: &MirroredTopic,
        partition: TopicPartition,
        start: i64,
        until: i64,
    ) -> Option<Beginning> {
        let key = self.position_key(&partition);
        let source_topic_id = topic.source.id.to_string();
        let target_topic_id = topic.target.id.to_string();
        let id = PartitionId {
            source_topic: topic.source_name.clone(),
            target_topic: topic.target_name.clone(),
            partition: partition.partition,
        };
        let known = self.known(&key).cloned();
        let (mut offset, mut producer, mut epoch) = (start, None, None);
        if let Some(start) = self.anew.get(&key) {
            offset = *start;
        } else if let Some(position) = known {
            if position.source_topic_id != source_topic_id {
                self.stop_recreated(&id, partition, position, (start, until));
                return None;
            }
            offset = position.offset;
            producer = position.producer;
            epoch = position
                .leader_epoch
                .zip(position.leader_epoch_start)
                .map(|(number, start)| Epoch { number, start });
            if producer.is_none() && self.mirror.delivery == Delivery::ExactlyOnce {
                tracing::warn!(partition = %id, position = position.offset,
                    "exactly-once begins at this position; a crash before it may have left repeated records");
            }
        }
        Some(Beginning {
            id,
            partition,
            key,
            offset,
            until,
            producer,
            claimed: false,
            position: Position {
                version: VERSION,
                offset,
                target_topic: topic.target.name.clone(),
                source_topic_id,
                target_topic_id,
                committed_at_ms: 0,
                owner: None,
                term: None,
                producer,
                leader_epoch: None,
                leader_epoch_start: None,
                stopped: None,
            },
            epoch,
        })
    }

    fn start(&mut self, beginning: Beginning) {
        let Beginning {
            id,
            partition,
            key,
            offset,
            until,
            producer,
            claimed,
            position,
            epoch,
        } = beginning;
        let progress = PartitionProgress::new(id.clone(), offset, until);
        let progress = self.progress.add(progress);
        let window = self.mirror.replay_window;
        let (mut flow, guarantee) = match (self.mirror.delivery, producer) {
            (Delivery::ExactlyOnce, Some(own)) => (
                Flow::resume(offset, own.sequence, own.target_offset, window),
                Guarantee::ExactlyOnce(own.identity()),
            ),
            (Delivery::ExactlyOnce, None) | (Delivery::AtLeastOnce, _) => {
                (Flow::new(offset, window), Guarantee::AtLeastOnce)
            }
        };
        flow.allow(self.shared.target_link.batches_in_flight());
        let partition_task = Partition {
            id,
            flow,
            merge_bytes: self.shared.target_link.merge_bytes(),
            guarantee,
            producer: match guarantee {
                Guarantee::AtLeastOnce => self.producer,
                Guarantee::ExactlyOnce(own) => own,
            },
            untouched: claimed,
            slot: self.slots.of(key),
            position,
            commits: Commits::new(),
            lineage: Lineage::new(epoch),
            cutter: Cutter::default(),
            progress,
        };
        self.running.insert(partition.clone());
        let shared = self.shared.clone();
        let task = self
            .partitions
            .spawn(async move { partition_task.run(&shared).await }.in_current_span());
        self.tasks.insert(partition, task);
    }

    /// Ends the tasks of topics that are no longer copied; a topic that comes back begins again.
    fn end_topics(&mut self, over: &[String]) {
        let is_over = |partition: &TopicPartition| over.contains(&partition.topic);
        for (partition, task) in self.tasks.extract_if(.., |it, _| is_over(it)) {
            task.abort();
            self.ended.insert(partition);
        }
        self.running.retain(|it| !is_over(it));
        self.progress.forget(over);
    }

    /// Tells the running partitions where a topic has another id than before: they would notice
    /// only after an error, and a target topic that is deleted and created quickly causes none.
    fn notice_recreated(&mut self, topics: &[MirroredTopic]) {
        let mut recreated = false;
        for topic in topics {
            let ids = (topic.source.id, topic.target.id);
            let before = self.topic_ids.insert(topic.source.name.clone(), ids);
            recreated |= before.is_some_and(|before| before != ids);
        }
        if recreated {
            self.shared.look_again.send_modify(|times| *times += 1);
        }
    }

    pub(super) fn position_key(&self, partition: &TopicPartition) -> PositionKey {
        PositionKey {
            mirror: self.mirror.name.clone(),
            source_cluster_id: self.source.cluster.cluster_id().to_owned(),
            topic: partition.topic.clone(),
            partition: partition.partition,
        }
    }
}

/// A partition that is about to be copied.
pub(super) struct Beginning {
    pub(super) id: PartitionId,
    pub(super) partition: TopicPartition,
    pub(super) key: PositionKey,
    pub(super) offset: i64,
    pub(super) until: i64,
    pub(super) producer: Option<ProducerPosition>,
    /// The producer is new: nothing was ever written with it.
    pub(super) claimed: bool,
    pub(super) position: Position,
    /// Leader epoch of what was copied last.
    pub(super) epoch: Option<Epoch>,
}
