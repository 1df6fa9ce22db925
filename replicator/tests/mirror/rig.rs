//! Two embedded clusters, a topology between them, and what a reader finds on each side.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use broker::{ClusterOptions, EmbeddedCluster};
use bytes::Bytes;
use kafka::batch::RawBatch;
use kafka::fetch::{FetchFrom, FetchLimits};
use kafka::produce::ProduceBatch;
use kafka::record::{self, Record};
use kafka::{
    ClientOptions, Cluster, Compression, NewTopic, OffsetSpec, Plaintext, ProducerIdentity,
    TopicPartition,
};
use replicator::metrics::{Metrics, PartitionMetrics, Watched, Watchlist};
use replicator::{Options, PartitionStatus, Progress, Source, Summary};
use tokio_util::sync::CancellationToken;
use topology::Mirror;

pub(crate) struct Rig {
    pub(crate) source_cluster: EmbeddedCluster,
    pub(crate) target_cluster: EmbeddedCluster,
    pub(crate) source: Cluster,
    pub(crate) target: Cluster,
    pub(crate) mirror: Mirror,
}

const CODECS: [Compression; 5] = [
    Compression::None,
    Compression::Gzip,
    Compression::Snappy,
    Compression::Lz4,
    Compression::Zstd,
];

impl Rig {
    /// How both clusters show the mirror's partitions, without its replicators.
    pub(crate) async fn status(&self) -> Vec<PartitionStatus> {
        let source = Source {
            alias: "a".to_owned(),
            cluster: self.source.clone(),
        };
        let found = replicator::status(&self.mirror, &source, &self.target).await;
        found.unwrap()
    }

    /// `brokers` on each side; `mirror` is YAML added to the mirror's block.
    pub(crate) async fn start(brokers: u16, mirror: &str) -> Self {
        let start = || async {
            let options = ClusterOptions {
                brokers,
                ..ClusterOptions::default()
            };
            EmbeddedCluster::start(options).await.unwrap()
        };
        let (source_cluster, target_cluster) = (start().await, start().await);
        let yaml = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
             - {{alias: a, platform: existing, bootstrapServers: [\"{}\"]}}\n\
             - {{alias: b, platform: existing, bootstrapServers: [\"{}\"]}}\n\
             mirrors:\n- name: m\n  source: a\n  target: b\n  topicsPattern: \"t.*\"\n  \
             replicationPolicy: {{type: identity}}\n{mirror}",
            source_cluster.bootstrap_servers().replace(',', "\", \""),
            target_cluster.bootstrap_servers().replace(',', "\", \""),
        );
        let loaded = topology::parse("test.yaml", &yaml).unwrap();
        Self {
            source: connect(&source_cluster).await,
            target: connect(&target_cluster).await,
            source_cluster,
            target_cluster,
            mirror: loaded.topology.mirrors[0].clone(),
        }
    }

    /// An empty target instead of the one so far.
    pub(crate) async fn renew_target(&mut self) {
        self.target_cluster = EmbeddedCluster::start(ClusterOptions::default())
            .await
            .unwrap();
        self.target = connect(&self.target_cluster).await;
    }

    pub(crate) async fn create(&self, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
        self.create_replicated(topic, partitions, 1, configs).await;
    }

    pub(crate) async fn create_on_target(
        &self,
        topic: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) {
        create(&self.target, topic, partitions, 1, configs).await;
    }

    /// What is left on the source from an offset on.
    pub(crate) async fn on_source_from(&self, topic: &str, offset: i64) -> Content {
        content_from(&self.source, topic, offset).await
    }

    /// Waits until the target has at least so many records of a topic.
    pub(crate) async fn until_target_has(&self, topic: &str, records: u64) {
        self.until("records", async || {
            count(&self.on_target(topic).await) >= records
        })
        .await;
    }

    pub(crate) async fn until_target_ends_with(&self, topic: &str, last: &[Record]) {
        self.until("the last records", async || {
            self.on_target(topic).await[&0].ends_with(last)
        })
        .await;
    }

    pub(crate) async fn until_gaps(&self, gaps: usize) {
        self.until("gaps", async || {
            replicator::gaps("b", &self.target).await.unwrap().len() == gaps
        })
        .await;
    }

    pub(crate) async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
        while !is_so().await {
            assert!(
                tokio::time::Instant::now() < deadline,
                "no {what} within a minute"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn create_replicated(
        &self,
        topic: &str,
        partitions: i32,
        replication_factor: i16,
        configs: &[(&str, &str)],
    ) {
        create(&self.source, topic, partitions, replication_factor, configs).await;
    }

    /// `batches` of up to 50 records to every partition, in every codec, with null and empty keys
    /// and values and repeated headers. `from` numbers the records on from an earlier call.
    pub(crate) async fn produce(&self, topic: &str, partitions: i32, from: i64, batches: i64) {
        for partition in 0..partitions {
            for batch in from..from + batches {
                let count = 1 + (batch * 7) % 50;
                let records: Vec<Record> = (0..count)
                    .map(|i| sample(partition, batch * 100 + i))
                    .collect();
                let codec = CODECS[(batch as usize + partition as usize) % CODECS.len()];
                self.produce_batch(topic, partition, &record::encode(&records, codec).unwrap())
                    .await;
            }
        }
    }

    pub(crate) async fn produce_batch(&self, topic: &str, partition: i32, batch: &RawBatch) {
        let none = ProducerIdentity { id: -1, epoch: -1 };
        produce_to(&self.source, topic, partition, batch, none, -1).await;
    }

    /// Who wrote the first partition of a target topic, and the sequence that would come next.
    pub(crate) async fn producer_of(&self, topic: &str) -> (ProducerIdentity, i32) {
        let metadata = self.target.metadata_of(&[topic.to_owned()]).await.unwrap();
        let leader = metadata.leader(topic, 0).unwrap();
        let active = self
            .target
            .describe_producers(leader, topic, 0)
            .await
            .unwrap();
        (active[0].producer, active[0].last_sequence + 1)
    }

    /// One run with this rig's mirror.
    pub(crate) fn run(
        &self,
        options: Options,
        stop: CancellationToken,
    ) -> impl Future<Output = Result<Summary, replicator::RunError>> + use<> {
        self.run_shown(options, stop, Progress::new())
    }

    /// As [`Rig::run`], with figures to look at.
    pub(crate) fn run_shown(
        &self,
        options: Options,
        stop: CancellationToken,
        progress: Arc<Progress>,
    ) -> impl Future<Output = Result<Summary, replicator::RunError>> + use<> {
        let source = Source {
            alias: "a".to_owned(),
            cluster: self.source.clone(),
        };
        let (mirror, target) = (self.mirror.clone(), self.target.clone());
        async move {
            let run = replicator::run(&mirror, source, target, options, progress, stop);
            Box::pin(run).await
        }
    }

    pub(crate) async fn once(&self) -> Summary {
        let summary = self
            .run(Options::once(), CancellationToken::new())
            .await
            .unwrap();
        assert_eq!(summary.failures, []);
        summary
    }

    pub(crate) async fn on_source(&self, topic: &str) -> Content {
        content(&self.source, topic).await
    }

    pub(crate) async fn on_target(&self, topic: &str) -> Content {
        content(&self.target, topic).await
    }
}

/// One batch, by a producer of the test's choice.
pub(crate) async fn produce_to(
    cluster: &Cluster,
    topic: &str,
    partition: i32,
    batch: &RawBatch,
    producer: ProducerIdentity,
    sequence: i32,
) {
    let metadata = cluster.metadata_of(&[topic.to_owned()]).await.unwrap();
    let connection = cluster
        .open(metadata.leader(topic, partition).unwrap())
        .await
        .unwrap();
    let shipped = ProduceBatch {
        topic: topic.into(),
        partition,
        header: batch.stamped(producer, sequence),
        payload: batch.payload(),
    };
    let sent = kafka::produce::send(&connection, &[shipped], Duration::from_secs(5))
        .await
        .unwrap();
    for produced in sent.receive().await.unwrap() {
        produced.outcome.unwrap();
    }
}

/// Everything a reader of a topic sees, a partition: timestamps, keys, values, headers.
pub(crate) type Content = BTreeMap<i32, Vec<Record>>;

pub(crate) fn count(content: &Content) -> u64 {
    content.values().map(|records| records.len() as u64).sum()
}

/// Partitions of [`samples`] that have stopped.
pub(crate) const FAILED: &str =
    r#"mirrorctl_partitions{mirror="m",source="a",target="b",state="failed"}"#;

/// The samples of a metric, or of those series whose beginning is given, as a scrape has them.
pub(crate) fn samples(progress: &Arc<Progress>, of: &str) -> Vec<String> {
    let list = Watchlist::new();
    list.add(Watched {
        mirror: "m".to_owned(),
        source: "a".to_owned(),
        target: "b".to_owned(),
        lag_objective: None,
        progress: progress.clone(),
    });
    let text = Metrics::new(list, PartitionMetrics::On).open_metrics();
    let text = text.unwrap();
    let lines = text.lines().filter(|line| line.starts_with(of));
    lines
        .filter_map(|line| Some(line.rsplit_once(' ')?.1.to_owned()))
        .collect()
}

/// Records in the order of their first occurrence.
pub(crate) fn first_occurrences(content: &Content) -> Content {
    let distinct = |records: &Vec<Record>| {
        let mut seen = std::collections::HashSet::new();
        records
            .iter()
            .filter(|record| seen.insert(format!("{record:?}")))
            .cloned()
            .collect()
    };
    content
        .iter()
        .map(|(partition, records)| (*partition, distinct(records)))
        .collect()
}

/// A fixed moment shortly before the tests: older records would fall to retention.
pub(crate) fn recent() -> i64 {
    static START: std::sync::OnceLock<i64> = std::sync::OnceLock::new();
    *START.get_or_init(|| {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        now.as_millis() as i64 - 600_000
    })
}

fn sample(partition: i32, number: i64) -> Record {
    let text = |what: &str| Bytes::from(format!("{what}-{partition}-{number}"));
    let header = |name: &'static str, value| (Bytes::from_static(name.as_bytes()), value);
    Record {
        offset_delta: 0,
        timestamp: recent() + number,
        key: match number % 5 {
            0 => None,
            1 => Some(Bytes::new()),
            _ => Some(text("key")),
        },
        value: match number % 7 {
            0 => None,
            1 => Some(Bytes::new()),
            _ => Some(text("value")),
        },
        // The number makes every record distinct, whatever key and value are.
        headers: vec![
            header("n", Some(text("n"))),
            header("n", None),
            header("z", Some(Bytes::new())),
        ],
    }
}

async fn create(
    cluster: &Cluster,
    topic: &str,
    partitions: i32,
    replication_factor: i16,
    configs: &[(&str, &str)],
) {
    let new = NewTopic {
        name: topic.to_owned(),
        partitions: Some(partitions),
        replication_factor: Some(replication_factor),
        configs: configs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
    };
    for (name, outcome) in cluster.create_topics(&[new]).await.unwrap() {
        outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

async fn connect(cluster: &EmbeddedCluster) -> Cluster {
    let bootstrap = cluster.bootstrap_servers();
    let mut options = ClientOptions::new(bootstrap.split(','));
    // A dropped response must not make a test wait for half a minute.
    options.request_timeout = Duration::from_secs(2);
    Cluster::connect(options, Arc::new(Plaintext))
        .await
        .unwrap()
}

async fn content(cluster: &Cluster, topic: &str) -> Content {
    content_from(cluster, topic, 0).await
}

/// What a reader sees that begins at an offset, or at the log's start where that is later.
async fn content_from(cluster: &Cluster, topic: &str, first: i64) -> Content {
    let metadata = cluster.metadata_of(&[topic.to_owned()]).await.unwrap();
    let Some(found) = metadata.topics.get(topic) else {
        return Content::new();
    };
    let limits = FetchLimits {
        max_wait: Duration::from_millis(10),
        min_bytes: 1,
        max_bytes: 16 << 20,
        partition_max_bytes: 16 << 20,
    };
    let mut content = Content::new();
    for partition in &found.partitions {
        let connection = cluster
            .open(metadata.leader(topic, partition.index).unwrap())
            .await
            .unwrap();
        let into = content.entry(partition.index).or_default();
        let mut offset = first;
        loop {
            let from = FetchFrom {
                topic: topic.into(),
                topic_id: found.id,
                partition: partition.index,
                offset,
                leader_epoch: -1,
            };
            let fetched = kafka::fetch::send(&connection, limits, &[from])
                .await
                .unwrap();
            let mut fetched = fetched.receive().await.unwrap().remove(0);
            if let Some(error) = &fetched.error
                && error.name() == "OFFSET_OUT_OF_RANGE"
                && offset == first
            {
                let key = TopicPartition::new(topic, partition.index);
                let only = std::slice::from_ref(&key);
                let start = cluster.list_offsets(only, OffsetSpec::Earliest).await;
                let start = start.unwrap()[&key].as_ref().unwrap().offset;
                assert!(start > first, "{error}");
                offset = start;
                continue;
            }
            assert_eq!(fetched.error, None);
            if offset >= fetched.high_watermark {
                break;
            }
            while let Some(batch) = RawBatch::split_from(&mut fetched.records).unwrap() {
                batch.check_crc().unwrap();
                offset = batch.header.next_offset();
                for mut record in record::decode(&batch).unwrap() {
                    if batch.header.base_offset + i64::from(record.offset_delta) < first {
                        continue;
                    }
                    record.offset_delta = 0;
                    into.push(record);
                }
            }
        }
    }
    content
}
