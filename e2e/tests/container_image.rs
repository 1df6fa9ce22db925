//! The rendered Containerfile is built, and a container of the image mirrors a topic between two brokers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/rendered.rs"]
mod rendered;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use e2e::{ClusterSpec, KafkaCluster, Workspace, mirrorctl_binary, record_count, write_mixed};
use rendered::{render, run, said, succeed};

/// A base image may not be to be had from a registry: this one holds what the binary is linked to, and nothing else. That the
/// base of a Containerfile to which nothing is said holds as much is for `mirrorctl/tests/cli/image.rs`.
const BASE: &str = "mirrorctl/e2e-base:1";
const IMAGE: &str = "mirrorctl/e2e-replicator:1";
const RECORDS: u64 = 1_000;
const LIMIT: Duration = Duration::from_mins(2);

/// A running container; removed when dropped.
struct Container(String);

impl Drop for Container {
    fn drop(&mut self) {
        drop(
            Command::new("docker")
                .args(["rm", "--force", &self.0])
                .output(),
        );
    }
}

fn build_base(workspace: &Workspace) {
    let root = workspace.path().join("base");
    fs::create_dir_all(root.join("tmp")).unwrap();
    let list = succeed(Command::new("ldd").arg(mirrorctl_binary().unwrap()));
    for library in list.split_whitespace().filter(|word| word.starts_with('/')) {
        let inside = root.join(library.trim_start_matches('/'));
        fs::create_dir_all(inside.parent().unwrap()).unwrap();
        fs::copy(library, inside).unwrap();
    }
    succeed(
        Command::new("sh")
            .args(["-c", "tar -C \"$1\" -c . | docker import - \"$2\"", "sh"])
            .arg(&root)
            .arg(BASE),
    );
}

fn topology(workspace: &Workspace, source: &str, target: &str) -> std::path::PathBuf {
    workspace
        .write(
            "topology.yaml",
            format!(
                "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
                 - {{alias: a, bootstrapServers: '{source}'}}\n\
                 - {{alias: b, bootstrapServers: '{target}'}}\n\
                 mirrors:\n\
                 - {{name: a-to-b, source: a, target: b, topicsPattern: orders, replicationPolicy: {{type: identity}}}}\n"
            ),
        )
        .unwrap()
}

fn build(folder: &Path) {
    fs::copy(mirrorctl_binary().unwrap(), folder.join("mirrorctl")).unwrap();
    succeed(
        Command::new("docker")
            // the builder that is there wherever an engine is
            .env("DOCKER_BUILDKIT", "0")
            .args(["build", "--network=host", "--tag", IMAGE, "--file"])
            .arg(folder.join("Containerfile"))
            .arg(folder),
    );
}

#[test]
fn a_container_of_the_image_mirrors_a_topic() {
    let workspace = Workspace::create("image").unwrap();
    let (source, target) = (
        KafkaCluster::start(&ClusterSpec::single()).unwrap(),
        KafkaCluster::start(&ClusterSpec::single()).unwrap(),
    );
    let (from, to) = (source.bootstrap_servers(), target.bootstrap_servers());
    source
        .tool_output(
            "org.apache.kafka.tools.TopicCommand",
            &["--bootstrap-server", &from, "--create", "--topic", "orders"],
            &[],
        )
        .unwrap();
    write_mixed(&from, "orders", 1, RECORDS).unwrap();
    let topology = topology(&workspace, &from, &to);
    let folder = render(
        &workspace,
        &topology,
        "container",
        &[&format!("container.base={BASE}")],
    );
    build_base(&workspace);
    build(&folder);

    let id = succeed(
        Command::new("docker")
            .args(["run", "--detach", "--label", "io.mirrorctl.e2e=image"])
            // the brokers listen on this machine's loopback alone
            .args(["--network", "host", "--env", "MIRRORCTL_LISTEN=127.0.0.1:0"])
            .args(["--read-only", "--cap-drop", "ALL"])
            .args(["--security-opt", "no-new-privileges", "--memory", "256m"])
            .arg("--volume")
            .arg(format!(
                "{}:/etc/mirrorctl/topology.yaml:ro",
                topology.display()
            ))
            .arg(IMAGE),
    );
    let container = Container(id.trim().to_owned());
    let started = Instant::now();
    while record_count(&to, "orders").unwrap_or(0) < RECORDS {
        assert!(
            started.elapsed() < LIMIT,
            "{}",
            said(&run(Command::new("docker").args(["logs", &container.0])))
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    // it is asked to stop, drains, and ends by itself
    succeed(Command::new("docker").args(["stop", "--time", "60", &container.0]));
    let code = succeed(Command::new("docker").args([
        "inspect",
        "--format",
        "{{.State.ExitCode}}",
        &container.0,
    ]));
    assert_eq!(
        code.trim(),
        "0",
        "{}",
        said(&run(Command::new("docker").args(["logs", &container.0])))
    );
    assert_eq!(record_count(&to, "orders").unwrap(), RECORDS);
    let user = succeed(Command::new("docker").args([
        "image",
        "inspect",
        "--format",
        "{{.Config.User}}",
        IMAGE,
    ]));
    assert_eq!(user.trim(), "65532:65532");
}
