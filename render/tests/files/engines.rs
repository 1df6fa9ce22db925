//! Engines that are not ours: the values of the examples, and what they cannot do.

use std::collections::BTreeMap;

use mirrorctl_render::{
    ClusterAddresses, RenderError, Rendering, Request, Settings, Templates, render,
};
use serde_json::Value;

use crate::support::{
    MM2, documents, examples, file, parse, rendering, set, try_rendering, try_set,
};

/// An example whose mirror is run by another engine.
fn with_engine(example: &str, engine: &str) -> String {
    let (_, text) = examples()
        .into_iter()
        .find(|(name, _)| name == example)
        .unwrap();
    let changed = text.replace(
        "  topicsPattern:",
        &format!("  engine: {engine}\n  topicsPattern:"),
    );
    assert_ne!(changed, text);
    changed
}

fn properties(rendering: &Rendering, path: &str) -> BTreeMap<String, String> {
    java_properties::read(file(rendering, path).as_bytes())
        .unwrap()
        .into_iter()
        .collect()
}

#[test]
fn the_legacy_mirror_of_the_hybrid_cloud() {
    let text = with_engine("seed-000-hybrid-cloud", "mirrormaker");
    let rendering = rendering(&text, &["mirrormaker"]);
    let start = file(&rendering, "mirrormaker/onprem-to-aws/start.sh");
    assert!(start.starts_with("#!/bin/sh\n"), "{start}");
    assert!(start.contains("--whitelist '(?!(?:"), "{start}");
    assert!(start.contains(")$)(?:.*)'\n"), "{start}");
    assert!(start.contains("exec kafka-run-class.sh kafka.tools.MirrorMaker "));
    let consumer = properties(&rendering, "mirrormaker/onprem-to-aws/consumer.properties");
    assert_eq!(
        consumer["bootstrap.servers"],
        "kafka1.dc1.example:9092,kafka2.dc1.example:9092,kafka3.dc1.example:9092"
    );
    assert!(!consumer.contains_key("zookeeper.connect"));
    let producer = properties(&rendering, "mirrormaker/onprem-to-aws/producer.properties");
    assert!(producer["bootstrap.servers"].starts_with("b-1.kafka.aws.example:9092,"));
    assert_eq!(producer["compression.type"], "none");
    assert!(!producer.contains_key("group.id"));
}

#[test]
fn a_legacy_mirror_leaves_out_what_is_excluded_and_two_share_no_group() {
    let topology = |state: &str| {
        format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
             - {{alias: eu, bootstrapServers: ['eu:9092']}}\n\
             - {{alias: us, bootstrapServers: ['us:9092']}}\n\
             - {{alias: ap, bootstrapServers: ['ap:9092']}}\n\
             mirrors:\n\
             - {{name: one, source: eu, target: us, engine: mirrormaker, topicsPattern: 'c.*,d', \
             topicsExcludePattern: 'c\\.secret,c\\.x', replicationPolicy: {{type: identity}}, state: {state}}}\n\
             - {{name: two, source: eu, target: ap, engine: mirrormaker, topicsPattern: 'c.*', \
             replicationPolicy: {{type: identity}}}}\n"
        )
    };
    let running = rendering(&topology("running"), &["mirrormaker"]);
    let start = file(&running, "mirrormaker/one/start.sh");
    assert!(
        start.contains("--whitelist '(?!(?:c\\.secret|c\\.x|__.*|"),
        "{start}"
    );
    assert!(start.contains("|mirrorctl-.*|"), "{start}");
    assert!(start.contains(")$)(?:c.*|d)'\n"), "{start}");
    assert!(!start.contains("exit 1"), "{start}");
    let group = |mirror: &str| {
        let consumer = properties(
            &running,
            &format!("mirrormaker/{mirror}/consumer.properties"),
        );
        consumer["group.id"].clone()
    };
    assert_eq!(
        (group("one"), group("two")),
        ("mirrorgroup-one".to_owned(), "mirrorgroup-two".to_owned())
    );
    let paused = rendering(&topology("paused"), &["mirrormaker"]);
    let start = file(&paused, "mirrormaker/one/start.sh");
    assert!(start.contains("is paused in the topology"), "{start}");
}

#[test]
fn the_legacy_mirror_of_hdinsight_has_four_streams_and_ambari_s_addresses() {
    let text = with_engine("seed-002-hdinsight", "mirrormaker");
    let topology = parse(&text);
    let addresses = ClusterAddresses {
        zookeeper: vec!["zk0-source:2181".to_owned(), "zk1-source:2181".to_owned()],
        brokers: Vec::new(),
    };
    let settings = Settings::parse(&["mirrormaker.group=g1"])
        .unwrap()
        .with_addresses("source-mirror", addresses);
    let request = Request {
        topology: &topology,
        source: &text,
        settings: &settings,
    };
    let templates = Templates::embedded().unwrap();
    let rendering = render(&request, &["mirrormaker".to_owned()], &templates).unwrap();
    let start = file(&rendering, "mirrormaker/source-to-dest/start.sh");
    assert!(start.contains("--num.streams 4 ") && start.contains("--whitelist testtopic\n"));
    assert!(start.contains("exec /usr/hdp/current/kafka-broker/bin/kafka-run-class.sh "));
    let consumer = properties(&rendering, "mirrormaker/source-to-dest/consumer.properties");
    assert_eq!(
        consumer["zookeeper.connect"],
        "zk0-source:2181,zk1-source:2181"
    );
    assert_eq!(consumer["group.id"], "g1");
    assert!(rendering.files["mirrormaker/source-to-dest/start.sh"].is_script());

    // a shell takes the script
    let script = std::process::Command::new("sh")
        .args(["-n", "-c", start])
        .output()
        .unwrap();
    assert!(script.status.success(), "{script:?}");
}

#[test]
fn a_whitelist_stays_one_word_of_the_shell() {
    let text = with_engine("seed-002-hdinsight", "mirrormaker").replace(
        "topicsPattern: testtopic",
        "topicsPattern: \"a(b|c)';exit 1;', d\"",
    );
    let rendering = rendering(&text, &["mirrormaker"]);
    let start = file(&rendering, "mirrormaker/source-to-dest/start.sh");
    let shown = start
        .replace("exec ", "printf '%s\\n' ")
        .replace("cd \"", ": \"");
    let output = std::process::Command::new("sh")
        .args(["-c", &shown])
        .output()
        .unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(
        words.contains("--whitelist\n(?!(?:") && words.ends_with(")$)(?:a(b|c)';exit 1;'|d)\n"),
        "{words}"
    );
}

#[test]
fn connectors_share_one_policy_and_hold_no_secret() {
    let rendering = rendering(MM2, &["connect"]);
    let names: Vec<&String> = rendering.files.keys().collect();
    assert_eq!(
        names,
        [
            "connect/a-to-b/a-checkpoint.json",
            "connect/a-to-b/a-heartbeat.json",
            "connect/a-to-b/a-source.json",
            "connect/a-to-b/worker.properties",
        ]
    );
    let mut policies = Vec::new();
    for kind in ["source", "checkpoint", "heartbeat"] {
        let text = file(&rendering, &format!("connect/a-to-b/a-{kind}.json"));
        let connector: Value = serde_json::from_str(text).unwrap();
        let config = connector["config"].as_object().unwrap();
        assert!(config.values().all(Value::is_string), "{text}");
        assert_eq!(connector["name"], format!("a-to-b-a-{kind}"));
        assert!(
            config["target.cluster.sasl.jaas.config"]
                .as_str()
                .unwrap()
                .contains("password=\"${env:B_PASSWORD}\"")
        );
        policies.push((
            config["replication.policy.class"].clone(),
            config["replication.policy.separator"].clone(),
        ));
    }
    policies.dedup();
    assert_eq!(policies.len(), 1);
    insta::assert_snapshot!(
        "connect-source",
        file(&rendering, "connect/a-to-b/a-source.json")
    );
    let worker = properties(&rendering, "connect/a-to-b/worker.properties");
    assert_eq!(worker["config.providers"], "env");
    assert_eq!(worker["producer.security.protocol"], "SASL_SSL");
    assert_eq!(worker["offset.storage.topic"], "connect-a-to-b-offsets");
    // the worker's topics are never mirrored, by this mirror or the next
    assert!(
        !parse(MM2).mirrors[0]
            .topics
            .selects("connect-a-to-b-offsets")
    );
}

#[track_caller]
fn refused(text: &str, target: &str, words: &str) {
    let error = try_rendering(text, &[target], &Templates::embedded().unwrap()).unwrap_err();
    assert!(matches!(error, RenderError::Targets(_)), "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn what_an_engine_cannot_do_is_refused() {
    let prefix = MM2.replace("{type: default}", "{type: prefix, prefix: x_}");
    refused(&prefix, "mirrormaker2", "not by a prefix or rules");
    refused(&prefix, "connect", "not by a prefix or rules");
    let legacy = MM2.replace("engine: mirrormaker2", "engine: mirrormaker");
    refused(&legacy, "mirrormaker", "under the same name only");
    let comma = MM2.replace("bill\"", "b{1,2}\"");
    refused(&comma, "mirrormaker2", "at its comma");
    let timestamp = format!("{MM2}  startOffset: {{timestamp: \"2026-01-01T00:00:00Z\"}}\n");
    refused(&timestamp, "mirrormaker2", "not at a time");
    let twice = format!(
        "{MM2}- {{name: again, source: a, target: b, engine: mirrormaker2, topicsPattern: other, \
         replicationPolicy: {{type: default}}}}\n"
    );
    refused(&twice, "mirrormaker2", "one flow from `a` to `b`");
    let name = MM2.replace("caFile: /etc/ca.pem", "serverName: other");
    refused(&name, "mirrormaker2", "tls.serverName");
    let relative = MM2.replace("{env: B_PASSWORD}", "{file: secrets/b}");
    refused(&relative, "mirrormaker2", "absolute path");
}

#[test]
fn secrets_in_files_are_read_by_kafka() {
    let text = MM2.replace("{env: B_PASSWORD}", "{file: /run/secrets/b}");
    let rendering = rendering(&text, &["mirrormaker2"]);
    let read = properties(&rendering, "mirrormaker2/a-to-b/mm2.properties");
    assert_eq!(read["config.providers"], "directory");
    assert_eq!(
        read["config.providers.directory.param.allowed.paths"],
        "/run/secrets"
    );
    assert!(read["b.sasl.jaas.config"].contains("\"${directory:/run/secrets:b}\""));
}

#[test]
fn a_mirror_of_strimzi_s_early_days_does_what_is_asked_or_is_refused() {
    const EARLY: &[&str] = &["strimzi.api-version=v1beta1"];
    let text = MM2
        .replace("mirrormaker2", "strimzi-mirrormaker2")
        .replace("/etc/ca.pem", "ca.pem")
        .replace(
            "{type: default}",
            "{type: default, separator: _}\n  topicSync: {configExclude: ['retention\\..*']}\n  \
             groupOffsetSync: {enabled: true}",
        );
    let rendering = set(&text, "strimzi", EARLY);
    let written = file(&rendering, "strimzi/mirrors/a-to-b.yaml");
    let read = documents(written);
    let mirror = &read[0]["spec"]["mirrors"][0];
    let source = &mirror["sourceConnector"]["config"];
    // as its Kafka (2.4) calls them
    for (key, value) in [
        ("replication.policy.separator", "_"),
        ("config.properties.blacklist", "retention\\..*"),
        ("consumer.isolation.level", "read_committed"),
    ] {
        assert_eq!(source[key].as_str(), Some(value), "{key}: {written}");
    }
    assert_eq!(
        source["sync.topic.configs.interval.seconds"].as_integer(),
        Some(60)
    );
    // else its checkpoints are of topics that nobody writes
    let checkpoints = &mirror["checkpointConnector"]["config"];
    assert_eq!(
        checkpoints["replication.policy.separator"].as_str(),
        Some("_")
    );
    assert!(
        written.contains("# Note: groupOffsetSync: not by"),
        "{written}"
    );

    for (key, problem) in [
        ("delivery: exactly-once", "not exactly once"),
        ("startOffset: latest", "begins at `earliest`"),
    ] {
        let asked = format!("{text}  {key}\n");
        set(&asked, "strimzi", &[]);
        let error = try_set(&asked, "strimzi", EARLY).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}
