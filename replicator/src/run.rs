//! One run of one mirror from one source: prepare, copy, drain.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka::{Cluster, OffsetSpec, ProducerIdentity, TopicPartition, Uuid};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use topology::{Delivery, Mirror, OnTopicReset, StartOffset};
use tracing::Instrument;

use crate::budget::Budget;
use crate::compacted;
use crate::compacted_topic;
use crate::ends;
use crate::error::RunError;
use crate::fetch_lane::FetchLanes;
use crate::findings;
use crate::flow::Flow;
use crate::identity::PartitionId;
use crate::leaders::Leaders;
use crate::lineage::{Epoch, Lineage};
use crate::link::{self, Link};
use crate::losses::Losses;
use crate::outcome::Stopped;
use crate::oversize::Cutter;
use crate::ownership::{Held, Ownership};
use crate::partition::{Guarantee, Partition, Shared};
use crate::position::{POSITIONS_TOPIC, Position, PositionKey, ProducerPosition, VERSION};
use crate::position_writer::{PositionWriter, Slots};
use crate::produce_lane::ProduceLanes;
use crate::progress::{PartitionFailure, PartitionProgress, Phase, Progress};
use crate::reset::{self, Standing};
use crate::summary::Summary;
use crate::throttle::Throttle;
use crate::topics::{self, MirroredTopic, Upkeep};
use crate::watchdog::Watchdog;

/// How often a run looks whether the mirror is still its own.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Partitions that may ask the target at a time what it has.
const RESUMING: usize = 16;
/// Pause before partitions begin anew: metadata may still show the old topic for a moment.
const RESTART_PAUSE: Duration = Duration::from_millis(500);

/// When a run ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// At the end offsets captured when it started.
    Once,
    /// Never.
    Continuous,
}

/// How a run behaves around the copying itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// When it ends.
    pub mode: Mode,
    /// The mirror's throttle, where several runs (one a source) share it; otherwise the run makes
    /// its own from the mirror's rate.
    pub throttle: Option<Throttle>,
    /// How long a stopped run waits for acknowledgements and positions.
    pub drain_deadline: Duration,
    /// A partition that has something to copy and makes no progress for this long is named.
    pub stall_after: Duration,
    /// A partition without progress for this long is given up; `None` tries for ever.
    pub give_up_after: Option<Duration>,
}

impl Options {
    /// Ends at the captured end offsets; gives a partition up after two minutes without progress.
    pub fn once() -> Self {
        Self {
            mode: Mode::Once,
            give_up_after: Some(Duration::from_mins(2)),
            ..Self::continuous()
        }
    }

    /// Runs until stopped and never gives up by itself.
    pub fn continuous() -> Self {
        Self {
            mode: Mode::Continuous,
            throttle: None,
            drain_deadline: Duration::from_secs(20),
            stall_after: Duration::from_mins(1),
            give_up_after: None,
        }
    }
}

/// A source cluster with its alias, which replication policies put into topic names.
#[derive(Debug, Clone)]
pub struct Source {
    /// Cluster alias.
    pub alias: String,
    /// The connected cluster.
    pub cluster: Cluster,
}

/// Copies until the mode's end or until `stop` is cancelled, then drains: nothing more is
/// fetched, what was sent is acknowledged, positions are committed.
///
/// A partition that cannot go on stops alone and is named in [`Summary::failures`]; its
/// neighbours go on. Dropping the future is like kill -9: nothing is lost, what was not covered
/// by a committed position is copied again by the next run.
pub async fn run(
    mirror: &Mirror,
    source: Source,
    target: Cluster,
    options: Options,
    progress: Arc<Progress>,
    stop: CancellationToken,
) -> Result<Summary, RunError> {
    let ended = run_to_the_end(mirror, source, target, options, progress.clone(), stop).await;
    if let Err(error) = &ended {
        progress.trouble(Some(error.to_string()));
        progress.enter(Phase::Failed);
    }
    ended
}

async fn run_to_the_end(
    mirror: &Mirror,
    source: Source,
    target: Cluster,
    options: Options,
    progress: Arc<Progress>,
    stop: CancellationToken,
) -> Result<Summary, RunError> {
    let started = Instant::now();
    progress.enter(Phase::Preparing);
    let mut run = Run::prepare(mirror, source, target, options, progress, stop).await?;
    let copied = run.copy().await;
    run.progress.enter(Phase::Draining);
    run.finish().await;
    run.progress.enter(Phase::Done);
    copied?;
    Ok(run.summary(started.elapsed()))
}

struct Run<'a> {
    mirror: &'a Mirror,
    source: Source,
    target: Cluster,
    options: Options,
    progress: Arc<Progress>,
    shared: Arc<Shared>,
    ownership: Ownership,
    slots: Slots,
    writer: JoinSet<Result<(), kafka::Error>>,
    writer_finish: CancellationToken,
    /// Ends with the run.
    _ends: JoinSet<()>,
    partitions: JoinSet<Result<Partition, (Partition, Stopped)>>,
    running: BTreeSet<TopicPartition>,
    tasks: BTreeMap<TopicPartition, AbortHandle>,
    upkeep: Upkeep,
    /// Topics that could not be made ready on the target.
    unready: BTreeSet<String>,
    first_discovery: bool,
    /// Of the partitions that are started from now on. Those that begin anew must not repeat the
    /// sequences of their earlier life: the target would take their records for repetitions.
    producer: ProducerIdentity,
    /// Last positions of partitions that stopped in this run to begin anew.
    stopped: BTreeMap<PositionKey, Position>,
    /// Partitions whose position means nothing any more, and where they begin instead.
    anew: BTreeMap<PositionKey, i64>,
    /// When partitions that stopped because a topic was recreated are started again.
    restart_at: Option<tokio::time::Instant>,
    /// Ids on the source and on the target of the topics that were seen.
    topic_ids: BTreeMap<String, (Uuid, Uuid)>,
}

impl<'a> Run<'a> {
    async fn prepare(
        mirror: &'a Mirror,
        source: Source,
        target: Cluster,
        options: Options,
        progress: Arc<Progress>,
        stop: CancellationToken,
    ) -> Result<Self, RunError> {
        if source.cluster.cluster_id() == target.cluster_id() {
            return Err(RunError::SameCluster {
                source_alias: source.alias,
                target_alias: mirror.target.clone(),
                cluster_id: target.cluster_id().to_owned(),
            });
        }
        let on_target = |error| RunError::Target {
            alias: mirror.target.clone(),
            error,
        };
        compacted_topic::ensure(&target, POSITIONS_TOPIC)
            .await
            .map_err(on_target)?;
        let target_leaders = Arc::new(Leaders::new(target.clone()));
        target_leaders.track([POSITIONS_TOPIC.to_owned()]).await;
        let ownership = Ownership::take(
            target.clone(),
            target_leaders.clone(),
            &mirror.name,
            source.cluster.cluster_id(),
        )
        .await
        .map_err(|error| positions_error(mirror, &error))?;
        let producer = target.init_producer_id().await.map_err(on_target)?;
        let brokers = source
            .cluster
            .metadata_of(&[])
            .await
            .map_err(|error| RunError::Source {
                alias: source.alias.clone(),
                error,
            })?
            .brokers
            .len();
        let measured = tokio::try_join!(
            async {
                Link::measure(&source.cluster)
                    .await
                    .map_err(|error| RunError::Source {
                        alias: source.alias.clone(),
                        error,
                    })
            },
            async { Link::measure(&target).await.map_err(on_target) },
        );
        let (source_link, target_link) = measured?;
        let budget_bytes = mirror
            .byte_budget
            .unwrap_or_else(|| link::automatic_budget(source_link, target_link));
        if source_link.is_long() || target_link.is_long() {
            tracing::info!(
                ?source_link,
                ?target_link,
                budget_bytes,
                "a long link: more connections, more in flight and larger requests"
            );
        }
        let budget = Budget::new(budget_bytes);
        progress.watch_budget(&budget);
        let traffic = progress.traffic().clone();
        let throttle = options.throttle.clone();
        let throttle = throttle.or_else(|| mirror.throttle.map(Throttle::new));
        if let Some(throttle) = &throttle {
            traffic.limit(throttle.bytes_per_second());
        }
        let fetch = FetchLanes::new(
            source.cluster.clone(),
            budget,
            budget_bytes,
            brokers,
            source_link,
            throttle,
            traffic.clone(),
        );
        let losses = Losses::new(mirror, &source.cluster, target_leaders.clone());
        let shared = Arc::new(Shared {
            source: Arc::new(Leaders::new(source.cluster.clone())),
            target: target_leaders.clone(),
            fetch: Mutex::new(fetch),
            produce: Mutex::new(ProduceLanes::new(
                target.clone(),
                target_link,
                traffic.clone(),
            )),
            target_link,
            resuming: Semaphore::new(RESUMING),
            // A run that loses the mirror stops itself, and nobody else.
            stop: stop.child_token(),
            give_up_after: options.give_up_after,
            traffic: traffic.clone(),
            losses,
            look_again: watch::Sender::new(0),
        });
        let instance = ownership.instance().to_owned();
        let position_writer = PositionWriter::new(target_leaders, instance, traffic.clone());
        let slots = position_writer.slots();
        let writer_finish = CancellationToken::new();
        let mut writer = JoinSet::new();
        let writing = position_writer.run(writer_finish.clone(), options.drain_deadline);
        writer.spawn(writing.in_current_span());
        let mut ends = JoinSet::new();
        ends.spawn(ends::watch(source.cluster.clone(), progress.clone()));
        let upkeep = Upkeep::new(
            mirror,
            &source.alias,
            source.cluster.clone(),
            target.clone(),
        );
        Ok(Self {
            mirror,
            source,
            target,
            options,
            progress,
            shared,
            ownership,
            slots,
            writer,
            writer_finish,
            _ends: ends,
            partitions: JoinSet::new(),
            running: BTreeSet::new(),
            tasks: BTreeMap::new(),
            upkeep,
            unready: BTreeSet::new(),
            first_discovery: true,
            producer,
            stopped: BTreeMap::new(),
            anew: BTreeMap::new(),
            restart_at: None,
            topic_ids: BTreeMap::new(),
        })
    }

    /// Discovers, starts partitions, and waits for their end; in continuous mode again and again.
    async fn copy(&mut self) -> Result<(), RunError> {
        self.discover().await?;
        self.progress.enter(Phase::Copying);
        let mut discovery = tokio::time::interval(self.mirror.topic_sync.interval);
        discovery.reset();
        let mut watchdog = Watchdog::new(self.options.stall_after);
        let mut watch = tokio::time::interval(watchdog.interval());
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.reset();
        loop {
            if self.options.mode == Mode::Once
                && self.partitions.is_empty()
                && self.restart_at.is_none()
            {
                return Ok(());
            }
            let restart_at = self.restart_at;
            tokio::select! {
                () = self.shared.stop.cancelled() => return Ok(()),
                Some(ended) = self.partitions.join_next() => self.ended(ended),
                () = until(restart_at) => {
                    self.restart_at = None;
                    if let Err(error) = self.discover().await {
                        if self.options.mode == Mode::Once {
                            return Err(error);
                        }
                        tracing::warn!(%error, "a recreated topic cannot be started; trying again");
                        self.restart_at = Some(tokio::time::Instant::now() + RESTART_PAUSE);
                    }
                }
                _ = discovery.tick(), if self.options.mode == Mode::Continuous => {
                    // The clusters may be away for a moment; the partitions have their own retries.
                    let trouble = match self.discover().await {
                        Ok(()) => None,
                        Err(error @ RunError::Superseded { .. }) => return Err(error),
                        Err(error) => {
                            tracing::warn!(%error, "discovery failed; trying again");
                            Some(error.to_string())
                        }
                    };
                    self.progress.trouble(trouble);
                }
                now = watch.tick() => watchdog.look(now, &self.progress.partitions()),
                _ = look.tick() => match self.still_ours().await {
                    Ok(_) => {}
                    Err(error @ RunError::Superseded { .. }) => return Err(error),
                    Err(error) => tracing::debug!(%error, "whose the mirror is cannot be read; trying again"),
                }
            }
        }
    }

    async fn discover(&mut self) -> Result<(), RunError> {
        let topics::Discovered {
            ready,
            failed,
            over,
        } = self.upkeep.discover(&self.running).await?;
        self.end_topics(&over);
        for failure in failed {
            // Said once; a later discovery that succeeds starts the topic all the same.
            if self.unready.insert(failure.topic.clone()) {
                tracing::error!(topic = failure.topic, reason = %failure.reason,
                    "topic is not copied; the others go on");
                self.progress.fail(failure);
            }
        }
        let ready = self.provable(ready).await?;
        self.shared
            .source
            .track(ready.iter().map(|topic| topic.source.name.clone()))
            .await;
        self.shared
            .target
            .track(ready.iter().map(|topic| topic.target.name.clone()))
            .await;
        self.notice_recreated(&ready);
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
            .filter(|(_, partition)| !self.running.contains(partition))
            .collect();
        if new.is_empty() {
            self.first_discovery = false;
            return Ok(());
        }
        findings::warn_of_extra_partitions(new.iter().map(|(topic, _)| topic));
        let unknown: Vec<(MirroredTopic, TopicPartition)> = new
            .iter()
            .filter(|(_, partition)| {
                let key = self.position_key(partition);
                !self.ownership.positions().contains_key(&key)
            })
            .cloned()
            .collect();
        findings::warn_of_unexplained_records(&unknown, &self.target).await;
        let partitions: Vec<TopicPartition> = new.iter().map(|(_, p)| p.clone()).collect();
        let starts = self.start_offsets(&partitions).await?;
        let ends = match self.options.mode {
            Mode::Once => {
                self.source_offsets(&partitions, OffsetSpec::LatestCommitted)
                    .await?
            }
            Mode::Continuous => BTreeMap::new(),
        };
        self.begin_anew(&new, &starts).await?;
        let mut beginnings = Vec::with_capacity(new.len());
        for (topic, partition) in new {
            let start = starts.get(&partition).copied().unwrap_or(0);
            let until = match self.options.mode {
                Mode::Once => ends.get(&partition).copied().unwrap_or(0),
                Mode::Continuous => i64::MAX,
            };
            beginnings.extend(self.beginning(&topic, partition, start, until));
        }
        if self.mirror.delivery == Delivery::ExactlyOnce {
            self.claim(&mut beginnings).await?;
        }
        for beginning in beginnings {
            self.start(beginning);
        }
        self.first_discovery = false;
        Ok(())
    }

    /// Exactly-once leaves out the topics of which it cannot keep its promise.
    async fn provable(
        &mut self,
        ready: Vec<MirroredTopic>,
    ) -> Result<Vec<MirroredTopic>, RunError> {
        if self.mirror.delivery == Delivery::AtLeastOnce {
            return Ok(ready);
        }
        let (ready, refused) =
            compacted::refuse_compacted(&self.source.cluster, &self.target, ready)
                .await
                .map_err(|error| RunError::Source {
                    alias: self.source.alias.clone(),
                    error,
                })?;
        for failure in refused {
            if self.unready.insert(failure.topic.clone()) {
                tracing::error!(topic = failure.topic, reason = %failure.reason,
                    "topic is not copied; the others go on");
                self.progress.fail(failure);
            }
        }
        Ok(ready)
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
                let reason = Stopped::SourceReset {
                    topic: id.source_topic.clone(),
                }
                .to_string();
                self.running.insert(partition);
                self.progress.fail(failure(&id, position.offset, reason));
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
                producer,
                leader_epoch: None,
                leader_epoch_start: None,
            },
            epoch,
        })
    }

    /// Gives each partition that has none a producer, and makes that durable before its first record. Fails where the
    /// mirror belongs to another run by then.
    async fn claim(&mut self, beginnings: &mut [Beginning]) -> Result<(), RunError> {
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
    async fn still_ours(&mut self) -> Result<Held, RunError> {
        let held = self
            .ownership
            .look()
            .await
            .map_err(|error| positions_error(self.mirror, &error))?;
        let Held::Lost(other) = held else {
            return Ok(held);
        };
        self.slots.close();
        self.shared.stop.cancel();
        Err(RunError::Superseded {
            mirror: self.mirror.name.clone(),
            instance: other.instance,
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
        let progress = Arc::new(PartitionProgress::new(id.clone(), offset, until));
        self.progress.add(progress.clone());
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
            producer: self.producer,
            untouched: claimed,
            slot: self.slots.of(key),
            position,
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
        for (_, task) in self.tasks.extract_if(.., |it, _| is_over(it)) {
            task.abort();
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

    /// Decides for partitions whose topics were recreated where they begin, and notes that before
    /// anything is copied.
    async fn begin_anew(
        &mut self,
        new: &[(MirroredTopic, TopicPartition)],
        starts: &BTreeMap<TopicPartition, i64>,
    ) -> Result<(), RunError> {
        let mut recreated = Vec::new();
        for (topic, partition) in new {
            let key = self.position_key(partition);
            let Some(position) = self.known(&key) else {
                continue;
            };
            let (source, target) = (topic.source.id.to_string(), topic.target.id.to_string());
            let standing = Standing::of(position, &source, &target);
            if standing.begins_anew(self.mirror.on_topic_reset) && !self.anew.contains_key(&key) {
                let id = PartitionId {
                    source_topic: topic.source_name.clone(),
                    target_topic: topic.target_name.clone(),
                    partition: partition.partition,
                };
                recreated.push((id, partition.clone(), key, standing, position.clone()));
            }
        }
        if recreated.is_empty() {
            return Ok(());
        }
        if recreated
            .iter()
            .any(|(_, _, key, ..)| self.stopped.contains_key(key))
        {
            let fresh = self.target.init_producer_id().await;
            self.producer = fresh.map_err(|error| on_target(self.mirror.target.clone(), error))?;
        }
        let partitions: Vec<TopicPartition> = recreated
            .iter()
            .map(|(_, partition, ..)| partition.clone())
            .collect();
        let earliest = self
            .source_offsets(&partitions, OffsetSpec::Earliest)
            .await?;
        for (id, partition, key, standing, position) in recreated {
            let at = |offsets: &BTreeMap<TopicPartition, i64>| {
                offsets.get(&partition).copied().unwrap_or(0)
            };
            let start = reset::new_start(self.mirror.start_offset, at(&earliest), at(starts));
            if let Some(gap) = reset::gap(standing, &position, start) {
                self.shared
                    .losses
                    .note(&id, gap)
                    .await
                    .map_err(|error| on_target(self.mirror.target.clone(), error))?;
            }
            self.anew.insert(key, start);
        }
        Ok(())
    }

    /// A partition's newest position.
    fn known(&self, key: &PositionKey) -> Option<&Position> {
        self.stopped
            .get(key)
            .or_else(|| self.ownership.positions().get(key))
    }

    /// Whether a partition that stopped is started again, with the topics as they are now.
    fn starts_again(&mut self, partition: &Partition, stopped: &Stopped) -> bool {
        let again = match stopped {
            Stopped::SourceReset { .. } => self.mirror.on_topic_reset == OnTopicReset::Restart,
            Stopped::TargetReset { .. } => true,
            _ => false,
        };
        if again {
            tracing::warn!(partition = %partition.id, position = partition.flow.watermark(),
                reason = %stopped, "beginning anew");
            let place = partition.source_partition();
            let key = self.position_key(&place);
            self.running.remove(&place);
            self.anew.remove(&key);
            self.stopped.insert(key, partition.position.clone());
            self.restart_at = Some(tokio::time::Instant::now() + RESTART_PAUSE);
        }
        again
    }

    fn position_key(&self, partition: &TopicPartition) -> PositionKey {
        PositionKey {
            mirror: self.mirror.name.clone(),
            source_cluster_id: self.source.cluster.cluster_id().to_owned(),
            topic: partition.topic.clone(),
            partition: partition.partition,
        }
    }

    /// Where partitions without a position begin. What is discovered later, a new topic or a new
    /// partition, was empty when the mirror started: it is copied from its first record.
    async fn start_offsets(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, i64>, RunError> {
        let earliest = self
            .source_offsets(partitions, OffsetSpec::Earliest)
            .await?;
        if !self.first_discovery {
            return Ok(earliest);
        }
        match self.mirror.start_offset {
            StartOffset::Earliest => Ok(earliest),
            StartOffset::Latest => {
                self.source_offsets(partitions, OffsetSpec::LatestCommitted)
                    .await
            }
            StartOffset::Timestamp(timestamp) => {
                let mut found = self
                    .source_offsets(partitions, OffsetSpec::Timestamp(timestamp))
                    .await?;
                // Nothing at or after the timestamp: begin at the end.
                let ends = self
                    .source_offsets(partitions, OffsetSpec::LatestCommitted)
                    .await?;
                for (partition, offset) in &mut found {
                    if *offset < 0 {
                        *offset = ends.get(partition).copied().unwrap_or(0);
                    }
                }
                Ok(found)
            }
        }
    }

    async fn source_offsets(
        &self,
        partitions: &[TopicPartition],
        at: OffsetSpec,
    ) -> Result<BTreeMap<TopicPartition, i64>, RunError> {
        offsets(
            &self.source.cluster,
            &self.source.alias,
            partitions,
            at,
            on_source,
        )
        .await
    }

    fn ended(
        &mut self,
        ended: Result<Result<Partition, (Partition, Stopped)>, tokio::task::JoinError>,
    ) {
        match ended {
            Ok(Ok(partition)) => partition.progress.finish(),
            Ok(Err((partition, stopped))) if self.starts_again(&partition, &stopped) => {
                partition.progress.finish();
            }
            Ok(Err((partition, stopped))) => {
                let reason = stopped.to_string();
                partition.progress.fail(&reason);
                let failure = failure(&partition.id, partition.flow.watermark(), reason);
                tracing::error!(partition = %partition.id, position = partition.flow.watermark(),
                    reason = %failure.reason, "partition stopped; its neighbours go on");
                self.progress.fail(failure);
            }
            // ours, because its topic is no longer copied
            Err(ended) if ended.is_cancelled() => {}
            Err(panicked) => {
                let reason = format!("a partition task failed: {panicked}");
                tracing::error!(%reason);
                self.progress.fail(PartitionFailure {
                    topic: "unknown".to_owned(),
                    partition: None,
                    position: None,
                    reason,
                });
            }
        }
    }

    /// Waits for the partitions to drain, then for the last positions; names what was stuck.
    async fn finish(&mut self) {
        let deadline = tokio::time::Instant::now() + self.options.drain_deadline;
        while let Ok(Some(ended)) =
            tokio::time::timeout_at(deadline, self.partitions.join_next()).await
        {
            self.ended(ended);
        }
        if !self.partitions.is_empty() {
            tracing::error!(
                partitions = self.partitions.len(),
                "unacknowledged at the drain deadline; they will be copied again by the next run"
            );
            self.partitions.abort_all();
        }
        self.writer_finish.cancel();
        let written = self.writer.join_next().await;
        let problem = match written {
            Some(Ok(Ok(()))) | None => return,
            Some(Ok(Err(error))) => error.to_string(),
            Some(Err(panicked)) => panicked.to_string(),
        };
        tracing::error!(error = %problem, "the last positions could not be committed");
        self.progress.fail(PartitionFailure {
            topic: POSITIONS_TOPIC.to_owned(),
            partition: None,
            position: None,
            reason: format!("the last positions could not be committed: {problem}"),
        });
    }

    fn summary(&self, elapsed: Duration) -> Summary {
        let counts = self.progress.batch_counts();
        let topics = self.progress.topics();
        Summary {
            mirror: self.mirror.name.clone(),
            source: self.source.alias.clone(),
            target: self.mirror.target.clone(),
            records: topics.iter().map(|topic| topic.records).sum(),
            bytes: topics.iter().map(|topic| topic.bytes).sum(),
            batches_passed: counts.passed,
            batches_merged: counts.merged,
            batches_rebuilt: counts.rebuilt,
            batches_filtered: counts.filtered,
            gaps: self.progress.snapshot().gaps,
            topics,
            failures: self.progress.failures(),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            interrupted: self.shared.stop.is_cancelled() && self.options.mode == Mode::Once,
        }
    }
}

/// A partition that is about to be copied.
struct Beginning {
    id: PartitionId,
    partition: TopicPartition,
    key: PositionKey,
    offset: i64,
    until: i64,
    producer: Option<ProducerPosition>,
    /// The producer is new: nothing was ever written with it.
    claimed: bool,
    position: Position,
    /// Leader epoch of what was copied last.
    epoch: Option<Epoch>,
}

fn on_source(alias: String, error: kafka::Error) -> RunError {
    RunError::Source { alias, error }
}

fn on_target(alias: String, error: kafka::Error) -> RunError {
    RunError::Target { alias, error }
}

fn positions_error(mirror: &Mirror, error: &kafka::Error) -> RunError {
    RunError::Positions {
        alias: mirror.target.clone(),
        topic: POSITIONS_TOPIC,
        reason: error.to_string(),
    }
}

async fn offsets(
    cluster: &Cluster,
    alias: &str,
    partitions: &[TopicPartition],
    at: OffsetSpec,
    side: fn(String, kafka::Error) -> RunError,
) -> Result<BTreeMap<TopicPartition, i64>, RunError> {
    let listed = cluster
        .list_offsets(partitions, at)
        .await
        .map_err(|error| side(alias.to_owned(), error))?;
    listed
        .into_iter()
        .map(|(partition, outcome)| match outcome {
            Ok(listed) => Ok((partition, listed.offset)),
            Err(error) => {
                let api = format!("ListOffsets {partition}");
                Err(side(alias.to_owned(), kafka::Error::Broker { api, error }))
            }
        })
        .collect()
}

/// Never, where there is no moment.
async fn until(moment: Option<tokio::time::Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn failure(id: &PartitionId, position: i64, reason: String) -> PartitionFailure {
    PartitionFailure {
        topic: id.source_topic.to_string(),
        partition: Some(id.partition),
        position: Some(position),
        reason,
    }
}
