//! Partitions that cannot begin yet, because nobody leads them. Their neighbours do not wait for them.

use kafka::{OffsetSpec, TopicPartition};
use topology::Delivery;

use super::{Run, failure};
use crate::identity::PartitionId;
use crate::options::Mode;
use crate::progress::Ailing;
use crate::reset::Standing;
use crate::topics::MirroredTopic;

impl Run<'_> {
    /// Takes out the partitions without a leader that cannot begin without one. The next discovery looks at them again;
    /// a run that ends by itself waits as long as calls are repeated, then counts them as failed.
    pub(super) async fn set_leaderless_aside(
        &mut self,
        new: Vec<(MirroredTopic, TopicPartition)>,
    ) -> Vec<(MirroredTopic, TopicPartition)> {
        let (mut aside, mut kept) = (Vec::new(), Vec::new());
        for (topic, partition) in new {
            match self.lacking(&topic, &partition) {
                None => kept.push((topic, partition)),
                Some(side) => aside.push((topic, partition, side)),
            }
        }
        if self.options.mode.ends_by_itself() && !aside.is_empty() {
            // an election may be under way
            let partitions: Vec<TopicPartition> =
                aside.iter().map(|(_, it, _)| it.clone()).collect();
            let cluster = &self.source.cluster;
            let listed = cluster
                .list_offsets(&partitions, OffsetSpec::Earliest)
                .await;
            if listed.is_ok_and(|listed| listed.values().all(Result::is_ok)) {
                kept.extend(aside.drain(..).map(|(topic, it, _)| (topic, it)));
            }
        }
        let mut held_up = Vec::with_capacity(aside.len());
        for (topic, partition, side) in aside {
            let id = PartitionId {
                source_topic: topic.source_name.clone(),
                target_topic: topic.target_name.clone(),
                partition: partition.partition,
            };
            let reason = format!("it has no leader on the {side}, and begins once it has one");
            let new = self.leaderless.insert(partition.clone());
            match self.options.mode {
                Mode::Once | Mode::Last => {
                    self.running.insert(partition);
                    self.progress.fail(failure(&id, None, reason));
                }
                Mode::Continuous => {
                    // where its topic was refused until now
                    self.progress.let_go_of(&partition);
                    if new {
                        tracing::warn!(partition = %id, %reason, "partition waits; its neighbours go on");
                    }
                    held_up.push(Ailing {
                        topic: Some(id.source_topic.to_string()),
                        partition: Some(id.partition),
                        state: "waiting",
                        reason: Some(reason),
                    });
                }
            }
        }
        for (_, partition) in &kept {
            self.leaderless.remove(partition);
        }
        self.progress.hold_up(held_up);
        kept
    }

    /// The side whose leader has to be asked before the partition can begin, and that has none.
    fn lacking(&self, topic: &MirroredTopic, partition: &TopicPartition) -> Option<&'static str> {
        let leads = |partitions: &[kafka::PartitionMetadata]| {
            let found = partitions.get(usize::try_from(partition.partition).ok()?)?;
            found.leader
        };
        let position = self.known(&self.position_key(partition));
        let (source, target) = (topic.source.id.to_string(), topic.target.id.to_string());
        let valid = position.filter(|it| Standing::of(it, &source, &target) == Standing::Valid);
        // With a position nobody has to be asked, but for the end of a run that has one.
        let asks_source = valid.is_none() || self.options.mode.ends_by_itself();
        let asks_target = self.mirror.delivery == Delivery::ExactlyOnce
            && valid.is_none_or(|position| position.producer.is_none());
        if asks_source && leads(&topic.source.partitions).is_none() {
            Some("source")
        } else if asks_target && leads(&topic.target.partitions).is_none() {
            Some("target")
        } else {
            None
        }
    }
}
