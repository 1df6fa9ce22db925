//! Faults injected per request, brokers that stop, leaders that move.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(
    dead_code,
    reason = "shared with the client suite, which uses all of it"
)]
mod support;

use std::time::{Duration, Instant};

use broker::{
    ApiKey, ClusterOptions, EmbeddedCluster, FaultAction, FaultRule, ResponseError, StartError,
};
use kafka_protocol::messages::{FetchRequest, ProduceRequest};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use support::batch::Batch;
use support::raw::{Raw, fetch_request, produce_request};

async fn cluster(brokers: u16) -> EmbeddedCluster {
    EmbeddedCluster::start(ClusterOptions {
        brokers,
        ..ClusterOptions::default()
    })
    .await
    .unwrap()
}

/// A cluster of one broker with a topic `t` of one partition.
async fn with_topic() -> (EmbeddedCluster, Raw) {
    let cluster = cluster(1).await;
    let mut raw = Raw::connect(&cluster.bootstrap_servers()).await;
    raw.create_topic("t", 1, &[]).await;
    (cluster, raw)
}

#[tokio::test]
async fn a_dropped_response_leaves_the_record_and_the_connection() {
    let (cluster, mut raw) = with_topic().await;
    let rule = FaultRule::new(FaultAction::DropResponse)
        .api(ApiKey::Produce)
        .times(1);
    let mut fault = cluster.faults().inject(rule);
    raw.send(9, &produce_request("t", &[(0, Batch::of(2).encode())]))
        .await;
    assert_eq!(fault.wait_for(1).await, 1);
    // the next answer on the connection belongs to the next request
    assert_eq!(raw.append("t", Batch::of(1).encode()).await, (0, 2));
    assert_eq!(cluster.log_end_offset("t", 0), Some(3));
    assert_eq!(cluster.request_count(ApiKey::Produce), 2);
}

#[tokio::test]
async fn closing_before_applies_nothing_and_after_applies_all() {
    for (action, end) in [(FaultAction::CloseBefore, 0), (FaultAction::CloseAfter, 2)] {
        let (cluster, mut raw) = with_topic().await;
        cluster
            .faults()
            .inject(FaultRule::new(action).api(ApiKey::Produce));
        raw.send(9, &produce_request("t", &[(0, Batch::of(2).encode())]))
            .await;
        assert!(
            raw.receive::<ProduceRequest>(9).await.is_none(),
            "{action:?}"
        );
        assert_eq!(cluster.log_end_offset("t", 0), Some(end), "{action:?}");
    }
}

#[tokio::test]
async fn an_error_strikes_one_partition_once() {
    let cluster = cluster(1).await;
    let mut raw = Raw::connect(&cluster.bootstrap_servers()).await;
    raw.create_topic("t", 2, &[]).await;
    let error = ResponseError::NotEnoughReplicas;
    let rule = FaultRule::new(FaultAction::Error(error)).api(ApiKey::Produce);
    let fault = cluster
        .faults()
        .inject(rule.topic("t").partition(1).times(1));
    let batch = Batch::of(1).encode();
    let request = produce_request("t", &[(0, batch.clone()), (1, batch)]);
    let mut codes = Vec::new();
    for _ in 0..2 {
        let response = raw.call(9, &request).await;
        let partitions = &response.responses[0].partition_responses;
        codes.push((partitions[0].error_code, partitions[1].error_code));
    }
    assert_eq!(codes, [(0, error.code()), (0, 0)]);
    assert_eq!(fault.hits(), 1);
    assert_eq!(cluster.log_end_offset("t", 1), Some(1));
}

#[tokio::test]
async fn delays_and_throttles_take_their_time() {
    let (cluster, mut raw) = with_topic().await;
    let time = Duration::from_millis(300);
    let delay = cluster
        .faults()
        .inject(FaultRule::new(FaultAction::Delay(time)).times(1));
    let started = Instant::now();
    raw.append("t", Batch::of(1).encode()).await;
    assert!(started.elapsed() >= time);
    delay.remove();
    cluster
        .faults()
        .inject(FaultRule::new(FaultAction::Throttle(time)).times(1));
    let started = Instant::now();
    let response = raw
        .call(9, &produce_request("t", &[(0, Batch::of(1).encode())]))
        .await;
    assert_eq!(response.throttle_time_ms, 300);
    assert_eq!(raw.list_offset("t", 0, -1).await.1, 2);
    assert!(
        started.elapsed() >= time,
        "nothing is read from a throttled connection"
    );
}

#[tokio::test]
async fn delays_follow_a_paused_clock() {
    let (cluster, mut raw) = with_topic().await;
    let day = Duration::from_hours(24);
    let mut fault = cluster
        .faults()
        .inject(FaultRule::new(FaultAction::Delay(day)).times(1));
    // the client's own timeouts must not jump, so the clock stands still only in between
    tokio::time::pause();
    let before = tokio::time::Instant::now();
    raw.send(9, &produce_request("t", &[(0, Batch::of(1).encode())]))
        .await;
    assert_eq!(fault.wait_for(1).await, 1);
    // nothing else is due before the delay: the clock jumps there
    tokio::time::sleep(day + Duration::from_secs(1)).await;
    assert!(before.elapsed() >= day);
    tokio::time::resume();
    assert!(raw.receive::<ProduceRequest>(9).await.is_some());
}

#[tokio::test]
async fn librdkafka_loses_and_repeats_nothing_under_faults() {
    let (cluster, _raw) = with_topic().await;
    let faults = cluster.faults();
    let close = |action, seed| {
        faults.inject(
            FaultRule::new(action)
                .api(ApiKey::Produce)
                .probability(0.1, seed)
                .times(20),
        )
    };
    let before = close(FaultAction::CloseBefore, 1);
    let after = close(FaultAction::CloseAfter, 2);
    let error = FaultAction::Error(ResponseError::NotEnoughReplicas);
    let refused = faults.inject(FaultRule::new(error).api(ApiKey::Produce).times(5).after(3));
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("enable.idempotence", "true")
        .set("batch.num.messages", "10")
        .set("linger.ms", "1")
        .set("retry.backoff.ms", "10")
        .set("reconnect.backoff.ms", "10")
        .set("reconnect.backoff.max.ms", "50")
        .create()
        .unwrap();
    let payloads: Vec<String> = (0..1000).map(|i| format!("value-{i}")).collect();
    let deliveries: Vec<_> = payloads
        .iter()
        .map(|payload| {
            let record = FutureRecord::<str, str>::to("t")
                .partition(0)
                .payload(payload);
            producer.send_result(record).unwrap()
        })
        .collect();
    for delivery in deliveries {
        delivery.await.unwrap().unwrap();
    }
    assert_eq!(
        cluster.log_end_offset("t", 0),
        Some(1000),
        "each record once"
    );
    assert!(
        before.hits() > 0 && after.hits() > 0,
        "{} {}",
        before.hits(),
        after.hits()
    );
    assert_eq!(refused.hits(), 5);
}

#[tokio::test]
async fn only_the_leader_answers_and_names_the_right_one() {
    let cluster = cluster(2).await;
    let mut raw = Raw::connect(&cluster.bootstrap_servers()).await;
    raw.create_topic("t", 1, &[]).await;
    assert_eq!(cluster.leader("t", 0), Some(1));
    cluster.move_leader("t", 0, 2).unwrap();
    assert!(cluster.move_leader("t", 0, 3).is_err());
    let not_leader = ResponseError::NotLeaderOrFollower.code();
    let refused = raw.produce(10, "t", Batch::of(1).encode()).await;
    assert_eq!(refused.error_code, not_leader);
    assert_eq!(
        (
            refused.current_leader.leader_id.0,
            refused.current_leader.leader_epoch
        ),
        (2, 1)
    );
    let response = raw.call(12, &fetch_request("t", 0)).await;
    assert_eq!(response.responses[0].partitions[0].error_code, not_leader);
    assert_eq!(raw.list_offset("t", 0, -1).await.0, not_leader);
    let second = cluster
        .bootstrap_servers()
        .split(',')
        .nth(1)
        .unwrap()
        .to_owned();
    let mut right = Raw::connect(&second).await;
    assert_eq!(right.append("t", Batch::of(1).encode()).await, (0, 0));
    let metadata = raw.metadata("t").await;
    assert_eq!(
        (
            metadata.partitions[0].leader_id.0,
            metadata.partitions[0].leader_epoch
        ),
        (2, 1)
    );
}

#[tokio::test]
async fn a_leader_move_ends_a_long_poll() {
    let cluster = cluster(2).await;
    let mut raw = Raw::connect(&cluster.bootstrap_servers()).await;
    raw.create_topic("t", 1, &[]).await;
    let mut waiting = Raw::connect(&cluster.bootstrap_servers()).await;
    waiting
        .send(12, &fetch_request("t", 0).with_max_wait_ms(15_000))
        .await;
    let started = Instant::now();
    cluster.move_leader("t", 0, 2).unwrap();
    let response = waiting.receive::<FetchRequest>(12).await.unwrap();
    let code = response.responses[0].partitions[0].error_code;
    assert_eq!(code, ResponseError::NotLeaderOrFollower.code());
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_stopped_broker_is_gone_and_comes_back_with_its_data() {
    let (cluster, mut raw) = with_topic().await;
    assert_eq!(raw.append("t", Batch::of(3).encode()).await, (0, 0));
    let mut waiting = Raw::connect(&cluster.bootstrap_servers()).await;
    waiting
        .send(12, &fetch_request("t", 3).with_max_wait_ms(15_000))
        .await;
    cluster.stop_broker(1).await;
    assert!(
        waiting.receive::<FetchRequest>(12).await.is_none(),
        "connections are cut"
    );
    let address = cluster.bootstrap_servers();
    assert!(
        tokio::net::TcpStream::connect(&address).await.is_err(),
        "the port is closed"
    );
    assert_eq!(cluster.leader("t", 0), Some(-1));
    cluster.start_broker(1).await.unwrap();
    assert!(matches!(
        cluster.start_broker(9).await,
        Err(StartError::UnknownBroker(9))
    ));
    let mut raw = Raw::connect(&address).await;
    assert_eq!(raw.metadata("t").await.partitions[0].leader_epoch, 2);
    assert_eq!(raw.append("t", Batch::of(1).encode()).await, (0, 3));
}

#[tokio::test]
async fn leaders_move_to_a_replica_and_a_client_follows() {
    let cluster = EmbeddedCluster::start(ClusterOptions {
        brokers: 3,
        defaults: [("default.replication.factor".to_owned(), "3".to_owned())].into(),
        ..ClusterOptions::default()
    })
    .await
    .unwrap();
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("enable.idempotence", "true")
        .set("reconnect.backoff.max.ms", "100")
        .create()
        .unwrap();
    let admin: rdkafka::admin::AdminClient<_> = ClientConfig::new()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .create()
        .unwrap();
    let topic = rdkafka::admin::NewTopic::new("t", 1, rdkafka::admin::TopicReplication::Fixed(3));
    admin
        .create_topics([&topic], &rdkafka::admin::AdminOptions::new())
        .await
        .unwrap();
    let mut led = Vec::new();
    for i in 0..30 {
        let payload = i.to_string();
        let record = FutureRecord::<str, str>::to("t")
            .partition(0)
            .payload(&payload);
        producer
            .send(record, Duration::from_secs(20))
            .await
            .unwrap();
        if i % 10 == 9 {
            let leader = cluster.leader("t", 0).unwrap();
            led.push(leader);
            cluster.stop_broker(leader).await;
            assert_ne!(cluster.leader("t", 0), Some(leader));
            if i == 19 {
                cluster.start_broker(led[0]).await.unwrap();
            }
        }
    }
    assert_eq!(cluster.log_end_offset("t", 0), Some(30));
    assert_ne!(led[0], led[1]);
}

#[tokio::test]
async fn wrong_options_are_refused() {
    let with = |name: &str, value: &str| ClusterOptions {
        defaults: [(name.to_owned(), value.to_owned())].into(),
        ..ClusterOptions::default()
    };
    for (name, value) in [("message.max.bytes", "1MB"), ("num.partitions", "0")] {
        let started = EmbeddedCluster::start(with(name, value)).await;
        assert!(matches!(started, Err(StartError::Setting { .. })), "{name}");
    }
    let ports = ClusterOptions {
        ports: vec![1, 2],
        ..ClusterOptions::default()
    };
    let started = EmbeddedCluster::start(ports).await;
    assert!(matches!(
        started,
        Err(StartError::PortCount {
            ports: 2,
            brokers: 1
        })
    ));
    let none = ClusterOptions {
        brokers: 0,
        ..ClusterOptions::default()
    };
    assert!(matches!(
        EmbeddedCluster::start(none).await,
        Err(StartError::NoBrokers)
    ));
}

#[tokio::test]
async fn dropping_the_cluster_frees_its_ports() {
    let cluster = cluster(2).await;
    let address = cluster
        .bootstrap_servers()
        .split(',')
        .next()
        .unwrap()
        .to_owned();
    let mut open = Raw::connect(&address).await;
    drop(cluster);
    assert!(open.receive_frame().await.is_none(), "connections are cut");
    assert!(tokio::net::TcpStream::connect(&address).await.is_err());
}
