//! Where a cluster of `HDInsight` (or HDP) is, as Ambari's REST API says.

use std::time::Duration;

use kafka::security::{SecretSource, SecurityError, web_config};
use render::ClusterAddresses;
use reqwest::header::ACCEPT;
use reqwest::{Client, Url, redirect};
use serde::Deserialize;

/// Hosts of each kind that are taken: enough to begin with.
const HOSTS: usize = 2;
const ZOOKEEPER_PORT: u16 = 2181;
const BROKER_PORT: u16 = 9092;
/// The whole answer, not a part of it.
const WITHIN: Duration = Duration::from_secs(30);

/// Why Ambari did not say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AmbariError {
    /// The address is not one that the password may be sent to.
    #[error("`{url}` is no address of Ambari: {problem}")]
    Address { url: String, problem: &'static str },
    /// The password could not be had, or the system's certificates.
    #[error(transparent)]
    Secret(#[from] SecurityError),
    /// No answer.
    #[error("Ambari at {url} does not answer: {problem}")]
    Unanswered { url: String, problem: String },
    /// An answer, but a refusal.
    #[error("Ambari at {url} answers {status}")]
    Refused { url: String, status: u16 },
    /// An answer that names no usable host.
    #[error("Ambari at {url} names no host of {component}: {problem}")]
    NoHosts {
        url: String,
        component: &'static str,
        problem: String,
    },
}

/// A cluster in Ambari.
pub(crate) struct Ambari {
    url: Url,
    http: Client,
    user: String,
    password: SecretSource,
}

#[derive(Deserialize)]
struct Component {
    host_components: Vec<HostComponent>,
}

#[derive(Deserialize)]
struct HostComponent {
    #[serde(rename = "HostRoles")]
    roles: HostRoles,
}

#[derive(Deserialize)]
struct HostRoles {
    host_name: String,
}

impl Ambari {
    /// The cluster at `https://HOST/api/v1/clusters/NAME`. Only a loopback address may be without TLS: the password is
    /// sent there.
    pub(crate) fn new(
        url: &str,
        user: String,
        password: SecretSource,
    ) -> Result<Self, AmbariError> {
        let wrong = |problem| AmbariError::Address {
            url: url.to_owned(),
            problem,
        };
        let parsed = Url::parse(url).map_err(|_| wrong("it is no URL"))?;
        let is_local = matches!(parsed.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        match parsed.scheme() {
            "https" => {}
            "http" if is_local => {}
            _ => return Err(wrong("it has to begin with https://")),
        }
        if !parsed.path().starts_with("/api/v1/clusters/") {
            return Err(wrong("it has to end with /api/v1/clusters/NAME"));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(wrong("the login belongs into the topology, under `access`"));
        }
        let http = Client::builder()
            .tls_backend_preconfigured(web_config(None)?)
            // the password goes where it was meant to go, and nowhere else
            .redirect(redirect::Policy::none())
            .timeout(WITHIN)
            .build()
            .map_err(|error| AmbariError::Unanswered {
                url: url.to_owned(),
                problem: error.to_string(),
            })?;
        Ok(Self {
            url: parsed,
            http,
            user,
            password,
        })
    }

    /// Up to two hosts of each kind, in Ambari's order.
    ///
    /// Cancellation safe: it only reads.
    pub(crate) async fn addresses(&self) -> Result<ClusterAddresses, AmbariError> {
        Ok(ClusterAddresses {
            zookeeper: self
                .hosts("ZOOKEEPER", "ZOOKEEPER_SERVER", ZOOKEEPER_PORT)
                .await?,
            brokers: self.hosts("KAFKA", "KAFKA_BROKER", BROKER_PORT).await?,
        })
    }

    async fn hosts(
        &self,
        service: &str,
        component: &'static str,
        port: u16,
    ) -> Result<Vec<String>, AmbariError> {
        let base = self.url.as_str().trim_end_matches('/');
        let url = format!("{base}/services/{service}/components/{component}");
        let unanswered = |error: reqwest::Error| AmbariError::Unanswered {
            url: url.clone(),
            problem: error.without_url().to_string(),
        };
        let password = self.password.read("the password of Ambari")?;
        let answer = self
            .http
            .get(&url)
            .basic_auth(&self.user, Some(password.reveal()))
            .header(ACCEPT, "application/json")
            .send()
            .await
            .map_err(unanswered)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(AmbariError::Refused {
                url,
                status: status.as_u16(),
            });
        }
        let text = answer.text().await.map_err(unanswered)?;
        let no_hosts = |problem: String| AmbariError::NoHosts {
            url: url.clone(),
            component,
            problem,
        };
        let found: Component =
            serde_json::from_str(&text).map_err(|error| no_hosts(error.to_string()))?;
        let names: Vec<String> = found
            .host_components
            .into_iter()
            .take(HOSTS)
            .map(|it| it.roles.host_name)
            .collect();
        if names.is_empty() {
            return Err(no_hosts("the list is empty".to_owned()));
        }
        if let Some(wrong) = names.iter().find(|name| !is_host(name)) {
            return Err(no_hosts(format!("{wrong:?} is no host name")));
        }
        Ok(names
            .into_iter()
            .map(|name| format!("{name}:{port}"))
            .collect())
    }
}

fn is_host(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}
