//! Which topic names are allowed (`org.apache.kafka.common.internals.Topic`).

use thiserror::Error;

/// Longest name, in bytes.
const MAX_LEN: usize = 249;

/// Why a name was refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum TopicNameError {
    #[error("Topic name is invalid: the empty string is not allowed")]
    Empty,
    #[error("Topic name is invalid: '{0}' is not allowed")]
    Dots(String),
    #[error("Topic name is invalid: the length of '{0}' is longer than the max allowed length 249")]
    TooLong(String),
    #[error(
        "Topic name is invalid: '{0}' contains one or more characters other than ASCII \
         alphanumerics, '.', '_' and '-'"
    )]
    Characters(String),
}

pub(super) fn check(name: &str) -> Result<(), TopicNameError> {
    if name.is_empty() {
        return Err(TopicNameError::Empty);
    }
    if name == "." || name == ".." {
        return Err(TopicNameError::Dots(name.to_owned()));
    }
    if name.len() > MAX_LEN {
        return Err(TopicNameError::TooLong(name.to_owned()));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.chars().all(allowed) {
        Ok(())
    } else {
        Err(TopicNameError::Characters(name.to_owned()))
    }
}

/// The name as metrics see it: `.` and `_` are the same there, so two topics must not differ in
/// them alone.
pub(super) fn metric_form(name: &str) -> String {
    name.replace('.', "_")
}
