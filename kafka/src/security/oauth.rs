//! OAUTHBEARER (RFC 7628) with tokens of the client credentials grant (RFC 6749, section 4.4).

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::error::SecurityError;
use super::secret::{Secret, SecretSource};
use super::tls::web_config;

/// For one question to the token endpoint, the connection to it included.
const WITHIN: Duration = Duration::from_secs(5);
/// A token is used for this part of its lifetime, then a new one is asked for.
const USED_FOR: f64 = 0.8;
/// How long a token is used whose endpoint does not say how long it lives.
const UNKNOWN_LIFETIME: Duration = Duration::from_mins(1);
/// A token endpoint's answer is small; this much of it is read.
const MAX_ANSWER: usize = 256 << 10;

/// The client credentials grant, and what is sent to brokers with the token.
pub struct OAuth {
    endpoint: String,
    client_id: String,
    client_secret: SecretSource,
    form: Vec<(&'static str, String)>,
    extensions: BTreeMap<String, String>,
    http: reqwest::Client,
    /// One question at a time; the others wait for its answer.
    token: Mutex<Option<Token>>,
}

struct Token {
    text: Secret,
    until: Instant,
}

impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth")
            .field("endpoint", &self.endpoint)
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret)
            .field("extensions", &self.extensions)
            .finish_non_exhaustive()
    }
}

impl OAuth {
    /// A client of the token endpoint, which is trusted if the system or `ca` trusts its certificate.
    ///
    /// # Errors
    /// When the certificates to trust cannot be read.
    pub fn new(
        endpoint: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: SecretSource,
        ca: Option<&Path>,
    ) -> Result<Self, SecurityError> {
        let endpoint = endpoint.into();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(web_config(ca)?)
            // the secret goes where it was meant to go, and nowhere else
            .redirect(reqwest::redirect::Policy::none())
            .timeout(WITHIN)
            .build()
            .map_err(|error| SecurityError::Token {
                endpoint: endpoint.clone(),
                problem: chain(&error),
            })?;
        Ok(Self {
            endpoint,
            client_id: client_id.into(),
            client_secret,
            form: vec![("grant_type", "client_credentials".to_owned())],
            extensions: BTreeMap::new(),
            http,
            token: Mutex::default(),
        })
    }

    /// Asks for this scope.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.form.push(("scope", scope.into()));
        self
    }

    /// Asks for this audience.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.form.push(("audience", audience.into()));
        self
    }

    /// Sends these SASL extensions with the token.
    #[must_use]
    pub fn extensions(mut self, extensions: BTreeMap<String, String>) -> Self {
        self.extensions = extensions;
        self
    }

    /// Whether SASL extensions are sent with the token.
    pub fn has_extensions(&self) -> bool {
        !self.extensions.is_empty()
    }

    /// RFC 7628, section 3.1. Cancel safe.
    pub(super) async fn first_message(&self) -> Result<Vec<u8>, SecurityError> {
        let token = self.token().await?;
        let mut message = format!("n,,\u{1}auth=Bearer {}\u{1}", token.reveal());
        for (key, value) in &self.extensions {
            message.push_str(key);
            message.push('=');
            message.push_str(value);
            message.push('\u{1}');
        }
        message.push('\u{1}');
        Ok(message.into_bytes())
    }

    async fn token(&self) -> Result<Secret, SecurityError> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| Instant::now() < token.until) {
            return Ok(token.text.clone());
        }
        let asked = Instant::now();
        let (text, lifetime) = self.ask().await?;
        *kept = Some(Token {
            text: text.clone(),
            until: asked + lifetime.mul_f64(USED_FOR),
        });
        Ok(text)
    }

    /// Asks for a new token, and says how long it lives. Cancel safe.
    pub async fn ask(&self) -> Result<(Secret, Duration), SecurityError> {
        let secret = self.client_secret.read("sasl.oauth.clientSecret")?;
        let failed = |error: reqwest::Error| self.problem(chain(&error.without_url()));
        let mut response = self
            .http
            .post(&self.endpoint)
            // as Kafka's own client and librdkafka do it: not encoded as a form first
            .basic_auth(&self.client_id, Some(secret.reveal()))
            .header(ACCEPT, "application/json")
            .form(&self.form)
            .send()
            .await
            .map_err(failed)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER {
                return Err(self.problem("its answer is too long to be one".to_owned()));
            }
        }
        read_answer(status, &body).map_err(|problem| self.problem(problem))
    }

    fn problem(&self, problem: String) -> SecurityError {
        SecurityError::Token {
            endpoint: self.endpoint.clone(),
            problem,
        }
    }
}

/// The token and how long it lives, or what is wrong with the answer.
fn read_answer(status: StatusCode, body: &[u8]) -> Result<(Secret, Duration), String> {
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    if !status.is_success() {
        let said = ["error", "error_description"]
            .iter()
            .filter_map(|key| answer[key].as_str())
            .collect::<Vec<_>>()
            .join(": ");
        return Err(format!("status {status} {said}").trim_end().to_owned());
    }
    let token = answer["access_token"].as_str().unwrap_or_default();
    // what RFC 6750 lets a token consist of; anything else could end the field it is sent in
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(sound) {
        return Err("its answer holds no usable access_token".to_owned());
    }
    // some servers write the number as a text
    let lifetime = &answer["expires_in"];
    let seconds = lifetime
        .as_f64()
        .or_else(|| lifetime.as_str()?.parse().ok())
        .filter(|seconds| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds.min(1e7)).ok());
    Ok((Secret::new(token), seconds.unwrap_or(UNKNOWN_LIFETIME)))
}

/// What is done with an answer of a token endpoint, for the fuzz targets.
#[cfg(fuzzing)]
pub fn exercise_answer(status: u16, body: &[u8]) {
    let Ok(status) = StatusCode::from_u16(status) else {
        return;
    };
    if let Ok((token, lifetime)) = read_answer(status, body) {
        assert!(status.is_success());
        // It must not end the field that it is sent in, and its end must be a moment.
        assert!(!token.reveal().contains(['\u{1}', ',', ' ']));
        let _ = Instant::now() + lifetime.mul_f64(USED_FOR);
    }
}

/// An error with its causes: reqwest's own words leave out why.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: StatusCode, body: &str) -> Result<(String, Duration), String> {
        read_answer(status, body.as_bytes())
            .map(|(token, lifetime)| (token.reveal().to_owned(), lifetime))
    }

    #[test]
    fn lifetimes_are_numbers_texts_or_unknown() {
        for (lifetime, seconds) in [
            ("3600", 3_600),
            ("\"3600\"", 3_600),
            ("1e300", 10_000_000),
            ("-5", 60),
            ("\"NaN\"", 60),
            ("\"inf\"", 10_000_000),
            ("[]", 60),
        ] {
            let body = format!(r#"{{"access_token":"a.b","expires_in":{lifetime}}}"#);
            let expected = ("a.b".to_owned(), Duration::from_secs(seconds));
            assert_eq!(answered(StatusCode::OK, &body), Ok(expected), "{lifetime}");
        }
    }

    #[test]
    fn what_is_no_token_is_not_sent() {
        for body in [
            "",
            "[]",
            "{\"access_token\":\"\"}",
            "{\"access_token\":7}",
            "{\"access_token\":\"a b\"}",
            "{\"access_token\":\"a\\u0001auth=x\"}",
        ] {
            assert!(answered(StatusCode::OK, body).is_err(), "{body}");
        }
        let refused = answered(
            StatusCode::UNAUTHORIZED,
            r#"{"error":"invalid_client","access_token":"a"}"#,
        );
        assert_eq!(
            refused,
            Err("status 401 Unauthorized invalid_client".to_owned())
        );
    }
}
