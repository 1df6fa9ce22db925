//! What can stop the sending of prepared batches.

/// Always names the broker or the topic.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{address}: {source}")]
    Io {
        address: String,
        source: std::io::Error,
    },
    #[error("{address}: an answer of {length} bytes is too short")]
    Short { address: String, length: usize },
    #[error("{address} answered {api} with error {code}")]
    Refused {
        address: String,
        api: &'static str,
        code: i16,
    },
    #[error("{topic} has no records to send")]
    NothingToSend { topic: String },
}
