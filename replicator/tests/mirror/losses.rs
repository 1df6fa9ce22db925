//! Records that are gone on the source, taken back by it, or too large for the target.

use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule, ResponseError};
use bytes::Bytes;
use kafka::Compression;
use kafka::record::{self, Record};
use replicator::{Gap, GapKey, GapKind, Options, Progress, Summary};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::rig::{Content, Rig, first_occurrences, recent};

const CONTINUE: &str = "  onDataLoss: continue\n";
const QUARANTINE: &str = "  onOversize: quarantine\n";

async fn gaps(rig: &Rig) -> Vec<(GapKey, Gap)> {
    let gaps = replicator::gaps("b", &rig.target).await.unwrap();
    gaps.into_iter().collect()
}

async fn run(rig: &Rig) -> Summary {
    rig.run(Options::once(), CancellationToken::new())
        .await
        .unwrap()
}

fn values(content: &Content, partition: i32) -> Vec<String> {
    let text = |record: &Record| {
        let value = record.value.clone().unwrap_or_default();
        String::from_utf8_lossy(&value[..value.len().min(12)]).into_owned()
    };
    content[&partition].iter().map(text).collect()
}

/// One batch whose records have values of the given sizes, each beginning with its number.
fn sized(first: usize, sizes: &[usize], codec: Compression) -> kafka::batch::RawBatch {
    let records: Vec<Record> = sizes
        .iter()
        .enumerate()
        .map(|(i, size)| {
            let mut value = format!("r{:03}", first + i).into_bytes();
            // Not compressible, so that the size holds in every codec.
            let mut state = (first + i + 1) as u64;
            while value.len() < *size {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                value.push((state >> 33) as u8);
            }
            Record {
                offset_delta: 0,
                timestamp: recent() + (first + i) as i64,
                key: Some(Bytes::from(format!("k{}", first + i))),
                value: Some(value.into()),
                headers: vec![(Bytes::from_static(b"h"), None)],
            }
        })
        .collect();
    record::encode(&records, codec).unwrap()
}

#[tokio::test]
async fn deleted_records_stop_the_partition_and_say_how_many_are_lost() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 2, &[]).await;
    rig.produce("t1", 2, 0, 3).await;
    rig.once().await;
    let position = rig.source_cluster.log_end_offset("t1", 0).unwrap();
    rig.produce("t1", 2, 3, 6).await;
    let end = rig.source_cluster.log_end_offset("t1", 0).unwrap();
    let start = end - 40;
    assert!(start > position);
    rig.source_cluster.delete_records("t1", 0, start);

    let summary = run(&rig).await;
    assert_eq!(summary.failures.len(), 1);
    let failure = &summary.failures[0];
    assert_eq!(
        (failure.partition, failure.position),
        (Some(0), Some(position))
    );
    for said in [
        format!("begins at {start}"),
        format!("{} offsets from {position}", start - position),
        "onDataLoss: continue".to_owned(),
    ] {
        assert!(failure.reason.contains(&said), "{}", failure.reason);
    }
    assert_eq!(gaps(&rig).await, []);
    let (source, target) = (rig.on_source_from("t1", 0).await, rig.on_target("t1").await);
    assert_eq!(target[&1], source[&1], "the neighbour went on");
}

#[tokio::test]
async fn deleted_records_are_a_gap_in_the_ledger_where_that_is_declared() {
    let rig = Rig::start(1, CONTINUE).await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 3).await;
    rig.once().await;
    let before = rig.on_target("t1").await;
    let position = rig.source_cluster.log_end_offset("t1", 0).unwrap();
    rig.produce("t1", 1, 3, 6).await;
    // Inside a batch: what is left of it is copied.
    let start = rig.source_cluster.log_end_offset("t1", 0).unwrap() - 40;
    rig.source_cluster.delete_records("t1", 0, start);

    let summary = run(&rig).await;
    assert_eq!((summary.failures.len(), summary.gaps), (0, 1));
    let left = rig.on_source_from("t1", start).await;
    let after = rig.on_target("t1").await;
    let copied = after[&0].strip_prefix(&before[&0][..]).unwrap();
    assert_eq!(copied, left[&0]);
    let found = gaps(&rig).await;
    assert_eq!(found.len(), 1);
    let (key, gap) = &found[0];
    assert_eq!(
        (key.mirror.as_str(), key.topic.as_str(), key.partition),
        ("m", "t1", 0)
    );
    assert_eq!(
        (key.kind, key.from, gap.to),
        (GapKind::Deleted, position, Some(start))
    );
    assert_eq!(gap.resumed_at, start);
    assert_eq!(rig.once().await.gaps, 0, "the gap was passed for good");
}

#[tokio::test]
async fn a_gap_is_durable_before_the_position_moves_over_it() {
    let rig = Rig::start(1, CONTINUE).await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 3).await;
    rig.once().await;
    rig.produce("t1", 1, 3, 6).await;
    let start = rig.source_cluster.log_end_offset("t1", 0).unwrap() - 10;
    rig.source_cluster.delete_records("t1", 0, start);
    let before = rig.on_target("t1").await;
    let refused = FaultAction::Error(ResponseError::NotEnoughReplicas);
    let rule = FaultRule::new(refused)
        .api(ApiKey::Produce)
        .topic("mirrorctl-gaps.internal");
    let mut fault = rig.target_cluster.faults().inject(rule);
    let running = rig.run(Options::continuous(), CancellationToken::new());
    tokio::select! {
        _ = running => panic!("it does not end"),
        _ = fault.wait_for(3) => {}
    }
    assert_eq!(rig.on_target("t1").await, before);
    rig.target_cluster.faults().clear();
    assert_eq!(run(&rig).await.gaps, 1);
}

#[tokio::test]
async fn holes_from_compaction_are_no_gap() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 1, &[("cleanup.policy", "compact")]).await;
    for first in [0, 3, 0, 6] {
        let batch = sized(first, &[20, 20, 20], Compression::None);
        rig.produce_batch("t1", 0, &batch).await;
    }
    rig.source_cluster.compact_now("t1").unwrap();
    let summary = rig.once().await;
    assert_eq!(summary.gaps, 0);
    assert_eq!(gaps(&rig).await, []);
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}

/// Copies 6 batches of 3 records, takes the last two back, and writes 3 other batches.
async fn truncated(rig: &Rig) -> (i64, i64) {
    rig.create("t1", 1, &[]).await;
    for number in 0..6 {
        let batch = sized(number * 3, &[20, 20, 20], Compression::None);
        rig.produce_batch("t1", 0, &batch).await;
    }
    rig.once().await;
    let diverged = rig.source_cluster.elect_uncleanly("t1", 0, 12).unwrap();
    for number in 0..3 {
        let batch = sized(100 + number * 3, &[20, 20, 20], Compression::None);
        rig.produce_batch("t1", 0, &batch).await;
    }
    (18, diverged)
}

#[tokio::test]
async fn records_that_the_source_takes_back_stop_the_partition() {
    let rig = Rig::start(1, "").await;
    let (position, diverged) = truncated(&rig).await;
    let summary = run(&rig).await;
    assert_eq!(summary.failures.len(), 1);
    let failure = &summary.failures[0];
    assert_eq!(failure.position, Some(position));
    for said in [
        "unclean leader election".to_owned(),
        format!("{} offsets from {diverged}", position - diverged),
    ] {
        assert!(failure.reason.contains(&said), "{}", failure.reason);
    }
}

#[tokio::test]
async fn records_that_the_source_takes_back_are_a_gap_and_their_successors_are_copied() {
    let rig = Rig::start(1, CONTINUE).await;
    let (position, diverged) = truncated(&rig).await;
    let before = rig.on_target("t1").await;
    let summary = run(&rig).await;
    assert_eq!((summary.failures.len(), summary.gaps), (0, 1));
    let after = rig.on_target("t1").await;
    let copied = after[&0].strip_prefix(&before[&0][..]).unwrap();
    assert_eq!(copied, rig.on_source_from("t1", diverged).await[&0]);
    let found = gaps(&rig).await;
    let (key, gap) = &found[0];
    assert_eq!(
        (key.kind, key.from, gap.to, gap.resumed_at),
        (GapKind::Truncation, diverged, Some(position), diverged)
    );
    assert_eq!(rig.once().await.gaps, 0);
}

#[tokio::test]
async fn a_second_truncation_at_the_same_offset_is_a_gap_of_its_own() {
    let rig = Rig::start(1, CONTINUE).await;
    let (_, diverged) = truncated(&rig).await;
    run(&rig).await;
    assert_eq!(gaps(&rig).await.len(), 1);
    let again = rig
        .source_cluster
        .elect_uncleanly("t1", 0, diverged)
        .unwrap();
    rig.produce_batch("t1", 0, &sized(200, &[20, 20, 20], Compression::None))
        .await;
    assert_eq!(again, diverged);
    run(&rig).await;
    let found = gaps(&rig).await;
    let all: Vec<(GapKind, i64)> = found.iter().map(|(key, _)| (key.kind, key.from)).collect();
    assert_eq!(all, [(GapKind::Truncation, diverged); 2]);
}

#[tokio::test]
async fn a_truncation_to_below_the_position_is_seen_though_nothing_is_written_since() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 4).await;
    rig.once().await;
    rig.source_cluster.elect_uncleanly("t1", 0, 5).unwrap();
    let summary = run(&rig).await;
    assert_eq!(summary.failures.len(), 1, "{:?}", summary.failures);
}

#[tokio::test]
async fn a_truncation_is_seen_while_the_mirror_runs() {
    let rig = Rig::start(1, CONTINUE).await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 4).await;
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(rig.run(Options::continuous(), stop.clone()));
    rig.until_target_has("t1", 46).await;
    let diverged = rig.source_cluster.elect_uncleanly("t1", 0, 10).unwrap();
    rig.produce("t1", 1, 10, 3).await;
    rig.until_gaps(1).await;
    let left = rig.on_source_from("t1", diverged).await;
    rig.until_target_ends_with("t1", &left[&0]).await;
    stop.cancel();
    let summary = running.join_all().await.remove(0).unwrap();
    assert_eq!(summary.failures, []);
}

#[tokio::test]
async fn a_clean_election_is_no_gap() {
    let rig = Rig::start(2, "").await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 4).await;
    rig.once().await;
    for broker in [2, 1, 2] {
        rig.source_cluster.move_leader("t1", 0, broker).unwrap();
        rig.produce("t1", 1, i64::from(broker) * 10, 2).await;
        rig.once().await;
    }
    assert_eq!(gaps(&rig).await, []);
    let source = rig.on_source("t1").await;
    assert_eq!(rig.on_target("t1").await, source);
}

#[tokio::test]
async fn a_batch_too_large_for_the_target_is_cut_in_every_codec() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 1, &[]).await;
    for (at, codec) in [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ]
    .into_iter()
    .enumerate()
    {
        let batch = sized(at * 100, &[500; 40], codec);
        rig.produce_batch("t1", 0, &batch).await;
        rig.produce_batch("t1", 0, &sized(at * 100 + 40, &[500; 3], codec))
            .await;
    }
    rig.create_on_target("t1", 1, &[("max.message.bytes", "4000")])
        .await;
    let summary = rig.once().await;
    let (source, target) = (rig.on_source("t1").await, rig.on_target("t1").await);
    assert_eq!(target, source, "all records, in order, once");
    assert_eq!(summary.gaps, 0);
    for batch in rig.target_cluster.batches("t1", 0).unwrap() {
        assert!(batch.bytes.len() <= 4000);
    }
}

#[tokio::test]
async fn a_record_too_large_for_the_target_stops_its_partition_alone() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 2, &[]).await;
    for partition in 0..2 {
        let large = if partition == 0 { 9000 } else { 100 };
        let batch = sized(0, &[100, 100, large, 100], Compression::None);
        rig.produce_batch("t1", partition, &batch).await;
    }
    rig.create_on_target("t1", 2, &[("max.message.bytes", "4000")])
        .await;
    let summary = run(&rig).await;
    assert_eq!(summary.failures.len(), 1);
    let failure = &summary.failures[0];
    assert_eq!((failure.partition, failure.position), (Some(0), Some(2)));
    for said in [
        "offset 2",
        "the limit is 4000",
        "max.message.bytes",
        "onOversize: quarantine",
    ] {
        assert!(failure.reason.contains(said), "{}", failure.reason);
    }
    let (source, target) = (rig.on_source("t1").await, rig.on_target("t1").await);
    assert_eq!(target[&1], source[&1]);
    assert_eq!(target[&0], source[&0][..2]);
}

#[tokio::test]
async fn a_record_too_large_for_the_target_is_quarantined_and_the_others_keep_their_order() {
    let rig = Rig::start(1, QUARANTINE).await;
    rig.create("t1", 1, &[]).await;
    for (first, large) in [(0, 9000), (10, 100), (20, 7000)] {
        let sizes = [100, 100, large, 100, 100];
        let batch = sized(first, &sizes, Compression::Lz4);
        rig.produce_batch("t1", 0, &batch).await;
    }
    rig.create_on_target("t1", 1, &[("max.message.bytes", "4000")])
        .await;
    let summary = run(&rig).await;
    assert_eq!((summary.failures.len(), summary.gaps), (0, 2));
    let source = rig.on_source("t1").await;
    let mut expected = source[&0].clone();
    let large: Vec<Record> = [12, 2].map(|at| expected.remove(at)).into();
    assert_eq!(rig.on_target("t1").await[&0], expected);

    let kept = rig.on_target("t1.mirrorctl-quarantine").await;
    assert_eq!(kept[&0].len(), 2);
    for (kept, (large, offset)) in kept[&0].iter().zip(large.iter().rev().zip(["2", "12"])) {
        assert_eq!((&kept.key, &kept.value), (&large.key, &large.value));
        assert_eq!(kept.timestamp, large.timestamp);
        let header = |name: &str| {
            let found = kept.headers.iter().find(|(key, _)| key == name.as_bytes());
            String::from_utf8_lossy(&found.unwrap().1.clone().unwrap()).into_owned()
        };
        assert_eq!(kept.headers[0], large.headers[0]);
        assert_eq!(header("mirrorctl.source.topic"), "t1");
        assert_eq!(header("mirrorctl.source.partition"), "0");
        assert_eq!(header("mirrorctl.source.offset"), offset);
        assert_eq!(
            header("mirrorctl.source.cluster"),
            rig.source_cluster.cluster_id()
        );
        assert!(header("mirrorctl.reason").contains("4000"));
        assert!(header("mirrorctl.error").contains("MESSAGE_TOO_LARGE"));
    }
    let found = gaps(&rig).await;
    let kinds: Vec<(GapKind, i64, Option<u64>)> = found
        .iter()
        .map(|(key, gap)| (key.kind, key.from, gap.records))
        .collect();
    assert_eq!(
        kinds,
        [
            (GapKind::Oversize, 2, Some(1)),
            (GapKind::Oversize, 12, Some(1))
        ]
    );
    assert_eq!(rig.once().await.records, 0, "all of it is behind");
}

/// The ledger refuses the gap, so that the run dies between the record and the position.
#[tokio::test]
async fn a_record_is_quarantined_once_though_the_run_dies_or_an_answer_is_lost() {
    let rig = Rig::start(1, QUARANTINE).await;
    rig.create("t1", 1, &[]).await;
    rig.produce_batch("t1", 0, &sized(0, &[100, 9000, 100], Compression::None))
        .await;
    rig.create_on_target("t1", 1, &[("max.message.bytes", "4000")])
        .await;
    let lost = FaultRule::new(FaultAction::CloseAfter).api(ApiKey::Produce);
    rig.target_cluster
        .faults()
        .inject(lost.topic("t1.mirrorctl-quarantine").times(1));
    for _ in 0..2 {
        let refused = FaultAction::Error(ResponseError::NotEnoughReplicas);
        let rule = FaultRule::new(refused).api(ApiKey::Produce);
        let mut fault = rig
            .target_cluster
            .faults()
            .inject(rule.topic("mirrorctl-gaps.internal"));
        let running = rig.run(Options::continuous(), CancellationToken::new());
        tokio::select! {
            _ = running => panic!("it does not end"),
            _ = fault.wait_for(1) => {}
        }
        rig.target_cluster.faults().clear();
    }
    let summary = run(&rig).await;
    assert_eq!((summary.failures.len(), summary.gaps), (0, 1));
    let kept = rig.on_target("t1.mirrorctl-quarantine").await;
    assert_eq!(kept[&0].len(), 1);
}

#[tokio::test]
async fn pieces_survive_lost_answers_without_loss() {
    let rig = Rig::start(1, QUARANTINE).await;
    rig.create("t1", 1, &[]).await;
    for at in 0..8 {
        let large = if at % 3 == 0 { 9000 } else { 600 };
        let sizes = [600, 600, 600, 600, large, 600, 600, 600, 600];
        rig.produce_batch("t1", 0, &sized(at * 10, &sizes, Compression::Zstd))
            .await;
    }
    rig.create_on_target("t1", 1, &[("max.message.bytes", "4000")])
        .await;
    let rule = FaultRule::new(FaultAction::CloseAfter).api(ApiKey::Produce);
    rig.target_cluster
        .faults()
        .inject(rule.probability(0.3, 11).times(25));
    let summary = run(&rig).await;
    assert_eq!(summary.failures, []);
    let source = rig.on_source("t1").await;
    let target = rig.on_target("t1").await;
    let kept = first_occurrences(&rig.on_target("t1.mirrorctl-quarantine").await);
    let large: Vec<String> = values(&source, 0).into_iter().collect();
    assert_eq!(target[&0].len() + kept[&0].len(), large.len());
    assert_eq!(
        target[&0],
        source[&0]
            .iter()
            .filter(|record| record.value.as_ref().unwrap().len() < 5000)
            .cloned()
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn quarantine_topics_are_not_mirrored() {
    let rig = Rig::start(1, "").await;
    for topic in ["t1", "t1.mirrorctl-quarantine"] {
        rig.create(topic, 1, &[]).await;
        rig.produce(topic, 1, 0, 1).await;
    }
    rig.once().await;
    let topics = rig.target_cluster.topics();
    assert!(topics.contains(&"t1".to_owned()));
    assert!(!topics.contains(&"t1.mirrorctl-quarantine".to_owned()));
}

#[tokio::test]
async fn pieces_arrive_exactly_once_however_often_the_run_is_killed() {
    let rig = Rig::start(1, "  delivery: exactly-once\n").await;
    rig.create("t1", 1, &[]).await;
    for at in 0..40 {
        let batch = sized(at * 20, &[500; 17], Compression::Zstd);
        rig.produce_batch("t1", 0, &batch).await;
    }
    rig.create_on_target("t1", 1, &[("max.message.bytes", "4000")])
        .await;
    let slow = FaultAction::Delay(Duration::from_millis(3));
    let rule = FaultRule::new(slow).api(ApiKey::Produce);
    rig.target_cluster.faults().inject(rule);
    let mut interrupted = 0;
    for kill in 0..12 {
        let run = rig.run(Options::once(), CancellationToken::new());
        let after = Duration::from_millis(60 + kill * 23);
        interrupted += u32::from(tokio::time::timeout(after, run).await.is_err());
    }
    assert!(interrupted > 0, "no run was killed");
    rig.once().await;
    assert_eq!(rig.on_target("t1").await, rig.on_source("t1").await);
}

#[tokio::test]
async fn exactly_once_goes_on_behind_gaps() {
    let rig = Rig::start(
        1,
        "  delivery: exactly-once\n  onDataLoss: continue\n  onTopicReset: restart\n",
    )
    .await;
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 0, 4).await;
    rig.once().await;
    let mut expected = rig.on_target("t1").await.remove(&0).unwrap();
    rig.produce("t1", 1, 4, 6).await;
    let start = rig.source_cluster.log_end_offset("t1", 0).unwrap() - 40;
    rig.source_cluster.delete_records("t1", 0, start);
    rig.once().await;
    expected.extend(rig.on_source_from("t1", start).await.remove(&0).unwrap());
    let end = rig.source_cluster.log_end_offset("t1", 0).unwrap();
    let diverged = rig
        .source_cluster
        .elect_uncleanly("t1", 0, end - 5)
        .unwrap();
    rig.produce("t1", 1, 30, 3).await;
    rig.once().await;
    expected.extend(rig.on_source_from("t1", diverged).await.remove(&0).unwrap());
    rig.source.delete_topics(&["t1".to_owned()]).await.unwrap();
    rig.create("t1", 1, &[]).await;
    rig.produce("t1", 1, 50, 3).await;
    rig.once().await;
    expected.extend(rig.on_source("t1").await.remove(&0).unwrap());
    assert_eq!(rig.on_target("t1").await[&0], expected);
    assert_eq!(gaps(&rig).await.len(), 3);
}

#[tokio::test]
async fn a_partition_that_stands_still_is_named_and_its_neighbours_go_on() {
    let rig = Rig::start(1, "").await;
    rig.create("t1", 3, &[]).await;
    rig.produce("t1", 3, 0, 3).await;
    let refused = FaultAction::Error(ResponseError::NotEnoughReplicas);
    let rule = FaultRule::new(refused).api(ApiKey::Produce).topic("t1");
    let fault = rig.target_cluster.faults().inject(rule.partition(1));
    let (progress, stop) = (Progress::new(), CancellationToken::new());
    let options = Options {
        stall_after: Duration::from_secs(2),
        ..Options::continuous()
    };
    let mut running = JoinSet::new();
    running.spawn(rig.run_shown(options, stop.clone(), progress.clone()));
    rig.until("stalled partition", async || {
        progress.snapshot().stalled == 1
    })
    .await;
    let ailing = progress.ailing();
    assert_eq!(ailing.len(), 1);
    assert_eq!((ailing[0].partition, ailing[0].state), (Some(1), "stalled"));
    let reason = ailing[0].reason.as_ref().unwrap();
    assert!(reason.contains("NOT_ENOUGH_REPLICAS"), "{reason}");
    rig.produce("t1", 3, 3, 3).await;
    let source = rig.on_source("t1").await;
    rig.until("the neighbours' records", async || {
        let target = rig.on_target("t1").await;
        [0, 2]
            .iter()
            .all(|partition| target[partition] == source[partition])
    })
    .await;
    fault.remove();
    rig.until("end of the stall", async || {
        progress.snapshot().stalled == 0
    })
    .await;
    rig.until("all records", async || rig.on_target("t1").await == source)
        .await;
    stop.cancel();
    running.join_all().await;
}
