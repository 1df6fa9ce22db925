//! `AlterUserScramCredentials` (KIP-554). Of a credential only its iterations are kept: nobody logs in here.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::AlterUserScramCredentialsRequest;
use kafka_protocol::messages::alter_user_scram_credentials_response::{
    AlterUserScramCredentialsResponse, AlterUserScramCredentialsResult,
};
use thiserror::Error;

use super::text::{message, text};
use crate::dispatch::Context;
use crate::state::ScramIterations;

/// SCRAM-SHA-256 and SCRAM-SHA-512.
const MECHANISMS: [i8; 2] = [1, 2];
const MIN_ITERATIONS: i32 = 4096;
const MAX_ITERATIONS: i32 = 16_384;

/// Why a user stays as it was; the texts are those of `ScramControlManager`.
#[derive(Debug, Error)]
enum ScramError {
    #[error("Unknown SCRAM mechanism")]
    Mechanism,
    #[error("Username must not be empty")]
    NoName,
    #[error("Too few iterations")]
    TooFew,
    #[error("Too many iterations")]
    TooMany,
    #[error("Attempt to delete a user credential that does not exist")]
    Unknown,
    #[error("A user credential cannot be altered twice in the same request")]
    Twice,
    #[error("injected fault")]
    Injected(ResponseError),
}

impl ScramError {
    fn response(&self) -> ResponseError {
        match self {
            Self::Mechanism => ResponseError::UnsupportedSaslMechanism,
            Self::NoName | Self::TooFew | Self::TooMany => ResponseError::UnacceptableCredential,
            Self::Unknown => ResponseError::ResourceNotFound,
            Self::Twice => ResponseError::DuplicateResource,
            Self::Injected(error) => *error,
        }
    }
}

/// New iterations, or none where a credential goes.
struct Change<'a> {
    user: &'a str,
    mechanism: i8,
    iterations: Option<i32>,
}

impl Change<'_> {
    fn check(&self, known: &ScramIterations) -> Result<(), ScramError> {
        if !MECHANISMS.contains(&self.mechanism) {
            return Err(ScramError::Mechanism);
        }
        if self.user.is_empty() {
            return Err(ScramError::NoName);
        }
        match self.iterations {
            Some(few) if few < MIN_ITERATIONS => Err(ScramError::TooFew),
            Some(many) if many > MAX_ITERATIONS => Err(ScramError::TooMany),
            None if !known.contains_key(&(self.user.to_owned(), self.mechanism)) => {
                Err(ScramError::Unknown)
            }
            Some(_) | None => Ok(()),
        }
    }
}

pub(crate) fn handle(
    context: &Context,
    request: &AlterUserScramCredentialsRequest,
) -> AlterUserScramCredentialsResponse {
    let deletions = request.deletions.iter().map(|gone| Change {
        user: &gone.name,
        mechanism: gone.mechanism,
        iterations: None,
    });
    let upsertions = request.upsertions.iter().map(|new| Change {
        user: &new.name,
        mechanism: new.mechanism,
        iterations: Some(new.iterations),
    });
    let changes: Vec<Change<'_>> = deletions.chain(upsertions).collect();
    let mut known = context.shared.scram.lock();
    let mut outcomes: BTreeMap<&str, Result<(), ScramError>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for change in &changes {
        let checked = if let Some(error) = context.strike.error_for_request() {
            Err(ScramError::Injected(error))
        } else if seen.insert(change.user) {
            change.check(&known)
        } else {
            Err(ScramError::Twice)
        };
        let outcome = outcomes.entry(change.user).or_insert(Ok(()));
        if outcome.is_ok() {
            *outcome = checked;
        }
    }
    for change in changes {
        if !outcomes.get(change.user).is_some_and(Result::is_ok) {
            continue;
        }
        let key = (change.user.to_owned(), change.mechanism);
        match change.iterations {
            Some(iterations) => known.insert(key, iterations),
            None => known.remove(&key),
        };
    }
    let results = outcomes.into_iter().map(|(user, outcome)| {
        let result = AlterUserScramCredentialsResult::default().with_user(text(user));
        match outcome {
            Ok(()) => result,
            Err(error) => result
                .with_error_code(error.response().code())
                .with_error_message(Some(message(&error))),
        }
    });
    AlterUserScramCredentialsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_results(results.collect())
}
