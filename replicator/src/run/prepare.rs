//! What a run needs before it copies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kafka::Cluster;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use topology::Mirror;
use tracing::Instrument;

use super::shared_out::QUICK_FOR;
use super::{Run, positions_error};
use crate::budget::Budget;
use crate::compacted_topic;
use crate::complaints::Complaints;
use crate::ends;
use crate::error::RunError;
use crate::fetch_lane::FetchLanes;
use crate::leaders::Leaders;
use crate::link::{self, Link};
use crate::losses::Losses;
use crate::options::{Options, Source};
use crate::ownership::Ownership;
use crate::partition::Shared;
use crate::position::POSITIONS_TOPIC;
use crate::position_writer::PositionWriter;
use crate::produce_lane::ProduceLanes;
use crate::progress::Progress;
use crate::task::Task;
use crate::throttle::Throttle;
use crate::topics::Upkeep;
use crate::trust::{Moment, Trust};
use crate::{watchdog, window};

/// Partitions that may ask the target at a time what it has.
const RESUMING: usize = 16;
/// Less would not hold one large batch.
const LEAST_BUDGET: u64 = 1 << 20;

impl<'a> Run<'a> {
    pub(super) async fn prepare(
        (mirror, task): (&'a Mirror, Task),
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
        let asked = Moment::now();
        let source_id = source.cluster.cluster_id();
        let ownership = Ownership::take(target.clone(), &mirror.name, source_id, task)
            .await
            .map_err(|error| positions_error(mirror, error))?;
        let trust = Trust::new(options.trust, mirror.delivery, asked);
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
        let of_mirror = mirror
            .byte_budget
            .unwrap_or_else(|| link::automatic_budget(source_link, target_link));
        // One process may have all of its tasks.
        let budget_bytes = (of_mirror / u64::from(task.of)).max(LEAST_BUDGET);
        if source_link.is_long() || target_link.is_long() {
            tracing::info!(
                source_round_trip_ms = source_link.round_trip().as_millis() as u64,
                target_round_trip_ms = target_link.round_trip().as_millis() as u64,
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
            // what is shown is the mirror's, whoever has its other tasks
            traffic.limit(throttle.bytes_per_second() * u64::from(task.of));
        }
        let fetch = FetchLanes::new(
            source.cluster.clone(),
            budget.clone(),
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
                target.gated(trust.clone()),
                target_link,
                traffic.clone(),
            )),
            target_link,
            trust: trust.clone(),
            resuming: Semaphore::new(RESUMING),
            // A run that loses the mirror stops itself, and nobody else.
            stop: stop.child_token(),
            give_up_after: options.give_up_after,
            traffic: traffic.clone(),
            losses,
            complaints: Complaints::default(),
            look_again: watch::Sender::new(0),
        });
        let position_writer =
            PositionWriter::new(target_leaders, ownership.identity(), traffic.clone());
        let slots = position_writer.slots();
        let writer_finish = CancellationToken::new();
        let mut writer = JoinSet::new();
        let writing = position_writer.run(writer_finish.clone(), options.drain_deadline);
        writer.spawn(writing.in_current_span());
        let mut ends = JoinSet::new();
        ends.spawn(window::follow(
            budget,
            traffic.clone(),
            (source.cluster.clone(), source_link),
            (target.clone(), target_link),
        ));
        ends.spawn(ends::watch(source.cluster.clone(), progress.clone()));
        ends.spawn(trust.stay_awake());
        // a task of its own: discovery waits for clusters that may not answer
        let watching = watchdog::watch(progress.clone(), options.stall_after);
        ends.spawn(watching.in_current_span());
        let upkeep = Upkeep::new(
            mirror,
            &source.alias,
            source.cluster.clone(),
            target.clone(),
            options.mode,
        )
        .of(task);
        Ok(Self {
            mirror,
            task,
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
            refused: BTreeMap::new(),
            quick_until: Instant::now() + QUICK_FOR,
            paused: BTreeSet::new(),
            refused_starts: BTreeMap::new(),
            leaderless: BTreeSet::new(),
            first_discovery: true,
            producer,
            ended: BTreeSet::new(),
            stopped: BTreeMap::new(),
            anew: BTreeMap::new(),
            restart_at: None,
            target_ends: BTreeMap::new(),
            topic_ids: BTreeMap::new(),
        })
    }
}
