//! Two replicators of one mirror: the one that began last has it, the other stands by.

use std::sync::Arc;
use std::time::Duration;

use kafka::record::Record;
use replicator::{Options, Phase, Progress, RunError, Summary};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, count};

const EXACTLY_ONCE: &str = "  delivery: exactly-once\n";

pub(crate) struct Replicator {
    pub(crate) progress: Arc<Progress>,
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<Result<Summary, RunError>>,
}

impl Replicator {
    #[expect(clippy::disallowed_methods, reason = "awaited or aborted by each test")]
    pub(crate) fn start(rig: &Rig) -> Self {
        let (progress, stop) = (Progress::new(), CancellationToken::new());
        let run = rig.run_shown(Options::continuous(), stop.clone(), progress.clone());
        Self {
            progress,
            stop,
            task: tokio::spawn(run),
        }
    }

    pub(crate) async fn until(&self, rig: &Rig, phase: Phase) {
        rig.until(phase.name(), async || {
            self.progress.snapshot().phase == phase
        })
        .await;
    }

    pub(crate) async fn end(self) -> Summary {
        self.stop.cancel();
        self.task.await.unwrap().unwrap()
    }
}

/// Owner records in the positions topic: how often the mirror was taken.
pub(crate) async fn takeovers(rig: &Rig) -> usize {
    let is_owner = |record: &&Record| {
        let key = record.key.clone().unwrap_or_default();
        String::from_utf8_lossy(&key).contains("ownerOfMirror")
    };
    let content = rig.on_target("mirrorctl-positions.internal").await;
    content[&0].iter().filter(is_owner).count()
}

/// Both write for a while; then the older one waits, and does not take the mirror back from one that lives.
#[tokio::test]
async fn the_older_one_stands_by_and_goes_on_when_the_newer_has_ended() {
    for delivery in ["", EXACTLY_ONCE] {
        let rig = Rig::start(3, delivery).await;
        rig.create("t1", 6, &[]).await;
        let older = Replicator::start(&rig);
        older.until(&rig, Phase::Copying).await;
        for round in 0..4 {
            rig.produce("t1", 6, round * 10, 10).await;
        }
        let newer = Replicator::start(&rig);
        for round in 4..12 {
            rig.produce("t1", 6, round * 10, 10).await;
        }
        older.until(&rig, Phase::StandingBy).await;
        assert_eq!(takeovers(&rig).await, 2);
        // Longer than it takes for somebody to look, and for a silent one to count as gone.
        tokio::time::sleep(Duration::from_secs(18)).await;
        assert_eq!(takeovers(&rig).await, 2);
        assert_eq!(older.progress.snapshot().phase, Phase::StandingBy);
        assert_eq!(newer.progress.snapshot().phase, Phase::Copying);
        newer.end().await;
        older.until(&rig, Phase::Copying).await;
        rig.produce("t1", 6, 120, 5).await;
        let source = rig.on_source("t1").await;
        let last = source[&0].last().unwrap().clone();
        rig.until_target_ends_with("t1", &[last]).await;
        older.end().await;
        rig.once().await;
        if delivery == EXACTLY_ONCE {
            assert_eq!(rig.on_target("t1").await, source);
        }
    }
}

#[tokio::test]
async fn a_newer_one_that_dies_is_followed_by_the_older_one() {
    let rig = Rig::start(1, EXACTLY_ONCE).await;
    rig.create("t1", 2, &[]).await;
    let older = Replicator::start(&rig);
    older.until(&rig, Phase::Copying).await;
    let newer = Replicator::start(&rig);
    older.until(&rig, Phase::StandingBy).await;
    newer.task.abort();
    rig.produce("t1", 2, 0, 5).await;
    older.until(&rig, Phase::Copying).await;
    let source = rig.on_source("t1").await;
    rig.until("all records", async || rig.on_target("t1").await == source)
        .await;
    older.end().await;
}

#[tokio::test]
async fn one_that_stands_by_can_be_stopped() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 1, &[]).await;
    let older = Replicator::start(&rig);
    older.until(&rig, Phase::Copying).await;
    let newer = Replicator::start(&rig);
    older.until(&rig, Phase::StandingBy).await;
    older.end().await;
    newer.end().await;
}

#[tokio::test]
async fn the_summary_holds_what_was_copied_before_it_stood_by() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 2, &[]).await;
    rig.produce("t1", 2, 0, 5).await;
    let records = count(&rig.on_source("t1").await);
    let older = Replicator::start(&rig);
    rig.until("all records", async || {
        older.progress.snapshot().records == records
    })
    .await;
    // nobody copies anything twice then
    rig.until("committed positions", async || {
        rig.status().await.iter().all(|it| it.lag == Some(0))
    })
    .await;
    let newer = Replicator::start(&rig);
    older.until(&rig, Phase::StandingBy).await;
    newer.end().await;
    older.until(&rig, Phase::Copying).await;
    rig.produce("t1", 2, 5, 5).await;
    let all = count(&rig.on_source("t1").await);
    rig.until("what came since", async || {
        older.progress.snapshot().records == all - records
    })
    .await;
    let newest = Replicator::start(&rig);
    older.until(&rig, Phase::StandingBy).await;
    let summary = older.end().await;
    newest.end().await;
    assert_eq!(summary.records, all);
    let topics = summary.topics;
    assert_eq!(topics.len(), 1, "{topics:?}");
    assert_eq!((topics[0].partitions, topics[0].records), (2, all));
}
