//! Every example loads, validates against the checked-in schema, and keeps its meaning.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

use std::path::{Path, PathBuf};

use mirrorctl_topology as topology;
use topology::{Platform, ReplicationPolicy, SecretRef, Severity};

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    files.sort();
    files
}

fn load(name: &str) -> topology::Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name);
    topology::load(&path).unwrap()
}

#[test]
fn every_example_loads() {
    let files = examples();
    assert!(files.len() >= 7, "{files:?}");
    for file in files {
        match topology::load(&file) {
            Ok(loaded) => {
                // what a later version acts on may be declared; nothing else is to be warned about
                for warning in &loaded.warnings {
                    assert_eq!(warning.severity, Severity::Warning);
                    assert_eq!(
                        warning.code, "topology::declared-only",
                        "{}",
                        loaded.warnings
                    );
                }
            }
            Err(topology::LoadError::Invalid(found)) => {
                panic!("{}", found.to_human(topology::Style::default()))
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn examples_that_run_today_have_no_warnings() {
    for name in [
        "demo.yaml",
        "two-clusters.yaml",
        "seed-001-playground.yaml",
        "seed-002-hdinsight.yaml",
        "seed-003-strimzi.yaml",
        "seed-004-go-mirror.yaml",
    ] {
        let loaded = load(name);
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        assert!(
            loaded
                .topology
                .mirrors
                .iter()
                .all(|it| it.declared.is_empty())
        );
    }
}

#[test]
fn the_demo_is_what_it_says() {
    let topology = load("demo.yaml").topology;
    assert!(
        topology
            .clusters
            .iter()
            .all(|it| it.platform == Platform::Embedded && it.brokers == Some(1))
    );
    let mirror = topology.mirror("source-to-target").unwrap();
    assert_eq!(mirror.policy, ReplicationPolicy::Identity);
    assert_eq!(
        mirror.target_topic("source", "orders").as_deref(),
        Some("orders")
    );
    assert_eq!(mirror.target_topic("source", "other"), None);
    assert_eq!(mirror.byte_budget, None, "as the links need it");
    assert_eq!(mirror.replay_window, 50_000);
    assert_eq!(topology.verify.checks.len(), 7);
    assert_eq!(topology.topics[0].configs["retention.ms"], "3600000");
}

#[test]
fn paused_topics_are_what_is_written_whatever_the_state() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    for state in ["running", "paused", "promoted"] {
        let written = text.replace(
            "  source: source\n",
            &format!("  source: source\n  state: {state}\n  pausedTopics: other\n"),
        );
        assert_ne!(written, text);
        let topology = topology::parse("demo.yaml", &written).unwrap().topology;
        let mirror = &topology.mirrors[0];
        assert!(
            mirror.is_paused("other") && !mirror.is_paused("orders"),
            "{state}"
        );
    }
}

#[test]
fn inline_configs_go_over_the_block() {
    let topology = load("two-clusters.yaml").topology;
    let topic = &topology.topics[0];
    assert_eq!(topic.configs["cleanup.policy"], "delete");
    assert_eq!(topic.configs["max.message.bytes"], "2097152");
    assert!(topic.prevent_destroy);
    let guard = &topology.cluster("source").unwrap().topics;
    assert!(guard.permits("orders") && !guard.permits("__consumer_offsets"));
}

/// Where a rule comes from, and the rule.
fn rules(topology: &topology::Topology, cluster: &str) -> Vec<String> {
    let acls = topology.acls.iter().filter(|acl| acl.cluster == cluster);
    acls.map(|acl| format!("{}: {}", acl.origin, acl.binding))
        .collect()
}

#[test]
fn access_rules_are_expanded_and_laid_together() {
    let topology = load("access.yaml").topology;
    assert_eq!(
        rules(&topology, "onprem"),
        [
            "acls[0]: User:reports ALLOW READ on TOPIC PREFIXED pay. from *",
            "acls[0]: User:reports ALLOW DESCRIBE on TOPIC PREFIXED pay. from *",
            "acls[1]: User:reports ALLOW READ on GROUP LITERAL reports from *",
            "acls[2]: User:* DENY ALTER_CONFIGS on CLUSTER LITERAL kafka-cluster from 2001:db8:0:0:0:0:0:1",
            "services.orders: User:orders ALLOW WRITE on TOPIC LITERAL pay.orders from *",
            "services.orders: User:orders ALLOW DESCRIBE on TOPIC LITERAL pay.orders from *",
            "services.orders: User:orders ALLOW WRITE on TOPIC PREFIXED audit. from *",
            "services.orders: User:orders ALLOW DESCRIBE on TOPIC PREFIXED audit. from *",
            "services.orders: User:orders ALLOW READ on TOPIC LITERAL pay.refunds from *",
            "services.orders: User:orders ALLOW DESCRIBE on TOPIC LITERAL pay.refunds from *",
            "services.orders: User:orders ALLOW READ on GROUP PREFIXED orders from *",
            "services.orders: User:orders ALLOW WRITE on TRANSACTIONAL_ID PREFIXED orders- from *",
            "services.orders: User:orders ALLOW DESCRIBE on TRANSACTIONAL_ID PREFIXED orders- from *",
        ],
        "what the service `reports` needs is there already"
    );
    assert_eq!(
        rules(&topology, "aws"),
        [
            "acls[0]: User:reports ALLOW READ on TOPIC PREFIXED pay. from *",
            "acls[0]: User:reports ALLOW DESCRIBE on TOPIC PREFIXED pay. from *",
            "acls[1]: User:reports ALLOW READ on GROUP LITERAL reports from *",
        ]
    );
    let allow = topology.cluster("onprem").unwrap().allow;
    assert!(allow.delete_acls && allow.delete_quotas && !allow.delete_users);
}

#[test]
fn users_have_passwords_by_reference_only() {
    let topology = load("access.yaml").topology;
    let users: Vec<String> = topology
        .users
        .iter()
        .map(|user| {
            let (cluster, name) = (&user.cluster, &user.name);
            format!(
                "{name} on {cluster}, {} {}",
                user.mechanism, user.iterations
            )
        })
        .collect();
    assert_eq!(
        users,
        [
            "orders on onprem, SCRAM-SHA-512 8192",
            "orders on aws, SCRAM-SHA-512 8192",
            "reports on onprem, SCRAM-SHA-256 16384",
            "reports on aws, SCRAM-SHA-256 16384",
        ]
    );
    assert_eq!(
        topology.users[0].password,
        SecretRef::Env("ORDERS_PW".to_owned())
    );
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    assert_eq!(
        topology.users[2].password,
        SecretRef::File(folder.join("secrets/reports"))
    );
    assert_eq!(
        serde_json::to_value(&topology.users[0]).unwrap()["password"],
        serde_json::json!({"env": "ORDERS_PW"})
    );
}

#[test]
fn quotas_carry_kafka_s_keys() {
    let topology = load("access.yaml").topology;
    let quotas: Vec<String> = topology
        .quotas
        .iter()
        .map(|quota| {
            let limits: Vec<String> = quota
                .limits
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            format!("{} {}: {}", quota.cluster, quota.entity, limits.join(" "))
        })
        .collect();
    assert_eq!(
        quotas,
        [
            "onprem user orders, client-id <default>: consumer_byte_rate=20000000 controller_mutation_rate=0.5 \
             producer_byte_rate=10000000 request_percentage=50",
            "onprem user <default>: consumer_byte_rate=5242880",
            "aws user <default>: consumer_byte_rate=5242880",
            "aws user orders, client-id <default>: request_percentage=25",
            "onprem ip 10.0.0.1: connection_creation_rate=20",
        ]
    );
}

#[test]
fn internal_topics_are_never_mirrored() {
    let topology = load("seed-004-go-mirror.yaml").topology;
    let mirror = topology.mirror("dc1-to-central").unwrap();
    assert_eq!(
        mirror.target_topic("dc1", "test").as_deref(),
        Some("dc1_test")
    );
    for internal in [
        "__consumer_offsets",
        "mm2-offset-syncs.x.internal",
        "dc1.checkpoints.internal",
        "connect-configs",
        "mirrorctl-positions",
        "scratch.x",
    ] {
        assert_eq!(mirror.target_topic("dc1", internal), None, "{internal}");
    }
    // written patterns replace MirrorMaker 2's default exclusion
    assert!(mirror.topics.selects("x.replica"));
    let other = load("seed-001-playground.yaml").topology;
    assert!(!other.mirrors[0].topics.selects("x.replica"));
}

#[test]
fn min_insync_replicas_does_not_follow_by_default() {
    let topology = load("demo.yaml").topology;
    let sync = &topology.mirrors[0].topic_sync;
    assert!(sync.syncs_config("retention.ms"));
    assert!(!sync.syncs_config("min.insync.replicas"));
    assert!(!sync.syncs_config("follower.replication.throttled.replicas"));
}

#[test]
fn the_resolved_topology_serialises() {
    let value = serde_json::to_value(load("seed-003-strimzi.yaml").topology).unwrap();
    assert_eq!(value["clusters"][0]["platform"], "strimzi");
    assert_eq!(value["mirrors"][0]["policy"]["type"], "default");
    assert_eq!(value["mirrors"][0]["topics"]["include"], ".*");
}

#[test]
fn platform_blocks_are_kept() {
    let azure = load("seed-002-hdinsight.yaml").topology;
    let source = &azure.cluster("source-mirror").unwrap().infrastructure;
    let network = source.network.as_ref().unwrap();
    assert_eq!(network.cidr.unwrap().to_string(), "10.0.0.0/16");
    assert_eq!(network.peers, ["dest-mirror"]);
    assert_eq!(network.link, Some(topology::Link::Peering));
    assert_eq!(
        source.dns.as_ref().unwrap().forwarders,
        ["168.63.129.16"],
        "queries for other networks"
    );
    let login = source.access.as_ref().unwrap().login.as_ref().unwrap();
    assert_eq!(login.user, "admin");
    assert_eq!(
        login.password,
        Some(SecretRef::Env("HDI_LOGIN_PASSWORD".to_owned()))
    );

    let strimzi = load("seed-003-strimzi.yaml").topology;
    let europe = &strimzi.clusters[0].infrastructure;
    let storage = europe.storage.as_ref().unwrap();
    assert_eq!(storage.size, Some(20 << 30));
    assert_eq!(storage.kind, Some(topology::StorageType::PersistentClaim));
    assert!(storage.delete_claim);
    let kubernetes = europe.kubernetes.as_ref().unwrap();
    assert_eq!(
        kubernetes.listeners,
        [topology::Listener::Plain, topology::Listener::Tls]
    );
    let brokers = europe.brokers.as_ref().unwrap();
    assert_eq!(brokers.config["transaction.state.log.min.isr"], "2");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = topology::load(Path::new("/nowhere/topology.yaml")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot read /nowhere/topology.yaml")
    );
}
