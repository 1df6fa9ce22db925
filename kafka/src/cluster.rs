use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, TopicName};
use kafka_protocol::protocol::{Request, StrBytes};
use tokio::sync::Mutex;

use crate::connection::Connection;
use crate::error::{BrokerError, Error};
use crate::gate::{Gate, GatedTransport};
use crate::metadata::{BrokerNode, ClusterMetadata, TopicMetadata};
use crate::retry::RetryClass;
use crate::shared_connections::SharedConnections;
use crate::transport::Transport;

/// How to reach a cluster.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// `host:port` addresses, any of which introduces the whole cluster.
    pub bootstrap: Vec<String>,
    /// Shown in the brokers' request logs and quotas.
    pub client_id: String,
    /// Limit for one connection to come up, handshake included.
    pub connect_timeout: Duration,
    /// Limit for one request.
    pub request_timeout: Duration,
}

impl ClientOptions {
    /// Five seconds to connect, thirty for a request.
    pub fn new(bootstrap: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            bootstrap: bootstrap.into_iter().map(Into::into).collect(),
            client_id: "mirrorctl".to_owned(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
        }
    }
}

/// A Kafka cluster: its metadata, and connections to its brokers. Clones share everything.
#[derive(Debug, Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: ClientOptions,
    transport: Arc<dyn Transport>,
    cluster_id: String,
    /// Brokers as last seen, for when the bootstrap addresses are gone but the cluster is not.
    known: Mutex<BTreeMap<i32, BrokerNode>>,
    /// Connections for metadata and admin calls; the data path opens its own.
    shared: SharedConnections,
}

impl Cluster {
    /// Connects to the bootstrap addresses, all at once, and takes the first that answers.
    ///
    /// Fails with [`Error::Unreachable`], naming each address and its reason, after at most
    /// `connect_timeout` and one metadata request. Cancel safe.
    pub async fn connect(
        options: ClientOptions,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, Error> {
        let (connection, metadata) = bootstrap(&options, transport.as_ref()).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                options,
                transport,
                cluster_id: metadata.cluster_id,
                known: Mutex::new(metadata.brokers),
                shared: SharedConnections::of(connection),
            }),
        })
    }

    /// The same cluster, with connections of its own that write only while `gate` is open; whoever has one that is shut
    /// opens a new one later. The connections of `self` stay as they are.
    #[must_use]
    pub fn gated(&self, gate: Arc<dyn Gate>) -> Self {
        Self {
            inner: Arc::new(Inner {
                options: self.inner.options.clone(),
                transport: Arc::new(GatedTransport {
                    inner: self.inner.transport.clone(),
                    gate,
                }),
                cluster_id: self.inner.cluster_id.clone(),
                known: Mutex::default(),
                shared: SharedConnections::default(),
            }),
        }
    }

    /// The same cluster as this one broker has it: what any broker can answer is asked of it, over connections of their own,
    /// until it closes them. Fails as [`connect`](Self::connect) does, and where another cluster answers. Cancel safe.
    pub async fn at(&self, node: &BrokerNode) -> Result<Self, Error> {
        let mut options = self.inner.options.clone();
        options.bootstrap = vec![format!("{}:{}", node.host, node.port)];
        let at = Box::pin(Self::connect(options, self.inner.transport.clone())).await?;
        self.same_cluster(&at.inner.options.bootstrap[0], &at.inner.cluster_id)?;
        Ok(at)
    }

    /// The cluster id that the cluster had when we connected.
    pub fn cluster_id(&self) -> &str {
        &self.inner.cluster_id
    }

    /// The bootstrap addresses this client was made with.
    pub fn bootstrap(&self) -> &[String] {
        &self.inner.options.bootstrap
    }

    /// Everything: brokers and all topics.
    pub async fn metadata(&self) -> Result<ClusterMetadata, Error> {
        self.fetch_metadata(None).await
    }

    /// Metadata of the named topics alone; those that do not exist are in
    /// [`ClusterMetadata::failed`]. Never creates a topic.
    pub async fn metadata_of(&self, topics: &[String]) -> Result<ClusterMetadata, Error> {
        self.fetch_metadata(Some(topics)).await
    }

    /// One answer a topic, existing or not.
    pub async fn topic_metadata(
        &self,
        topics: &[String],
    ) -> Result<BTreeMap<String, Result<TopicMetadata, BrokerError>>, Error> {
        let metadata = self.metadata_of(topics).await?;
        let found = metadata
            .topics
            .into_iter()
            .map(|(name, topic)| (name, Ok(topic)));
        let failed = metadata
            .failed
            .into_iter()
            .map(|(name, error)| (name, Err(error)));
        Ok(found.chain(failed).collect())
    }

    async fn fetch_metadata(&self, topics: Option<&[String]>) -> Result<ClusterMetadata, Error> {
        let request = metadata_request(topics);
        let response = self.call_any(&request).await?;
        let metadata = ClusterMetadata::from_response(response);
        self.inner.known.lock().await.clone_from(&metadata.brokers);
        Ok(metadata)
    }

    /// A request that any broker can answer, with retries over all of them while they fail.
    pub(crate) async fn call_any<R: Request + Sync>(
        &self,
        request: &R,
    ) -> Result<R::Response, Error> {
        let attempt = || async {
            let connection = self.any_connection().await?;
            connection.call(request).await
        };
        retried(attempt).await
    }

    /// A request that only this broker can answer, with retries while it fails.
    pub(crate) async fn call_broker<R: Request + Sync>(
        &self,
        broker: i32,
        request: &R,
    ) -> Result<R::Response, Error> {
        let attempt = || async {
            let brokers = self.metadata_of(&[]).await?.brokers;
            let node = brokers.get(&broker).ok_or_else(|| Error::Connect {
                address: format!("broker {broker}"),
                reason: "the cluster names no such broker that is up".to_owned(),
            })?;
            self.connection_to(node).await?.call(request).await
        };
        retried(attempt).await
    }

    /// A connection to any broker: one that is open, or a known broker, or bootstrap again.
    pub(crate) async fn any_connection(&self) -> Result<Connection, Error> {
        // connecting is rare and its future large
        let introduce = || Box::pin(self.introduced_again());
        self.inner.shared.any(introduce).await
    }

    async fn introduced_again(&self) -> Result<Connection, Error> {
        let mut options = self.inner.options.clone();
        let known = self.inner.known.lock().await.clone();
        options.bootstrap.extend(
            known
                .values()
                .map(|node| format!("{}:{}", node.host, node.port)),
        );
        options.bootstrap.sort();
        options.bootstrap.dedup();
        let (connection, metadata) = bootstrap(&options, self.inner.transport.as_ref()).await?;
        self.same_cluster(connection.address(), &metadata.cluster_id)?;
        Ok(connection)
    }

    fn same_cluster(&self, address: &str, found: &str) -> Result<(), Error> {
        let expected = &self.inner.cluster_id;
        if found == expected {
            return Ok(());
        }
        Err(Error::Connect {
            address: address.to_owned(),
            reason: format!("it is now cluster {found}, not {expected} as before"),
        })
    }

    /// The shared connection to one broker.
    pub(crate) async fn connection_to(&self, node: &BrokerNode) -> Result<Connection, Error> {
        let address = format!("{}:{}", node.host, node.port);
        self.inner
            .shared
            .to(address, || Box::pin(self.open(node)))
            .await
    }

    /// `connection` where it is still open, else a new one. Cancel safe.
    pub async fn reuse_or_open(
        &self,
        connection: Option<Connection>,
        node: &BrokerNode,
    ) -> Result<Connection, Error> {
        if let Some(open) = connection.filter(Connection::is_open) {
            return Ok(open);
        }
        self.open(node).await
    }

    /// A new connection to one broker, the caller's own. Cancel safe.
    pub async fn open(&self, node: &BrokerNode) -> Result<Connection, Error> {
        let options = &self.inner.options;
        Connection::open(
            self.inner.transport.as_ref(),
            &node.host,
            node.port,
            &options.client_id,
            options.connect_timeout,
            options.request_timeout,
        )
        .await
    }
}

/// Tries a metadata or admin call again while its error is one that may pass: about ten seconds of
/// pauses in all.
pub(crate) async fn retried<T, F>(attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let backoff = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(1))
        .with_max_times(12)
        .with_jitter();
    attempt
        .retry(backoff)
        .sleep(tokio::time::sleep)
        .when(|error: &Error| error.class() != RetryClass::Fatal)
        .await
}

fn metadata_request(topics: Option<&[String]>) -> MetadataRequest {
    let topics = topics.map(|names| {
        names
            .iter()
            .map(|name| {
                let name = TopicName(StrBytes::from_string(name.clone()));
                MetadataRequestTopic::default().with_name(Some(name))
            })
            .collect()
    });
    MetadataRequest::default()
        .with_topics(topics)
        .with_allow_auto_topic_creation(false)
}

/// Tries all addresses side by side; the first that gives metadata wins.
async fn bootstrap(
    options: &ClientOptions,
    transport: &dyn Transport,
) -> Result<(Connection, ClusterMetadata), Error> {
    let mut tries: FuturesUnordered<_> = options
        .bootstrap
        .iter()
        .map(|address| introduce(address, options, transport))
        .collect();
    let mut attempts = Vec::new();
    while let Some(result) = tries.next().await {
        match result {
            Ok(found) => return Ok(found),
            Err(error) => attempts.push(error),
        }
    }
    attempts.sort_by_key(ToString::to_string);
    // One address where security fails says more than others that are silent…
    if let Some(said) = attempts
        .iter()
        .find(|error| matches!(error, Error::Security { .. }))
    {
        return Err(said.clone());
    }
    // …and so does one that answers nonsense.
    if let [only] = &attempts[..]
        && only.class() == RetryClass::Fatal
    {
        return Err(only.clone());
    }
    let attempts = attempts
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    Err(Error::Unreachable {
        attempts: if attempts.is_empty() {
            "no addresses given".to_owned()
        } else {
            attempts
        },
    })
}

async fn introduce(
    address: &str,
    options: &ClientOptions,
    transport: &dyn Transport,
) -> Result<(Connection, ClusterMetadata), Error> {
    let (host, port) = split_address(address)?;
    let connection = Connection::open(
        transport,
        host,
        port,
        &options.client_id,
        options.connect_timeout,
        options.request_timeout,
    )
    .await?;
    // Brokers only: on a large cluster the topics are megabytes that nobody asked for yet.
    let request = metadata_request(Some(&[]));
    let response = connection
        .call_within(&request, options.connect_timeout)
        .await
        .map_err(|error| match error {
            Error::Closed { address, reason } if transport.sasl().is_none() => Error::Closed {
                address,
                reason: format!("{reason} at the first question (does the listener expect SASL?)"),
            },
            other => other,
        })?;
    let metadata = ClusterMetadata::from_response(response);
    Ok((connection, metadata))
}

/// `host:port`, with `[::1]:port` for IPv6.
fn split_address(address: &str) -> Result<(&str, u16), Error> {
    address
        .rsplit_once(':')
        .and_then(|(host, port)| {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Some((host, port.parse().ok()?)).filter(|(host, _)| !host.is_empty())
        })
        .ok_or_else(|| Error::Connect {
            address: address.to_owned(),
            reason: "the address is not of the form host:port".to_owned(),
        })
}
