//! `mm2.properties`: the file of MirrorMaker 2's dedicated mode (KIP-382).

use std::collections::{BTreeMap, BTreeSet};

use super::{Imported, ImportedCluster, ImportedLogin, ImportedMirror, ImportedNaming};
use crate::choices::Delivery;

/// Why a file is no `mm2.properties`.
#[derive(Debug, thiserror::Error)]
pub enum Mm2Error {
    /// It is no properties file.
    #[error("not a properties file: {0}")]
    Syntax(String),
    /// It names no clusters.
    #[error("it names no clusters: `clusters = source, target` is missing")]
    NoClusters,
    /// A cluster has no address.
    #[error("`{alias}.bootstrap.servers` is missing")]
    NoBootstrapServers {
        /// The cluster's alias.
        alias: String,
    },
}

/// Reads the text of an `mm2.properties`. Values that could be secrets are not taken over; keys that have no meaning
/// here are named in the remarks, without their values.
pub fn mm2(text: &str) -> Result<Imported, Mm2Error> {
    let read = java_properties::read(text.as_bytes())
        .map_err(|error| Mm2Error::Syntax(error.to_string()))?;
    let mut settings = Settings {
        values: read.into_iter().collect(),
        used: BTreeSet::new(),
    };
    let aliases: Vec<String> = settings
        .take("clusters")
        .map(|list| items(&list))
        .unwrap_or_default();
    if aliases.is_empty() {
        return Err(Mm2Error::NoClusters);
    }
    let mut imported = Imported {
        remarks: vec!["written by `mirrorctl import mm2`".to_owned()],
        ..Imported::default()
    };
    for alias in &aliases {
        let cluster = cluster(&mut settings, alias, &mut imported.remarks)?;
        imported.clusters.push(cluster);
    }
    for source in &aliases {
        for target in aliases.iter().filter(|target| *target != source) {
            let flow = format!("{source}->{target}");
            if settings.of(&flow, "enabled").as_deref() == Some("true") {
                let mirror = mirror(&mut settings, &flow, source, target, &mut imported.remarks);
                imported.mirrors.push(mirror);
            }
        }
    }
    let left: Vec<&String> = settings
        .values
        .keys()
        .filter(|key| !settings.used.contains(*key))
        .collect();
    for key in left {
        imported.remarks.push(format!("not taken over: {key}"));
    }
    Ok(imported)
}

/// The file's keys, and which of them mean something here.
struct Settings {
    values: BTreeMap<String, String>,
    used: BTreeSet<String>,
}

impl Settings {
    fn take(&mut self, key: &str) -> Option<String> {
        let value = self.values.get(key)?.trim().to_owned();
        self.used.insert(key.to_owned());
        Some(value).filter(|value| !value.is_empty())
    }

    /// A flow's own value, else the one for all.
    fn of(&mut self, flow: &str, key: &str) -> Option<String> {
        let general = self.take(key);
        self.take(&format!("{flow}.{key}")).or(general)
    }
}

fn items(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

fn cluster(
    settings: &mut Settings,
    alias: &str,
    remarks: &mut Vec<String>,
) -> Result<ImportedCluster, Mm2Error> {
    let servers = settings
        .take(&format!("{alias}.bootstrap.servers"))
        .ok_or_else(|| Mm2Error::NoBootstrapServers {
            alias: alias.to_owned(),
        })?;
    let protocol = settings
        .of(alias, "security.protocol")
        .unwrap_or_default()
        .to_ascii_uppercase();
    let mechanism = settings.of(alias, "sasl.mechanism").unwrap_or_default();
    let jaas = settings.of(alias, "sasl.jaas.config");
    let mechanism = match mechanism.as_str() {
        "PLAIN" => Some("plain"),
        "SCRAM-SHA-256" => Some("scram-sha-256"),
        "SCRAM-SHA-512" => Some("scram-sha-512"),
        _ => None,
    };
    let login = if protocol.starts_with("SASL") {
        let login = mechanism.zip(jaas.as_deref().and_then(username));
        let login = login.map(|(mechanism, username)| ImportedLogin {
            mechanism,
            username,
            password_variable: variable(alias),
        });
        remarks.push(match &login {
            Some(login) => format!(
                "the password of {alias} is not in this file: put it into the variable {}",
                login.password_variable
            ),
            None => {
                format!("how {alias} logs in could not be taken over: write its `sasl` by hand")
            }
        });
        login
    } else {
        None
    };
    Ok(ImportedCluster {
        alias: alias.to_owned(),
        bootstrap_servers: items(&servers),
        cluster_id: None,
        tls: protocol.ends_with("SSL"),
        login,
    })
}

/// The user name in a JAAS line: `… required username="me" password="…";`.
fn username(jaas: &str) -> Option<String> {
    let (_, rest) = jaas.split_once("username")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, _) = rest[1..].split_once(quote)?;
    Some(name.to_owned())
}

fn variable(alias: &str) -> String {
    let upper: String = alias
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    format!("{upper}_KAFKA_PASSWORD")
}

fn mirror(
    settings: &mut Settings,
    flow: &str,
    source: &str,
    target: &str,
    remarks: &mut Vec<String>,
) -> ImportedMirror {
    let exclude = |settings: &mut Settings, new: &str, old: &str| {
        let old = settings.of(flow, old);
        settings.of(flow, new).or(old)
    };
    let policy = settings
        .of(flow, "replication.policy.class")
        .unwrap_or_default();
    let identity = policy.ends_with("IdentityReplicationPolicy");
    if !policy.is_empty() && !identity && !policy.ends_with(".DefaultReplicationPolicy") {
        remarks.push(format!(
            "{flow}: the replication policy {policy} is not known here; names follow MirrorMaker 2's default"
        ));
    }
    for (key, what) in [
        ("sync.group.offsets.enabled", "committed offsets"),
        ("sync.topic.acls.enabled", "ACLs"),
    ] {
        if settings.of(flow, key).as_deref() == Some("true") {
            remarks.push(format!("{flow}: {what} do not follow yet"));
        }
    }
    let separator = settings.of(flow, "replication.policy.separator");
    let reset = settings.take(&format!("{flow}.consumer.auto.offset.reset"));
    let once = settings.take(&format!("{target}.exactly.once.source.support"));
    ImportedMirror {
        name: format!("{source}-to-{target}"),
        source: source.to_owned(),
        target: target.to_owned(),
        topics: settings.of(flow, "topics"),
        topics_exclude: exclude(settings, "topics.exclude", "topics.blacklist"),
        groups: settings.of(flow, "groups"),
        groups_exclude: exclude(settings, "groups.exclude", "groups.blacklist"),
        naming: if identity {
            ImportedNaming::Identity
        } else {
            ImportedNaming::Default { separator }
        },
        from_latest: reset.as_deref() == Some("latest"),
        replication_factor: settings
            .of(flow, "replication.factor")
            .and_then(|factor| factor.parse().ok()),
        without_configs: settings.of(flow, "sync.topic.configs.enabled").as_deref()
            == Some("false"),
        delivery: if once.as_deref() == Some("enabled") {
            Delivery::ExactlyOnce
        } else {
            Delivery::AtLeastOnce
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
clusters = onprem, aws
onprem.bootstrap.servers = kafka1.dc:9092, kafka2.dc:9092
aws.bootstrap.servers = b-1.msk:9096
aws.security.protocol = SASL_SSL
aws.sasl.mechanism = SCRAM-SHA-512
aws.sasl.jaas.config = org.apache.kafka.common.security.scram.ScramLoginModule required \
    username="mirror" password="hunter2";
onprem->aws.enabled = true
onprem->aws.topics = pay\\..*, audit
topics.blacklist = .*\\.tmp
aws->onprem.enabled = false
replication.factor = 3
replication.policy.separator = _
sync.group.offsets.enabled = true
tasks.max = 4
"#;

    #[test]
    fn a_file_becomes_a_topology_without_its_secrets() {
        let imported = mm2(FILE).unwrap();
        let text = imported.to_yaml();
        assert!(!text.contains("hunter2"), "{text}");
        insta::assert_snapshot!(text);
        let topology = crate::parse("t.yaml", &text).unwrap().topology;
        let mirror = &topology.mirrors[0];
        assert!(mirror.topics.selects("pay.orders") && !mirror.topics.selects("pay.tmp"));
        assert_eq!(
            mirror.target_topic("onprem", "audit").as_deref(),
            Some("onprem_audit")
        );
    }

    #[test]
    fn what_is_missing_is_said() {
        for (text, words) in [
            ("", "no clusters"),
            (
                "clusters = a, b\na.bootstrap.servers = h:1",
                "`b.bootstrap.servers`",
            ),
        ] {
            let error = mm2(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
