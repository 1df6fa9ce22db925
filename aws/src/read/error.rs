//! Why AWS could not be read.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

/// Why AWS could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nobody gave credentials.
    #[error("no usable credentials: {reason}")]
    NoCredentials {
        /// What those said who were asked.
        reason: String,
    },
    /// AWS answered, and said no.
    #[error("{operation} is refused: {code}: {message}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// AWS's word for it, such as `UnauthorizedOperation`.
        code: String,
        /// What AWS said besides.
        message: String,
    },
    /// There was no answer that could be understood.
    #[error("{operation} got no answer: {reason}")]
    Unreachable {
        /// What was asked.
        operation: &'static str,
        /// What happened.
        reason: String,
    },
    /// Answers came, and took too long altogether.
    #[error("it was not read within {seconds} s")]
    Slow {
        /// How long was waited.
        seconds: u64,
    },
}

impl ReadError {
    pub(super) fn of<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        match error.as_service_error() {
            Some(refusal) => Self::Refused {
                operation,
                code: refusal.code().unwrap_or("no code").to_owned(),
                message: refusal.message().unwrap_or("no message").to_owned(),
            },
            None => Self::Unreachable {
                operation,
                reason: chain(error),
            },
        }
    }

    pub(super) fn without_credentials(error: &CredentialsError) -> Self {
        let reason = match error {
            // it lists all that were asked, over many lines
            CredentialsError::CredentialsNotLoaded(_) => {
                "there are none in the environment, a profile, a container or the machine"
                    .to_owned()
            }
            // whatever there is, and cannot be used
            other => chain(other),
        };
        Self::NoCredentials { reason }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoCredentials { .. } => {
                "log in as for the AWS CLI (`aws sso login`, AWS_PROFILE, AWS_ACCESS_KEY_ID, a role); reading needs ec2:Describe*"
            }
            Self::Refused { .. } => {
                "whoever asks needs ec2:Describe* in that region; look at AWS_PROFILE, and whether the credentials have expired"
            }
            Self::Unreachable { .. } | Self::Slow { .. } => {
                "is the way to AWS open (proxy, AWS_ENDPOINT_URL, the name of the region)?"
            }
        }
    }
}

/// An error with what led to it.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    text
}
