//! What mirrors will find once the plan is applied: declared before synced before live before the brokers' default.

use std::collections::{BTreeMap, BTreeSet};

use topology::{Engine, Mirror, MirrorState, Topology};

use super::evidence::{Evidence, SiteEvidence, TopicEvidence};

/// `max.message.bytes` of a topic.
pub(super) const SIZE: &str = "max.message.bytes";
/// How old a record may be.
pub(super) const BEFORE: &str = "message.timestamp.before.max.ms";
/// How far ahead of the clock a record may be.
pub(super) const AFTER: &str = "message.timestamp.after.max.ms";
/// Whose time records have.
pub(super) const STAMP: &str = "message.timestamp.type";
/// What happens to old records.
pub(super) const CLEANUP: &str = "cleanup.policy";
/// How long records are kept.
pub(super) const RETENTION_MS: &str = "retention.ms";
/// How much of a partition is kept.
pub(super) const RETENTION_BYTES: &str = "retention.bytes";
/// What is asked of topics, with the brokers' names for the defaults.
pub(super) const KEYS: [(&str, &str); 7] = [
    (SIZE, "message.max.bytes"),
    (BEFORE, "log.message.timestamp.before.max.ms"),
    (AFTER, "log.message.timestamp.after.max.ms"),
    (STAMP, "log.message.timestamp.type"),
    (CLEANUP, "log.cleanup.policy"),
    (RETENTION_MS, "log.retention.ms"),
    (RETENTION_BYTES, "log.retention.bytes"),
];

/// Mirrors that this program copies, now or once they are resumed.
pub(super) fn judged(topology: &Topology) -> impl Iterator<Item = &Mirror> {
    topology
        .mirrors
        .iter()
        .filter(|mirror| mirror.engine == Engine::Builtin && mirror.state != MirrorState::Promoted)
}

/// One source of one mirror, between two clusters that were read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow<'a> {
    pub(super) mirror: &'a Mirror,
    /// Alias of the source.
    pub(super) source: &'a str,
    pub(super) from: &'a SiteEvidence,
    pub(super) to: &'a SiteEvidence,
    declared: &'a BTreeMap<(&'a str, &'a str), &'a BTreeMap<String, String>>,
}

/// One topic of a flow.
#[derive(Debug, Clone)]
pub(super) struct Pair<'a> {
    /// Its name on the source.
    pub(super) topic: &'a str,
    /// Its name on the target.
    pub(super) target: String,
    /// As it is on the source; nothing where it is only declared.
    pub(super) from: Option<&'a TopicEvidence>,
    /// As it is on the target; nothing where it does not exist yet.
    pub(super) to: Option<&'a TopicEvidence>,
    flow: Flow<'a>,
}

/// All flows with their topics.
pub(super) struct Outlook<'a> {
    pub(super) topology: &'a Topology,
    pub(super) evidence: &'a Evidence,
    pub(super) flows: Vec<(Flow<'a>, Vec<Pair<'a>>)>,
}

impl<'a> Outlook<'a> {
    pub(super) fn new(
        topology: &'a Topology,
        evidence: &'a Evidence,
        declared: &'a Declared<'a>,
    ) -> Self {
        let flows = flows(topology, evidence, declared).into_iter();
        Self {
            topology,
            evidence,
            flows: flows.map(|flow| (flow, flow.pairs())).collect(),
        }
    }
}

/// Configuration that is declared, by alias and topic.
pub(super) type Declared<'a> = BTreeMap<(&'a str, &'a str), &'a BTreeMap<String, String>>;

pub(super) fn declared(topology: &Topology) -> Declared<'_> {
    let on_clusters = topology.topics.iter().flat_map(|topic| {
        let aliases = topic.clusters.iter();
        aliases.map(move |alias| ((alias.as_str(), topic.name.as_str()), &topic.configs))
    });
    on_clusters.collect()
}

/// The flows whose two ends were read.
fn flows<'a>(
    topology: &'a Topology,
    evidence: &'a Evidence,
    declared: &'a Declared<'a>,
) -> Vec<Flow<'a>> {
    let site = |alias: &str| evidence.sites.get(alias)?.as_ref().ok();
    let mut flows = Vec::new();
    for mirror in judged(topology) {
        let Some(to) = site(&mirror.target) else {
            continue;
        };
        for source in &mirror.sources {
            if let Some(from) = site(source) {
                flows.push(Flow {
                    mirror,
                    source,
                    from,
                    to,
                    declared,
                });
            }
        }
    }
    flows
}

impl<'a> Flow<'a> {
    /// The topics that it copies: those that are there, and those that are declared.
    fn pairs(self) -> Vec<Pair<'a>> {
        let live = self.from.topics.keys().map(String::as_str);
        let declared = self.declared.keys();
        let declared = declared
            .filter(|(alias, _)| *alias == self.source)
            .map(|(_, name)| *name);
        let names: BTreeSet<&'a str> = live.chain(declared).collect();
        names
            .into_iter()
            .filter_map(|topic| {
                let target = self.mirror.target_topic(self.source, topic)?;
                Some(Pair {
                    topic,
                    from: self.from.topics.get(topic),
                    to: self.to.topics.get(&target),
                    target,
                    flow: self,
                })
            })
            .collect()
    }
}

impl Pair<'_> {
    /// What will hold on the source; nothing where it is not known.
    pub(super) fn on_source(&self, key: &str) -> Option<&str> {
        let Flow { source, from, .. } = self.flow;
        self.declared_on(source, self.topic, key)
            .or_else(|| Some(live(self.from, key)?.0))
            .or_else(|| default(self.from, from, key))
    }

    /// What will hold on the target; nothing where it is not known.
    pub(super) fn on_target(&self, key: &str) -> Option<&str> {
        let Flow { mirror, to, .. } = self.flow;
        self.declared_on(&mirror.target, &self.target, key)
            .or_else(|| self.synced(key))
            .or_else(|| Some(live(self.to, key)?.0))
            .or_else(|| default(self.to, to, key))
    }

    /// What follows the source's own setting.
    fn synced(&self, key: &str) -> Option<&str> {
        let Flow { mirror, source, .. } = self.flow;
        let follows =
            mirror.topic_sync.syncs_config(key) && mirror.rails.topics.permits(&self.target);
        if !follows {
            return None;
        }
        self.declared_on(source, self.topic, key).or_else(|| {
            live(self.from, key)
                .filter(|(_, own)| *own)
                .map(|(value, _)| value)
        })
    }

    fn declared_on(&self, alias: &str, topic: &str, key: &str) -> Option<&str> {
        let configs = self.flow.declared.get(&(alias, topic))?;
        configs.get(key).map(String::as_str)
    }
}

fn live<'a>(topic: Option<&'a TopicEvidence>, key: &str) -> Option<(&'a str, bool)> {
    let setting = topic?.settings.as_ref().ok()?.get(key)?;
    Some((&setting.value, setting.own))
}

/// The brokers' default says nothing about a topic that is there and could not be read.
fn default<'a>(
    topic: Option<&TopicEvidence>,
    site: &'a SiteEvidence,
    key: &str,
) -> Option<&'a str> {
    if topic.is_some() {
        return None;
    }
    let defaults = site.defaults.as_ref().ok()?;
    defaults.get(key).map(String::as_str)
}
