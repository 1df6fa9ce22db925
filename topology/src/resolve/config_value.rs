//! Values of Kafka's own configuration keys that no broker takes.

use std::collections::BTreeMap;

use super::scope::Scope;
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::spec::ConfigValue;
use crate::{suggest, units};

/// A broker would refuse these at `path`, in the middle of an apply.
pub(super) fn check(scope: &mut Scope<'_>, path: &Path, configs: &BTreeMap<String, ConfigValue>) {
    for (key, value) in configs {
        let value = value.clone().into_text();
        let Some(wrong) = wrong_number(key, value.trim()).or_else(|| wrong_word(key, value.trim()))
        else {
            continue;
        };
        let span = scope.span(&path.key(key));
        let message = format!("`{value}` is not a value of `{key}`");
        scope.add(Finding::new(wrong.code, span, message, wrong.label).hint(wrong.hint));
    }
}

struct Wrong {
    code: Code,
    label: &'static str,
    hint: String,
}

/// Of the keys whose name ends in a unit, the value has to be a plain number: everywhere else in the file a duration or size
/// has its unit beside it.
fn wrong_number(key: &str, value: &str) -> Option<Wrong> {
    let unit = unit(key).filter(|_| value.parse::<i64>().is_err())?;
    let plain = match unit {
        "ms" => units::duration(value).map(|it| it.as_millis().to_string()),
        "bytes" => units::byte_size(value).map(|it| it.to_string()),
        _ => None,
    };
    Some(Wrong {
        code: Code::WrongUnit,
        label: "Kafka takes a whole number",
        hint: match (plain, unit) {
            (Some(plain), "ms") => format!("in milliseconds, without a unit: {plain}"),
            (Some(plain), _) => format!("in bytes, without a unit: {plain}"),
            (None, "ms") => "write milliseconds, without a unit".to_owned(),
            (None, "bytes") => "write bytes, without a unit".to_owned(),
            (None, _) => "write a number without a unit".to_owned(),
        },
    })
}

/// Of the keys that take words, the word has to be one of them, as Kafka writes it.
fn wrong_word(key: &str, value: &str) -> Option<Wrong> {
    let (known, takes) = words(key)?;
    let is_known = |word: &str| match takes {
        Takes::One | Takes::Several => known.contains(&word),
        Takes::Boolean => known.contains(&word.to_ascii_lowercase().as_str()),
    };
    let wrong = match takes {
        // an empty list is a policy, too: everything is kept
        Takes::Several if value.is_empty() => None,
        Takes::Several => value.split(',').map(str::trim).find(|it| !is_known(it)),
        Takes::One | Takes::Boolean => Some(value).filter(|it| !is_known(it)),
    }?;
    let what = match takes {
        Takes::Several => format!("`{key}` is one or several, with commas between, of"),
        Takes::One | Takes::Boolean => format!("`{key}` is one of"),
    };
    Some(Wrong {
        code: Code::UnknownValue,
        label: "not one of the words that Kafka knows",
        hint: suggest::hint(wrong, &what, known.iter().copied()),
    })
}

/// How many words a key takes, and how exactly they are read.
#[derive(Clone, Copy)]
enum Takes {
    One,
    Several,
    Boolean,
}

/// The words that such a key takes (Kafka's documentation, topic configs).
fn words(key: &str) -> Option<(&'static [&'static str], Takes)> {
    Some(match key {
        "cleanup.policy" => (&["compact", "delete"], Takes::Several),
        "compression.type" => (
            &["uncompressed", "gzip", "snappy", "lz4", "zstd", "producer"],
            Takes::One,
        ),
        "message.timestamp.type" => (&["CreateTime", "LogAppendTime"], Takes::One),
        "preallocate"
        | "unclean.leader.election.enable"
        | "message.downconversion.enable"
        | "remote.storage.enable"
        | "remote.log.copy.disable"
        | "remote.log.delete.on.disable" => (&["true", "false"], Takes::Boolean),
        _ => return None,
    })
}

/// What the number of such a key counts.
fn unit(key: &str) -> Option<&str> {
    if key == "min.insync.replicas" {
        return Some("replicas");
    }
    let (_, last) = key.rsplit_once('.')?;
    ["ms", "bytes", "messages"].contains(&last).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_kafka_reads_them() {
        for (key, value) in [
            ("cleanup.policy", "compact,delete"),
            ("cleanup.policy", "delete, compact"),
            ("cleanup.policy", ""),
            ("compression.type", "producer"),
            ("preallocate", "TRUE"),
            ("some.key.of.another.broker", "anything"),
        ] {
            assert!(wrong_word(key, value).is_none(), "{key} {value}");
        }
        for (key, value, hint) in [
            ("cleanup.policy", "compacted", "did you mean `compact`?"),
            ("cleanup.policy", "compact,", "one or several"),
            ("cleanup.policy", "Delete", "did you mean `delete`?"),
            ("compression.type", "none", "`uncompressed`"),
            (
                "message.timestamp.type",
                "createtime",
                "did you mean `CreateTime`?",
            ),
            ("unclean.leader.election.enable", "yes", "`true`, `false`"),
        ] {
            let wrong = wrong_word(key, value).expect(value);
            assert!(wrong.hint.contains(hint), "{key} {value}: {}", wrong.hint);
        }
    }
}
