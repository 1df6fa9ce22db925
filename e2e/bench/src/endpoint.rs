//! How a cluster is reached.

use std::path::PathBuf;

use rdkafka::ClientConfig;

/// Addresses, and whom to trust where they speak TLS.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// `host:port`, as engines are given it.
    pub(crate) servers: String,
    /// The certificate of the authority, where the listener speaks TLS.
    pub(crate) ca_file: Option<PathBuf>,
    /// The plain listener, nearby, from which the benchmark itself looks.
    pub(crate) near: String,
}

impl Endpoint {
    pub(crate) fn plain(servers: String) -> Self {
        Self {
            near: servers.clone(),
            servers,
            ca_file: None,
        }
    }

    /// For the benchmark's own clients.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.near)
            .set("log_level", "0");
        config
    }
}
