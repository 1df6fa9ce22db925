//! A mirror that is steered while it runs: reload, pause, throttle, both directions, and what follows the source
//! besides records.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/waits.rs"]
mod waits;

use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use e2e::{
    ClusterSpec, Guarded, KafkaCluster, Pair, Stream, Workspace, end_offsets, identical, mirrorctl,
    record_count, start_mirrorctl,
};
use rustix::process::Signal;
use waits::{LIMIT, until, until_it_says};

const TOPIC_COMMAND: &str = "org.apache.kafka.tools.TopicCommand";
const CONFIG_COMMAND: &str = "kafka.admin.ConfigCommand";

/// Shared by the tests of this file, whose topics have different names.
fn pair() -> &'static Pair {
    static PAIR: OnceLock<Pair> = OnceLock::new();
    PAIR.get_or_init(|| Pair::start(&ClusterSpec::single()).unwrap())
}

fn stop(mut process: Guarded) -> String {
    process.signal(Signal::TERM).unwrap();
    let status = process.wait(LIMIT).unwrap();
    assert_eq!(status.code(), Some(0), "{}", process.stderr());
    process.stdout()
}

fn topics(cluster: &KafkaCluster, arguments: &[&str]) -> String {
    let servers = cluster.bootstrap_servers();
    let all = [&["--bootstrap-server", &servers], arguments].concat();
    cluster.tool_output(TOPIC_COMMAND, &all, &[]).unwrap()
}

fn count(cluster: &KafkaCluster, topic: &str) -> u64 {
    record_count(&cluster.bootstrap_servers(), topic).unwrap_or(0)
}

#[test]
fn reloads_under_load_lose_nothing_and_repeat_nothing() {
    let workspace = Workspace::create("reload").unwrap();
    let write = |more: &str| {
        let rest = format!(
            "topics:\n- {{name: live, clusters: [source], partitions: 6, replicationFactor: 1}}\n\
             mirrors:\n- {{name: live, source: source, target: target, topicsPattern: live, \
             replicationPolicy: {{type: identity}}{more}}}\n"
        );
        workspace.write("t.yaml", pair().topology(&rest)).unwrap();
    };
    write("");
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    mirrorctl(&workspace).unwrap().args(apply).assert().code(0);
    let stream =
        Stream::start(&pair().source.bootstrap_servers(), "live", 6, 2_000, "lz4").unwrap();
    let replicate =
        start_mirrorctl(&workspace, "replicate", &["replicate", "-f", "t.yaml"]).unwrap();
    pair().wait_for_records("live", 1_000, LIMIT).unwrap();

    let mut changes = 0;
    for more in [
        ", throttle: {bytesPerSecond: 20MB}",
        ", replayWindow: 20000",
        ", topicSync: {interval: 2s}",
        "",
    ] {
        write(more);
        replicate.signal(Signal::HUP).unwrap();
        changes += 1;
        until_it_says(&replicate, "reload: changed", changes);
        pair()
            .wait_for_records("live", stream.sent(), LIMIT)
            .unwrap();
    }
    write(", state: paused");
    replicate.signal(Signal::HUP).unwrap();
    until_it_says(&replicate, "reload: paused", 1);
    let target = pair().target.bootstrap_servers();
    until("it stands still", || {
        let before = record_count(&target, "live").unwrap();
        thread::sleep(Duration::from_secs(1));
        record_count(&target, "live").unwrap() == before
    });
    // not valid, and nothing happens
    write(", throtle: {bytesPerSecond: 20MB}");
    replicate.signal(Signal::HUP).unwrap();
    until_it_says(&replicate, "go on as before", 1);
    write("");
    replicate.signal(Signal::HUP).unwrap();
    until_it_says(&replicate, "reload: resumed", 1);
    let written = stream.stop().unwrap();
    pair().wait_for_records("live", written, LIMIT).unwrap();
    stop(replicate);
    let (source, target) = pair().sides("live");
    assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));
}

#[test]
fn both_directions_with_the_default_policy_and_what_follows_besides_records() {
    let workspace = Workspace::create("both").unwrap();
    let sync = "topicSync: {interval: 500ms, configInterval: 500ms, onSourceDelete: delete}";
    let rest = format!(
        "topics:\n- {{name: both, clusters: [source, target], partitions: 2, replicationFactor: 1}}\n\
         mirrors:\n\
         - {{name: there, source: source, target: target, topicsPattern: '.*both.*', {sync}}}\n\
         - {{name: back, source: target, target: source, topicsPattern: '.*both.*', {sync}}}\n"
    );
    let yaml = pair().topology(&rest).replace(
        "{alias: target,",
        "{alias: target, allow: {deleteTopics: true},",
    );
    workspace.write("t.yaml", yaml).unwrap();
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    mirrorctl(&workspace).unwrap().args(apply).assert().code(0);
    let (source, target) = (&pair().source, &pair().target);
    let there = Stream::start(&source.bootstrap_servers(), "both", 2, 500, "none").unwrap();
    let back = Stream::start(&target.bootstrap_servers(), "both", 2, 500, "none").unwrap();
    let replicate =
        start_mirrorctl(&workspace, "replicate", &["replicate", "-f", "t.yaml"]).unwrap();
    until("both directions flow", || {
        count(target, "source.both") > 300 && count(source, "target.both") > 300
    });

    // a topic that is made while the mirror runs, with configuration, growing, then changed, then gone
    topics(
        source,
        &[
            "--create",
            "--topic",
            "both.new",
            "--partitions",
            "1",
            "--config",
            "retention.ms=7200000",
        ],
    );
    let servers = source.bootstrap_servers();
    let new = Stream::start(&servers, "both.new", 1, 500, "none").unwrap();
    until("it is there", || count(target, "source.both.new") > 0);
    let shown = topics(target, &["--describe", "--topic", "source.both.new"]);
    assert!(shown.contains("retention.ms=7200000"), "{shown}");
    topics(
        source,
        &["--alter", "--topic", "both.new", "--partitions", "3"],
    );
    let target_servers = target.bootstrap_servers();
    until("it grows", || {
        end_offsets(&target_servers, "source.both.new").is_ok_and(|ends| ends.len() == 3)
    });
    let altered = [
        "--bootstrap-server",
        &servers,
        "--alter",
        "--entity-type",
        "topics",
        "--entity-name",
        "both.new",
    ];
    let change = [
        "--add-config",
        "max.message.bytes=2000000",
        "--delete-config",
        "retention.ms",
    ];
    source
        .tool_output(CONFIG_COMMAND, &[&altered[..], &change].concat(), &[])
        .unwrap();
    until_it_says(&replicate, "retention.ms back to the default", 1);
    let shown = topics(target, &["--describe", "--topic", "source.both.new"]);
    assert!(
        shown.contains("max.message.bytes=2000000") && !shown.contains("retention.ms"),
        "{shown}"
    );
    new.stop().unwrap();
    topics(source, &["--delete", "--topic", "both.new"]);
    until_it_says(&replicate, "deleted `source.both.new` on the target", 1);

    let (there, back) = (there.stop().unwrap(), back.stop().unwrap());
    until("everything arrives", || {
        count(target, "source.both") == there && count(source, "target.both") == back
    });
    stop(replicate);
    let names = topics(target, &["--list"]) + &topics(source, &["--list"]);
    for round in ["source.target", "target.source"] {
        assert!(!names.contains(round), "nothing comes round:\n{names}");
    }
    assert!(!names.contains("both.new"), "{names}");
    // what is not allowed on the source: its mirror of a topic would stay
    assert_eq!(count(target, "both"), back);
}
