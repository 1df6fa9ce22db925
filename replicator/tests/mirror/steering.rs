//! What the topology says about when and how fast to copy.

use std::time::{Duration, Instant};

use crate::rig::{Content, Rig, count, recent};
use broker::{FaultAction, FaultRule};
use bytes::Bytes;
use kafka::Compression;
use kafka::record::{self, Record};
use replicator::metrics::{Metrics, PartitionMetrics, Watched, Watchlist};
use replicator::{Condition, Options, Progress};
use tokio_util::sync::CancellationToken;

/// `batches` of about `bytes` bytes to each partition.
async fn fill(rig: &Rig, topic: &str, partitions: i32, batches: i64, bytes: usize) {
    for partition in 0..partitions {
        for batch in 0..batches {
            let records: Vec<Record> = (0..4)
                .map(|i| Record {
                    offset_delta: 0,
                    timestamp: recent() + batch * 4 + i,
                    key: None,
                    value: Some(Bytes::from(vec![b'x'; bytes / 4])),
                    headers: Vec::new(),
                })
                .collect();
            let batch = record::encode(&records, Compression::None).unwrap();
            rig.produce_batch(topic, partition, &batch).await;
        }
    }
}

/// Four times what a window begins with, so that fetching waits for acknowledgements and goes on with them.
#[tokio::test]
async fn a_far_target_gets_each_record_once_through_a_window_that_opens() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 6, &[]).await;
    fill(&rig, "t1", 6, 12, 900_000).await;
    let far = FaultRule::new(FaultAction::Delay(Duration::from_millis(40)));
    rig.target_cluster.faults().inject(far);
    let summary = rig.once().await;
    rig.target_cluster.faults().clear();
    assert_eq!(summary.records, 6 * 12 * 4);
    assert!(rig.on_target("t1").await == rig.on_source("t1").await);
}

#[tokio::test]
async fn a_throttled_mirror_keeps_its_rate_and_copies_everything() {
    let rig = Rig::start(2, "  throttle: {bytesPerSecond: 1MB}\n").await;
    rig.create("t1", 6, &[]).await;
    fill(&rig, "t1", 6, 25, 20_000).await;
    let began = Instant::now();
    let summary = rig.once().await;
    let took = began.elapsed();
    assert_eq!(summary.records, 600);
    let expected = Duration::from_secs_f64(summary.bytes as f64 / 1e6);
    assert!(took > expected.mul_f64(0.85), "{took:?} for {expected:?}");
    assert!(took < expected.mul_f64(1.4), "{took:?} for {expected:?}");
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}

#[tokio::test]
async fn a_batch_larger_than_the_rate_passes_and_is_paid_for() {
    let rig = Rig::start(1, "  throttle: {bytesPerSecond: 200kB}\n").await;
    rig.create("t1", 1, &[]).await;
    fill(&rig, "t1", 1, 3, 250_000).await;
    let began = Instant::now();
    let summary = rig.once().await;
    assert_eq!(summary.records, 12);
    // the last batch is there before it is paid for
    let took = began.elapsed();
    assert!(took > Duration::from_millis(2_300), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// The value of a metric that has one sample.
fn metric(list: &Watchlist, name: &str) -> f64 {
    let metrics = Metrics::new(list.clone(), PartitionMetrics::Off);
    let text = metrics.open_metrics().unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{name}{{")));
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

/// One batch at this rate is worth more time than the test has, and the next fetch comes after that.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "awaited at the end")]
async fn what_waits_for_the_throttle_is_lag_and_the_wait_is_counted() {
    let rig = Rig::start(1, "  throttle: {bytesPerSecond: 9kB}\n").await;
    for topic in ["t1", "t2"] {
        rig.create(topic, 1, &[]).await;
    }
    let (progress, stop) = (Progress::new(), CancellationToken::new());
    let list = Watchlist::new();
    list.add(Watched {
        mirror: "m".to_owned(),
        source: "a".to_owned(),
        target: "b".to_owned(),
        lag_objective: None,
        progress: progress.clone(),
    });
    let run = rig.run_shown(Options::continuous(), stop.clone(), progress.clone());
    let run = tokio::spawn(run);
    fill(&rig, "t1", 1, 1, 900_000).await;
    rig.until("the first batch", async || progress.snapshot().records == 4)
        .await;
    fill(&rig, "t1", 1, 3, 10_000).await;
    fill(&rig, "t2", 1, 2, 10_000).await;
    // a fetch that stood there already may have brought some of it
    rig.until("lag while the throttle holds", async || {
        let lag = metric(&list, "mirrorctl_mirror_lag_records") as u64;
        lag > 0 && progress.snapshot().records + lag == 4 + 12 + 8
    })
    .await;
    let waited = metric(&list, "mirrorctl_throttled_seconds_total");
    assert!(waited >= 1.0, "{waited}");
    stop.cancel();
    run.await.unwrap().unwrap();
}

#[tokio::test]
async fn paused_topics_keep_their_positions_and_their_neighbours_go_on() {
    let mut rig = Rig::start(1, "").await;
    for topic in ["t-a", "t-b", "t-new"] {
        rig.create(topic, 2, &[]).await;
    }
    rig.produce("t-a", 2, 0, 5).await;
    rig.produce("t-b", 2, 0, 5).await;
    rig.mirror.paused_topics = Some(topology::Pattern::new("t-new").unwrap());
    rig.once().await;
    let before = rig.on_target("t-a").await;
    rig.produce("t-a", 2, 5, 5).await;
    rig.produce("t-b", 2, 5, 5).await;

    rig.mirror.paused_topics = Some(topology::Pattern::new("t-a, t-new").unwrap());
    let summary = rig.once().await;
    assert_eq!(rig.on_target("t-a").await, before, "it stands still");
    assert_eq!(rig.on_target("t-b").await, rig.on_source("t-b").await);
    assert_eq!(summary.topics.len(), 1);
    assert_eq!(rig.on_target("t-new").await, Content::new(), "not created");

    rig.mirror.paused_topics = None;
    let summary = rig.once().await;
    assert_eq!(rig.on_target("t-a").await, rig.on_source("t-a").await);
    assert_eq!(
        summary.records,
        count(&rig.on_source("t-a").await) - count(&before),
        "it goes on where it stood"
    );
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "awaited at the end")]
async fn paused_topics_are_shown_with_their_lag() {
    let mut rig = Rig::start(1, "").await;
    for topic in ["t-a", "t-b", "t-new"] {
        rig.create(topic, 2, &[]).await;
    }
    rig.produce("t-a", 2, 0, 5).await;
    rig.mirror.paused_topics = Some(topology::Pattern::new("t-new").unwrap());
    rig.once().await;
    let copied = count(&rig.on_target("t-a").await);
    for topic in ["t-a", "t-b", "t-new"] {
        rig.produce(topic, 2, 5, 5).await;
    }
    rig.mirror.paused_topics = Some(topology::Pattern::new("t-a, t-new").unwrap());
    let late = count(&rig.on_source("t-a").await) - copied;
    let late = late + count(&rig.on_source("t-new").await);

    let (progress, stop) = (Progress::new(), CancellationToken::new());
    let list = Watchlist::new();
    list.add(Watched {
        mirror: "m".to_owned(),
        source: "a".to_owned(),
        target: "b".to_owned(),
        lag_objective: None,
        progress: progress.clone(),
    });
    let run = rig.run_shown(Options::continuous(), stop.clone(), progress.clone());
    let run = tokio::spawn(run);
    let all = count(&rig.on_source("t-b").await);
    rig.until("t-b is copied, and the others are late", async || {
        let now = progress.snapshot();
        now.records == all && now.remaining == late
    })
    .await;
    assert_eq!(progress.snapshot().paused, 4);
    assert_eq!(progress.ailing(), [], "it is as it should be");
    let text = Metrics::new(list, PartitionMetrics::On)
        .open_metrics()
        .unwrap();
    let of = "mirror=\"m\",source=\"a\",target=\"b\"";
    for sample in [
        format!("mirrorctl_partitions{{{of},state=\"paused\"}} 4"),
        format!("mirrorctl_partition_well{{{of},topic=\"t-new\",partition=\"1\"}} 0"),
    ] {
        assert!(text.contains(&sample), "{sample} in {text}");
    }
    let status = rig.status().await;
    let paused = status.iter().filter(|it| it.condition == Condition::Paused);
    assert_eq!(paused.count(), 4, "{status:?}");
    stop.cancel();
    let summary = run.await.unwrap().unwrap();
    assert_eq!(summary.topics.len(), 1, "the others were not copied");
}
