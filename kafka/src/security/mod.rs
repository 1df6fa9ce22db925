//! TLS and SASL: what happens on a connection before anything else may be said on it.
//!
//! - [`SecureTransport`] opens TCP, wraps it in TLS ([`Tls`]) and says which [`Sasl`] mechanism the connection has to
//!   authenticate with.
//! - `authenticator` speaks SASL in ordinary Kafka requests, the first time and again before the session ends (KIP-368).
//! - Secrets are read when they are needed ([`SecretSource`]), so that rotated files are taken up, and never shown.

mod authenticator;
mod aws_keys;
mod aws_role;
mod credential;
mod error;
mod msk_iam;
mod oauth;
mod sasl;
mod scram;
mod scram_credential;
mod secret;
mod tls;
mod transport;
mod variable;

pub(crate) use authenticator::{Asks, Authenticator};
pub use aws_keys::AwsKeys;
pub use error::SecurityError;
pub use msk_iam::MskIam;
pub use oauth::OAuth;
#[cfg(fuzzing)]
pub use oauth::exercise_answer;
pub(crate) use sasl::Conversation;
pub use sasl::{Login, Sasl};
pub use scram::ScramHash;
pub use scram_credential::ScramCredential;
pub use secret::{Secret, SecretSource};
pub use tls::{Tls, TlsFiles, web_config};
pub use transport::SecureTransport;
