//! Settings and records of the topics that mirrors have to do with.

use std::collections::{BTreeMap, BTreeSet};

use kafka::{Cluster, ConfigEntry, ConfigSource, OffsetSpec, TopicPartition};
use topology::{StartOffset, Topology};

use super::evidence::{Evidence, Setting, SiteEvidence, Told};
use super::outlook::{AFTER, BEFORE, KEYS, Outlook, declared};
use super::{retention, timestamps, way_back};

/// Partitions in one question about offsets.
const PARTITIONS_A_REQUEST: usize = 5_000;
/// Topics besides that are looked at to learn the brokers' defaults.
const FOR_DEFAULTS: usize = 3;

/// What was read of the topics of one cluster.
pub(super) struct Settings {
    pub(super) topics: BTreeMap<String, Told<BTreeMap<String, Setting>>>,
    pub(super) defaults: Told<BTreeMap<String, String>>,
}

/// By alias, the topics whose settings matter.
pub(super) fn settings_wanted(
    topology: &Topology,
    evidence: &Evidence,
) -> BTreeMap<String, BTreeSet<String>> {
    let declared = declared(topology);
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (flow, pairs) in Outlook::new(topology, evidence, &declared).flows {
        let ends = [(flow.source, flow.from), (&flow.mirror.target, flow.to)];
        for (alias, site) in ends {
            let some = site.topics.keys().take(FOR_DEFAULTS).cloned();
            wanted.entry(alias.to_owned()).or_default().extend(some);
        }
        let mut want = |alias: &str, topic: &str| {
            if let Some(topics) = wanted.get_mut(alias) {
                topics.insert(topic.to_owned());
            }
        };
        for pair in pairs {
            if pair.from.is_some() {
                want(flow.source, pair.topic);
            }
            if pair.to.is_some() {
                want(&flow.mirror.target, &pair.target);
            }
        }
    }
    wanted
}

/// Reads the settings of these topics, and from them, or else from a broker, what others would have.
pub(super) async fn settings(cluster: &Cluster, names: &BTreeSet<String>) -> Settings {
    let names: Vec<String> = names.iter().cloned().collect();
    let keys = KEYS.map(|(key, _)| key);
    let described = match cluster.describe_topic_settings(&names, &keys).await {
        Ok(described) => described,
        Err(error) => {
            let failed: Told<BTreeMap<String, Setting>> = Err(error.to_string());
            let topics = names.into_iter().map(|name| (name, failed.clone()));
            return Settings {
                topics: topics.collect(),
                defaults: defaults(cluster, BTreeMap::new()).await,
            };
        }
    };
    let mut known = BTreeMap::new();
    let mut topics = BTreeMap::new();
    for (name, outcome) in described {
        let settings = match outcome {
            Ok(entries) => Ok(told(entries, &mut known)),
            Err(error) => Err(error.to("DescribeConfigs")),
        };
        topics.insert(name, settings);
    }
    Settings {
        topics,
        defaults: defaults(cluster, known).await,
    }
}

/// The settings of one topic; what the brokers default to is noted in `known`.
fn told(
    entries: BTreeMap<String, ConfigEntry>,
    known: &mut BTreeMap<String, String>,
) -> BTreeMap<String, Setting> {
    let mut settings = BTreeMap::new();
    for (key, entry) in entries {
        let Some(value) = entry.value else {
            continue;
        };
        let own = entry.source == ConfigSource::Topic;
        if !own {
            known.insert(key.clone(), value.clone());
        }
        settings.insert(key, Setting { value, own });
    }
    settings
}

/// What topics get that say nothing themselves.
async fn defaults(
    cluster: &Cluster,
    mut known: BTreeMap<String, String>,
) -> Told<BTreeMap<String, String>> {
    if KEYS.iter().all(|(key, _)| known.contains_key(*key)) {
        return Ok(known);
    }
    let failed = |error: kafka::Error| error.to_string();
    let brokers = cluster.metadata_of(&[]).await.map_err(failed)?.brokers;
    let any = brokers.keys().next().copied();
    let any = any.ok_or_else(|| "no broker is up".to_owned())?;
    let of_broker = cluster.describe_broker_configs(any).await.map_err(failed)?;
    for (key, at_broker) in KEYS {
        let value = of_broker.get(at_broker).and_then(|it| it.value.clone());
        if let Some(value) = value {
            known.entry(key.to_owned()).or_insert(value);
        }
    }
    Ok(known)
}

/// What is to be read of the records of one cluster.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Topics whose oldest record matters, with their partition counts.
    oldest: BTreeMap<String, u32>,
    /// Topics of which no record may be later than a time, by that time.
    latest: BTreeMap<i64, BTreeMap<String, u32>>,
    /// Topics whose size matters.
    sized: BTreeMap<String, u32>,
    /// Topics whose ends matter.
    ends: BTreeMap<String, u32>,
}

/// By alias, what is to be read of the records of sources, and of targets that were sources before.
pub(super) fn records_wanted(topology: &Topology, evidence: &Evidence) -> BTreeMap<String, Wanted> {
    let declared = declared(topology);
    let mut all: BTreeMap<String, Wanted> = BTreeMap::new();
    for (flow, pairs) in Outlook::new(topology, evidence, &declared).flows {
        let target = all.entry(flow.mirror.target.clone()).or_default();
        let old_sources = pairs
            .iter()
            .filter(|pair| way_back::of(&flow, pair).is_some());
        target.ends.extend(
            old_sources.filter_map(|pair| Some((pair.target.clone(), pair.to?.partitions))),
        );
        let wanted = all.entry(flow.source.to_owned()).or_default();
        let begins_old = flow.mirror.start_offset != StartOffset::Latest;
        let budgeted = flow.mirror.slo_outage_budget.is_some();
        for pair in pairs {
            let Some(from) = pair.from else {
                continue;
            };
            let entry = (pair.topic.to_owned(), from.partitions);
            let sized = budgeted && retention::is_sized(&pair);
            if sized || (begins_old && timestamps::limit(&pair, BEFORE).is_some()) {
                wanted.oldest.extend([entry.clone()]);
            }
            if sized {
                wanted.sized.extend([entry.clone()]);
            }
            if let Some(limit) = timestamps::limit(&pair, AFTER) {
                let time = evidence.now_ms.saturating_add(limit);
                wanted.latest.entry(time).or_default().extend([entry]);
            }
        }
    }
    all.retain(|_, wanted| *wanted != Wanted::default());
    all
}

/// What was read of records.
#[derive(Default)]
pub(super) struct Records {
    oldest: BTreeMap<String, i64>,
    ahead: BTreeMap<String, i64>,
    sizes: BTreeMap<String, u64>,
    ends: BTreeMap<String, BTreeMap<i32, i64>>,
    untold: Vec<String>,
}

impl Records {
    pub(super) fn into_site(mut self, site: &mut SiteEvidence) {
        for (name, topic) in &mut site.topics {
            topic.oldest_ms = self.oldest.get(name).copied();
            topic.ahead_ms = self.ahead.get(name).copied();
            topic.largest_bytes = self.sizes.get(name).copied();
            topic.ends = self.ends.remove(name);
        }
        site.untold.extend(self.untold);
    }
}

/// Reads what is wanted; sizes only where the brokers tell them.
pub(super) async fn records(cluster: &Cluster, wanted: &Wanted) -> Records {
    let mut found = Records::default();
    let failed = |error: kafka::Error| format!("the times of records could not be read: {error}");
    // the first record that has a time at all
    match times(cluster, &wanted.oldest, 0).await {
        Ok(times) => {
            for (topic, time) in times {
                let oldest = found.oldest.entry(topic).or_insert(time);
                *oldest = time.min(*oldest);
            }
        }
        Err(error) => found.untold.push(failed(error)),
    }
    for (limit, topics) in &wanted.latest {
        match times(cluster, topics, *limit).await {
            Ok(times) => found.ahead.extend(times),
            Err(error) => found.untold.push(failed(error)),
        }
    }
    match ends(cluster, &wanted.ends).await {
        Ok(ends) => found.ends = ends,
        Err(error) => {
            let error = format!("where topics end could not be read: {error}");
            found.untold.push(error);
        }
    }
    let sized = partitions(&wanted.sized);
    if !sized.is_empty()
        && let Ok(dirs) = cluster.log_dirs_of(&sized).await
    {
        let dirs = dirs.into_values().flatten();
        for (partition, replica) in dirs.flat_map(|dir| dir.replicas) {
            let largest = found.sizes.entry(partition.topic).or_default();
            *largest = replica.bytes.max(*largest);
        }
    }
    found
}

fn partitions(topics: &BTreeMap<String, u32>) -> Vec<TopicPartition> {
    let each = topics.iter().flat_map(|(topic, count)| {
        (0..*count).map(move |index| TopicPartition::new(topic, index as i32))
    });
    each.collect()
}

/// Where partitions end. One that could not be asked is missing.
async fn ends(
    cluster: &Cluster,
    topics: &BTreeMap<String, u32>,
) -> Result<BTreeMap<String, BTreeMap<i32, i64>>, kafka::Error> {
    let mut ends: BTreeMap<String, BTreeMap<i32, i64>> = BTreeMap::new();
    for some in partitions(topics).chunks(PARTITIONS_A_REQUEST) {
        for (partition, outcome) in cluster.list_offsets(some, OffsetSpec::Latest).await? {
            if let Ok(listed) = outcome {
                let of_topic = ends.entry(partition.topic).or_default();
                of_topic.insert(partition.partition, listed.offset);
            }
        }
    }
    Ok(ends)
}

/// The times of the first records at or after `since`, where partitions have such. Partitions that could not be asked are
/// an error of the whole question.
async fn times(
    cluster: &Cluster,
    topics: &BTreeMap<String, u32>,
    since: i64,
) -> Result<Vec<(String, i64)>, kafka::Error> {
    let mut times = Vec::new();
    for some in partitions(topics).chunks(PARTITIONS_A_REQUEST) {
        let listed = cluster
            .list_offsets(some, OffsetSpec::Timestamp(since))
            .await?;
        for (partition, outcome) in listed {
            let listed = outcome.map_err(|error| kafka::Error::Broker {
                api: format!("ListOffsets {partition}"),
                error,
            })?;
            if listed.offset >= 0 {
                times.push((partition.topic, listed.timestamp));
            }
        }
    }
    Ok(times)
}
