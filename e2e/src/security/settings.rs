//! What makes a cluster a secured one.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::authority::Authority;
use super::tokens::{AUDIENCE, ISSUER, TokenServer};
use super::way::{Listener, Way};
use crate::{Error, Result};

/// May do everything, by whichever way it comes in.
pub const ADMIN: &str = "admin";

/// The hosts that clients of test clusters connect to.
const HOSTS: [&str; 2] = ["127.0.0.1", "localhost"];

/// Certificates, users and tokens of secured clusters. Clusters that share one value share them all.
///
/// A secured cluster has every [`Way`] in, beside its plain listener. Access control is on: [`ADMIN`] and whoever
/// comes in by the plain listener or anonymously over TLS may do everything, everybody else nothing without an ACL.
#[derive(Debug, Clone)]
pub struct Security {
    authority: Arc<Authority>,
    tokens: Arc<TokenServer>,
    users: Vec<String>,
}

impl Security {
    /// A new authority and token server, with these users and [`ADMIN`].
    pub fn new(users: &[&str]) -> Result<Self> {
        let authority = Authority::new("e2e authority")?;
        let users: Vec<String> = std::iter::once(ADMIN)
            .chain(users.iter().copied())
            .map(str::to_owned)
            .collect();
        let logins = users.iter().map(|user| (user.clone(), secret_of(user)));
        let identity = authority.issue("e2e tokens", &HOSTS)?;
        let tokens = TokenServer::start(&identity, logins.collect())?;
        Ok(Self {
            authority: Arc::new(authority),
            tokens: Arc::new(tokens),
            users,
        })
    }

    /// Who has signed the certificates.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Who gives tokens.
    pub fn tokens(&self) -> &TokenServer {
        &self.tokens
    }

    /// The password of a user, and its client secret: one of its own for each, found nowhere else.
    pub fn secret(&self, user: &str) -> String {
        secret_of(user)
    }

    /// Arguments of the format tool that make the users known to SCRAM.
    pub(crate) fn format_arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        for user in &self.users {
            for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
                arguments.push("--add-scram".to_owned());
                arguments.push(format!(
                    "{mechanism}=[name={user},password={}]",
                    secret_of(user)
                ));
            }
        }
        arguments
    }

    /// JVM options of a secured broker.
    pub(crate) fn java_options(directory: &Path) -> Vec<String> {
        vec![format!(
            "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://{}/jwks.json",
            directory.display()
        )]
    }

    /// Writes what a broker reads into its directory.
    pub(crate) fn write_broker_files(&self, directory: &Path) -> Result<()> {
        write_certificates(&self.authority, directory)?;
        let path = directory.join("jwks.json");
        std::fs::write(&path, self.tokens.key_set()).map_err(Error::file("writing", &path))
    }

    /// Settings of a broker on top of those of a plain one.
    pub(crate) fn properties(&self, directory: &Path) -> Vec<(String, String)> {
        let mut properties = vec![
            (
                "authorizer.class.name".to_owned(),
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
            ),
            (
                "super.users".to_owned(),
                format!("User:ANONYMOUS;User:{ADMIN};User:CN={ADMIN}"),
            ),
        ];
        for listener in Listener::ALL {
            let prefix = format!("listener.name.{}", listener.name().to_lowercase());
            let mut set = |key: &str, value: String| {
                properties.push((format!("{prefix}.{key}"), value));
            };
            let file = |name: &str| directory.join(name).display().to_string();
            if listener.protocol().ends_with("SSL") {
                set("ssl.keystore.type", "PEM".to_owned());
                set("ssl.keystore.location", file("server.pem"));
                set("ssl.truststore.type", "PEM".to_owned());
                set("ssl.truststore.location", file("ca.pem"));
            }
            match listener {
                Listener::Tls => set("ssl.client.auth", "none".to_owned()),
                Listener::Mutual => set("ssl.client.auth", "required".to_owned()),
                Listener::Clear => {
                    set("sasl.enabled.mechanisms", "SCRAM-SHA-512".to_owned());
                    set("scram-sha-512.sasl.jaas.config", SCRAM_MODULE.to_owned());
                }
                Listener::Login | Listener::Brief => {
                    set(
                        "sasl.enabled.mechanisms",
                        "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER".to_owned(),
                    );
                    set("plain.sasl.jaas.config", self.plain_module());
                    set("scram-sha-256.sasl.jaas.config", SCRAM_MODULE.to_owned());
                    set("scram-sha-512.sasl.jaas.config", SCRAM_MODULE.to_owned());
                    set("oauthbearer.sasl.jaas.config", TOKEN_MODULE.to_owned());
                    set(
                        "oauthbearer.sasl.server.callback.handler.class",
                        TOKEN_VALIDATOR.to_owned(),
                    );
                    set(
                        "oauthbearer.sasl.oauthbearer.jwks.endpoint.url",
                        format!("file://{}", file("jwks.json")),
                    );
                    set(
                        "oauthbearer.sasl.oauthbearer.expected.audience",
                        AUDIENCE.to_owned(),
                    );
                    set(
                        "oauthbearer.sasl.oauthbearer.expected.issuer",
                        ISSUER.to_owned(),
                    );
                }
            }
            if listener == Listener::Brief {
                let session = Way::SESSION.as_millis().to_string();
                set("connections.max.reauth.ms", session);
            }
        }
        properties
    }

    fn plain_module(&self) -> String {
        let mut module =
            "org.apache.kafka.common.security.plain.PlainLoginModule required".to_owned();
        for user in &self.users {
            // writing to a String cannot fail
            let _ = write!(module, " user_{user}=\"{}\"", secret_of(user));
        }
        module.push(';');
        module
    }
}

const SCRAM_MODULE: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required;";
const TOKEN_MODULE: &str =
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;";
const TOKEN_VALIDATOR: &str =
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler";

fn secret_of(user: &str) -> String {
    format!("{user}-knows-7Qx9wVb2")
}

/// Writes a broker's certificate, by this authority, into its directory.
pub(crate) fn write_certificates(authority: &Authority, directory: &Path) -> Result<()> {
    let server = authority.issue("e2e broker", &HOSTS)?;
    let store = format!("{}{}", server.key, server.certificate);
    for (name, content) in [
        ("server.pem", store.as_str()),
        ("ca.pem", authority.certificate()),
    ] {
        let path = directory.join(name);
        std::fs::write(&path, content).map_err(Error::file("writing", &path))?;
    }
    Ok(())
}
