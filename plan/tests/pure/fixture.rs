//! A topology and a live state that together show every kind of change.

use std::collections::BTreeMap;

use plan::{
    ConfigOrigin, Desired, DesiredAcl, DesiredCluster, DesiredMirror, DesiredQuota, DesiredTopic,
    DesiredUser, Extent, Guard, MirrorRecord, Observed, ObservedCluster, ObservedConfig,
    ObservedMirror, ObservedPartition, ObservedTopic, Permissions, Plan, QuotaState, Recorded,
    RecordedAccess, Underway, Usage, diff_desired,
};
use topology::{
    AclBinding, AclOperation, AclPermission, EntityName, PatternType, QuotaEntity, QuotaValue,
    ResourceType, ScramMechanism, SecretRef,
};

/// A declared topic.
pub(crate) fn declared(
    partitions: Option<u32>,
    replication_factor: Option<u16>,
    configs: &[(&str, &str)],
) -> DesiredTopic {
    DesiredTopic {
        partitions,
        replication_factor,
        configs: configs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        placement: topology::Placement::Any,
        guard: Guard::Allowed,
        prevent_destroy: false,
    }
}

/// A live topic on which `set` was set, with a few of Kafka's defaults besides.
pub(crate) fn live(
    partitions: u32,
    replication_factor: u16,
    set: &[(&str, &str)],
) -> ObservedTopic {
    let defaults = [
        ("cleanup.policy", "delete"),
        ("max.message.bytes", "1048588"),
        ("min.insync.replicas", "1"),
        ("retention.bytes", "-1"),
        ("retention.ms", "604800000"),
        ("segment.bytes", "1073741824"),
    ];
    let entry = |(key, value): &(&str, &str), origin| {
        let entry = ObservedConfig {
            value: Some((*value).to_owned()),
            origin,
            sensitive: false,
            read_only: false,
        };
        ((*key).to_owned(), entry)
    };
    let mut configs: BTreeMap<_, _> = defaults
        .iter()
        .map(|pair| entry(pair, ConfigOrigin::Default))
        .collect();
    configs.extend(set.iter().map(|pair| entry(pair, ConfigOrigin::Topic)));
    ObservedTopic {
        id: "5f7b1f0e-0000-4000-8000-000000000001".to_owned(),
        internal: false,
        partitions,
        replication_factor,
        placement: placement(partitions, replication_factor),
        configs,
        usage: None,
        extent: Some(Extent {
            bytes: (0..partitions)
                .map(|index| (index, 1_500_000_000))
                .collect(),
            active_groups: vec!["billing".to_owned()],
        }),
    }
}

/// Replicas one after the other on brokers 1 to 3 (or more, where there are more replicas).
fn placement(partitions: u32, factor: u16) -> Vec<ObservedPartition> {
    let brokers = i32::from(factor).max(3);
    let partition = |index: u32| {
        let replicas: Vec<i32> = (0..i32::from(factor))
            .map(|replica| (index as i32 + replica) % brokers + 1)
            .collect();
        ObservedPartition {
            in_sync: replicas.clone(),
            replicas,
            moving_to: None,
        }
    };
    (0..partitions).map(partition).collect()
}

/// One declared cluster with these topics.
pub(crate) fn desired(topics: Vec<(&str, DesiredTopic)>) -> Desired {
    Desired {
        clusters: [("onprem".to_owned(), cluster("kafka1.dc:9092", topics))].into(),
        ..Desired::default()
    }
}

/// One live cluster of three brokers with these topics.
pub(crate) fn observed(topics: Vec<(&str, ObservedTopic)>) -> Observed {
    Observed {
        clusters: [(
            "onprem".to_owned(),
            live_cluster("onprem-id", "kafka1.dc:9092", topics),
        )]
        .into(),
        ..Observed::default()
    }
}

fn cluster(bootstrap: &str, topics: Vec<(&str, DesiredTopic)>) -> DesiredCluster {
    DesiredCluster {
        bootstrap: bootstrap.split(',').map(str::to_owned).collect(),
        cluster_id: None,
        tls: None,
        sasl: None,
        allow: topology::Allow::default(),
        guards: topology::TopicGuard::default(),
        topics: named(topics),
        ..DesiredCluster::default()
    }
}

fn live_cluster(id: &str, bootstrap: &str, topics: Vec<(&str, ObservedTopic)>) -> ObservedCluster {
    ObservedCluster {
        recorded: BTreeMap::new(),
        cluster_id: id.to_owned(),
        bootstrap: bootstrap.split(',').map(str::to_owned).collect(),
        brokers: (1..=3).map(|id| (id, None)).collect(),
        underway: BTreeMap::new(),
        known_configs: live(1, 1, &[]).configs.into_keys().collect(),
        topics: named(topics),
        ..ObservedCluster::default()
    }
}

fn named<T>(topics: Vec<(&str, T)>) -> BTreeMap<String, T> {
    topics
        .into_iter()
        .map(|(name, topic)| (name.to_owned(), topic))
        .collect()
}

/// Two clusters: creations on one, everything else on the other.
pub(crate) fn everything() -> (Desired, Observed) {
    let mut protected = declared(Some(2), None, &[]);
    protected.guard = Guard::Protected("audit\\..*".to_owned());
    let onprem = vec![
        ("audit.log", protected),
        (
            "pay.events",
            declared(Some(12), Some(3), &[("retention.ms", "86400000")]),
        ),
        ("pay.keys", declared(Some(2), Some(3), &[])),
        (
            "pay.ledger",
            declared(Some(6), Some(3), &[("cleanup.policy", "compact")]),
        ),
        (
            "pay.orders",
            declared(Some(6), Some(3), &[("retention.ms", "604800000")]),
        ),
        (
            "pay.refunds",
            declared(Some(4), Some(2), &[("max.message.bytes", "2097152")]),
        ),
    ];
    let aws = vec![
        (
            "onprem.pay.orders",
            declared(Some(6), Some(3), &[("retention.ms", "2592000000")]),
        ),
        ("onprem.pay.refunds", declared(None, None, &[])),
        (
            "wide",
            declared(
                Some(3),
                Some(5),
                &[("retention.mss", "1"), ("min.insync.replicas", "5")],
            ),
        ),
    ];
    let mut own = cluster("kafka1.dc:9092,kafka2.dc:9092", onprem);
    own.allow.delete_topics = true;
    let mut desired = Desired {
        clusters: [
            ("aws".to_owned(), cluster("b-1.msk:9092", aws)),
            ("onprem".to_owned(), own),
        ]
        .into(),
        ..Desired::default()
    };
    let used = |mut topic: ObservedTopic, usage: Usage| {
        topic.usage = Some(usage);
        topic
    };
    let mut observed = Observed {
        clusters: [
            (
                "aws".to_owned(),
                live_cluster("aws-id", "b-1.msk:9092", vec![]),
            ),
            (
                "onprem".to_owned(),
                live_cluster(
                    "onprem-id",
                    "kafka1.dc:9092,kafka2.dc:9092",
                    vec![
                        ("audit.log", live(1, 3, &[])),
                        ("pay.events", live(6, 3, &[])),
                        ("pay.keys", live(2, 1, &[])),
                        ("pay.ledger", live(6, 3, &[("retention.ms", "-1")])),
                        (
                            "pay.orders",
                            live(6, 3, &[("segment.bytes", "1048576\u{1b}[2J")]),
                        ),
                        (
                            "pay.refunds",
                            live(8, 3, &[("max.message.bytes", "1000000")]),
                        ),
                        (
                            "pay.old",
                            used(
                                live(6, 3, &[]),
                                Usage {
                                    end_offsets: 1_200,
                                    records: 1_000,
                                    written_recently: true,
                                    active_groups: vec!["billing".to_owned()],
                                },
                            ),
                        ),
                        ("pay.unused", used(live(6, 3, &[]), Usage::default())),
                    ],
                ),
            ),
        ]
        .into(),
        ..Observed::default()
    };
    let recorded = |configs: &[(&str, &str)]| Recorded {
        partitions: Some(6),
        replication_factor: Some(3),
        configs: configs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..Recorded::default()
    };
    if let Some(onprem) = observed.clusters.get_mut("onprem") {
        onprem.recorded = [
            ("pay.gone", recorded(&[])),
            (
                "pay.ledger",
                recorded(&[("cleanup.policy", "compact"), ("retention.ms", "-1")]),
            ),
            ("pay.old", recorded(&[])),
            ("pay.unused", recorded(&[])),
        ]
        .map(|(topic, recorded)| (format!("topic.onprem.{topic}"), recorded))
        .into();
        onprem.underway = [(
            "topic.onprem.pay.orders".to_owned(),
            Underway {
                limited: [1, 2].into(),
                assignment: BTreeMap::new(),
            },
        )]
        .into();
    }
    let declared = desired.clusters.get_mut("onprem");
    if let (Some(desired), Some(live)) = (declared, observed.clusters.get_mut("onprem")) {
        with_rules(desired, live);
        with_limits_and_logins(desired, live);
    }
    let declared = desired.clusters.get_mut("aws");
    if let (Some(desired), Some(live)) = (declared, observed.clusters.get_mut("aws")) {
        with_mirrors(desired, live);
    }
    (desired, observed)
}

fn rule(principal: &str, name: &str, operation: AclOperation) -> AclBinding {
    AclBinding {
        resource_type: ResourceType::Topic,
        resource_name: name.to_owned(),
        pattern: PatternType::Prefixed,
        principal: principal.to_owned(),
        host: "*".to_owned(),
        operation,
        permission: AclPermission::Allow,
    }
}

/// Rules by their labels, of which the first two are declared and the other is not.
fn rules() -> [(&'static str, AclBinding); 3] {
    let mut deny = rule("User:*", "pay.", AclOperation::All);
    deny.permission = AclPermission::Deny;
    "10.0.0.1".clone_into(&mut deny.host);
    [
        (
            "User:orders/allow/write/topic/prefixed/pay.",
            rule("User:orders", "pay.", AclOperation::Write),
        ),
        ("User:*/deny/all/topic/prefixed/pay./10.0.0.1", deny),
        (
            "User:reports/allow/read/topic/prefixed/pay.",
            rule("User:reports", "pay.", AclOperation::Read),
        ),
    ]
}

/// Two rules that are to be created, and one that is declared no longer.
fn with_rules(desired: &mut DesiredCluster, live: &mut ObservedCluster) {
    let [write, deny, read] = rules();
    for (at, (label, rule)) in [write, deny].into_iter().enumerate() {
        let origin = format!("acls[{at}]");
        let acl = DesiredAcl { rule, origin };
        desired.acls.insert(label.to_owned(), acl);
    }
    desired.allow.delete_acls = true;
    let (label, rule) = read;
    live.acls.insert(label.to_owned(), rule.clone());
    let recorded = Recorded {
        access: Some(RecordedAccess::Acl(rule)),
        ..Recorded::default()
    };
    live.recorded
        .insert(format!("acl.onprem.{label}"), recorded);
}

/// Limits that change, and a user that gets another password and one that is declared no longer.
fn with_limits_and_logins(desired: &mut DesiredCluster, live: &mut ObservedCluster) {
    let limits = |limits: &[(&str, u32)]| -> BTreeMap<String, QuotaValue> {
        let limits = limits.iter();
        limits
            .map(|(key, value)| ((*key).to_owned(), QuotaValue::from(*value)))
            .collect()
    };
    let entity = QuotaEntity {
        user: Some(EntityName::Named("orders".to_owned())),
        client_id: Some(EntityName::Default),
        ip: None,
    };
    let label = "user=orders/client-id=<default>".to_owned();
    let quota = DesiredQuota {
        entity: entity.clone(),
        limits: limits(&[
            ("consumer_byte_rate", 20_971_520),
            ("producer_byte_rate", 10_000_000),
        ]),
        origin: "quotas[0]".to_owned(),
    };
    let access = |access| Recorded {
        access: Some(access),
        ..Recorded::default()
    };
    live.quotas.insert(
        label.clone(),
        QuotaState {
            entity,
            limits: limits(&[
                ("consumer_byte_rate", 1_048_576),
                ("controller_mutation_rate", 5),
                ("request_percentage", 50),
            ]),
            ..QuotaState::default()
        },
    );
    live.recorded.insert(
        format!("quota.onprem.{label}"),
        access(RecordedAccess::Quota {
            limits: limits(&[
                ("consumer_byte_rate", 1_048_576),
                ("request_percentage", 50),
            ]),
        }),
    );
    desired.quotas.insert(label, quota);

    let user = |name: &str, mechanism, password: &str, generation| DesiredUser {
        name: name.to_owned(),
        mechanism,
        iterations: 8192,
        generation,
        password: SecretRef::Env(password.to_owned()),
        origin: "users[0]".to_owned(),
    };
    for (name, mechanism, generation) in [
        ("new", ScramMechanism::Sha512, 1),
        ("orders", ScramMechanism::Sha512, 2),
        ("reports", ScramMechanism::Sha512, 1),
    ] {
        let desired_user = user(name, mechanism, "A_PW", generation);
        desired.users.insert(name.to_owned(), desired_user);
    }
    for (name, mechanism) in [
        ("gone", ScramMechanism::Sha512),
        ("orders", ScramMechanism::Sha512),
        ("reports", ScramMechanism::Sha256),
    ] {
        let recorded = access(RecordedAccess::User {
            name: name.to_owned(),
            mechanism,
            iterations: 8192,
            generation: 1,
        });
        live.recorded
            .insert(format!("user.onprem.{name}"), recorded);
        live.users
            .insert(name.to_owned(), [(mechanism, 8192)].into());
    }
}

/// A mirror that is paused, one that drifted, one that is to copy again although it was promoted, and one that is
/// declared no longer.
fn with_mirrors(desired: &mut DesiredCluster, live: &mut ObservedCluster) {
    use topology::MirrorState::{Paused, Promoted, Running};
    let source = || [("onprem".to_owned(), Some("onprem-id".to_owned()))].into();
    for (name, wanted, was) in [
        ("audit", Some(Running), Some(Promoted)),
        ("gone", None, Some(Running)),
        ("last", Some(Promoted), Some(Running)),
        ("new", Some(Running), None),
        ("pay", Some(Paused), Some(Running)),
    ] {
        if let Some(state) = wanted {
            let sources = source();
            let mirror = DesiredMirror { state, sources };
            desired.mirrors.insert(name.to_owned(), mirror);
        }
        let Some(state) = was else {
            continue;
        };
        let record = MirrorRecord {
            state: Some(state),
            sources: source(),
        };
        let mirror = ObservedMirror {
            record,
            ..ObservedMirror::default()
        };
        live.mirrors.insert(name.to_owned(), mirror);
        let recorded = Recorded {
            access: Some(RecordedAccess::Mirror {
                state,
                sources: source(),
            }),
            ..Recorded::default()
        };
        live.recorded.insert(format!("mirror.{name}"), recorded);
    }
    let noise = ObservedMirror {
        unreadable: Some("expected value at line 1 column 1".to_owned()),
        ..ObservedMirror::default()
    };
    live.mirrors.insert("bill".to_owned(), noise);
    let bill = DesiredMirror {
        state: Running,
        sources: source(),
    };
    desired.mirrors.insert("bill".to_owned(), bill);
    let recorded = Recorded {
        access: Some(RecordedAccess::Mirror {
            state: Running,
            sources: source(),
        }),
        ..Recorded::default()
    };
    live.recorded.insert("mirror.bill".to_owned(), recorded);
}

/// The plan when one deletion was asked for.
pub(crate) fn planned(desired: &Desired, observed: &Observed) -> Plan {
    let allowed = Permissions::to_destroy(["topic.onprem.pay.unused".to_owned()]);
    diff_desired(desired, observed, &allowed)
}
