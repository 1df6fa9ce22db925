//! Connectors of MirrorMaker 2 as Kafka Connect has them (KIP-382): the JSON that its REST interface takes and gives.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::engine::{self, Ends};
use super::settings::{Settings, items};
use super::{ImportFile, Imported, ImportedCluster, ImportedMirror, ImportedNaming, Taken};
use crate::choices::Delivery;

/// Why files give no connectors.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// One is no JSON.
    #[error("{file}: not JSON: line {line}, column {column}")]
    Syntax {
        /// Which file.
        file: String,
        /// Where it ends to be JSON.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// One holds something else.
    #[error(
        "{file}: no connector: neither `{{\"name\": …, \"config\": {{…}}}}` nor a `connector.class`"
    )]
    NoConnector {
        /// Which file.
        file: String,
    },
    /// None copies records.
    #[error("no `MirrorSourceConnector` with the aliases and addresses of both clusters")]
    NoMirror,
}

/// Reads connectors: each file holds one (`{"name", "config"}`, or its configuration alone), several in a list, or what
/// `GET /connectors?expand=info` answers. Values that could be secrets are not taken over; keys that have no meaning here
/// are named in the remarks, without their values.
pub fn connect(files: &[ImportFile]) -> Result<Imported, ConnectError> {
    let mut connectors = Vec::new();
    for file in files {
        let value = serde_json::from_str(&file.text).map_err(|error| ConnectError::Syntax {
            file: file.name.clone(),
            line: error.line(),
            column: error.column(),
        })?;
        let before = connectors.len();
        gather(value, &mut connectors);
        if connectors.len() == before {
            return Err(ConnectError::NoConnector {
                file: file.name.clone(),
            });
        }
    }
    let mut imported = Imported {
        remarks: vec!["written by `mirrorctl import connect`".to_owned()],
        ..Imported::default()
    };
    assemble(connectors, &mut imported);
    if imported.mirrors.is_empty() {
        return Err(ConnectError::NoMirror);
    }
    Ok(imported)
}

/// A connector: what remarks call it, its class without the package, and what it sets.
pub(super) struct Connector {
    pub(super) name: String,
    pub(super) class: String,
    pub(super) settings: Settings,
}

impl Connector {
    /// From its configuration, which names the class.
    pub(super) fn new(name: Option<String>, config: &Map<String, Value>) -> Option<Self> {
        let mut settings = Settings::new(texts(config));
        let class = settings.take("connector.class")?;
        let own = settings.take("name");
        for key in ["key.converter", "value.converter", "header.converter"] {
            // bytes as they are is what a mirror copies anyhow
            let plain = |it: &str| it.ends_with(".ByteArrayConverter");
            settings.scope(&[""]).take_if(key, plain);
        }
        let class = class.rsplit('.').next().unwrap_or_default().to_owned();
        Some(Self {
            name: name.or(own).unwrap_or_else(|| class.clone()),
            class,
            settings,
        })
    }
}

/// Values as Kafka takes them: texts.
pub(super) fn texts(config: &Map<String, Value>) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items = items.iter().map(|item| match item {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            items.collect::<Vec<String>>().join(",")
        }
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    config
        .iter()
        .map(|(key, value)| (key.clone(), text(value)))
        .collect()
}

fn gather(value: Value, connectors: &mut Vec<Connector>) {
    match value {
        Value::Array(list) => {
            for value in list {
                gather(value, connectors);
            }
        }
        Value::Object(map) => {
            if let Some(Value::Object(config)) = map.get("config") {
                let name = map.get("name").and_then(Value::as_str).map(str::to_owned);
                connectors.extend(Connector::new(name, config));
            } else if map.contains_key("connector.class") {
                connectors.extend(Connector::new(None, &map));
            } else {
                let answers = map
                    .into_iter()
                    .filter_map(|(_, mut answer)| answer.get_mut("info").map(Value::take));
                for answer in answers {
                    gather(answer, connectors);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Puts connectors together: those between the same two clusters are one mirror.
pub(super) fn assemble(connectors: Vec<Connector>, imported: &mut Imported) {
    let mut flows: BTreeMap<(String, String), Flow> = BTreeMap::new();
    for mut connector in connectors {
        if !connector.class.starts_with("Mirror") {
            imported.remarks.push(format!(
                "not taken over: {}, a {}, which belongs to no mirror",
                connector.name, connector.class
            ));
            continue;
        }
        let source = end(&mut connector, "source", imported);
        let target = end(&mut connector, "target", imported);
        let Some(ends) = source.zip(target) else {
            imported.remarks.push(format!(
                "not taken over: {}, which does not say of both clusters what they are called",
                connector.name
            ));
            continue;
        };
        let flow = flows.entry(ends).or_default();
        match connector.class.as_str() {
            "MirrorSourceConnector" if flow.copies.is_none() => flow.copies = Some(connector),
            "MirrorCheckpointConnector" if flow.follows.is_none() => flow.follows = Some(connector),
            _ => flow.others.push(connector),
        }
    }
    for ((source, target), flow) in flows {
        let Some(mut copies) = flow.copies else {
            let rest = flow.follows.into_iter().chain(flow.others);
            let names: Vec<String> = rest.map(|connector| connector.name).collect();
            imported.remarks.push(format!(
                "not taken over: {}: no `MirrorSourceConnector` copies from {source} to {target}",
                names.join(", ")
            ));
            continue;
        };
        let ends = Ends {
            label: &copies.name,
            source: &source,
            target: &target,
        };
        let remarks = &mut imported.remarks;
        let mut scope = copies.settings.scope(&[""]);
        let mut mirror = engine::mirror(&mut scope, &ends, remarks);
        let required = scope.take_if("exactly.once.support", |it| it == "required");
        if required.is_some() {
            mirror.delivery = Delivery::ExactlyOnce;
        }
        for mut other in flow.follows.into_iter().chain(flow.others) {
            other.settings.use_what_is_said_by(&copies.settings);
            if other.class == "MirrorCheckpointConnector" {
                let mut scope = other.settings.scope(&[""]);
                engine::groups(&mut scope, &other.name, &mut mirror, remarks);
            }
            left(&other, remarks);
        }
        left(&copies, remarks);
        add(mirror, imported);
    }
}

/// The connectors between two clusters.
#[derive(Default)]
struct Flow {
    copies: Option<Connector>,
    follows: Option<Connector>,
    others: Vec<Connector>,
}

fn left(connector: &Connector, remarks: &mut Vec<String>) {
    let keys: Vec<&str> = connector.settings.left().map(String::as_str).collect();
    if !keys.is_empty() {
        remarks.push(format!(
            "not taken over of {}: {}",
            connector.name,
            keys.join(", ")
        ));
    }
}

/// The alias of one end, whose cluster is added unless it is there.
fn end(connector: &mut Connector, side: &str, imported: &mut Imported) -> Option<String> {
    let prefix = format!("{side}.cluster.");
    let mut scope = connector.settings.scope(&[&prefix]);
    let alias = scope.take("alias")?;
    let servers = items(&scope.take("bootstrap.servers")?);
    // what is said twice is remarked once
    let mut unheard = Vec::new();
    let (tls, sasl) = engine::connection(&mut scope, &alias, &servers, &mut unheard);
    let cluster = ImportedCluster {
        alias: alias.clone(),
        bootstrap_servers: servers,
        cluster_id: None,
        tls,
        sasl,
    };
    match imported.take_cluster(cluster) {
        Taken::New => imported.remarks.extend(unheard),
        Taken::Known => {}
        Taken::Elsewhere(servers) => imported.remarks.push(format!(
            "{} reaches {alias} at other addresses, which are not taken over: {}",
            connector.name,
            servers.join(", ")
        )),
    }
    Some(alias)
}

/// Adds a mirror. An alias stands in the names of topics and addresses, and may hold no dot here: where MirrorMaker 2 took
/// one, the names of topics stay as they are, and the cluster gets another alias.
pub(super) fn add(mut mirror: ImportedMirror, imported: &mut Imported) {
    if let ImportedNaming::Default { separator } = &mirror.naming
        && proper(&mirror.source) != mirror.source
    {
        let separator = separator.as_deref().unwrap_or(".");
        mirror.naming = ImportedNaming::Prefix(format!("{}{separator}", mirror.source));
    }
    mirror.source = proper(&mirror.source);
    mirror.target = proper(&mirror.target);
    mirror.name = format!("{}-to-{}", mirror.source, mirror.target);
    for cluster in &mut imported.clusters {
        let proper = proper(&cluster.alias);
        if proper != cluster.alias {
            imported.remarks.push(format!(
                "the cluster {} is called {proper} here",
                cluster.alias
            ));
            cluster.alias = proper;
        }
    }
    imported.mirrors.push(mirror);
}

/// An alias as a topology takes it.
pub(super) fn proper(alias: &str) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    alias
        .chars()
        .map(|c| if good(c) { c } else { '-' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"{
  "name": "orders-source",
  "config": {
    "connector.class": "org.apache.kafka.connect.mirror.MirrorSourceConnector",
    "source.cluster.alias": "on.prem",
    "source.cluster.bootstrap.servers": "kafka1.dc:9092,kafka2.dc:9092",
    "target.cluster.alias": "aws",
    "target.cluster.bootstrap.servers": "b-1.x.c2.kafka.eu-west-1.amazonaws.com:9096",
    "target.cluster.security.protocol": "SASL_SSL",
    "target.cluster.sasl.mechanism": "SCRAM-SHA-512",
    "target.cluster.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"mirror\" password=\"hunter2\";",
    "target.cluster.ssl.truststore.location": "/etc/kafka/trust.jks",
    "target.cluster.ssl.truststore.password": "changeit",
    "key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
    "value.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
    "tasks.max": 8,
    "topics": "pay\\..*",
    "topics.exclude": ".*[\\-\\.]internal, .*\\.replica",
    "replication.factor": -1,
    "refresh.topics.interval.seconds": "30",
    "sync.topic.configs.interval.seconds": 120,
    "config.properties.exclude": "min\\.insync\\.replicas, segment\\..*",
    "sync.topic.acls.enabled": "false",
    "offset-syncs.topic.replication.factor": "3",
    "exactly.once.support": "required",
    "transforms": "drop"
  }
}"#;
    const CHECKPOINT: &str = r#"{
  "connector.class": "org.apache.kafka.connect.mirror.MirrorCheckpointConnector",
  "name": "orders-checkpoint",
  "source.cluster.alias": "on.prem",
  "source.cluster.bootstrap.servers": "kafka1.dc:9092,kafka2.dc:9092",
  "target.cluster.alias": "aws",
  "target.cluster.bootstrap.servers": "b-1.x.c2.kafka.eu-west-1.amazonaws.com:9096",
  "target.cluster.security.protocol": "SASL_SSL",
  "groups": "pay-.*",
  "sync.group.offsets.enabled": true,
  "emit.checkpoints.interval.seconds": 20
}"#;
    const OTHERS: &str = r#"[
  {"name": "beat", "config": {
    "connector.class": "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector",
    "source.cluster.alias": "on.prem", "source.cluster.bootstrap.servers": "kafka1.dc:9092",
    "target.cluster.alias": "aws", "target.cluster.bootstrap.servers": "b-1.x.c2.kafka.eu-west-1.amazonaws.com:9096",
    "heartbeats.topic.replication.factor": "3"}},
  {"name": "sink", "config": {"connector.class": "io.aiven.kafka.connect.s3.S3SinkConnector", "topics": "a"}}
]"#;

    fn file(name: &str, text: &str) -> ImportFile {
        ImportFile {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn connectors_between_two_clusters_are_one_mirror() {
        let files = [
            file("source.json", SOURCE),
            file("checkpoint.json", CHECKPOINT),
            file("others.json", OTHERS),
        ];
        let text = connect(&files).unwrap().to_yaml();
        for secret in ["hunter2", "changeit"] {
            assert!(!text.contains(secret), "{text}");
        }
        insta::assert_snapshot!(text);
        let topology = crate::parse("t.yaml", &text).unwrap().topology;
        let mirror = &topology.mirrors[0];
        assert_eq!(mirror.delivery, Delivery::ExactlyOnce);
        // the names on the target stay as MirrorMaker 2 wrote them
        assert_eq!(
            mirror.target_topic("on-prem", "pay.orders").as_deref(),
            Some("on.prem.pay.orders")
        );
    }

    #[test]
    fn what_the_rest_interface_answers_is_read() {
        let answer = format!(
            r#"{{"a": {{"info": {SOURCE}}}, "b": {{"info": {{"config": {CHECKPOINT}}}}}}}"#
        );
        let imported = connect(&[file("answer.json", &answer)]).unwrap();
        assert_eq!(imported.mirrors.len(), 1);
        assert_eq!(imported.mirrors[0].groups.as_deref(), Some("pay-.*"));
    }

    #[test]
    fn every_way_to_log_in_is_a_reference() {
        let with = |settings: &str| {
            format!(
                r#"{{"connector.class": "MirrorSourceConnector",
                "source.cluster.alias": "a", "source.cluster.bootstrap.servers": "a:9092",
                "target.cluster.alias": "b",
                "target.cluster.bootstrap.servers": "boot-x.kafka-serverless.us-east-2.amazonaws.com:9098", {settings}}}"#
            )
        };
        let iam = with(
            r#""target.cluster.security.protocol": "SASL_SSL", "target.cluster.sasl.mechanism": "AWS_MSK_IAM",
            "target.cluster.sasl.jaas.config": "software.amazon.msk.auth.iam.IAMLoginModule required;",
            "target.cluster.sasl.client.callback.handler.class": "software.amazon.msk.auth.iam.IAMClientCallbackHandler""#,
        );
        let oauth = with(
            r#""target.cluster.security.protocol": "SASL_SSL", "target.cluster.sasl.mechanism": "OAUTHBEARER",
            "target.cluster.sasl.oauthbearer.token.endpoint.url": "https://id.example/token",
            "target.cluster.sasl.jaas.config": "M required clientId='mirror' clientSecret='hunter2' scope='kafka';""#,
        );
        let files = with(
            r#""target.cluster.security.protocol": "SSL", "target.cluster.ssl.truststore.type": "PEM",
            "target.cluster.ssl.truststore.location": "/etc/ca.pem", "target.cluster.ssl.keystore.type": "PEM",
            "target.cluster.ssl.keystore.location": "/etc/me.pem""#,
        );
        let unknown = with(
            r#""target.cluster.security.protocol": "SASL_SSL", "target.cluster.sasl.mechanism": "GSSAPI",
            "target.cluster.sasl.jaas.config": "com.sun.security.auth.module.Krb5LoginModule required password=\"hunter2\";""#,
        );
        for (text, words) in [
            (
                &iam,
                "sasl: {mechanism: aws-msk-iam, aws: {region: us-east-2}}",
            ),
            (
                &oauth,
                "oauth: {tokenEndpoint: \"https://id.example/token\", clientId: mirror, clientSecret: {env: B_KAFKA_PASSWORD}, scope: kafka}",
            ),
            (
                &files,
                "tls: {caFile: \"/etc/ca.pem\", certFile: \"/etc/me.pem\", keyFile: \"/etc/me.pem\"}",
            ),
            (&unknown, "# how b logs in could not be taken over"),
            (
                &unknown,
                "# not taken over of MirrorSourceConnector: target.cluster.sasl.jaas.config, target.cluster.sasl.mechanism",
            ),
        ] {
            let yaml = connect(&[file("c.json", text)]).unwrap().to_yaml();
            assert!(yaml.contains(words), "{words} in:\n{yaml}");
            assert!(!yaml.contains("hunter2"), "{yaml}");
            crate::parse("t.yaml", &yaml).unwrap();
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        for (text, words) in [
            ("{", "c.json: not JSON: line 1"),
            ("{}", "c.json: no connector"),
            ("[1]", "c.json: no connector"),
            (CHECKPOINT, "no `MirrorSourceConnector`"),
        ] {
            let error = connect(&[file("c.json", text)]).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
