//! SASL in Kafka's own requests: `SaslHandshake` v1, then `SaslAuthenticate` (KIP-43, KIP-152), and the same again on the
//! live connection before the session that the broker granted ends (KIP-368).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::{Request, StrBytes};
use rand::Rng as _;

use super::error::SecurityError;
use super::sasl::{Conversation, Next, Sasl};
use crate::error::Error;
use crate::versions::ApiVersions;

/// No mechanism takes more turns.
const MAX_TURNS: usize = 4;

/// Somebody who asks the broker one thing after the other, with nothing in between.
pub(crate) trait Asks: Send {
    /// One request and its response.
    fn ask<R: Request + Sync>(
        &mut self,
        request: &R,
        version: i16,
    ) -> impl Future<Output = Result<R::Response, Error>> + Send;
}

/// Authenticates one connection, as often as needed.
#[derive(Debug, Clone)]
pub(crate) struct Authenticator {
    sasl: Arc<Sasl>,
    host: String,
    address: Arc<str>,
    versions: ApiVersions,
}

impl Authenticator {
    pub(crate) fn new(
        sasl: Arc<Sasl>,
        host: &str,
        address: Arc<str>,
        versions: ApiVersions,
    ) -> Self {
        Self {
            sasl,
            host: host.to_owned(),
            address,
            versions,
        }
    }

    /// Everything that takes no conversation with the broker: secrets and tokens. Cancel safe.
    pub(crate) async fn begin(&self) -> Result<Conversation, Error> {
        let begun = self.sasl.begin(&self.host).await;
        begun.map_err(|failure| self.failed(failure))
    }

    /// A conversation shortly before a session of this length ends, at a random time so that many connections do not
    /// come at once. While there is no token or secret it is tried again; the broker ends the session meanwhile, and
    /// the connection with it.
    pub(crate) async fn begin_again(&self, session: Duration) -> Conversation {
        let part = rand::rng().random_range(0.85..0.95);
        tokio::time::sleep(session.mul_f64(part)).await;
        let pause = (session / 100).clamp(Duration::from_millis(100), Duration::from_secs(5));
        loop {
            match self.begin().await {
                Ok(conversation) => return conversation,
                Err(error) => {
                    tracing::warn!(%error, "cannot authenticate again yet");
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// Authenticates. Gives the lifetime of the session where the broker limits it.
    ///
    /// Not cancel safe: a conversation that stops half-way leaves the connection unusable.
    pub(crate) async fn run(
        &self,
        mut conversation: Conversation,
        peer: &mut impl Asks,
    ) -> Result<Option<Duration>, Error> {
        let mechanism = self.sasl.mechanism();
        let handshake =
            SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
        let version = self
            .versions
            .negotiate::<SaslHandshakeRequest>(&self.address)?;
        // asked for before the handshake: behind it nothing else may be said
        let turn_version = self
            .versions
            .negotiate::<SaslAuthenticateRequest>(&self.address)?;
        let response = peer.ask(&handshake, version).await?;
        match ResponseError::try_from_code(response.error_code) {
            None => {}
            Some(ResponseError::UnsupportedSaslMechanism) => {
                let offered: Vec<&str> = response.mechanisms.iter().map(|it| &**it).collect();
                return Err(self.failed(SecurityError::Mechanism {
                    ours: mechanism,
                    theirs: if offered.is_empty() {
                        "none".to_owned()
                    } else {
                        offered.join(", ")
                    },
                }));
            }
            Some(ResponseError::IllegalSaslState) => {
                return Err(self.failed(SecurityError::SaslNotExpected));
            }
            Some(_) => return Err(broker_error("SaslHandshake", response.error_code, None)),
        }
        let mut message = conversation.first();
        for _ in 0..MAX_TURNS {
            let turn = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(message));
            let response = peer.ask(&turn, turn_version).await?;
            let words = response.error_message.as_deref();
            match ResponseError::try_from_code(response.error_code) {
                None => {}
                Some(ResponseError::SaslAuthenticationFailed) => {
                    return Err(self.failed(SecurityError::Credentials {
                        mechanism,
                        message: words.unwrap_or("the broker gives no reason").to_owned(),
                    }));
                }
                Some(_) => {
                    return Err(broker_error("SaslAuthenticate", response.error_code, words));
                }
            }
            let next = conversation.answer(&response.auth_bytes);
            match next.map_err(|failure| self.failed(failure))? {
                Next::Say(more) => message = more,
                Next::Done => {
                    let lifetime = u64::try_from(response.session_lifetime_ms).unwrap_or_default();
                    return Ok((lifetime > 0).then(|| Duration::from_millis(lifetime)));
                }
            }
        }
        Err(self.failed(SecurityError::Exchange {
            mechanism,
            problem: "the broker does not come to an end".to_owned(),
        }))
    }

    fn failed(&self, failure: SecurityError) -> Error {
        Error::Security {
            address: self.address.to_string(),
            failure,
        }
    }
}

fn broker_error(api: &str, code: i16, message: Option<&str>) -> Error {
    match crate::BrokerError::from_code(code, message) {
        Some(error) => Error::broker(api, error),
        None => Error::broker(
            api,
            crate::BrokerError {
                code,
                message: None,
            },
        ),
    }
}
