//! How connections are encrypted and authenticated, in plain values: whoever reads a topology resolves its secrets
//! and paths first.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rdkafka::ClientConfig;

/// What librdkafka is told about one cluster. The default is a plain connection.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// Encryption.
    pub tls: Option<Tls>,
    /// Authentication.
    pub sasl: Option<Sasl>,
}

/// Encryption, always with a check of the brokers' certificates.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// PEM file of the certificates to trust; the system's when absent.
    pub ca_file: Option<PathBuf>,
    /// The client's own certificate.
    pub client: Option<ClientCertificate>,
    /// Which name a broker's certificate has to carry.
    pub name_check: NameCheck,
}

/// PEM files of a client certificate.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate and its chain.
    pub cert_file: PathBuf,
    /// Its unencrypted key.
    pub key_file: PathBuf,
}

/// What is checked of a broker's certificate besides who signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameCheck {
    /// The host that is connected to.
    #[default]
    Host,
    /// Nothing. librdkafka cannot check for another name than the host's; only sensible where the authority signs for
    /// nobody but the cluster.
    Nothing,
}

/// Authentication.
#[derive(Debug, Clone)]
pub enum Sasl {
    /// With a name and a password.
    Password {
        /// How the password is proven.
        mechanism: PasswordMechanism,
        /// Who logs in.
        username: String,
        /// Its password.
        password: Secret,
    },
    /// With tokens (RFC 7628).
    Bearer(Arc<dyn TokenSource>),
}

/// How a password is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordMechanism {
    /// It is sent.
    Plain,
    /// SCRAM with SHA-256.
    ScramSha256,
    /// SCRAM with SHA-512.
    ScramSha512,
}

/// A secret: never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// Gives tokens. Asked on a thread that may block, anew before a token expires.
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// A token, or why there is none, in words that hold no secret.
    fn token(&self) -> Result<Token, String>;
}

/// A token.
#[derive(Debug, Clone)]
pub struct Token {
    /// What is sent.
    pub value: Secret,
    /// Who it is for, as librdkafka wants to know; brokers read it from the token.
    pub principal: String,
    /// When it ends, in milliseconds since 1970 UTC.
    pub expires_at_ms: i64,
}

impl Security {
    pub(crate) fn token_source(&self) -> Option<&Arc<dyn TokenSource>> {
        match &self.sasl {
            Some(Sasl::Bearer(source)) => Some(source),
            Some(Sasl::Password { .. }) | None => None,
        }
    }

    /// Adds librdkafka's settings.
    pub(crate) fn configure(&self, config: &mut ClientConfig) {
        let protocol = match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        config.set("security.protocol", protocol);
        if let Some(tls) = &self.tls {
            tls.configure(config);
        }
        match &self.sasl {
            None => {}
            Some(Sasl::Bearer(_)) => {
                config.set("sasl.mechanisms", "OAUTHBEARER");
            }
            Some(Sasl::Password {
                mechanism,
                username,
                password,
            }) => {
                config.set("sasl.mechanisms", mechanism.name());
                config.set("sasl.username", username);
                config.set("sasl.password", password.reveal());
            }
        }
    }
}

impl Tls {
    fn configure(&self, config: &mut ClientConfig) {
        // OpenSSL is linked statically and knows no directory of this machine: librdkafka looks at the usual ones
        let authorities = self
            .ca_file
            .as_ref()
            .map_or("probe".into(), |file| file.to_string_lossy());
        config.set("ssl.ca.location", authorities);
        if let Some(client) = &self.client {
            config.set(
                "ssl.certificate.location",
                client.cert_file.to_string_lossy(),
            );
            config.set("ssl.key.location", client.key_file.to_string_lossy());
        }
        let algorithm = match self.name_check {
            NameCheck::Host => "https",
            NameCheck::Nothing => "none",
        };
        config.set("ssl.endpoint.identification.algorithm", algorithm);
        config.set("enable.ssl.certificate.verification", "true");
    }
}

impl PasswordMechanism {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(security: &Security) -> Vec<(&'static str, Option<String>)> {
        let mut config = ClientConfig::new();
        security.configure(&mut config);
        [
            "security.protocol",
            "ssl.ca.location",
            "ssl.endpoint.identification.algorithm",
            "sasl.mechanisms",
        ]
        .map(|key| (key, config.get(key).map(str::to_owned)))
        .to_vec()
    }

    fn login(mechanism: PasswordMechanism) -> Sasl {
        Sasl::Password {
            mechanism,
            username: "u".to_owned(),
            password: Secret::new("geheim"),
        }
    }

    #[test]
    fn settings_follow_what_is_declared() {
        let plain = settings(&Security::default());
        assert_eq!(plain[0].1.as_deref(), Some("plaintext"));
        let mut security = Security {
            tls: Some(Tls::default()),
            sasl: None,
        };
        let tls = settings(&security);
        let expected = ["ssl", "probe", "https"];
        for ((key, found), expected) in tls.iter().zip(expected) {
            assert_eq!(found.as_deref(), Some(expected), "{key}");
        }
        security.sasl = Some(login(PasswordMechanism::ScramSha512));
        let both = settings(&security);
        assert_eq!(both[0].1.as_deref(), Some("sasl_ssl"));
        assert_eq!(both[3].1.as_deref(), Some("SCRAM-SHA-512"));
        security.tls = None;
        assert_eq!(settings(&security)[0].1.as_deref(), Some("sasl_plaintext"));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let security = Security {
            tls: None,
            sasl: Some(login(PasswordMechanism::Plain)),
        };
        let shown = format!("{security:?} {security:#?}");
        assert!(!shown.contains("geheim"), "{shown}");
        assert!(shown.contains("***"), "{shown}");
    }
}
