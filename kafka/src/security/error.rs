use std::path::PathBuf;

/// Why a connection could not be secured, or is refused by the broker. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecurityError {
    /// A secret is not where it is said to be.
    #[error("{what}: {problem}")]
    Secret {
        /// What the secret is for, `sasl.password`.
        what: &'static str,
        /// Where it was looked for and what is wrong there.
        problem: String,
    },
    /// A file with certificates or a key cannot be used.
    #[error("{what} {}: {problem}", path.display())]
    File {
        /// What the file is for, `tls.caFile`.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The system gives no certificates to trust.
    #[error("no certificates to trust: {problem}")]
    NoRoots {
        /// What the system said.
        problem: String,
    },
    /// The key does not belong to the certificate, or cannot be used with it.
    #[error("the client certificate cannot be used: {problem}")]
    ClientCertificate {
        /// What is wrong.
        problem: String,
    },
    /// Not a name that a certificate can carry.
    #[error("`{name}` is neither a host name nor an IP address")]
    ServerName {
        /// The name.
        name: String,
    },
    /// Nobody that we trust vouches for the broker.
    #[error("the certificate of the broker is not trusted: {problem}")]
    Untrusted {
        /// What is wrong with it.
        problem: String,
    },
    /// The broker's certificate is out of date, or not valid yet.
    #[error("the certificate of the broker is out of date: {problem}")]
    OutOfDate {
        /// When it was or will be valid.
        problem: String,
    },
    /// The broker's certificate is for another host.
    #[error("the certificate of the broker is for {presented}, not for `{expected}`")]
    WrongName {
        /// Whom we connected to.
        expected: String,
        /// Whom the certificate is for.
        presented: String,
    },
    /// The broker refused our TLS, mostly the client certificate.
    #[error("the broker refused the TLS connection: {alert}")]
    RefusedByPeer {
        /// The TLS alert.
        alert: String,
    },
    /// What came back is not TLS.
    #[error("the listener does not speak TLS: {problem}")]
    NotTls {
        /// What came instead.
        problem: String,
    },
    /// A plain connection met a TLS listener.
    #[error("the listener speaks TLS, and this connection does not")]
    TlsExpected,
    /// The TLS handshake failed in another way.
    #[error("the TLS handshake failed: {problem}")]
    Handshake {
        /// What failed.
        problem: String,
    },
    /// The listener does not offer the mechanism.
    #[error("the listener does not offer SASL {ours}; it offers {theirs}")]
    Mechanism {
        /// What is configured.
        ours: &'static str,
        /// What the broker offers, joined by commas.
        theirs: String,
    },
    /// The listener does not ask for SASL at all.
    #[error("the listener does not authenticate with SASL")]
    SaslNotExpected,
    /// The broker refused who we are.
    #[error("authentication with SASL {mechanism} failed: {message}")]
    Credentials {
        /// The mechanism.
        mechanism: &'static str,
        /// The broker's words.
        message: String,
    },
    /// A name or password cannot be sent with this mechanism.
    #[error("{what} cannot be used with SASL {mechanism}: {problem}")]
    Unusable {
        /// What, `sasl.username`.
        what: &'static str,
        /// The mechanism.
        mechanism: &'static str,
        /// Why not.
        problem: &'static str,
    },
    /// The broker did not keep to the mechanism, or could not prove that it knows the password.
    #[error("SASL {mechanism}: {problem}")]
    Exchange {
        /// The mechanism.
        mechanism: &'static str,
        /// What is wrong with what it said.
        problem: String,
    },
    /// The token endpoint gave no token.
    #[error("no token from {endpoint}: {problem}")]
    Token {
        /// Its address.
        endpoint: String,
        /// What it said.
        problem: String,
    },
    /// There are no AWS keys, or they cannot be used.
    #[error("AWS credentials: {problem}")]
    AwsKeys {
        /// Where they were looked for.
        problem: String,
    },
}

impl SecurityError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Secret { .. } => {
                "set the environment variable, or put the secret into the file; it is read at each new connection"
            }
            Self::File { .. } => {
                "PEM files are expected; relative paths are relative to the topology file"
            }
            Self::NoRoots { .. } => {
                "install the system's certificates (ca-certificates), or give tls.caFile"
            }
            Self::ClientCertificate { .. } => {
                "tls.certFile holds the certificate first, then its chain; tls.keyFile its key, unencrypted"
            }
            Self::ServerName { .. } => {
                "write the name in the brokers' certificates as tls.serverName"
            }
            Self::Untrusted { .. } => {
                "give the certificate authority of the brokers as tls.caFile; check who answers at this address"
            }
            Self::OutOfDate { .. } => {
                "the brokers need a new certificate; check the clock of this machine, too"
            }
            Self::WrongName { .. } => {
                "connect by a name in the certificate (bootstrapServers and the brokers' advertised.listeners), or give that name as tls.serverName"
            }
            Self::RefusedByPeer { .. } => {
                "the broker may ask for a client certificate that it trusts: tls.certFile and tls.keyFile"
            }
            Self::NotTls { .. } => {
                "it may be a plaintext listener: connect to the port of the TLS listener, or remove tls from the cluster"
            }
            Self::TlsExpected => {
                "add tls to the cluster: `tls: {}`, or `tls: {caFile: …}` for an authority of your own"
            }
            Self::Handshake { .. } => {
                "TLS 1.2 and 1.3 are spoken; check ssl.enabled.protocols and the ciphers of the broker"
            }
            Self::Mechanism { .. } => {
                "choose sasl.mechanism among those offered, or enable it on the listener"
            }
            Self::SaslNotExpected => {
                "connect to the port of a SASL listener, or remove sasl from the cluster"
            }
            Self::Credentials { .. } => {
                "check the name and the secret, and that the user exists on this cluster"
            }
            Self::Unusable { .. } => "use printable characters",
            Self::Exchange { .. } => {
                "the peer may not be the broker it claims to be: nothing was sent after this"
            }
            Self::Token { .. } => {
                "check sasl.oauth: tokenEndpoint, clientId, clientSecret and scope"
            }
            Self::AwsKeys { .. } => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), name a profile of the shared credentials file, or give the machine or container a role"
            }
        }
    }

    /// As the error of a stream; [`SecurityError::of_io`] takes it out again.
    pub(crate) fn into_io(self) -> std::io::Error {
        std::io::Error::other(self)
    }

    /// What security has to do with the end of a stream, if anything.
    pub(crate) fn of_io(error: &std::io::Error) -> Option<Self> {
        let inner = error.get_ref()?;
        if let Some(own) = inner.downcast_ref::<Self>() {
            return Some(own.clone());
        }
        inner
            .downcast_ref::<rustls::Error>()
            .map(super::tls::explain)
    }
}
