//! One client's way into secured clusters: the files it needs, and the settings of both kinds of client.

use std::path::PathBuf;

use rdkafka::ClientConfig;

use super::settings::Security;
use super::way::Way;
use crate::{KafkaCluster, Result, Workspace};

/// A user, and how it comes in. Its files lie in the workspace that it was made for.
#[derive(Debug, Clone)]
pub struct Access {
    way: Way,
    user: String,
    secret: String,
    token_endpoint: String,
    ca_file: PathBuf,
    cert_file: PathBuf,
    key_file: PathBuf,
    secret_file: PathBuf,
}

impl Access {
    /// Writes the files into `workspace`, named after the user.
    pub fn new(security: &Security, workspace: &Workspace, way: Way, user: &str) -> Result<Self> {
        let identity = security.authority().issue(user, &[])?;
        let secret = security.secret(user);
        Ok(Self {
            way,
            user: user.to_owned(),
            token_endpoint: security.tokens().endpoint(),
            ca_file: workspace.write("ca.pem", security.authority().certificate())?,
            cert_file: workspace.write(&format!("{user}.pem"), identity.certificate)?,
            key_file: workspace.write(&format!("{user}.key"), identity.key)?,
            secret_file: workspace.write(&format!("{user}.secret"), format!("{secret}\n"))?,
            secret,
        })
    }

    /// Where the certificates are that this client trusts.
    pub fn ca_file(&self) -> &PathBuf {
        &self.ca_file
    }

    /// Where the password or client secret is.
    pub fn secret_file(&self) -> &PathBuf {
        &self.secret_file
    }

    /// The keys of a cluster in a topology, in braces, with secrets from files.
    pub fn cluster(&self, alias: &str, cluster: &KafkaCluster) -> Result<String> {
        let servers = cluster.servers(self.way)?;
        let servers: Vec<String> = servers.split(',').map(|it| format!("\"{it}\"")).collect();
        Ok(format!(
            "{{alias: {alias}, clusterId: {}, bootstrapServers: [{}]{}{}}}",
            cluster.cluster_id(),
            servers.join(", "),
            self.tls(),
            self.sasl()
        ))
    }

    fn tls(&self) -> String {
        let (ca, cert, key) = (
            self.ca_file.display(),
            self.cert_file.display(),
            self.key_file.display(),
        );
        match self.way {
            Way::MutualTls => {
                format!(", tls: {{caFile: {ca}, certFile: {cert}, keyFile: {key}}}")
            }
            way if way.has_tls() => format!(", tls: {{caFile: {ca}}}"),
            _ => String::new(),
        }
    }

    fn sasl(&self) -> String {
        let secret = self.secret_file.display();
        match self.way.mechanism() {
            None => String::new(),
            Some("OAUTHBEARER") => format!(
                ", sasl: {{mechanism: oauthbearer, oauth: {{tokenEndpoint: \"{}\", clientId: {}, \
                 clientSecret: {{file: {secret}}}}}}}",
                self.token_endpoint, self.user
            ),
            Some(mechanism) => format!(
                ", sasl: {{mechanism: {}, username: {}, password: {{file: {secret}}}}}",
                mechanism.to_lowercase(),
                self.user
            ),
        }
    }

    /// The same for librdkafka. It has no token source of its own here: OAUTHBEARER needs a context that brings one.
    pub fn client_config(&self, cluster: &KafkaCluster) -> Result<ClientConfig> {
        let path = |path: &PathBuf| path.display().to_string();
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", cluster.servers(self.way)?);
        config.set("security.protocol", self.way.listener().protocol());
        if self.way.has_tls() {
            config.set("ssl.ca.location", path(&self.ca_file));
        }
        if self.way == Way::MutualTls {
            config.set("ssl.certificate.location", path(&self.cert_file));
            config.set("ssl.key.location", path(&self.key_file));
        }
        if let Some(mechanism) = self.way.mechanism() {
            config.set("sasl.mechanisms", mechanism);
            if mechanism != "OAUTHBEARER" {
                config.set("sasl.username", &self.user);
                config.set("sasl.password", &self.secret);
            }
        }
        Ok(config)
    }
}
