//! Conversions between our strings and the codec's.

use kafka_protocol::messages::TopicName;
use kafka_protocol::protocol::StrBytes;

pub(super) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

pub(super) fn topic(name: &str) -> TopicName {
    TopicName(text(name))
}

/// An error's own words, for the message fields of responses.
pub(super) fn message(error: &impl ToString) -> StrBytes {
    StrBytes::from_string(error.to_string())
}
