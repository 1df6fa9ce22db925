//! The ways into a secured cluster.

/// How a client is encrypted and authenticated. Each has a listener, some share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// TLS; the client stays anonymous.
    Tls,
    /// TLS with a client certificate.
    MutualTls,
    /// SASL PLAIN over TLS.
    Plain,
    /// SCRAM-SHA-256 over TLS.
    ScramSha256,
    /// SCRAM-SHA-512 over TLS.
    ScramSha512,
    /// OAUTHBEARER over TLS, with tokens from the security's token server.
    Oauthbearer,
    /// SCRAM-SHA-512 without TLS.
    ScramInClear,
    /// SCRAM-SHA-512 over TLS, where sessions end every [`Way::SESSION`].
    ScramInBriefSessions,
    /// OAUTHBEARER over TLS, where sessions end every [`Way::SESSION`].
    OauthbearerInBriefSessions,
}

/// A listener of a secured broker, beside the plain ones that tests and brokers use themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listener {
    Tls,
    Mutual,
    Login,
    Clear,
    Brief,
}

impl Way {
    /// How long a session lasts where sessions are brief (`connections.max.reauth.ms`, KIP-368).
    pub const SESSION: std::time::Duration = std::time::Duration::from_secs(3);

    pub(crate) fn listener(self) -> Listener {
        match self {
            Self::Tls => Listener::Tls,
            Self::MutualTls => Listener::Mutual,
            Self::Plain | Self::ScramSha256 | Self::ScramSha512 | Self::Oauthbearer => {
                Listener::Login
            }
            Self::ScramInClear => Listener::Clear,
            Self::ScramInBriefSessions | Self::OauthbearerInBriefSessions => Listener::Brief,
        }
    }

    /// The SASL mechanism, as the protocol names it.
    pub(crate) fn mechanism(self) -> Option<&'static str> {
        match self {
            Self::Tls | Self::MutualTls => None,
            Self::Plain => Some("PLAIN"),
            Self::ScramSha256 => Some("SCRAM-SHA-256"),
            Self::ScramSha512 | Self::ScramInClear | Self::ScramInBriefSessions => {
                Some("SCRAM-SHA-512")
            }
            Self::Oauthbearer | Self::OauthbearerInBriefSessions => Some("OAUTHBEARER"),
        }
    }

    pub(crate) fn has_tls(self) -> bool {
        self.listener().protocol().ends_with("SSL")
    }
}

impl Listener {
    pub(crate) const ALL: [Self; 5] = [
        Self::Tls,
        Self::Mutual,
        Self::Login,
        Self::Clear,
        Self::Brief,
    ];

    /// Its name among the broker's settings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::Mutual => "MUTUAL",
            Self::Login => "LOGIN",
            Self::Clear => "CLEAR",
            Self::Brief => "BRIEF",
        }
    }

    /// What Kafka calls a security protocol.
    pub(crate) fn protocol(self) -> &'static str {
        match self {
            Self::Tls | Self::Mutual => "SSL",
            Self::Login | Self::Brief => "SASL_SSL",
            Self::Clear => "SASL_PLAINTEXT",
        }
    }
}
