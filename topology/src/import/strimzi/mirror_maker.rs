//! `KafkaMirrorMaker2`: with its clusters in a list (`v1beta2`), or beside the mirrors (`v1`).

use std::collections::BTreeSet;

use super::login::{Reach, login};
use super::part::Part;
use super::resource::Resource;
use crate::choices::Delivery;
use crate::import::connect::add;
use crate::import::engine::{self, Ends};
use crate::import::settings::items;
use crate::import::{Imported, ImportedCluster, Taken};

/// The names of a key in the resource, newest first, and of the same in MirrorMaker 2.
const PATTERNS: [(&str, &str); 6] = [
    ("topicsPattern", "topics"),
    ("topicsExcludePattern", "topics.exclude"),
    ("topicsBlacklistPattern", "topics.blacklist"),
    ("groupsPattern", "groups"),
    ("groupsExcludePattern", "groups.exclude"),
    ("groupsBlacklistPattern", "groups.blacklist"),
];

pub(super) fn read(resource: Resource, imported: &mut Imported, left: &mut Vec<String>) {
    let label = resource.label();
    let mut spec = resource.spec;
    let mut found = Found {
        imported,
        left,
        exactly_once: BTreeSet::new(),
    };
    let connect = spec.text("connectCluster");
    for part in spec.list("clusters") {
        found.cluster(part);
    }
    let target = spec.part("target").and_then(|part| found.cluster(part));
    let target = target.or(connect);
    for mirror in spec.list("mirrors") {
        found.mirror(&label, mirror, target.as_deref());
    }
    spec.end(left);
}

struct Found<'a> {
    imported: &'a mut Imported,
    left: &'a mut Vec<String>,
    /// The targets whose connectors write exactly once.
    exactly_once: BTreeSet<String>,
}

impl Found<'_> {
    /// Adds a cluster, and returns its alias.
    fn cluster(&mut self, mut part: Part) -> Option<String> {
        let alias = part.text("alias")?;
        let servers = items(&part.text("bootstrapServers").unwrap_or_default());
        let reach = Reach {
            alias: &alias,
            servers: &servers,
        };
        let (tls, sasl) = login(&mut part, &reach, self.left, &mut self.imported.remarks);
        let mut settings = part.settings("config");
        let once = settings
            .scope(&[""])
            .take_if("exactly.once.source.support", |it| it == "enabled");
        if once.is_some() {
            self.exactly_once.insert(alias.clone());
        }
        part.unused("config", &settings, self.left);
        part.end(self.left);
        let cluster = ImportedCluster {
            alias: alias.clone(),
            bootstrap_servers: servers,
            cluster_id: None,
            tls,
            sasl,
        };
        match self.imported.take_cluster(cluster) {
            Taken::New | Taken::Known => {}
            Taken::Elsewhere(servers) => self.imported.remarks.push(format!(
                "{alias} stands for several clusters: the one at {} is not taken over",
                servers.join(", ")
            )),
        }
        Some(alias)
    }

    fn mirror(&mut self, label: &str, mut part: Part, target: Option<&str>) {
        let inline = part.part("source").and_then(|part| self.cluster(part));
        let source = part.text("sourceCluster").or(inline);
        let named = part.text("targetCluster");
        let target = named.or(target.map(str::to_owned));
        let connector = part.part("sourceConnector");
        let (Some(source), Some(target), Some(mut connector)) = (source, target, connector) else {
            self.imported.remarks.push(format!(
                "{label}: a mirror without a source, a target or a `sourceConnector` is not taken over"
            ));
            part.end(self.left);
            return;
        };
        let mut settings = connector.settings("config");
        for (key, name) in PATTERNS {
            if let Some(pattern) = part.text(key) {
                settings.say(name, pattern);
            }
        }
        let ends = Ends {
            label,
            source: &source,
            target: &target,
        };
        let remarks = &mut self.imported.remarks;
        let mut mirror = engine::mirror(&mut settings.scope(&[""]), &ends, remarks);
        let state = connector.text("state");
        let pause = connector.text("pause").as_deref() == Some("true");
        mirror.paused = pause || matches!(state.as_deref(), Some("paused" | "stopped"));
        if self.exactly_once.contains(&target) {
            mirror.delivery = Delivery::ExactlyOnce;
        }
        connector.unused("config", &settings, self.left);
        connector.end(self.left);
        for key in ["checkpointConnector", "heartbeatConnector"] {
            let Some(mut connector) = part.part(key) else {
                continue;
            };
            let mut others = connector.settings("config");
            others.use_what_is_said_by(&settings);
            if key == "checkpointConnector" {
                engine::groups(&mut others.scope(&[""]), label, &mut mirror, remarks);
            }
            connector.unused("config", &others, self.left);
            connector.end(self.left);
        }
        part.end(self.left);
        add(mirror, self.imported);
    }
}
