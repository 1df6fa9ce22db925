//! Mirrors of the engine `mirrormaker2` as connectors of Kafka Connect: a worker beside the target cluster, and for each
//! source the three connectors of MirrorMaker 2 with one replication policy.

use serde::Serialize;
use serde_json::{Map, Value, json};
use topology::Mirror;

use super::java_client::JavaClient;
use super::mirrormaker2::{Flows, Reached, flows, mirrors};
use super::names;
use crate::draft::Draft;
use crate::request::Request;
use crate::setting::{Setting, Takes};
use crate::target::{Target, TargetError, no_remarks};

const NAME: &str = "connect";
/// What mirrors leave out, whatever they select: topics that begin with this and end as those of workers do.
const WORKERS: &str = "connect";

pub(super) const TARGET: Target = Target {
    name: NAME,
    about: "Kafka Connect worker and connectors for each mirror of the engine mirrormaker2",
    renders: "mirrors with `engine: mirrormaker2`",
    settings: &[Setting {
        name: "group",
        about: "what the groups of the workers and their topics begin with, before -MIRROR (connect, and connect-TOPOLOGY-MIRROR-DIGEST \
                where the topology has a name)",
        takes: Takes::Text(group),
    }],
    remarks: no_remarks,
    drafts,
};

/// A worker of one mirror.
#[derive(Serialize)]
struct Worker<'a> {
    #[serde(flatten)]
    flows: &'a Flows,
    /// Its group, and what its topics begin with.
    group: String,
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let chosen = request.setting(NAME, "group", "");
    let mut drafts = Vec::new();
    for mirror in mirrors(request.topology)? {
        let flows = flows(request.topology, mirror)?;
        let group = if chosen.is_empty() {
            names::of_group(WORKERS, request.topology.name.as_deref(), &mirror.name)
        } else {
            format!("{chosen}-{}", mirror.name)
        };
        drafts.push(Draft::template(
            format!("{}/worker.properties", mirror.name),
            "connect/worker.properties",
            &Worker {
                flows: &flows,
                group,
            },
        )?);
        for source in &flows.sources {
            for (kind, config) in connectors(mirror, &flows, source) {
                let name = format!("{}-{}-{kind}", mirror.name, source.alias);
                drafts.push(Draft::json(
                    format!("{}/{}-{kind}.json", mirror.name, source.alias),
                    json!({"name": name, "config": config}),
                ));
            }
        }
    }
    Ok(drafts)
}

/// What names of topics may begin with, so that no mirror copies the workers' own.
fn group(text: &str) -> Result<(), String> {
    const LONGEST: usize = 100;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !text.starts_with(WORKERS) || text.len() > LONGEST || !text.chars().all(legal) {
        return Err(format!(
            "does not begin with `{WORKERS}`, or is no beginning of a topic's name: up to {LONGEST} of letters, digits, `.`, `_` and `-`"
        ));
    }
    Ok(())
}

/// Source, checkpoint and heartbeat, each as `POST /connectors` takes it.
fn connectors(
    mirror: &Mirror,
    flows: &Flows,
    source: &Reached,
) -> [(&'static str, Map<String, Value>); 3] {
    let mut copy = common("MirrorSourceConnector", flows, source);
    put(&mut copy, "tasks.max", flows.tasks);
    put(&mut copy, "topics", &flows.topics);
    put_some(&mut copy, "topics.exclude", flows.topics_exclude.as_ref());
    put(&mut copy, "replication.factor", flows.replication_factor);
    put(
        &mut copy,
        "offset-syncs.topic.replication.factor",
        flows.source_replication_factor,
    );
    put(
        &mut copy,
        "refresh.topics.interval.seconds",
        flows.refresh_seconds,
    );
    put(&mut copy, "sync.topic.configs.enabled", flows.sync_configs);
    put(
        &mut copy,
        "sync.topic.configs.interval.seconds",
        flows.config_seconds,
    );
    if !flows.configs_exclude.is_empty() {
        put(
            &mut copy,
            "config.properties.exclude",
            &flows.configs_exclude,
        );
    }
    put(&mut copy, "sync.topic.acls.enabled", flows.sync_acls);
    put(
        &mut copy,
        "source.consumer.isolation.level",
        "read_committed",
    );
    put(
        &mut copy,
        "source.consumer.auto.offset.reset",
        flows.offset_reset,
    );
    if flows.exactly_once {
        put(&mut copy, "exactly.once.support", "required");
    }

    let mut checkpoint = common("MirrorCheckpointConnector", flows, source);
    put(&mut checkpoint, "tasks.max", "1");
    put(&mut checkpoint, "topics", &flows.topics);
    put_some(
        &mut checkpoint,
        "topics.exclude",
        flows.topics_exclude.as_ref(),
    );
    put(&mut checkpoint, "groups", &flows.groups);
    put_some(
        &mut checkpoint,
        "groups.exclude",
        flows.groups_exclude.as_ref(),
    );
    put(
        &mut checkpoint,
        "emit.checkpoints.interval.seconds",
        flows.group_seconds,
    );
    put(
        &mut checkpoint,
        "sync.group.offsets.enabled",
        flows.sync_groups,
    );
    put(
        &mut checkpoint,
        "sync.group.offsets.interval.seconds",
        flows.group_seconds,
    );
    for (topic, replicas) in [
        ("checkpoints", flows.internal_replication_factor),
        ("offset-syncs", flows.source_replication_factor),
    ] {
        put(
            &mut checkpoint,
            &format!("{topic}.topic.replication.factor"),
            replicas,
        );
    }

    let mut heartbeat = common("MirrorHeartbeatConnector", flows, source);
    put(&mut heartbeat, "tasks.max", "1");
    put(
        &mut heartbeat,
        "heartbeats.topic.replication.factor",
        flows.internal_replication_factor,
    );

    let running = mirror.state == topology::MirrorState::Running;
    [
        ("source", copy),
        ("checkpoint", checkpoint),
        ("heartbeat", heartbeat),
    ]
    .map(|(kind, mut config)| {
        put(&mut config, "enabled", running);
        (kind, config)
    })
}

fn common(class: &str, flows: &Flows, source: &Reached) -> Map<String, Value> {
    const BYTES: &str = "org.apache.kafka.connect.converters.ByteArrayConverter";
    let mut config = Map::new();
    put(
        &mut config,
        "connector.class",
        format!("org.apache.kafka.connect.mirror.{class}"),
    );
    for converter in ["key.converter", "value.converter", "header.converter"] {
        put(&mut config, converter, BYTES);
    }
    for (side, cluster) in [("source", source), ("target", &flows.target)] {
        put(
            &mut config,
            &format!("{side}.cluster.alias"),
            &cluster.alias,
        );
        put(
            &mut config,
            &format!("{side}.cluster.bootstrap.servers"),
            &cluster.bootstrap,
        );
        security(&mut config, side, &cluster.client);
    }
    put(&mut config, "replication.policy.class", flows.policy_class);
    put_some(
        &mut config,
        "replication.policy.separator",
        flows.separator.as_ref(),
    );
    config
}

fn security(config: &mut Map<String, Value>, side: &str, client: &JavaClient) {
    for line in &client.lines {
        put(config, &format!("{side}.cluster.{}", line.key), &line.text);
    }
}

/// Connect takes texts.
#[expect(
    clippy::needless_pass_by_value,
    reason = "texts, numbers and truth values alike"
)]
fn put(config: &mut Map<String, Value>, key: &str, value: impl ToString) {
    config.insert(key.to_owned(), Value::String(value.to_string()));
}

fn put_some(config: &mut Map<String, Value>, key: &str, value: Option<&String>) {
    if let Some(value) = value {
        put(config, key, value);
    }
}
