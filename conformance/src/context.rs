//! What librdkafka asks and tells us while it works: for tokens, and why connections fail.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::KafkaError;

use crate::security::TokenSource;

const TURN: Duration = Duration::from_millis(10);

/// Of one client.
#[derive(Debug, Default)]
pub(crate) struct Context {
    tokens: Option<Arc<dyn TokenSource>>,
    /// Whether librdkafka has asked for a token and been answered, with one or with a refusal.
    answered: AtomicBool,
    last_trouble: Mutex<Option<String>>,
}

/// librdkafka shows its calls for help to whoever polls. A client that only asks questions is not polled, so this is.
pub(crate) type Consumer = BaseConsumer<Context>;

impl Context {
    pub(crate) fn new(tokens: Option<Arc<dyn TokenSource>>) -> Self {
        Self {
            tokens,
            ..Self::default()
        }
    }

    /// The last thing that librdkafka complained about.
    pub(crate) fn last_trouble(&self) -> Option<String> {
        self.trouble().clone()
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.last_trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn waits_for_token(&self) -> bool {
        self.tokens.is_some() && !self.answered.load(Ordering::Relaxed)
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // not `level`, which is that of the line
        let severity = format!("{level:?}").to_lowercase();
        tracing::debug!(severity, facility, text = message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka reports");
        *self.trouble() = Some(reason.to_owned());
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn StdError>> {
        let answer = match &self.tokens {
            Some(tokens) => tokens.token(),
            None => Err("this cluster was declared without tokens".to_owned()),
        };
        self.answered.store(true, Ordering::Relaxed);
        let token = answer.inspect_err(|reason| *self.trouble() = Some(reason.clone()))?;
        Ok(OAuthToken {
            token: token.value.reveal().to_owned(),
            principal_name: token.principal,
            lifetime_ms: token.expires_at_ms,
        })
    }
}

impl ConsumerContext for Context {}

/// Lets librdkafka ask for what it needs before a question, waiting up to `limit` for its first token. Only for a
/// consumer that reads nothing at the time: what it had read would be lost.
pub(crate) fn serve(consumer: &Consumer, context: &Context, limit: Duration) {
    let started = Instant::now();
    while context.waits_for_token() && started.elapsed() < limit {
        drop(consumer.poll(TURN));
    }
    // a new token, where the one before is about to end; and what was complained about
    drop(consumer.poll(Duration::ZERO));
}
