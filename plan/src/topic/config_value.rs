//! Whether two configuration values mean the same.
//!
//! Brokers do not give back the text that was set: `DescribeConfigs` prints the *parsed* value, so
//! `0100` comes back as `100`, `TRUE` as `true` and ` compact, delete` as `compact,delete`. Comparing
//! text would show a change for ever.

use std::collections::BTreeSet;

/// Which replicas of a topic are copied under the brokers' limits.
const THROTTLES: [&str; 2] = [
    "follower.replication.throttled.replicas",
    "leader.replication.throttled.replicas",
];

/// Whether `a` and `b` are the same value of the configuration `key`.
pub(crate) fn same(key: &str, a: &str, b: &str) -> bool {
    let (a, b) = (a.trim(), b.trim());
    a == b || same_number(a, b) || same_boolean(a, b) || (is_unordered(key) && items(a) == items(b))
}

/// [`same`] for values that may be absent.
pub(crate) fn same_option(key: &str, a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(key, a, b),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The items of a comma-separated list.
pub(crate) fn items(list: &str) -> BTreeSet<&str> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .collect()
}

/// Whether the key limits the copying of replicas while they move.
pub(super) fn is_throttle(key: &str) -> bool {
    THROTTLES.contains(&key)
}

/// Whether the value is a comma-separated list in which order means nothing.
fn is_unordered(key: &str) -> bool {
    key == "cleanup.policy" || is_throttle(key)
}

fn same_number(a: &str, b: &str) -> bool {
    // whole numbers first: 64-bit limits such as 9223372036854775807 do not fit a float
    match (a.parse::<i64>(), b.parse::<i64>()) {
        (Ok(a), Ok(b)) => a == b,
        (Err(_), _) | (_, Err(_)) => match (decimal(a), decimal(b)) {
            // both sides went through the same text-to-double conversion, so equal means equal
            (Some(a), Some(b)) => a.to_bits() == b.to_bits(),
            (None, _) | (_, None) => false,
        },
    }
}

/// A finite number written with digits; words like `nan` or `infinity` are not numbers here.
fn decimal(text: &str) -> Option<f64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
        .then(|| text.parse::<f64>().ok().filter(|number| number.is_finite()))
        .flatten()
}

fn same_boolean(a: &str, b: &str) -> bool {
    ["true", "false"]
        .iter()
        .any(|word| a.eq_ignore_ascii_case(word) && b.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn equal_meaning() {
        for (key, a, b) in [
            ("retention.ms", "604800000", "604800000"),
            ("retention.ms", "0100", "100"),
            ("retention.ms", "+7", "7"),
            (
                "retention.ms",
                "9223372036854775807",
                " 9223372036854775807",
            ),
            ("min.cleanable.dirty.ratio", "0.50", "0.5"),
            ("min.cleanable.dirty.ratio", "1", "1.0"),
            ("preallocate", "TRUE", "true"),
            ("cleanup.policy", "delete,compact", "compact, delete"),
            ("cleanup.policy", "delete,", "delete"),
            (
                "leader.replication.throttled.replicas",
                "0:1,1:2",
                "1:2,0:1",
            ),
            ("compression.type", "producer", "producer "),
        ] {
            assert!(same(key, a, b), "{key}: {a:?} and {b:?} mean the same");
        }
    }

    #[test]
    fn different_meaning() {
        for (key, a, b) in [
            ("retention.ms", "604800000", "604800001"),
            ("retention.ms", "9223372036854775807", "9223372036854775806"),
            ("retention.ms", "-1", "1"),
            ("min.cleanable.dirty.ratio", "0.5", "0.51"),
            ("preallocate", "true", "false"),
            ("cleanup.policy", "delete", "compact"),
            ("cleanup.policy", "delete", "compact,delete"),
            ("compression.type", "zstd", "ZSTD"),
            ("some.future.key", "a,b", "b,a"),
            ("some.future.key", "nan", "NaN"),
            ("some.future.key", "", "0"),
        ] {
            assert!(!same(key, a, b), "{key}: {a:?} and {b:?} differ");
        }
    }
}
