//! Where the cases run.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};

use broker::{ClusterOptions, EmbeddedCluster};
use e2e::{ClusterSpec, KafkaCluster};

use crate::support::raw::Raw;

static NEXT_TOPIC: AtomicU32 = AtomicU32::new(0);

/// A cluster to run a case on.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) bootstrap: String,
}

impl Environment {
    pub(crate) fn of(cluster: &EmbeddedCluster) -> Self {
        Self {
            bootstrap: cluster.bootstrap_servers(),
        }
    }

    pub(crate) async fn raw(&self) -> Raw {
        Raw::connect(&self.bootstrap).await
    }

    /// A connection and a new topic of one partition.
    pub(crate) async fn with_topic(&self, configs: &[(&str, &str)]) -> (Raw, String) {
        let mut raw = self.raw().await;
        let topic = fresh_name();
        raw.create_topic(&topic, 1, configs).await;
        (raw, topic)
    }
}

/// A topic name nobody else uses.
pub(crate) fn fresh_name() -> String {
    format!("case-{}", NEXT_TOPIC.fetch_add(1, Ordering::Relaxed))
}

pub(crate) async fn embedded() -> EmbeddedCluster {
    EmbeddedCluster::start(ClusterOptions::default())
        .await
        .unwrap()
}

type Case = fn(Environment) -> Pin<Box<dyn Future<Output = ()>>>;

/// Runs every case on one real broker and fails with the names of all that failed.
pub(crate) fn on_real_kafka(cases: &[(&str, Case)]) {
    let kafka = KafkaCluster::start(&ClusterSpec::single()).unwrap();
    let environment = Environment {
        bootstrap: kafka.bootstrap_servers(),
    };
    let mut failed = Vec::new();
    for (name, case) in cases {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let run = AssertUnwindSafe(|| runtime.block_on(case(environment.clone())));
        if std::panic::catch_unwind(run).is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "real Kafka differs in: {failed:?}");
}
