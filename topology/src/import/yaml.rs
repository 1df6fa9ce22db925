//! The file that an import writes.

use std::fmt::Write as _;

use super::yaml_access::{acl_line, quota_line, user_line};
use super::{
    Imported, ImportedCluster, ImportedMirror, ImportedNaming, ImportedSasl, ImportedTopic,
};
use crate::choices::Delivery;

impl Imported {
    /// The topology as YAML, with a final newline. Texts are quoted as JSON does it, which is YAML, too.
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        for remark in &self.remarks {
            line(&mut text, &comment(remark));
        }
        line(&mut text, "apiVersion: mirrorctl.io/v1");
        line(&mut text, "kind: Topology");
        line(&mut text, "clusters:");
        for cluster in &self.clusters {
            write_cluster(&mut text, cluster);
        }
        for (key, items) in self.resources() {
            write_list(&mut text, key, &items);
        }
        if !self.mirrors.is_empty() {
            line(&mut text, "mirrors:");
        }
        for mirror in &self.mirrors {
            write_mirror(&mut text, mirror);
        }
        text
    }

    /// What is on clusters, a line an entry, under the keys of a topology.
    pub(super) fn resources(&self) -> [(&'static str, Vec<String>); 4] {
        [
            ("topics", self.topics.iter().map(topic_line).collect()),
            ("users", self.users.iter().map(user_line).collect()),
            ("acls", self.acls.iter().map(acl_line).collect()),
            ("quotas", self.quotas.iter().map(quota_line).collect()),
        ]
    }
}

/// A remark as a line of the file.
pub(super) fn comment(remark: &str) -> String {
    format!("# {}", remark.replace(['\n', '\r'], " "))
}

/// A key of the file with its entries, where there are any.
pub(super) fn write_list(text: &mut String, key: &str, items: &[String]) {
    if !items.is_empty() {
        line(text, &format!("{key}:"));
    }
    for item in items {
        line(text, item);
    }
}

fn write_cluster(text: &mut String, cluster: &ImportedCluster) {
    line(text, &format!("- alias: {}", quoted(&cluster.alias)));
    let servers: Vec<String> = cluster
        .bootstrap_servers
        .iter()
        .map(|it| quoted(it))
        .collect();
    line(
        text,
        &format!("  bootstrapServers: [{}]", servers.join(", ")),
    );
    if let Some(id) = &cluster.cluster_id {
        line(text, &format!("  clusterId: {}", quoted(id)));
    }
    if let Some(tls) = &cluster.tls {
        let files = [
            ("caFile", &tls.ca_file),
            ("certFile", &tls.cert_file),
            ("keyFile", &tls.key_file),
        ];
        let files: Vec<String> = files
            .into_iter()
            .filter_map(|(key, file)| Some(format!("{key}: {}", quoted(file.as_ref()?))))
            .collect();
        line(text, &format!("  tls: {{{}}}", files.join(", ")));
    }
    if let Some(sasl) = &cluster.sasl {
        line(text, &format!("  sasl: {{{}}}", sasl_keys(sasl)));
    }
}

fn sasl_keys(sasl: &ImportedSasl) -> String {
    match sasl {
        ImportedSasl::Password {
            mechanism,
            username,
            password_variable,
        } => format!(
            "mechanism: {mechanism}, username: {}, password: {{env: {password_variable}}}",
            quoted(username),
        ),
        ImportedSasl::OAuth {
            token_endpoint,
            client_id,
            secret_variable,
            scope,
        } => {
            let scope = scope
                .as_ref()
                .map(|scope| format!(", scope: {}", quoted(scope)));
            format!(
                "mechanism: oauthbearer, oauth: {{tokenEndpoint: {}, clientId: {}, clientSecret: {{env: {secret_variable}}}{}}}",
                quoted(token_endpoint),
                quoted(client_id),
                scope.unwrap_or_default()
            )
        }
        ImportedSasl::AwsMskIam { region } => {
            format!(
                "mechanism: aws-msk-iam, aws: {{region: {}}}",
                quoted(region)
            )
        }
    }
}

fn topic_line(topic: &ImportedTopic) -> String {
    let configs: Vec<String> = topic
        .configs
        .iter()
        .map(|(key, value)| format!("{}: {}", quoted(key), quoted(value)))
        .collect();
    let mut keys = vec![
        format!("name: {}", quoted(&topic.name)),
        format!("clusters: [{}]", quoted(&topic.cluster)),
    ];
    keys.extend(topic.partitions.map(|it| format!("partitions: {it}")));
    let factor = topic.replication_factor;
    keys.extend(factor.map(|it| format!("replicationFactor: {it}")));
    if !configs.is_empty() {
        keys.push(format!("configs: {{{}}}", configs.join(", ")));
    }
    format!("- {{{}}}", keys.join(", "))
}

fn write_mirror(text: &mut String, mirror: &ImportedMirror) {
    line(text, &format!("- name: {}", quoted(&mirror.name)));
    line(text, &format!("  source: {}", quoted(&mirror.source)));
    line(text, &format!("  target: {}", quoted(&mirror.target)));
    for (key, value) in [
        ("topicsPattern", &mirror.topics),
        ("topicsExcludePattern", &mirror.topics_exclude),
        ("groupsPattern", &mirror.groups),
        ("groupsExcludePattern", &mirror.groups_exclude),
    ] {
        if let Some(value) = value {
            line(text, &format!("  {key}: {}", quoted(value)));
        }
    }
    let policy = match &mirror.naming {
        ImportedNaming::Identity => "identity".to_owned(),
        ImportedNaming::Prefix(prefix) => format!("prefix, prefix: {}", quoted(prefix)),
        ImportedNaming::Default { separator: None } => "default".to_owned(),
        ImportedNaming::Default {
            separator: Some(separator),
        } => format!("default, separator: {}", quoted(separator)),
    };
    line(text, &format!("  replicationPolicy: {{type: {policy}}}"));
    if mirror.from_latest {
        line(text, "  startOffset: latest");
    }
    match mirror.delivery {
        Delivery::AtLeastOnce => {}
        Delivery::ExactlyOnce => line(text, "  delivery: exactly-once"),
    }
    let mut sync = Vec::new();
    if let Some(factor) = mirror.replication_factor {
        sync.push(format!("replicationFactor: {factor}"));
    }
    if mirror.without_configs {
        sync.push("config: false".to_owned());
    }
    for (key, interval) in [
        ("interval", &mirror.interval),
        ("configInterval", &mirror.config_interval),
    ] {
        sync.extend(interval.as_ref().map(|it| format!("{key}: {it}")));
    }
    if let Some(excluded) = &mirror.config_exclude {
        let excluded: Vec<String> = excluded.iter().map(|it| quoted(it)).collect();
        sync.push(format!("configExclude: [{}]", excluded.join(", ")));
    }
    if mirror.paused {
        line(text, "  state: paused");
    }
    if !sync.is_empty() {
        line(text, &format!("  topicSync: {{{}}}", sync.join(", ")));
    }
}

pub(super) fn line(text: &mut String, line: &str) {
    // writing to a String cannot fail
    let _ = writeln!(text, "{line}");
}

/// A text that YAML reads as this text and as nothing else. Plain words stay as they are.
pub(super) fn quoted(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::ImportedTls;
    use super::*;

    #[test]
    fn what_is_written_is_a_topology_that_says_the_same() {
        let imported = Imported {
            clusters: vec![
                ImportedCluster {
                    alias: "on".to_owned(),
                    bootstrap_servers: vec!["a:9092".to_owned(), "b:9092".to_owned()],
                    cluster_id: Some("0123-abc".to_owned()),
                    tls: None,
                    sasl: None,
                },
                ImportedCluster {
                    alias: "aws".to_owned(),
                    bootstrap_servers: vec!["c:9094".to_owned()],
                    cluster_id: None,
                    tls: Some(ImportedTls {
                        ca_file: Some("secrets/my ca.crt".to_owned()),
                        ..ImportedTls::default()
                    }),
                    sasl: Some(ImportedSasl::Password {
                        mechanism: "scram-sha-512",
                        username: "it's \"me\"".to_owned(),
                        password_variable: "AWS_PASSWORD".to_owned(),
                    }),
                },
            ],
            topics: vec![ImportedTopic {
                name: "_1.x-y".to_owned(),
                cluster: "on".to_owned(),
                partitions: Some(3),
                replication_factor: Some(2),
                configs: [("retention.ms".to_owned(), "-1".to_owned())].into(),
            }],
            mirrors: vec![ImportedMirror {
                name: "on-to-aws".to_owned(),
                source: "on".to_owned(),
                target: "aws".to_owned(),
                topics: Some("pay\\..*, \"x\"".to_owned()),
                naming: ImportedNaming::Default {
                    separator: Some("_".to_owned()),
                },
                from_latest: true,
                replication_factor: Some(3),
                delivery: Delivery::ExactlyOnce,
                ..ImportedMirror::default()
            }],
            remarks: vec!["one\nline".to_owned()],
            ..Imported::default()
        };
        let text = imported.to_yaml();
        assert!(text.starts_with("# one line\napiVersion"), "{text}");
        let loaded = crate::parse("t.yaml", &text).unwrap();
        let topology = &loaded.topology;
        assert_eq!(topology.clusters[0].alias, "on");
        assert_eq!(topology.clusters[0].bootstrap_servers, ["a:9092", "b:9092"]);
        assert_eq!(topology.topics[0].configs["retention.ms"], "-1");
        assert!(topology.mirrors[0].topics.selects("pay.orders"));
        assert_eq!(
            topology.mirrors[0]
                .target_topic("on", "pay.orders")
                .as_deref(),
            Some("on_pay.orders")
        );
    }
}
