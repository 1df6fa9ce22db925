//! A source that is written in transactions: what was aborted never arrives.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use e2e::{ClusterSpec, Pair, Workspace, identical, mirrorctl};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};

const TOPOLOGY: &str = "\
topics:
- {name: tx.orders, clusters: [source], partitions: 3, replicationFactor: 1}
mirrors:
- {name: tx, source: source, target: target, topicsPattern: tx.orders, replicationPolicy: {type: identity}}
";

const LIMIT: Duration = Duration::from_mins(2);

/// Some records of a transaction over all partitions, on the broker when this returns.
fn write(producer: &BaseProducer, transaction: u32, records: std::ops::Range<u32>) {
    for record in records {
        let key = format!("{transaction}-{record}");
        let partition = (record % 3).try_into().unwrap();
        producer
            .send(
                BaseRecord::to("tx.orders")
                    .partition(partition)
                    .key(&key)
                    .payload(&key),
            )
            .map_err(|(error, _)| error)
            .unwrap();
    }
    producer.flush(LIMIT).unwrap();
}

#[test]
fn aborted_records_and_markers_stay_behind_and_everything_else_arrives() {
    let workspace = Workspace::create("transactions").unwrap();
    let pair = Pair::start(&ClusterSpec::single()).unwrap();
    workspace.write("t.yaml", pair.topology(TOPOLOGY)).unwrap();
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    mirrorctl(&workspace).unwrap().args(apply).assert().code(0);

    let producers = ["one", "two"].map(|id| {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", pair.source.bootstrap_servers())
            .set("transactional.id", id)
            .set("compression.type", "lz4")
            .create()
            .unwrap();
        producer.init_transactions(LIMIT).unwrap();
        producer
    });
    let mut kept = 0;
    for round in 0..6 {
        let transactions = [round * 2, round * 2 + 1];
        for producer in &producers {
            producer.begin_transaction().unwrap();
        }
        // Several batches each, those of the one between those of the other.
        for records in [0..50, 50..100] {
            for (producer, transaction) in producers.iter().zip(transactions) {
                write(producer, transaction, records.clone());
            }
        }
        for (producer, transaction) in producers.iter().zip(transactions) {
            if transaction % 3 == 1 {
                producer.abort_transaction(LIMIT).unwrap();
            } else {
                producer.commit_transaction(LIMIT).unwrap();
                kept += 100;
            }
        }
    }

    let once = ["replicate", "-f", "t.yaml", "--once"];
    mirrorctl(&workspace).unwrap().args(once).assert().code(0);

    // The reader sees only what is committed on the source, and everything on the target.
    let (source, target) = pair.sides("tx.orders");
    let records = identical(source.at(), target.at()).unwrap().unwrap();
    assert_eq!(records, kept);
    mirrorctl(&workspace).unwrap().args(once).assert().code(0);
    assert_eq!(identical(source.at(), target.at()).unwrap().unwrap(), kept);

    let verify = [
        "verify",
        "-f",
        "t.yaml",
        "--mirror",
        "tx",
        "--mode",
        "compare",
        "--timeout",
        "0s",
    ];
    mirrorctl(&workspace).unwrap().args(verify).assert().code(0);
    copy_aborted(&pair, "1-0");
    let caught = mirrorctl(&workspace).unwrap().args(verify).assert().code(5);
    let said = String::from_utf8_lossy(&caught.get_output().stdout).into_owned();
    assert!(said.contains("1 failed"), "{said}");
    assert!(
        said.contains("one of a transaction that was aborted"),
        "{said}"
    );
}

/// What a mirror must not do: writes a record of an aborted transaction to the target, as it lies on the source.
fn copy_aborted(pair: &Pair, key: &str) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", pair.source.bootstrap_servers())
        .set("group.id", "looks")
        .set("isolation.level", "read_uncommitted")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut from = TopicPartitionList::new();
    from.add_partition_offset("tx.orders", 0, Offset::Beginning)
        .unwrap();
    consumer.assign(&from).unwrap();
    let millis = loop {
        let record = consumer.poll(LIMIT).unwrap().unwrap();
        if record.key() == Some(key.as_bytes()) {
            break record.timestamp().to_millis().unwrap();
        }
    };
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", pair.target.bootstrap_servers())
        .create()
        .unwrap();
    let record = BaseRecord::to("tx.orders").partition(0).key(key);
    let record = record.payload(key).timestamp(millis);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(LIMIT).unwrap();
}
