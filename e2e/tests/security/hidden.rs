//! A topic that a mirror may no longer see is not a topic that was deleted.

use std::time::Duration;

use e2e::{
    Access, KafkaCluster, TopicAdmin, Way, Workspace, end_offsets, start_mirrorctl, write_mixed,
};
use rustix::process::Signal;

use crate::bed::{bed, wait_for};

const ACL_COMMAND: &str = "org.apache.kafka.tools.AclCommand";
const LIMIT: Duration = Duration::from_mins(2);

/// May read `hidden…` on the source and do everything on the target's.
pub(crate) const WATCHER: &str = "watcher";

fn acl(cluster: &KafkaCluster, arguments: &[&str]) {
    let servers = cluster.bootstrap_servers();
    let all = [&["--bootstrap-server", &servers, "--force"], arguments].concat();
    cluster.tool_output(ACL_COMMAND, &all, &[]).unwrap();
}

/// Adds (`--add`) or removes (`--remove`) the denial to describe the topic.
fn deny(change: &str, topic: &str) {
    let principal = format!("User:{WATCHER}");
    let denial = [
        change,
        "--deny-principal",
        &principal,
        "--operation",
        "Describe",
        "--topic",
        topic,
    ];
    acl(&bed().pair.source, &denial);
}

fn allow(cluster: &KafkaCluster, prefix: &str, operation: &str) {
    let principal = format!("User:{WATCHER}");
    let right = [
        "--add",
        "--allow-principal",
        &principal,
        "--operation",
        operation,
        "--topic",
        prefix,
        "--resource-pattern-type",
        "prefixed",
    ];
    acl(cluster, &right);
}

#[test]
fn a_topic_that_is_hidden_from_the_mirror_survives_on_the_target() {
    let bed = bed();
    let workspace = Workspace::create("hidden").unwrap();
    let (source, target) = (&bed.pair.source, &bed.pair.target);
    std::thread::scope(|scope| {
        for operation in ["Read", "DescribeConfigs"] {
            scope.spawn(move || allow(source, "hidden", operation));
        }
        for prefix in ["hidden", "mirrorctl-"] {
            scope.spawn(move || allow(target, prefix, "All"));
        }
    });
    let servers = source.bootstrap_servers();
    let admin = TopicAdmin::new(&servers).unwrap();
    let topics = ["hidden.a", "hidden.b", "hidden.c"];
    for topic in topics {
        admin.create(topic, 1, &[]).unwrap();
        write_mixed(&servers, topic, 1, 200).unwrap();
    }
    let access = Access::new(&bed.security, &workspace, Way::ScramSha512, WATCHER).unwrap();
    let cluster = access.cluster("target", target).unwrap();
    let topology = format!(
        "apiVersion: mirrorctl.io/v1\n\
         kind: Topology\n\
         clusters:\n\
         - {}\n\
         - {}\n\
         mirrors:\n\
         - {{name: hidden, source: source, target: target, topicsPattern: \"hidden.*\", \
             replicationPolicy: {{type: identity}}, topicSync: {{interval: 300ms, onSourceDelete: delete}}}}\n",
        access.cluster("source", source).unwrap(),
        cluster.replace(
            "{alias: target,",
            "{alias: target, allow: {deleteTopics: true},"
        ),
    );
    workspace.write("t.yaml", topology).unwrap();
    let mut replicate =
        start_mirrorctl(&workspace, "hidden", &["replicate", "-f", "t.yaml"]).unwrap();
    let on_target = |topic: &str| {
        let ends = end_offsets(&target.bootstrap_servers(), topic).unwrap_or_default();
        ends.iter().sum::<i64>()
    };
    wait_for(LIMIT, || topics.iter().all(|topic| on_target(topic) == 200));

    deny("--add", "hidden.a");
    // those that are really deleted go, one after the other: discoveries enough have seen that the first is hidden
    for topic in ["hidden.b", "hidden.c"] {
        admin.delete(topic).unwrap();
        let said = format!("deleted `{topic}` on the target");
        wait_for(LIMIT, || replicate.stderr().contains(&said));
    }
    assert_eq!(on_target("hidden.a"), 200, "{}", replicate.stderr());
    assert_eq!(on_target("hidden.b") + on_target("hidden.c"), 0);
    let status = replicate.try_wait().unwrap();
    assert_eq!(status, None, "{}", replicate.stderr());

    // and it goes on when it may be seen again
    deny("--remove", "hidden.a");
    write_mixed(&servers, "hidden.a", 1, 200).unwrap();
    wait_for(LIMIT, || on_target("hidden.a") == 400);
    replicate.signal(Signal::TERM).unwrap();
    replicate.wait(LIMIT).unwrap();
    assert!(
        !replicate.stderr().contains("deleted `hidden.a`"),
        "{}",
        replicate.stderr()
    );
}
