//! The mechanisms, each as a conversation of messages without I/O once it has begun.

use std::fmt;

use super::error::SecurityError;
use super::msk_iam::MskIam;
use super::oauth::OAuth;
use super::scram::{Scram, ScramHash};
use super::secret::SecretSource;

/// A name and where its password is.
#[derive(Debug, Clone)]
pub struct Login {
    /// Who logs in.
    pub username: String,
    /// The password.
    pub password: SecretSource,
}

/// How connections are authenticated.
#[derive(Debug)]
pub enum Sasl {
    /// RFC 4616: the password itself is sent.
    Plain(Login),
    /// RFC 5802 and 7677: neither side sends what would let the other log in.
    Scram(ScramHash, Login),
    /// RFC 7628, with tokens of the client credentials grant.
    OAuthBearer(OAuth),
    /// IAM access control of Amazon MSK.
    MskIam(MskIam),
}

impl Sasl {
    /// The name on the wire.
    pub fn mechanism(&self) -> &'static str {
        match self {
            Self::Plain(_) => "PLAIN",
            Self::Scram(hash, _) => hash.mechanism(),
            Self::OAuthBearer(_) => "OAUTHBEARER",
            Self::MskIam(_) => "AWS_MSK_IAM",
        }
    }

    /// Reads the secrets, gets a token where one is needed, and begins a conversation with the broker at `host`.
    /// Cancel safe.
    pub(crate) async fn begin(&self, host: &str) -> Result<Conversation, SecurityError> {
        let conversation = match self {
            Self::Plain(login) => Conversation::Once(plain(login)?),
            Self::Scram(hash, login) => {
                let password = login.password.read("sasl.password")?;
                Conversation::Scram(Scram::begin(*hash, &login.username, &password)?)
            }
            Self::OAuthBearer(oauth) => Conversation::Token(oauth.first_message().await?),
            Self::MskIam(iam) => Conversation::Once(iam.payload(host).await?),
        };
        Ok(conversation)
    }
}

fn plain(login: &Login) -> Result<Vec<u8>, SecurityError> {
    let password = login.password.read("sasl.password")?;
    for (what, text) in [
        ("sasl.username", login.username.as_str()),
        ("sasl.password", password.reveal()),
    ] {
        if text.contains('\0') {
            return Err(SecurityError::Unusable {
                what,
                mechanism: "PLAIN",
                problem: "it contains a null character",
            });
        }
    }
    Ok(format!("\0{}\0{}", login.username, password.reveal()).into_bytes())
}

/// A conversation that has begun.
pub(crate) enum Conversation {
    /// One message says everything.
    Once(Vec<u8>),
    /// One message, and if the broker objects it wants a word before it says so officially (RFC 7628, section 3.2.2).
    Token(Vec<u8>),
    /// Two messages each way.
    Scram(Scram),
}

/// Without the messages, which hold secrets.
impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Once(_) => "Once(***)",
            Self::Token(_) => "Token(***)",
            Self::Scram(_) => "Scram(***)",
        })
    }
}

/// What comes after the broker's answer.
#[derive(PartialEq, Eq)]
pub(crate) enum Next {
    /// Another message.
    Say(Vec<u8>),
    /// Nothing: the conversation is over and the broker is whom we take it for, as far as the mechanism can tell.
    Done,
}

impl Conversation {
    /// The first message.
    pub(crate) fn first(&self) -> Vec<u8> {
        match self {
            Self::Once(message) | Self::Token(message) => message.clone(),
            Self::Scram(scram) => scram.first_message(),
        }
    }

    /// The answer to what the broker said.
    pub(crate) fn answer(&mut self, challenge: &[u8]) -> Result<Next, SecurityError> {
        match self {
            Self::Once(_) => Ok(Next::Done),
            Self::Token(_) if challenge.is_empty() => Ok(Next::Done),
            // the error that follows carries the broker's words in its message, too
            Self::Token(_) => Ok(Next::Say(vec![1])),
            Self::Scram(scram) => scram.answer(challenge),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::Secret;

    fn login(username: &str, password: &str) -> Login {
        Login {
            username: username.to_owned(),
            password: SecretSource::Given(Secret::new(password)),
        }
    }

    #[test]
    fn plain_is_as_in_rfc_4616() {
        let message = plain(&login("tim", "tanstaaftanstaaf")).expect("usable");
        assert_eq!(message, b"\0tim\0tanstaaftanstaaf");
        assert!(plain(&login("tim", "a\0b")).is_err());
        assert!(plain(&login("t\0im", "ab")).is_err());
    }

    #[tokio::test]
    async fn nothing_shows_a_password() {
        for sasl in [
            Sasl::Plain(login("tim", "hunter2")),
            Sasl::Scram(ScramHash::Sha256, login("tim", "hunter2")),
        ] {
            assert!(!format!("{sasl:?}").contains("hunter2"));
            let conversation = sasl.begin("localhost").await.expect("usable");
            assert!(!format!("{conversation:?}").contains("hunter2"));
        }
    }
}
