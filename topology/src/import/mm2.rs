//! `mm2.properties`: the file of MirrorMaker 2's dedicated mode (KIP-382).

use super::engine::{self, Ends};
use super::settings::{Settings, items};
use super::{Imported, ImportedCluster};
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
    let mut settings = Settings::new(read);
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
            let prefix = format!("{flow}.");
            let mut scope = settings.scope(&[&prefix, ""]);
            if scope.take("enabled").as_deref() != Some("true") {
                continue;
            }
            let ends = Ends {
                label: &flow,
                source,
                target,
            };
            let mut mirror = engine::mirror(&mut scope, &ends, &mut imported.remarks);
            let once = settings.take(&format!("{target}.exactly.once.source.support"));
            if once.as_deref() == Some("enabled") {
                mirror.delivery = Delivery::ExactlyOnce;
            }
            imported.mirrors.push(mirror);
        }
    }
    for key in settings.left() {
        imported.remarks.push(format!("not taken over: {key}"));
    }
    Ok(imported)
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
    let servers = items(&servers);
    let prefix = format!("{alias}.");
    let mut scope = settings.scope(&[&prefix, ""]);
    let (tls, sasl) = engine::connection(&mut scope, alias, &servers, remarks);
    Ok(ImportedCluster {
        alias: alias.to_owned(),
        bootstrap_servers: servers,
        cluster_id: None,
        tls,
        sasl,
    })
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
