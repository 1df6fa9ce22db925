//! Topic configuration: the known names, their types, defaults and allowed values.
//!
//! Names, types and defaults are those of Apache Kafka 4.3 (`TopicConfig`, `LogConfig`); a broker
//! setting with the same meaning (`message.max.bytes` for `max.message.bytes`) overrides a default.

use std::collections::BTreeMap;

use thiserror::Error;

/// A topic setting as the broker documents it.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) default: &'static str,
    pub(crate) kind: Kind,
    /// The broker setting that provides the cluster-wide default.
    pub(crate) broker_name: Option<&'static str>,
}

/// Type and allowed values of a setting.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Boolean,
    Int {
        min: i32,
    },
    Long {
        min: i64,
    },
    Double {
        min: f64,
        max: f64,
    },
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Comma-separated; each item one of these words.
    ListOf(&'static [&'static str]),
    /// Comma-separated, any words.
    List,
}

impl Kind {
    /// The number of this type in `DescribeConfigs` responses.
    pub(crate) fn wire_type(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::OneOf(_) => 2,
            Self::Int { .. } => 3,
            Self::Long { .. } => 5,
            Self::Double { .. } => 6,
            Self::ListOf(_) | Self::List => 7,
        }
    }

    pub(crate) fn is_list(self) -> bool {
        match self {
            Self::ListOf(_) | Self::List => true,
            Self::Boolean
            | Self::Int { .. }
            | Self::Long { .. }
            | Self::Double { .. }
            | Self::OneOf(_) => false,
        }
    }

    fn allows(self, value: &str) -> bool {
        match self {
            Self::Boolean => {
                value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
            }
            Self::Int { min } => value.parse::<i32>().is_ok_and(|n| n >= min),
            Self::Long { min } => value.parse::<i64>().is_ok_and(|n| n >= min),
            Self::Double { min, max } => value.parse::<f64>().is_ok_and(|n| n >= min && n <= max),
            Self::OneOf(words) => words.contains(&value),
            Self::ListOf(words) => list_items(value).all(|item| words.contains(&item)),
            Self::List => true,
        }
    }
}

/// The items of a comma-separated value; an empty value has none.
pub(crate) fn list_items(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

const fn define(
    name: &'static str,
    default: &'static str,
    kind: Kind,
    broker_name: Option<&'static str>,
) -> Definition {
    Definition {
        name,
        default,
        kind,
        broker_name,
    }
}

const NO_LIMIT: &str = "9223372036854775807";

/// Every topic setting, by name.
pub(crate) static DEFINITIONS: &[Definition] = &[
    define(
        "cleanup.policy",
        "delete",
        Kind::ListOf(&["delete", "compact"]),
        Some("log.cleanup.policy"),
    ),
    define(
        "compression.gzip.level",
        "-1",
        Kind::Int { min: -1 },
        Some("compression.gzip.level"),
    ),
    define(
        "compression.lz4.level",
        "9",
        Kind::Int { min: 1 },
        Some("compression.lz4.level"),
    ),
    define(
        "compression.type",
        "producer",
        Kind::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]),
        Some("compression.type"),
    ),
    define(
        "compression.zstd.level",
        "3",
        Kind::Int { min: -131_072 },
        Some("compression.zstd.level"),
    ),
    define(
        "delete.retention.ms",
        "86400000",
        Kind::Long { min: 0 },
        Some("log.cleaner.delete.retention.ms"),
    ),
    define(
        "file.delete.delay.ms",
        "60000",
        Kind::Long { min: 0 },
        Some("log.segment.delete.delay.ms"),
    ),
    define(
        "flush.messages",
        NO_LIMIT,
        Kind::Long { min: 1 },
        Some("log.flush.interval.messages"),
    ),
    define(
        "flush.ms",
        NO_LIMIT,
        Kind::Long { min: 0 },
        Some("log.flush.interval.ms"),
    ),
    define(
        "follower.replication.throttled.replicas",
        "",
        Kind::List,
        None,
    ),
    define(
        "index.interval.bytes",
        "4096",
        Kind::Int { min: 0 },
        Some("log.index.interval.bytes"),
    ),
    define(
        "leader.replication.throttled.replicas",
        "",
        Kind::List,
        None,
    ),
    define(
        "local.retention.bytes",
        "-2",
        Kind::Long { min: -2 },
        Some("log.local.retention.bytes"),
    ),
    define(
        "local.retention.ms",
        "-2",
        Kind::Long { min: -2 },
        Some("log.local.retention.ms"),
    ),
    define(
        "max.compaction.lag.ms",
        NO_LIMIT,
        Kind::Long { min: 1 },
        Some("log.cleaner.max.compaction.lag.ms"),
    ),
    define(
        "max.message.bytes",
        "1048588",
        Kind::Int { min: 0 },
        Some("message.max.bytes"),
    ),
    define(
        "message.timestamp.after.max.ms",
        "3600000",
        Kind::Long { min: 0 },
        Some("log.message.timestamp.after.max.ms"),
    ),
    define(
        "message.timestamp.before.max.ms",
        NO_LIMIT,
        Kind::Long { min: 0 },
        Some("log.message.timestamp.before.max.ms"),
    ),
    define(
        "message.timestamp.type",
        "CreateTime",
        Kind::OneOf(&["CreateTime", "LogAppendTime"]),
        Some("log.message.timestamp.type"),
    ),
    define(
        "min.cleanable.dirty.ratio",
        "0.5",
        Kind::Double { min: 0.0, max: 1.0 },
        Some("log.cleaner.min.cleanable.ratio"),
    ),
    define(
        "min.compaction.lag.ms",
        "0",
        Kind::Long { min: 0 },
        Some("log.cleaner.min.compaction.lag.ms"),
    ),
    define(
        "min.insync.replicas",
        "1",
        Kind::Int { min: 1 },
        Some("min.insync.replicas"),
    ),
    define(
        "preallocate",
        "false",
        Kind::Boolean,
        Some("log.preallocate"),
    ),
    define("remote.log.copy.disable", "false", Kind::Boolean, None),
    define("remote.log.delete.on.disable", "false", Kind::Boolean, None),
    define("remote.storage.enable", "false", Kind::Boolean, None),
    define(
        "retention.bytes",
        "-1",
        Kind::Long { min: i64::MIN },
        Some("log.retention.bytes"),
    ),
    define(
        "retention.ms",
        "604800000",
        Kind::Long { min: -1 },
        Some("log.retention.ms"),
    ),
    define(
        "segment.bytes",
        "1073741824",
        Kind::Int { min: 1_048_576 },
        Some("log.segment.bytes"),
    ),
    define(
        "segment.index.bytes",
        "10485760",
        Kind::Int { min: 4 },
        Some("log.index.size.max.bytes"),
    ),
    define(
        "segment.jitter.ms",
        "0",
        Kind::Long { min: 0 },
        Some("log.roll.jitter.ms"),
    ),
    define(
        "segment.ms",
        "604800000",
        Kind::Long { min: 1 },
        Some("log.roll.ms"),
    ),
    define(
        "unclean.leader.election.enable",
        "false",
        Kind::Boolean,
        Some("unclean.leader.election.enable"),
    ),
];

/// Why a setting was refused; the texts are what a real broker answers.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum ConfigError {
    /// No topic setting has this name.
    #[error("Unknown topic config name: {0}")]
    UnknownName(String),
    /// The value is outside what the setting allows.
    #[error("Invalid value {value} for configuration {name}")]
    InvalidValue { name: String, value: String },
    /// A value was left out where one is needed.
    #[error("Null value not supported for topic configs: {0}")]
    NullValue(String),
    /// Append and subtract work on lists only.
    #[error("Can't {operation} to key {name} because its type is not LIST.")]
    NotAList {
        name: String,
        operation: &'static str,
    },
    /// The operation number is not one of set, delete, append, subtract.
    #[error("Unknown operation type {0}.")]
    UnknownOperation(i8),
}

/// Finds a definition by name.
pub(crate) fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS
        .iter()
        .find(|definition| definition.name == name)
}

/// Checks one name and value.
pub(crate) fn validate(name: &str, value: &str) -> Result<(), ConfigError> {
    let Some(definition) = definition(name) else {
        return Err(ConfigError::UnknownName(name.to_owned()));
    };
    if definition.kind.allows(value) {
        Ok(())
    } else {
        Err(ConfigError::InvalidValue {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// Where a value came from, with the numbers of `DescribeConfigs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Topic,
    DynamicBroker,
    DynamicDefaultBroker,
    Broker,
    Default,
}

impl Source {
    pub(crate) fn wire(self) -> i8 {
        match self {
            Self::Topic => 1,
            Self::DynamicBroker => 2,
            Self::DynamicDefaultBroker => 3,
            Self::Broker => 4,
            Self::Default => 5,
        }
    }
}

/// The effective value of a setting and its source.
pub(crate) fn effective<'a>(
    definition: &Definition,
    topic: &'a BTreeMap<String, String>,
    broker: &'a BTreeMap<String, String>,
) -> (&'a str, Source) {
    if let Some(value) = topic.get(definition.name) {
        return (value, Source::Topic);
    }
    if let Some(value) = definition.broker_name.and_then(|name| broker.get(name)) {
        return (value, Source::Broker);
    }
    (definition.default, Source::Default)
}

/// The settings the log itself obeys, parsed once per change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TopicSettings {
    /// Bytes; larger batches are refused.
    pub(crate) max_message_bytes: i64,
    pub(crate) log_append_time: bool,
    /// Milliseconds a record may be older than the broker's clock.
    pub(crate) before_max_ms: i64,
    /// Milliseconds a record may be newer than the broker's clock.
    pub(crate) after_max_ms: i64,
    /// Bytes per partition; negative is no limit.
    pub(crate) retention_bytes: i64,
    /// Milliseconds; negative is no limit.
    pub(crate) retention_ms: i64,
    pub(crate) delete_policy: bool,
    pub(crate) compact_policy: bool,
    pub(crate) min_insync_replicas: i64,
}

impl TopicSettings {
    /// Resolves topic settings over the broker's; both were validated before.
    pub(crate) fn resolve(
        topic: &BTreeMap<String, String>,
        broker: &BTreeMap<String, String>,
    ) -> Self {
        let text =
            |name: &str| definition(name).map_or("", |found| effective(found, topic, broker).0);
        let number = |name: &str| text(name).parse::<i64>().unwrap_or(-1);
        let policy = text("cleanup.policy");
        Self {
            max_message_bytes: number("max.message.bytes"),
            log_append_time: text("message.timestamp.type") == "LogAppendTime",
            before_max_ms: number("message.timestamp.before.max.ms"),
            after_max_ms: number("message.timestamp.after.max.ms"),
            retention_bytes: number("retention.bytes"),
            retention_ms: number("retention.ms"),
            delete_policy: list_items(policy).any(|item| item == "delete"),
            compact_policy: list_items(policy).any(|item| item == "compact"),
            min_insync_replicas: number("min.insync.replicas"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_valid_value() {
        for definition in DEFINITIONS {
            assert_eq!(validate(definition.name, definition.default), Ok(()));
        }
    }

    #[test]
    fn values_are_checked_by_type_and_range() {
        for (name, value) in [
            ("retention.ms", "-2"),
            ("retention.ms", "7d"),
            ("segment.bytes", "10"),
            ("cleanup.policy", "compact,remove"),
            ("min.cleanable.dirty.ratio", "1.1"),
            ("message.timestamp.type", "createtime"),
            ("preallocate", "yes"),
        ] {
            assert_eq!(
                validate(name, value),
                Err(ConfigError::InvalidValue {
                    name: name.into(),
                    value: value.into()
                })
            );
        }
        assert_eq!(
            validate("no.such", "1"),
            Err(ConfigError::UnknownName("no.such".into()))
        );
        assert_eq!(validate("cleanup.policy", "compact, delete"), Ok(()));
    }

    #[test]
    fn topic_values_win_over_broker_values_over_defaults() {
        let broker = BTreeMap::from([("message.max.bytes".to_owned(), "2000".to_owned())]);
        let topic = BTreeMap::from([("max.message.bytes".to_owned(), "1000".to_owned())]);
        let none = BTreeMap::new();
        assert_eq!(
            TopicSettings::resolve(&topic, &broker).max_message_bytes,
            1000
        );
        assert_eq!(
            TopicSettings::resolve(&none, &broker).max_message_bytes,
            2000
        );
        assert_eq!(
            TopicSettings::resolve(&none, &none).max_message_bytes,
            1_048_588
        );
    }
}
