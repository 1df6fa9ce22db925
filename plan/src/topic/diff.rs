//! A declared topic against a live one.

use std::collections::{BTreeMap, BTreeSet};

use super::config_value::{is_throttle, same};
use super::factor::{self, FactorChange};
use super::mirrored;
use super::rails as topic_rails;
use super::risk::{self, Assessment};
use super::{KIND, TopicState};
use crate::change::{Block, Change, Detail, RecordChange, Resource, ResourceChange, Risk};
use crate::desired::{self, DesiredCluster, DesiredTopic};
use crate::draft::{self, DECLARED_NO_LONGER, Place};
use crate::home::Home;
use crate::impact::Impact;
use crate::journal::Recorded;
use crate::kind::{Kind, Site};
use crate::observed::{ConfigOrigin, ObservedCluster, ObservedConfig, ObservedTopic};
use crate::permissions::Permissions;
use crate::rails;

/// Topics.
pub(crate) struct Topics;

impl Kind for Topics {
    const WORD: &'static str = KIND;
    type Desired = DesiredTopic;

    fn wanted(cluster: &DesiredCluster) -> &BTreeMap<String, DesiredTopic> {
        &cluster.topics
    }

    fn declared(site: &Site<'_>, place: Place<'_>, desired: &DesiredTopic) -> ResourceChange {
        declared(place, site.cluster, site.live, desired, site.allowed)
    }

    fn as_recorded(desired: &DesiredTopic, recorded: &Recorded) -> Option<DesiredTopic> {
        Some(DesiredTopic {
            partitions: recorded.partitions,
            replication_factor: recorded.replication_factor,
            placement: recorded.placement,
            configs: recorded.configs.clone(),
            prevent_destroy: recorded.prevent_destroy,
            guard: desired.guard.clone(),
        })
    }

    fn dropped(
        site: &Site<'_>,
        live: &ObservedCluster,
        place: Place<'_>,
        recorded: &Recorded,
    ) -> Option<ResourceChange> {
        dropped(site, live, place, recorded)
    }

    fn is_gone(live: &ObservedCluster, label: &str, _: &Recorded) -> bool {
        !live.topics.contains_key(label)
    }
}

fn declared(
    place: Place<'_>,
    cluster: &DesiredCluster,
    live: Option<&ObservedCluster>,
    desired: &DesiredTopic,
    allowed: &Permissions,
) -> ResourceChange {
    let nothing = ObservedCluster::default();
    let (alias, name, address) = (place.alias, place.label, place.address());
    let live_topic = live.and_then(|live| live.topics.get(name));
    let recorded = live.and_then(|live| live.recorded.get(&address));
    let mut drawn = match live_topic {
        Some(topic) => {
            let change = factor::change(
                desired,
                topic,
                live.unwrap_or(&nothing),
                live.and_then(|live| live.underway.get(&address)),
                allowed.copy_rate(),
            );
            let mut drawn = update(desired, topic, recorded, change);
            if live.is_some_and(|live| live.underway.contains_key(&address)) {
                // an apply that was killed left them, and the next one takes them away
                drawn.unmanaged.retain(|key, _| !is_throttle(key));
            }
            let brokers = &live.unwrap_or(&nothing).brokers;
            drawn.notes.extend(factor::without_racks(desired, brokers));
            drawn
        }
        None => create(name, desired, live.unwrap_or(&nothing)),
    };
    // rails that refuse any change have nothing to say about a topic that stays as it is
    if !matches!(drawn.change, Change::NoOp { .. }) {
        let mut general = rails::cluster(cluster, live);
        if live.is_none() {
            // with nothing known about the cluster, what was derived from its state is noise
            drawn.blocked.clear();
        }
        general.extend(topic_rails::any_change(name, &desired.guard, live_topic));
        drawn.blocked.splice(0..0, general);
    }
    let remember = Recorded {
        partitions: desired.partitions,
        replication_factor: desired.replication_factor,
        placement: desired.placement,
        configs: desired.configs.clone(),
        prevent_destroy: desired.prevent_destroy,
        access: None,
    };
    let record = if recorded == Some(&remember) {
        // the same was declared at the last apply: whatever differs, somebody else did
        match &drawn.change {
            Change::Create { .. } => "gone since the last apply".clone_into(&mut drawn.reason),
            Change::Update { .. } => drawn.reason = format!("drifted: {}", drawn.reason),
            Change::NoOp { .. } | Change::Delete { .. } => {}
        }
        None
    } else {
        Some(RecordChange::Remember(remember))
    };
    drawn.named(address, alias, name, record)
}

fn dropped(
    site: &Site<'_>,
    live: &ObservedCluster,
    place: Place<'_>,
    recorded: &Recorded,
) -> Option<ResourceChange> {
    let (cluster, allowed) = (site.cluster, site.allowed);
    let (alias, name, address) = (place.alias, place.label, place.address());
    let topic = live.topics.get(name)?;
    let before = TopicState {
        topic_id: Some(topic.id.clone()),
        partitions: Some(topic.partitions),
        replication_factor: Some(topic.replication_factor),
        usage: topic.usage.clone(),
        ..TopicState::default()
    };
    if !cluster.allow.delete_topics {
        let drawn = Drawn {
            change: Change::NoOp { current: before },
            reason: DECLARED_NO_LONGER.to_owned(),
            details: Vec::new(),
            blocked: Vec::new(),
            notes: vec![draft::left(place, "deleteTopics")],
            unmanaged: BTreeMap::new(),
            impact: None,
        };
        return Some(drawn.named(address, alias, name, None));
    }
    let mut blocked = rails::cluster(cluster, Some(live));
    blocked.extend(topic_rails::any_change(
        name,
        &desired::guard(&cluster.guards, name),
        Some(topic),
    ));
    blocked.extend(topic_rails::deletion(&address, topic, recorded, allowed));
    blocked.extend(mirrored::deletion(site, name));
    let drawn = Drawn {
        change: Change::Delete { before },
        reason: DECLARED_NO_LONGER.to_owned(),
        details: vec![Detail {
            attribute: "records".to_owned(),
            before: topic.usage.as_ref().map(|usage| usage.records.to_string()),
            origin: None,
            after: Some("none".to_owned()),
            risk: Risk::DestroysData,
            reason: Some("its records are gone for good".to_owned()),
        }],
        blocked,
        notes: Vec::new(),
        unmanaged: BTreeMap::new(),
        impact: None,
    };
    Some(drawn.named(address, alias, name, Some(RecordChange::Forget)))
}

/// A change before it has a name.
struct Drawn {
    change: Change<TopicState>,
    reason: String,
    details: Vec<Detail>,
    blocked: Vec<Block>,
    notes: Vec<String>,
    unmanaged: BTreeMap<String, String>,
    impact: Option<Impact>,
}

impl Drawn {
    fn named(
        self,
        address: String,
        alias: &str,
        name: &str,
        record: Option<RecordChange>,
    ) -> ResourceChange {
        let risks = self.details.iter().map(|detail| detail.risk);
        ResourceChange {
            address,
            home: Home::Cluster(alias.to_owned()),
            name: name.to_owned(),
            reason: self.reason,
            risk: risks.max().unwrap_or(Risk::Safe),
            resource: Resource::Topic(self.change),
            details: self.details,
            diff: None,
            blocked: self.blocked,
            notes: self.notes,
            drifted: false,
            unmanaged: self.unmanaged,
            impact: self.impact,
            record,
            owner: None,
            taken_from: None,
        }
    }
}

fn create(name: &str, desired: &DesiredTopic, cluster: &ObservedCluster) -> Drawn {
    let detail = |attribute: String, after: Option<String>| Detail {
        attribute,
        before: None,
        origin: None,
        after,
        risk: Risk::Safe,
        reason: None,
    };
    let mut details = vec![
        detail(
            "partitions".to_owned(),
            desired.partitions.map(|count| count.to_string()),
        ),
        detail(
            "replication_factor".to_owned(),
            desired.replication_factor.map(|factor| factor.to_string()),
        ),
    ];
    details.extend(
        desired
            .configs
            .iter()
            .map(|(key, value)| detail(format!("config.{key}"), Some(value.clone()))),
    );
    Drawn {
        change: Change::Create {
            after: TopicState {
                topic_id: None,
                partitions: desired.partitions,
                replication_factor: desired.replication_factor,
                configs: declared_values(&desired.configs),
                ..TopicState::default()
            },
        },
        reason: "not on the cluster".to_owned(),
        details,
        blocked: topic_rails::creation(name, desired, cluster),
        notes: Vec::new(),
        unmanaged: BTreeMap::new(),
        impact: None,
    }
}

fn update(
    desired: &DesiredTopic,
    live: &ObservedTopic,
    recorded: Option<&Recorded>,
    factor: Option<FactorChange>,
) -> Drawn {
    let dropped = dropped_keys(desired, live, recorded);
    let mut before = TopicState {
        topic_id: Some(live.id.clone()),
        partitions: Some(live.partitions),
        replication_factor: Some(live.replication_factor),
        configs: desired
            .configs
            .keys()
            .chain(&dropped)
            .map(|key| {
                (
                    key.clone(),
                    live.configs.get(key).and_then(|entry| entry.value.clone()),
                )
            })
            .collect(),
        ..TopicState::default()
    };
    let mut after = before.clone();
    let mut details = Vec::new();
    let mut blocked = Vec::new();
    let mut notes = Vec::new();

    let policy = desired
        .configs
        .get("cleanup.policy")
        .map(String::as_str)
        .or_else(|| {
            live.configs
                .get("cleanup.policy")
                .and_then(|entry| entry.value.as_deref())
        });

    if let Some(partitions) = desired.partitions
        && partitions != live.partitions
    {
        after.partitions = Some(partitions);
        let compacted =
            policy.is_some_and(|policy| super::config_value::items(policy).contains("compact"));
        let assessment = if partitions > live.partitions {
            risk::partition_growth(compacted)
        } else {
            // refused below, so nothing can be lost
            Assessment::safe()
        };
        blocked.extend(topic_rails::partition_change(live.partitions, partitions));
        details.push(numbers(
            "partitions",
            live.partitions,
            partitions,
            assessment,
        ));
    }

    let mut impact = None;
    if let Some(change) = factor {
        after.replication_factor = desired.replication_factor.or(after.replication_factor);
        before.assignment = change.from;
        after.assignment = change.to;
        blocked.extend(change.blocked);
        if let Some(moves) = change.impact {
            notes.extend(moves.notes());
            impact = Some(moves);
        }
        details.extend(change.details);
    }

    for (key, value) in &desired.configs {
        let entry = live.configs.get(key);
        if entry.is_some_and(|entry| entry.sensitive) {
            notes.push(format!(
                "the brokers hide the value of `{key}`: it is not compared"
            ));
            continue;
        }
        let current = entry.and_then(|entry| entry.value.as_deref());
        if current.is_some_and(|current| same(key, current, value)) {
            continue;
        }
        after.configs.insert(key.clone(), Some(value.clone()));
        blocked.extend(topic_rails::config_change(key, value, live, desired));
        let Assessment { risk, reason } = risk::config_change(key, current, value, policy);
        details.push(Detail {
            attribute: format!("config.{key}"),
            before: current.map(str::to_owned),
            origin: entry.map(|entry| entry.origin),
            after: Some(value.clone()),
            risk,
            reason,
        });
    }

    for key in &dropped {
        after.configs.remove(key);
        after.unset.insert(key.clone());
        let Assessment { risk, reason } = risk::config_reset(key);
        details.push(Detail {
            attribute: format!("config.{key}"),
            before: live.configs.get(key).map(shown),
            origin: Some(ConfigOrigin::Topic),
            after: None,
            risk,
            reason,
        });
    }
    let configs_from = numbered(&details);
    details[configs_from..].sort_by(|a, b| a.attribute.cmp(&b.attribute));

    let reason = if details.is_empty() {
        "as declared".to_owned()
    } else {
        format!(
            "differs in {}",
            details
                .iter()
                .map(attribute_name)
                .collect::<Vec<_>>()
                .join(", ")
        )
    };
    Drawn {
        change: if details.is_empty() {
            Change::NoOp { current: before }
        } else {
            Change::Update { before, after }
        },
        reason,
        details,
        blocked,
        notes,
        unmanaged: unmanaged(desired, &dropped, live),
        impact,
    }
}

fn attribute_name(detail: &Detail) -> String {
    match detail.attribute.strip_prefix("config.") {
        Some(key) => key.to_owned(),
        None => detail.attribute.replace('_', " "),
    }
}

fn numbers(
    attribute: &str,
    before: u32,
    after: u32,
    Assessment { risk, reason }: Assessment,
) -> Detail {
    Detail {
        attribute: attribute.to_owned(),
        before: Some(before.to_string()),
        origin: None,
        after: Some(after.to_string()),
        risk,
        reason,
    }
}

fn declared_values(configs: &BTreeMap<String, String>) -> BTreeMap<String, Option<String>> {
    configs
        .iter()
        .map(|(key, value)| (key.clone(), Some(value.clone())))
        .collect()
}

/// Keys that were declared at the last apply, are not now, and are still set.
fn dropped_keys(
    desired: &DesiredTopic,
    live: &ObservedTopic,
    recorded: Option<&Recorded>,
) -> BTreeSet<String> {
    let recorded = recorded.into_iter();
    recorded
        .flat_map(|recorded| recorded.configs.keys())
        .filter(|key| !desired.configs.contains_key(*key))
        .filter(|key| {
            let entry = live.configs.get(*key);
            entry.is_some_and(|entry| entry.origin == ConfigOrigin::Topic && !entry.read_only)
        })
        .cloned()
        .collect()
}

/// How many details come before those of the configuration.
fn numbered(details: &[Detail]) -> usize {
    details
        .iter()
        .take_while(|detail| !detail.attribute.starts_with("config."))
        .count()
}

/// Keys set on the topic itself that the topology does not declare.
fn unmanaged(
    desired: &DesiredTopic,
    dropped: &BTreeSet<String>,
    live: &ObservedTopic,
) -> BTreeMap<String, String> {
    live.configs
        .iter()
        .filter(|(key, entry)| {
            entry.origin == ConfigOrigin::Topic
                && !desired.configs.contains_key(*key)
                && !dropped.contains(*key)
        })
        .map(|(key, entry)| (key.clone(), shown(entry)))
        .collect()
}

fn shown(entry: &ObservedConfig) -> String {
    entry.value.clone().unwrap_or_else(|| "(hidden)".to_owned())
}
