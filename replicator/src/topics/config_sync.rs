//! Configuration of target topics, kept as on the source.
//!
//! What is set on the source topic itself is set on the target topic; what its brokers default to
//! is theirs. A key that is no longer set on the source goes back to the target's default only where
//! this mirror had set it: what somebody set on the target alone stays. (MirrorMaker 2 resets every
//! key that the source does not set, and with it a longer retention of the target.) Excluded keys,
//! keys that the topology declares for the target topic, and topics that its rails do not permit are
//! never touched.

use std::collections::{BTreeMap, BTreeSet};

use kafka::{Cluster, ConfigChange, ConfigEntry, ConfigSource, Error};
use topology::{Delivery, Mirror};

use super::MirroredTopic;

/// What is to be done about one topic.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) changes: Vec<ConfigChange>,
    /// Keys that follow the source once the changes are made.
    pub(crate) synced: BTreeSet<String>,
}

/// Compares what is set on both sides. Pure.
pub(crate) fn difference(
    mirror: &Mirror,
    target_topic: &str,
    source: &BTreeMap<String, ConfigEntry>,
    target: &BTreeMap<String, ConfigEntry>,
    synced_before: &BTreeSet<String>,
) -> Difference {
    let declared = mirror.rails.declared.get(target_topic);
    let follows = |key: &str| {
        mirror.topic_sync.syncs_config(key) && !declared.is_some_and(|keys| keys.contains(key))
    };
    let set_on = |entries: &BTreeMap<String, ConfigEntry>, key: &str| {
        let entry = entries.get(key)?;
        let is_set = entry.source == ConfigSource::Topic && !entry.sensitive && !entry.read_only;
        is_set.then(|| entry.value.clone()).flatten()
    };
    // Of a topic that becomes compacted exactly-once copies no more; what it has copied stays whole.
    let breaks_promise = |key: &str, value: &str| {
        mirror.delivery == Delivery::ExactlyOnce
            && key == "cleanup.policy"
            && value.contains("compact")
    };
    let mut difference = Difference::default();
    for key in source.keys().filter(|key| follows(key)) {
        let Some(value) = set_on(source, key).filter(|value| !breaks_promise(key, value)) else {
            continue;
        };
        if set_on(target, key).as_ref() != Some(&value) {
            let key = key.clone();
            difference.changes.push(ConfigChange::Set { key, value });
        }
        difference.synced.insert(key.clone());
    }
    for key in synced_before.iter().filter(|key| follows(key)) {
        if !difference.synced.contains(key) && set_on(target, key).is_some() {
            let key = key.clone();
            difference.changes.push(ConfigChange::Delete { key });
        }
    }
    difference
}

/// Makes the changes; returns the keys that the target refuses, with its reasons.
///
/// Brokers take all changes of a topic or none, so after a refusal each is tried alone: one key
/// that an older target does not know must not keep back the others.
pub(crate) async fn apply(
    target: &Cluster,
    topic: &str,
    changes: &[ConfigChange],
) -> Result<BTreeMap<String, String>, Error> {
    let mut refused = BTreeMap::new();
    match target.alter_topic_configs(topic, changes).await {
        Ok(()) => {}
        Err(Error::Broker { .. }) => {
            for change in changes {
                let only = std::slice::from_ref(change);
                match target.alter_topic_configs(topic, only).await {
                    Ok(()) => {}
                    Err(Error::Broker { error, .. }) => {
                        refused.insert(key(change).to_owned(), error.to_string());
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Err(error) => return Err(error),
    }
    let done: Vec<String> = changes
        .iter()
        .filter(|change| !refused.contains_key(key(change)))
        .map(|change| match change {
            ConfigChange::Set { key, value } => format!("{key}={value}"),
            ConfigChange::Delete { key } => format!("{key} back to the default"),
        })
        .collect();
    if !done.is_empty() {
        tracing::info!(
            topic,
            "configuration follows the source: {}",
            done.join(", ")
        );
    }
    Ok(refused)
}

/// Topics whose configuration may be touched.
pub(crate) fn touchable<'t>(mirror: &Mirror, ready: &'t [MirroredTopic]) -> Vec<&'t MirroredTopic> {
    let permitted = |it: &&MirroredTopic| mirror.rails.topics.permits(&it.target_name);
    ready.iter().filter(permitted).collect()
}

fn key(change: &ConfigChange) -> &str {
    match change {
        ConfigChange::Set { key, .. } | ConfigChange::Delete { key } => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPOLOGY: &str = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
        - {alias: a, bootstrapServers: [\"h:1\"]}\n- {alias: b, bootstrapServers: [\"h:2\"]}\n\
        topics:\n- {name: t, clusters: [b], configs: {segment.bytes: 1000000}}\n\
        mirrors:\n- {name: m, source: a, target: b, topicsPattern: t, replicationPolicy: {type: identity}}\n";

    fn mirror() -> Mirror {
        let loaded = topology::parse("t.yaml", TOPOLOGY).expect("topology");
        loaded.topology.mirrors[0].clone()
    }

    fn set(pairs: &[(&str, &str)]) -> BTreeMap<String, ConfigEntry> {
        let entry = |value: &str| ConfigEntry {
            value: Some(value.to_owned()),
            source: ConfigSource::Topic,
            sensitive: false,
            read_only: false,
        };
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), entry(value)))
            .collect()
    }

    fn keys(keys: &[&str]) -> BTreeSet<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[test]
    fn only_what_differs_is_changed_and_only_what_was_synced_is_taken_back() {
        let source = set(&[
            ("retention.ms", "1"),
            ("cleanup.policy", "compact"),
            ("min.insync.replicas", "2"),
            ("segment.bytes", "5"),
        ]);
        let target = set(&[
            ("retention.ms", "1"),
            ("segment.ms", "7"),
            ("max.message.bytes", "9"),
            ("min.insync.replicas", "1"),
        ]);
        let found = difference(&mirror(), "t", &source, &target, &keys(&["segment.ms"]));
        let set = |key: &str, value: &str| ConfigChange::Set {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let delete = |key: &str| ConfigChange::Delete {
            key: key.to_owned(),
        };
        // segment.bytes is the topology's, min.insync.replicas is excluded, max.message.bytes was
        // never the mirror's
        assert_eq!(
            found.changes,
            [set("cleanup.policy", "compact"), delete("segment.ms")]
        );
        assert_eq!(found.synced, keys(&["retention.ms", "cleanup.policy"]));
    }

    #[test]
    fn nothing_is_changed_when_equal_or_switched_off() {
        let both = set(&[("retention.ms", "1")]);
        let none = BTreeSet::new();
        assert_eq!(difference(&mirror(), "t", &both, &both, &none).changes, []);
        let mut off = mirror();
        off.topic_sync.config = false;
        let other = set(&[("retention.ms", "2")]);
        assert_eq!(difference(&off, "t", &other, &both, &none).changes, []);
    }

    #[test]
    fn what_the_brokers_default_to_does_not_follow() {
        let mut source = set(&[("retention.ms", "1")]);
        if let Some(entry) = source.get_mut("retention.ms") {
            entry.source = ConfigSource::StaticBroker;
        }
        let found = difference(&mirror(), "t", &source, &BTreeMap::new(), &BTreeSet::new());
        assert_eq!(found, Difference::default());
    }
}
