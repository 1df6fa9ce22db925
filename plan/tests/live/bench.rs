//! A workbench: embedded clusters, clients to them, and a topology over both.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use broker::{ClusterOptions, EmbeddedCluster};
use kafka::{ClientOptions, Cluster, Plaintext};
use plan::{ApplyError, ApplyEvent, ApplyOptions, ApplySummary, Clients, Permissions, Plan};
use tokio_util::sync::CancellationToken;
use topology::{Allow, Platform, Profile, Topic, TopicGuard, Topology, Verify};

/// Clusters `left` (three brokers) and `right` (one broker).
pub(crate) struct Bench {
    pub(crate) left: EmbeddedCluster,
    pub(crate) right: EmbeddedCluster,
    pub(crate) clients: Clients,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let options = |brokers| ClusterOptions {
            brokers,
            ..ClusterOptions::default()
        };
        let left = EmbeddedCluster::start(options(3)).await.unwrap();
        let right = EmbeddedCluster::start(options(1)).await.unwrap();
        let clients = Clients::from([
            ("left".to_owned(), client(&left).await),
            ("right".to_owned(), client(&right).await),
        ]);
        Self {
            left,
            right,
            clients,
        }
    }

    /// Both clusters with these topics declared.
    pub(crate) fn topology(&self, topics: Vec<Topic>) -> Topology {
        let cluster = |alias: &str, live: &EmbeddedCluster| topology::Cluster {
            alias: alias.to_owned(),
            platform: Platform::Existing,
            bootstrap_servers: live
                .bootstrap_servers()
                .split(',')
                .map(str::to_owned)
                .collect(),
            cluster_id: Some(live.cluster_id().to_owned()),
            region: None,
            brokers: None,
            topics: TopicGuard::default(),
            allow: Allow::default(),
            tls: None,
            sasl: None,
            infrastructure: topology::Infrastructure::default(),
        };
        Topology {
            clusters: vec![cluster("left", &self.left), cluster("right", &self.right)],
            topics,
            users: Vec::new(),
            acls: Vec::new(),
            quotas: Vec::new(),
            mirrors: Vec::new(),
            verify: Verify {
                checks: Vec::new(),
                profile: Some(Profile::Ci),
            },
            pipelines: Vec::new(),
            name: None,
            render: None,
            declared: Vec::new(),
        }
    }

    pub(crate) async fn plan(&self, topics: Vec<Topic>) -> Plan {
        let topology = self.topology(topics);
        let observed = plan::observe(&topology, &self.clients).await.unwrap();
        plan::diff(&topology, &observed, &Permissions::none())
    }

    pub(crate) async fn apply(&self, plan: &Plan) -> Result<ApplySummary, ApplyError> {
        let one_by_one = ApplyOptions {
            concurrency: 1,
            ..ApplyOptions::default()
        };
        plan::apply_with(
            plan,
            &self.clients,
            &one_by_one,
            &|_: &ApplyEvent| {},
            &CancellationToken::new(),
        )
        .await
    }

    /// Names of a cluster's topics, without those that `apply` keeps for itself.
    pub(crate) fn topics(&self, alias: &str) -> Vec<String> {
        let cluster = if alias == "left" {
            &self.left
        } else {
            &self.right
        };
        let mut topics = cluster.topics();
        topics.retain(|topic| !topic.starts_with("mirrorctl-"));
        topics
    }

    /// Applies these declarations and makes sure that nothing is left to do.
    pub(crate) async fn settle(&self, topics: Vec<Topic>) {
        self.apply(&self.plan(topics.clone()).await).await.unwrap();
        let again = self.plan(topics).await;
        assert!(!again.has_changes(), "left to do: {again:#?}");
    }

    /// Creates a topic, as somebody else would.
    pub(crate) async fn create(&self, alias: &str, topic: &str, partitions: i32) {
        let new = kafka::NewTopic {
            name: topic.to_owned(),
            partitions: Some(partitions),
            replication_factor: Some(1),
            configs: BTreeMap::new(),
        };
        let created = self.clients[alias].create_topics(&[new]).await.unwrap();
        assert_eq!(created[topic], Ok(()));
    }

    /// Writes one record of now to partition 0 of a topic.
    pub(crate) async fn write(&self, alias: &str, topic: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        write_as_of(&self.clients[alias], topic, now).await;
    }

    /// Sets a key on a live topic, as somebody else would.
    pub(crate) async fn meddle(&self, alias: &str, topic: &str, key: &str, value: &str) {
        let change = kafka::ConfigChange::Set {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        self.clients[alias]
            .alter_topic_configs(topic, &[change])
            .await
            .unwrap();
    }

    /// The live value of a topic's configuration key.
    pub(crate) async fn config(&self, alias: &str, topic: &str, key: &str) -> Option<String> {
        let described = self.clients[alias]
            .describe_topic_configs(&[topic.to_owned()])
            .await;
        described
            .unwrap()
            .remove(topic)
            .unwrap()
            .unwrap()
            .remove(key)
            .unwrap()
            .value
    }
}

/// Writes one record to partition 0 of a topic with this `CreateTime`, given since 1970.
pub(crate) async fn write_as_of(cluster: &Cluster, topic: &str, time: Duration) {
    let record = kafka::record::Record {
        offset_delta: 0,
        timestamp: time.as_millis() as i64,
        key: None,
        value: None,
        headers: Vec::new(),
    };
    kafka::KeyedLog::new(cluster.clone(), topic)
        .append(&[record])
        .await
        .unwrap();
}

/// A client that does not wait long for lost answers.
pub(crate) async fn client(cluster: &EmbeddedCluster) -> Cluster {
    let bootstrap: Vec<String> = cluster
        .bootstrap_servers()
        .split(',')
        .map(str::to_owned)
        .collect();
    let mut options = ClientOptions::new(bootstrap);
    options.request_timeout = Duration::from_secs(2);
    Cluster::connect(options, Arc::new(Plaintext))
        .await
        .unwrap()
}

/// A declared topic on some clusters.
pub(crate) fn topic(
    name: &str,
    clusters: &[&str],
    partitions: Option<u32>,
    configs: &[(&str, &str)],
) -> Topic {
    Topic {
        name: name.to_owned(),
        clusters: clusters.iter().map(|alias| (*alias).to_owned()).collect(),
        partitions,
        replication_factor: None,
        placement: topology::Placement::Any,
        configs: configs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        prevent_destroy: false,
    }
}

/// Keeps the events of an apply as the lines that `--json` prints.
#[derive(Default)]
pub(crate) struct Lines(pub(crate) Mutex<Vec<serde_json::Value>>);

impl Lines {
    pub(crate) fn keep(&self, event: &ApplyEvent) {
        self.0
            .lock()
            .unwrap()
            .push(serde_json::to_value(event).unwrap());
    }

    /// Event names with their addresses.
    pub(crate) fn outline(&self) -> Vec<String> {
        let text = |line: &serde_json::Value, key: &str| {
            line[key].as_str().map(str::to_owned).unwrap_or_default()
        };
        self.0
            .lock()
            .unwrap()
            .iter()
            .map(|line| format!("{} {}", text(line, "event"), text(line, "address")))
            .map(|line| line.trim_end().to_owned())
            .collect()
    }
}
