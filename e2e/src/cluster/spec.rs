//! What kind of cluster a test asks for.

use crate::security::Security;

/// Who runs the brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// JVM processes from the jars that `cargo xtask install` fetched.
    Jvm,
    /// Containers on the Docker engine that `DOCKER_HOST` (or the default socket) names.
    #[cfg(feature = "deep")]
    Container {
        /// The image's name, such as `apache/kafka`.
        image: String,
        /// Its tag.
        tag: String,
    },
}

#[cfg(feature = "deep")]
impl Provider {
    /// Containers of the image that `MIRRORCTL_KAFKA_IMAGE` names (`name:tag`), or of Kafka's public one.
    pub fn containers() -> Self {
        let named = std::env::var("MIRRORCTL_KAFKA_IMAGE").ok();
        let (image, tag) = named
            .as_deref()
            .and_then(|named| named.rsplit_once(':'))
            .unwrap_or(("apache/kafka", crate::KAFKA_VERSION));
        Self::Container {
            image: image.to_owned(),
            tag: tag.to_owned(),
        }
    }
}

/// A cluster to start.
#[derive(Debug, Clone)]
pub struct ClusterSpec {
    /// How many brokers; each is a controller as well.
    pub brokers: u16,
    /// Broker settings on top of those that a test cluster needs; the same key wins over them.
    pub properties: Vec<(String, String)>,
    /// Plain listeners beside the usual one: name, port that is listened on, port that clients are told.
    pub listeners: Vec<(String, u16, u16)>,
    /// Heap of each broker, in MiB.
    pub heap_megabytes: u32,
    /// Who runs the brokers.
    pub provider: Provider,
    /// The port that a single broker tells its clients, where it is not its own: a link in front of it.
    pub advertised_port: Option<u16>,
    /// The size of a disk for each broker's data alone, in MiB; JVM processes only, and root's.
    pub disk_megabytes: Option<u32>,
    /// What is in the brokers' environment, besides; JVM processes only.
    pub environment: Vec<(String, String)>,
    /// Secured listeners and access control, beside the plain listener; JVM processes only.
    pub security: Option<Security>,
}

impl ClusterSpec {
    /// One broker as a JVM process.
    pub fn single() -> Self {
        Self {
            brokers: 1,
            properties: Vec::new(),
            listeners: Vec::new(),
            heap_megabytes: 512,
            provider: Provider::Jvm,
            advertised_port: None,
            disk_megabytes: None,
            environment: Vec::new(),
            security: None,
        }
    }

    /// Three brokers as JVM processes.
    pub fn three() -> Self {
        Self {
            brokers: 3,
            heap_megabytes: 384,
            ..Self::single()
        }
    }

    /// The same, one broker, with one more plain listener: on `port` of 127.0.0.1, and whoever comes in by it is told to
    /// use `advertised`, where something in between forwards to `port`.
    #[must_use]
    pub fn with_listener(mut self, name: &str, port: u16, advertised: u16) -> Self {
        self.listeners.push((name.to_owned(), port, advertised));
        self
    }

    /// The same with secured listeners and access control.
    #[must_use]
    pub fn secured(mut self, security: &Security) -> Self {
        self.security = Some(security.clone());
        self
    }

    /// The same with one more broker setting.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.properties.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The same, with a disk of so many MiB for each broker's data alone, which [`crate::KafkaCluster::fill_disk`] fills. Only
    /// root may ask for it.
    #[must_use]
    pub fn with_disks(mut self, megabytes: u32) -> Self {
        self.disk_megabytes = Some(megabytes);
        self
    }

    /// The same, with this in the environment of every broker.
    #[must_use]
    pub fn with_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// One broker that sends its clients to `port`, where a [`crate::DelayedLink`] listens. Whoever connects to
    /// `bootstrap_servers()` is sent on to the link as well.
    pub fn behind(port: u16) -> Self {
        Self {
            advertised_port: Some(port),
            ..Self::single()
        }
    }
}
