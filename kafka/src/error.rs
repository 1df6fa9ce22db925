use std::fmt;
use std::time::Duration;

use kafka_protocol::ResponseError;

use crate::retry::{self, RetryClass};
use crate::security::SecurityError;

/// What can go wrong between us and a broker.
///
/// Errors are `Clone` because one broken connection fails every request that waits on it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No bootstrap server answered; `attempts` holds one reason an address.
    #[error("no bootstrap server can be reached ({attempts})")]
    Unreachable {
        /// `host:port: reason`, joined by `; `.
        attempts: String,
    },
    /// The connection to one broker could not be made.
    #[error("cannot connect to {address}: {reason}")]
    Connect {
        /// `host:port`.
        address: String,
        /// What the operating system or the transport said.
        reason: String,
    },
    /// The connection could not be secured, or the broker refused who we are.
    #[error("{address}: {failure}")]
    Security {
        /// `host:port`.
        address: String,
        /// What failed.
        failure: SecurityError,
    },
    /// No answer within the request timeout.
    #[error("{api} to {address}: no answer within {} s", timeout.as_secs_f32())]
    Timeout {
        /// Name of the API.
        api: &'static str,
        /// `host:port`.
        address: String,
        /// The limit that was hit.
        timeout: Duration,
    },
    /// The connection went away while requests were waiting on it.
    #[error("connection to {address} closed: {reason}")]
    Closed {
        /// `host:port`.
        address: String,
        /// Who closed it and why, as far as known.
        reason: String,
    },
    /// The peer's bytes are not what the protocol says.
    #[error("{address} sent a malformed {what}: {detail}")]
    Malformed {
        /// `host:port`.
        address: String,
        /// Which message.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// No version of an API that both sides speak.
    #[error("{address} does not support {api} in a version we speak ({ours}); it offers {theirs}")]
    UnsupportedVersion {
        /// `host:port`.
        address: String,
        /// Name of the API.
        api: &'static str,
        /// Our range, `min..max`.
        ours: String,
        /// The broker's range, or `nothing`.
        theirs: String,
    },
    /// A partition has no leader, or the metadata does not name the broker.
    #[error("no leader is known for {topic}-{partition}")]
    NoLeader {
        /// Topic name.
        topic: String,
        /// Partition index.
        partition: i32,
    },
    /// The cluster keeps no ACLs at all (`SECURITY_DISABLED`): everybody may do everything.
    #[error("{api}: the cluster has no authorizer (`authorizer.class.name`), so it keeps no ACLs")]
    NoAuthorizer {
        /// Name of the API.
        api: &'static str,
    },
    /// The broker answered with an error code.
    #[error("{api}: {}", error.to(api))]
    Broker {
        /// What was asked, for example `CreateTopics pay.orders`.
        api: String,
        /// The code and message.
        error: BrokerError,
    },
}

impl Error {
    /// What the end of a stream to `address` means: a failure of security where that is what it tells, else `otherwise`.
    pub(crate) fn of_stream(
        address: &str,
        error: &std::io::Error,
        otherwise: impl FnOnce(&std::io::Error) -> Self,
    ) -> Self {
        match SecurityError::of_io(error) {
            Some(failure) => Self::Security {
                address: address.to_owned(),
                failure,
            },
            None => otherwise(error),
        }
    }

    /// What a caller may do about it.
    pub fn class(&self) -> RetryClass {
        match self {
            Self::Unreachable { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Closed { .. }
            // passwords, tokens and certificates are rotated: what is wrong now may be right soon
            | Self::Security { .. } => RetryClass::Reconnect,
            Self::NoLeader { .. } => RetryClass::StaleMetadata,
            Self::Malformed { .. }
            | Self::UnsupportedVersion { .. }
            | Self::NoAuthorizer { .. } => RetryClass::Fatal,
            Self::Broker { error, .. } => error.class(),
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Security { failure, .. } => Some(failure.hint()),
            Self::NoAuthorizer { .. } => {
                Some("configure an authorizer on the brokers, or leave the ACLs out")
            }
            Self::Unreachable { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Closed { .. }
            | Self::Malformed { .. }
            | Self::UnsupportedVersion { .. }
            | Self::NoLeader { .. }
            | Self::Broker { .. } => None,
        }
    }

    pub(crate) fn broker(api: impl Into<String>, error: BrokerError) -> Self {
        Self::Broker {
            api: api.into(),
            error,
        }
    }
}

/// A non-zero error code of the Kafka protocol, with the broker's own words where it sent some.
///
/// Codes: <https://kafka.apache.org/protocol#protocol_error_codes>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerError {
    /// The code on the wire.
    pub code: i16,
    /// The broker's message.
    pub message: Option<String>,
}

impl BrokerError {
    /// `None` where `code` is 0.
    pub fn from_code(code: i16, message: Option<&str>) -> Option<Self> {
        (code != 0).then(|| Self {
            code,
            message: message.map(str::to_owned),
        })
    }

    /// The outcome that a code and its message stand for.
    pub(crate) fn outcome(code: i16, message: Option<&str>) -> Result<(), Self> {
        Self::from_code(code, message).map_or(Ok(()), Err)
    }

    /// What a caller may do about it.
    pub fn class(&self) -> RetryClass {
        retry::class_of_code(self.code)
    }

    /// True where the code is this error.
    pub fn is(&self, error: ResponseError) -> bool {
        self.code == error.code()
    }

    /// The protocol's name, `NOT_LEADER_OR_FOLLOWER`.
    pub fn name(&self) -> String {
        match ResponseError::try_from_code(self.code) {
            None => "NONE".to_owned(),
            Some(ResponseError::Unknown(code)) => format!("UNKNOWN_CODE_{code}"),
            Some(known) => screaming_snake(&format!("{known:?}")),
        }
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.code)?;
        match &self.message {
            Some(message) if !message.is_empty() => write!(f, ": {message}"),
            Some(_) | None => Ok(()),
        }
    }
}

impl std::error::Error for BrokerError {}

fn screaming_snake(camel: &str) -> String {
    let mut out = String::with_capacity(camel.len() + 8);
    for (i, c) in camel.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_prints_with_its_protocol_name() {
        let error = BrokerError::from_code(36, Some("Topic 'a' already exists.")).expect("code");
        assert_eq!(
            error.to_string(),
            "TOPIC_ALREADY_EXISTS (36): Topic 'a' already exists."
        );
        assert_eq!(BrokerError::from_code(0, None), None);
        let unknown = BrokerError {
            code: 4242,
            message: None,
        };
        assert_eq!(unknown.to_string(), "UNKNOWN_CODE_4242 (4242)");
    }
}
