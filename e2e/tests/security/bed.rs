//! What the tests of this program share.

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use e2e::{ADMIN, Access, ClusterSpec, Pair, Security, Way, Workspace, mirrorctl};

/// Two secured clusters, shared by the tests of this file, which use topics of their own names.
pub(crate) struct Bed {
    pub(crate) security: Security,
    pub(crate) pair: Pair,
}

pub(crate) fn bed() -> &'static Bed {
    static BED: OnceLock<Bed> = OnceLock::new();
    BED.get_or_init(|| {
        let users = [&crate::access_control::USERS[..], &[crate::hidden::WATCHER]].concat();
        let security = Security::new(&users).unwrap();
        let pair = Pair::start(&ClusterSpec::single().secured(&security)).unwrap();
        Bed { security, pair }
    })
}

impl Bed {
    pub(crate) fn access(&self, workspace: &Workspace, way: Way) -> Access {
        Access::new(&self.security, workspace, way, ADMIN).unwrap()
    }

    /// A topology of both clusters, with one topic and its mirror.
    pub(crate) fn topology(&self, source: &Access, target: &Access, topic: &str) -> String {
        topology(
            &source.cluster("source", &self.pair.source).unwrap(),
            &target.cluster("target", &self.pair.target).unwrap(),
            topic,
        )
    }
}

pub(crate) fn topology(source: &str, target: &str, topic: &str) -> String {
    format!(
        "apiVersion: mirrorctl.io/v1\n\
         kind: Topology\n\
         clusters:\n\
         - {source}\n\
         - {target}\n\
         topics:\n\
         - {{name: {topic}, clusters: [source], partitions: 3, replicationFactor: 1}}\n\
         mirrors:\n\
         - {{name: {topic}, source: source, target: target, topicsPattern: {topic}, replicationPolicy: {{type: identity}}}}\n"
    )
}

/// What a command wrote.
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs `mirrorctl` and checks its exit code.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str], code: i32) -> Printed {
    let assert = mirrorctl(workspace)
        .unwrap()
        .args(arguments)
        .assert()
        .code(code);
    let output = assert.get_output();
    Printed {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub(crate) fn wait_for(limit: Duration, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < limit, "not within {limit:?}");
        thread::sleep(Duration::from_millis(50));
    }
}
