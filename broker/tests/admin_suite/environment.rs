//! Where the cases run.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use broker::{ClusterOptions, EmbeddedCluster};
use e2e::{ClusterSpec, KafkaCluster, Security, Way};
use futures::future::join_all;
use kafka::{ClientOptions, Cluster, Plaintext};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};

static NEXT_NAME: AtomicU32 = AtomicU32::new(0);

const AUTHORIZER: (&str, &str) = (
    "authorizer.class.name",
    "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
);

/// A cluster of three brokers with an authorizer, to run a case on.
pub(crate) struct Environment {
    pub(crate) client: Cluster,
    pub(crate) bootstrap: String,
    pub(crate) embedded: Option<Arc<EmbeddedCluster>>,
    /// Where real brokers ask for SCRAM-SHA-512; the embedded ones ask for nothing.
    pub(crate) secured: Option<String>,
}

impl Environment {
    pub(crate) async fn of(cluster: &Arc<EmbeddedCluster>) -> Self {
        Self {
            embedded: Some(Arc::clone(cluster)),
            ..Self::at(&cluster.bootstrap_servers()).await
        }
    }

    pub(crate) async fn at(bootstrap: &str) -> Self {
        let options = ClientOptions::new(bootstrap.split(','));
        let client = Cluster::connect(options, Arc::new(Plaintext)).await;
        Self {
            client: client.unwrap(),
            bootstrap: bootstrap.to_owned(),
            embedded: None,
            secured: None,
        }
    }

    /// Has reassignments stay under way where there is nothing to copy that throttles could slow down.
    pub(crate) fn hold_reassignments(&self) {
        if let Some(cluster) = &self.embedded {
            cluster.hold_reassignments();
        }
    }

    pub(crate) fn finish_reassignments(&self) {
        if let Some(cluster) = &self.embedded {
            cluster.finish_reassignments();
        }
    }
}

/// Writes records of this size to partition 0.
pub(crate) async fn write(env: &Environment, topic: &str, records: usize, size: usize) {
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", &env.bootstrap)
        .create()
        .unwrap();
    let payload = vec![b'x'; size];
    let sent = (0..records).map(|_| {
        let record = FutureRecord::<(), Vec<u8>>::to(topic).payload(&payload);
        producer.send(record.partition(0), Duration::from_secs(30))
    });
    for outcome in join_all(sent).await {
        outcome.unwrap();
    }
}

/// A name nobody else uses.
pub(crate) fn fresh_name() -> String {
    format!("case-{}", NEXT_NAME.fetch_add(1, Ordering::Relaxed))
}

pub(crate) async fn embedded() -> Arc<EmbeddedCluster> {
    let cluster = EmbeddedCluster::start(ClusterOptions {
        brokers: 3,
        defaults: [(AUTHORIZER.0.to_owned(), AUTHORIZER.1.to_owned())].into(),
        racks: ["a", "b", "c"].map(str::to_owned).into(),
        ..ClusterOptions::default()
    })
    .await;
    Arc::new(cluster.unwrap())
}

/// Asks until the answer is `wanted`: brokers of a real cluster learn what the controller did a moment later, and
/// there is no event to wait for. Patient, because Kafka's own tools take part, and a JVM starts slowly on a busy machine.
pub(crate) async fn eventually<T, F>(wanted: T, mut ask: impl FnMut() -> F)
where
    T: PartialEq + std::fmt::Debug,
    F: Future<Output = T>,
{
    let mut last = ask().await;
    for _ in 0..1_200 {
        if last == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        last = ask().await;
    }
    panic!("it never becomes\n{wanted:?}, it stays\n{last:?}");
}

type Case = fn(Environment) -> Pin<Box<dyn Future<Output = ()>>>;

/// Runs every case on one real cluster and fails with the names of all that failed.
pub(crate) fn on_real_kafka(cases: &[(&str, Case)]) {
    // a secured cluster has an authorizer, and a listener that asks for SCRAM
    let security = Security::new(&[]).unwrap();
    let spec = ClusterSpec::three()
        .secured(&security)
        .with("broker.rack", "rack-of-all");
    let kafka = KafkaCluster::start(&spec).unwrap();
    let secured = kafka.servers(Way::ScramInClear).unwrap();
    let mut failed = Vec::new();
    for (name, case) in cases {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let run = AssertUnwindSafe(|| {
            runtime.block_on(async {
                let environment = Environment {
                    secured: Some(secured.clone()),
                    ..Environment::at(&kafka.bootstrap_servers()).await
                };
                case(environment).await;
            });
        });
        if std::panic::catch_unwind(run).is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "real Kafka differs in: {failed:?}");
}
