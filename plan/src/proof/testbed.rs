//! Topologies and evidence for the tables of the findings.

use std::collections::BTreeMap;

use topology::Topology;

use super::evidence::{Evidence, Setting, SiteEvidence, TopicEvidence};
use super::finding::{Finding, FindingId, Severity};
use super::judge::judge;

/// When everything is looked at: 2027.
pub(super) const NOW: i64 = 1_800_000_000_000;

const HEAD: &str = "apiVersion: mirrorctl.io/v1\nkind: Topology\n";
const DEFAULTS: [(&str, &str); 6] = [
    ("cleanup.policy", "delete"),
    ("max.message.bytes", "1048588"),
    ("message.timestamp.after.max.ms", "3600000"),
    ("message.timestamp.before.max.ms", "9223372036854775807"),
    ("message.timestamp.type", "CreateTime"),
    ("retention.ms", "604800000"),
];

/// A topology with what was read of its clusters.
pub(super) struct Bed {
    pub(super) topology: Topology,
    pub(super) evidence: Evidence,
}

/// A topic of three partitions with these settings of its own.
pub(super) fn topic(name: &str, own: &[(&str, &str)]) -> (String, TopicEvidence) {
    let setting = |(key, value): &(&str, &str), own| {
        let value = (*value).to_owned();
        ((*key).to_owned(), Setting { value, own })
    };
    let mut settings: BTreeMap<String, Setting> =
        DEFAULTS.iter().map(|it| setting(it, false)).collect();
    settings.extend(own.iter().map(|it| setting(it, true)));
    let topic = TopicEvidence {
        settings: Ok(settings),
        ..TopicEvidence::new(3, None)
    };
    (name.to_owned(), topic)
}

impl Bed {
    /// A mirror of everything from `a` to `b` under the same names, with these settings.
    pub(super) fn new(mirror: &str) -> Self {
        Self::with_topics(mirror, "  []")
    }

    /// The same with declared topics, as YAML.
    pub(super) fn with_topics(mirror: &str, topics: &str) -> Self {
        let comma = if mirror.is_empty() { "" } else { ", " };
        Self::of(&format!(
            "clusters:\n- {{alias: a, bootstrapServers: [\"h:1\"]}}\n- {{alias: b, bootstrapServers: [\"h:2\"]}}\n\
             topics:\n{topics}\nmirrors:\n\
             - {{name: m, source: a, target: b, replicationPolicy: {{type: identity}}{comma}{mirror}}}\n"
        ))
    }

    /// Any topology; each cluster calls itself by its alias.
    pub(super) fn of(text: &str) -> Self {
        let loaded = topology::parse("t.yaml", &format!("{HEAD}{text}"));
        let topology = loaded.expect("a topology").topology;
        let site = |alias: &String| SiteEvidence {
            cluster_id: alias.clone(),
            brokers: 3,
            principal: Some("User:ANONYMOUS".to_owned()),
            topics: BTreeMap::new(),
            defaults: Ok(DEFAULTS
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()),
            quotas: Ok(BTreeMap::new()),
            rights: None,
            rules: Ok(None),
            filled: Ok(Vec::new()),
            untold: Vec::new(),
        };
        let clusters = topology.clusters.iter().map(|cluster| &cluster.alias);
        let sites = clusters.map(|alias| (alias.clone(), Ok(site(alias))));
        Self {
            evidence: Evidence {
                sites: sites.collect(),
                now_ms: NOW,
            },
            topology,
        }
    }

    /// With a topic on `a`.
    pub(super) fn source(self, topic: (String, TopicEvidence)) -> Self {
        self.on("a", topic)
    }

    /// With a topic on `b`.
    pub(super) fn target(self, topic: (String, TopicEvidence)) -> Self {
        self.on("b", topic)
    }

    pub(super) fn on(mut self, alias: &str, (name, topic): (String, TopicEvidence)) -> Self {
        self.site(alias).topics.insert(name, topic);
        self
    }

    pub(super) fn site(&mut self, alias: &str) -> &mut SiteEvidence {
        let site = self.evidence.sites.get_mut(alias);
        site.expect("a cluster").as_mut().expect("read")
    }

    /// The cases of one kind of finding, each with its severity.
    pub(super) fn cases(&self, id: FindingId) -> Vec<(Severity, String)> {
        let found = self.judge().into_iter();
        found
            .filter(|finding| finding.id == id)
            .flat_map(|finding| {
                let severity = finding.severity;
                finding
                    .evidence
                    .into_iter()
                    .map(move |case| (severity, case))
            })
            .collect()
    }

    pub(super) fn judge(&self) -> Vec<Finding> {
        judge(&self.topology, &self.evidence)
    }
}
