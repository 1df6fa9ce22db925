//! Broker settings that are changed while the cluster runs: the limits of replication, which are kept and limit nothing.

use std::collections::BTreeMap;

use crate::configs::ConfigError;

/// The settings that can be changed, each a number of bytes per second.
const NAMES: [&str; 3] = [
    "follower.replication.throttled.rate",
    "leader.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];

/// By broker id, or none for the default of all brokers; then by name.
pub(crate) type DynamicConfigs = BTreeMap<Option<i32>, BTreeMap<String, String>>;

/// Whether a broker setting can be changed here.
pub(crate) fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Checks one name and value.
pub(crate) fn validate(name: &str, value: &str) -> Result<(), ConfigError> {
    if value.parse::<i64>().is_ok_and(|rate| rate >= 0) {
        Ok(())
    } else {
        Err(ConfigError::InvalidValue {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}
