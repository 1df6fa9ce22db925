//! Where a cluster is, and the librdkafka settings to read and write it with bounded memory.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

use crate::Error;
use crate::context::Context;
use crate::security::Security;

/// A cluster as librdkafka sees it.
#[derive(Debug, Clone, Default)]
pub struct Endpoint {
    /// `host:port`, several separated by commas.
    pub bootstrap: String,
    /// librdkafka properties on top of ours: timeouts, queue sizes. No secrets: they would be shown.
    pub properties: BTreeMap<String, String>,
    /// Encryption and authentication.
    pub security: Security,
}

impl Endpoint {
    /// A plaintext endpoint.
    pub fn new(bootstrap: impl Into<String>) -> Self {
        Self {
            bootstrap: bootstrap.into(),
            properties: BTreeMap::new(),
            security: Security::default(),
        }
    }

    /// The same with encryption and authentication.
    #[must_use]
    pub fn secured(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// The same, read with what is not committed.
    pub(crate) fn uncommitted(&self) -> Self {
        let mut endpoint = self.clone();
        let isolation = ("isolation.level".to_owned(), "read_uncommitted".to_owned());
        endpoint.properties.extend([isolation]);
        endpoint
    }

    /// What one client of this endpoint is asked and told through.
    pub(crate) fn context(&self) -> Context {
        Context::new(self.security.token_source().cloned())
    }

    /// A consumer that reads what a read-committed consumer reads, checks CRCs and never commits.
    /// `queued_kib` bounds what librdkafka holds ahead of the reader.
    pub(crate) fn consumer(&self, queued_kib: u32) -> ClientConfig {
        let queued = queued_kib.to_string();
        self.config(&[
            // librdkafka's assign() wants a group id, and looks up the coordinator of it; nothing
            // is ever joined or committed under it
            ("group.id", "mirrorctl-conformance"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("enable.partition.eof", "true"),
            ("auto.offset.reset", "error"),
            ("allow.auto.create.topics", "false"),
            ("isolation.level", "read_committed"),
            ("check.crcs", "true"),
            ("queued.max.messages.kbytes", &queued),
            ("queued.min.messages", "50000"),
            // the default of a second would leave the reader idle whenever the queue was full
            ("fetch.queue.backoff.ms", "20"),
            // a fetch for the partition before holds up the first one for the next this long
            ("fetch.wait.max.ms", "10"),
            ("fetch.error.backoff.ms", "100"),
            ("fetch.message.max.bytes", "4194304"),
            ("fetch.max.bytes", "16777216"),
            ("receive.message.max.bytes", "134217728"),
        ])
    }

    /// An idempotent producer with one codec, so that the source keeps the order it was given.
    pub(crate) fn producer(&self, codec: &str, delivery_timeout_ms: u64) -> ClientConfig {
        let timeout = delivery_timeout_ms.to_string();
        self.config(&[
            ("enable.idempotence", "true"),
            ("compression.codec", codec),
            ("linger.ms", "5"),
            ("batch.size", "131072"),
            ("queue.buffering.max.kbytes", "32768"),
            ("queue.buffering.max.messages", "100000"),
            ("message.timeout.ms", &timeout),
            ("message.max.bytes", "16777216"),
        ])
    }

    /// A client for metadata and offsets as a read-committed reader sees them. Without a group id.
    pub(crate) fn asker(&self) -> ClientConfig {
        self.config(&[
            ("allow.auto.create.topics", "false"),
            ("isolation.level", "read_committed"),
        ])
    }

    /// A client for admin calls.
    pub(crate) fn client(&self) -> ClientConfig {
        self.config(&[])
    }

    pub(crate) fn failed(&self, operation: impl Into<String>) -> impl FnOnce(KafkaError) -> Error {
        let failed = self.failed_because(operation);
        move |source| failed(source, None)
    }

    /// With what the client complained about before it gave up.
    pub(crate) fn failed_because(
        &self,
        operation: impl Into<String>,
    ) -> impl FnOnce(KafkaError, Option<String>) -> Error {
        let (operation, bootstrap) = (operation.into(), self.bootstrap.clone());
        move |source, trouble| Error::Kafka {
            operation,
            bootstrap,
            source: Box::new(source),
            trouble,
        }
    }

    fn config(&self, ours: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        config.set("client.id", "mirrorctl-conformance");
        config.set("reconnect.backoff.max.ms", "1000");
        for (name, value) in ours {
            config.set(*name, *value);
        }
        self.security.configure(&mut config);
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        config
    }
}
