//! Moves replicas: a few partitions at a time, throttled, and never so that too few replicas are in sync.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka::{Cluster, ReassignmentTarget, TopicPartition};
use tokio::time::{Instant, sleep};

use super::live::{self, ReadError};
use super::rails::MIN_INSYNC_REPLICAS;
use super::recheck::unmoved;
use super::state::TopicState;
use super::throttle::{Throttle, added};
use crate::apply::ApplyEvent;
use crate::apply::execute::ChangeError;
use crate::apply::surroundings::Surroundings;
use crate::observed::ObservedTopic;

/// Partitions that move at once.
const AT_ONCE: usize = 5;

type Targets = BTreeMap<u32, Vec<i32>>;

/// The moves in the portions in which they are made.
pub(crate) fn batches(targets: &Targets) -> Vec<Targets> {
    let all: Vec<(u32, Vec<i32>)> = targets.clone().into_iter().collect();
    let chunks = all.chunks(AT_ONCE);
    chunks
        .map(|chunk| chunk.iter().cloned().collect())
        .collect()
}

/// How moves did not come to their end.
struct Failed {
    error: ChangeError,
    /// Whether partitions may be on their way still, so that their throttles have to stay.
    on_their_way: bool,
}

impl From<ChangeError> for Failed {
    fn from(error: ChangeError) -> Self {
        Self {
            error,
            on_their_way: false,
        }
    }
}

/// Moves these partitions of a topic, `of` of which were planned, and takes the throttles away whatever becomes of it.
/// Stops between two batches; what is on its way then has a while to arrive, and is turned back after that.
pub(super) async fn reassign(
    around: &Surroundings<'_>,
    (address, topic): (&str, &str),
    targets: &Targets,
    of: usize,
) -> Result<(), ChangeError> {
    let _alone = around.moving.lock().await;
    let moves = Moves {
        around,
        address,
        topic,
        of,
    };
    if around.is_stopped() {
        return Err(ChangeError::Interrupted);
    }
    let live = moves.read().await?;
    let throttle = Throttle::declare(around.cluster, (address, topic), targets, &live)
        .await
        .map_err(throttling)?;
    let outcome = moves.make(targets, &throttle).await;
    let kept = match &outcome {
        Err(Failed {
            error,
            on_their_way: true,
        }) => Some(error.to_string()),
        Ok(()) | Err(_) => None,
    };
    if let Some(because) = kept {
        return Err(ChangeError::OnTheirWay { because });
    }
    let cleared = throttle.clear().await;
    match (outcome, cleared) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(failed), Ok(())) => Err(failed.error),
        (Ok(()), Err(source)) => Err(ChangeError::ThrottleLeft {
            because: String::new(),
            source,
        }),
        (Err(failed), Err(source)) => Err(ChangeError::ThrottleLeft {
            because: format!("{}; ", failed.error),
            source,
        }),
    }
}

fn throttling(source: kafka::Error) -> ChangeError {
    ChangeError::Request {
        step: "limit replication".to_owned(),
        source,
    }
}

struct Moves<'a> {
    around: &'a Surroundings<'a>,
    address: &'a str,
    topic: &'a str,
    of: usize,
}

impl Moves<'_> {
    fn cluster(&self) -> &Cluster {
        self.around.cluster
    }

    async fn read(&self) -> Result<ObservedTopic, ChangeError> {
        let mut found = live::topics(self.cluster(), &[self.topic.to_owned()]).await?;
        match found.remove(self.topic) {
            Some(live) => Ok(live.topic),
            None => Err(ChangeError::Gone),
        }
    }

    fn partition(&self, index: u32) -> TopicPartition {
        TopicPartition::new(self.topic, index as i32)
    }

    async fn make(&self, targets: &Targets, throttle: &Throttle<'_>) -> Result<(), Failed> {
        let rate = self.around.options.reassignment_throttle;
        throttle.limit(rate).await.map_err(throttling)?;
        let mut arrived = self.of.saturating_sub(targets.len());
        self.tell(arrived);
        for batch in batches(targets) {
            if self.around.is_stopped() {
                return Err(ChangeError::Interrupted.into());
            }
            let live = self.with_enough_in_sync(&batch).await?;
            throttle.of(&batch, &live).await.map_err(throttling)?;
            let outcome = match self.begin(&batch).await {
                Ok(()) => self.arrive(&batch, arrived).await,
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                let on_their_way = self.turn_back(&batch).await.is_err();
                return Err(Failed {
                    error,
                    on_their_way,
                });
            }
            arrived += batch.len();
        }
        Ok(())
    }

    fn tell(&self, done: usize) {
        self.around.tell(&ApplyEvent::ReassignmentProgress {
            address: self.address.to_owned(),
            done,
            of: self.of,
        });
    }

    /// The topic, once no partition that is only dropped from brokers loses what it needs in sync.
    async fn with_enough_in_sync(&self, batch: &Targets) -> Result<ObservedTopic, ChangeError> {
        let deadline = Instant::now() + self.around.options.visible_within;
        let mut pause = self.around.options.poll;
        loop {
            let live = self.read().await?;
            let Some(short) = too_few_in_sync(batch, &live) else {
                return Ok(live);
            };
            if Instant::now() + pause > deadline || self.around.is_stopped() {
                return Err(short);
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    async fn begin(&self, batch: &Targets) -> Result<(), ChangeError> {
        let targets = batch
            .iter()
            .map(|(index, replicas)| {
                let target = ReassignmentTarget::Replicas(replicas.clone());
                (self.partition(*index), target)
            })
            .collect();
        let failed = |source| ChangeError::Request {
            step: format!("move {}", counted(batch.len())),
            source,
        };
        let outcomes = self.cluster().reassign_partitions(&targets).await;
        for (partition, outcome) in outcomes.map_err(failed)? {
            outcome.map_err(|error| {
                failed(kafka::Error::Broker {
                    api: format!("AlterPartitionReassignments {partition}"),
                    error,
                })
            })?;
        }
        Ok(())
    }

    /// Waits until the whole batch is where it shall be. Copying may take as long as it takes; but when nothing of the
    /// batch is on its way any more and it is not there either, somebody turned it back.
    async fn arrive(&self, batch: &Targets, before: usize) -> Result<(), ChangeError> {
        let patience = self.around.options.visible_within;
        let wanted = TopicState {
            assignment: batch.clone(),
            ..TopicState::default()
        };
        let mut pause = self.around.options.poll;
        let mut seen = Instant::now();
        let mut stopped: Option<Instant> = None;
        let mut told = 0;
        loop {
            let looked = self.look(&wanted).await;
            if let Ok((missing, on_their_way)) = &looked {
                let there = batch.len() - missing;
                if there > told {
                    told = there;
                    self.tell(before + there);
                }
                if *missing == 0 && !on_their_way {
                    return Ok(());
                }
                if *on_their_way {
                    seen = Instant::now();
                }
            }
            if self.around.is_stopped() {
                let since = *stopped.get_or_insert_with(Instant::now);
                if since.elapsed() > patience {
                    return Err(ChangeError::Interrupted);
                }
            }
            if seen.elapsed() > patience {
                looked?;
                return Err(ChangeError::TurnedBack);
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// How many partitions are not where they shall be, and whether any is on its way.
    async fn look(&self, wanted: &TopicState) -> Result<(usize, bool), ChangeError> {
        let partitions: Vec<TopicPartition> = wanted
            .assignment
            .keys()
            .map(|index| self.partition(*index))
            .collect();
        // first this, then where they are: what is over by now is seen as over
        let moving = self.cluster().reassignments_of(&partitions).await;
        let moving = moving.map_err(ReadError::from)?;
        let live = self.read().await?;
        Ok((unmoved(wanted, &live).len(), !moving.is_empty()))
    }

    /// Ends what is on its way of a batch.
    async fn turn_back(&self, batch: &Targets) -> Result<(), kafka::Error> {
        let partitions: Vec<TopicPartition> =
            batch.keys().map(|index| self.partition(*index)).collect();
        let moving = self.cluster().reassignments_of(&partitions).await?;
        if moving.is_empty() {
            return Ok(());
        }
        let targets = moving
            .into_keys()
            .map(|partition| (partition, ReassignmentTarget::Cancel))
            .collect();
        // one that has arrived meanwhile cannot be turned back, and need not be
        self.cluster().reassign_partitions(&targets).await.map(drop)
    }
}

fn counted(partitions: usize) -> String {
    if partitions == 1 {
        "1 partition".to_owned()
    } else {
        format!("{partitions} partitions")
    }
}

/// The first partition that would be left with fewer replicas in sync than producers with `acks=all` need.
fn too_few_in_sync(batch: &Targets, live: &ObservedTopic) -> Option<ChangeError> {
    let minimum = live
        .configs
        .get(MIN_INSYNC_REPLICAS)
        .and_then(|entry| entry.value.as_deref()?.trim().parse::<usize>().ok())
        .unwrap_or(1);
    batch.iter().find_map(|(index, target)| {
        let partition = live.placement.get(*index as usize)?;
        // where replicas are added, the brokers drop none before those are in sync
        if !added(target, &partition.replicas).is_empty() {
            return None;
        }
        let staying = target.iter().filter(|id| partition.in_sync.contains(id));
        let (in_sync, minimum) = (staying.count(), minimum.min(target.len()).max(1));
        (in_sync < minimum).then_some(ChangeError::TooFewInSync {
            partition: *index,
            in_sync,
            minimum,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{batches, too_few_in_sync};
    use crate::apply::execute::ChangeError;
    use crate::observed::{ConfigOrigin, ObservedConfig, ObservedPartition, ObservedTopic};

    fn live(in_sync: &[i32], minimum: &str) -> ObservedTopic {
        let entry = ObservedConfig {
            value: Some(minimum.to_owned()),
            origin: ConfigOrigin::Topic,
            sensitive: false,
            read_only: false,
        };
        ObservedTopic {
            placement: vec![ObservedPartition {
                replicas: vec![1, 2, 3],
                in_sync: in_sync.to_vec(),
                moving_to: None,
            }],
            configs: [("min.insync.replicas".to_owned(), entry)].into(),
            ..ObservedTopic::default()
        }
    }

    #[test]
    fn nothing_is_dropped_while_what_stays_is_not_in_sync() {
        for (target, in_sync, minimum, waits) in [
            (&[1, 2][..], &[1, 2, 3][..], "2", false),
            (&[1, 2], &[1, 3], "2", true),
            (&[1, 2], &[1, 3], "1", false),
            (&[1], &[2, 3], "1", true),
            (&[1], &[1, 2, 3], "2", false),
            // one is added: the brokers wait for it
            (&[4], &[2, 3], "1", false),
        ] {
            let batch = BTreeMap::from([(0, target.to_vec())]);
            let short = too_few_in_sync(&batch, &live(in_sync, minimum));
            assert_eq!(
                matches!(short, Some(ChangeError::TooFewInSync { partition: 0, .. })),
                waits,
                "{target:?} of {in_sync:?} in sync, {minimum} needed"
            );
        }
    }

    #[test]
    fn batches_are_small_and_hold_everything_once() {
        let targets: BTreeMap<u32, Vec<i32>> = (0..12).map(|index| (index, vec![1])).collect();
        let batches = batches(&targets);
        assert!(batches.iter().all(|batch| batch.len() <= 5));
        let all: BTreeMap<_, _> = batches.into_iter().flatten().collect();
        assert_eq!(all, targets);
    }
}
