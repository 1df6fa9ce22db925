//! Input that cannot work: a clear message, the right code, soon.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::{Stage, run, text};

#[test]
fn a_file_that_cannot_be_read_or_is_not_valid_is_an_error_of_every_command() {
    let stage = Stage::new();
    let bad = stage.topology("mirrors:\n- {name: m, source: left, target: nowhere, bogus: 1}\n");
    for command in [
        &["plan"][..],
        &["apply", "--auto-approve"],
        &["replicate", "--once"],
        &["status"],
        &["verify", "--mirror", "m", "--mode", "compare"],
        &["demo"],
    ] {
        let with = |file: &str| run(&[command, &["-f", file]].concat());
        with("/no/such/file.yaml")
            .code(1)
            .says("cannot read /no/such/file.yaml");
        let invalid = with(text(&bad)).code(1);
        invalid.says("topology::unknown-key");
        invalid.says("nowhere");
        assert_eq!(invalid.out, "");
    }
}

#[test]
fn a_broker_that_is_not_there_is_named_within_ten_seconds() {
    let stage = Stage::new();
    // a port that was free a moment ago
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let yaml = std::fs::read_to_string(stage.pay()).unwrap();
    let file = stage.file(
        "gone.yaml",
        &yaml.replace(&stage.left.bootstrap_servers(), &gone.to_string()),
    );
    let started = Instant::now();
    let ended = run(&["plan", "-f", text(&file)]).code(1);
    assert!(started.elapsed() < Duration::from_secs(10));
    ended.says("cluster left at");
    ended.says(&gone.to_string());
    ended.says("refused");
    ended.says("hint:");
}

#[test]
fn a_listener_that_says_nothing_is_given_up_within_ten_seconds() {
    let stage = Stage::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let yaml = std::fs::read_to_string(stage.pay()).unwrap();
    let file = stage.file(
        "silent.yaml",
        &yaml.replace(&stage.left.bootstrap_servers(), &address),
    );
    let started = Instant::now();
    let ended = run(&["plan", "-f", text(&file)]).code(1);
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    ended.says(&address);
    ended.says("hint:");
}

#[test]
fn what_secures_connections_is_looked_at_before_anything_is_sent() {
    let stage = Stage::new();
    let yaml = std::fs::read_to_string(stage.pay()).unwrap();
    let left = |more: &str| yaml.replace("{alias: left,", &format!("{{alias: left, {more},"));
    let tls = stage.file("tls.yaml", &left("tls: {caFile: ca.pem}"));
    for command in ["plan", "replicate", "status"] {
        let ended = run(&[command, "-f", text(&tls)]).code(1);
        ended.says("cluster left: tls.caFile");
        ended.says("ca.pem: No such file");
    }
    let password = "sasl: {mechanism: scram-sha-256, username: u, password: {env: NO_SUCH_SECRET}}";
    let sasl = stage.file("sasl.yaml", &left(password));
    run(&["plan", "-f", text(&sasl)])
        .code(1)
        .says("cluster left: sasl.password: the environment variable NO_SUCH_SECRET is not set");
    stage.file("ca.pem", "not PEM");
    run(&["plan", "-f", text(&tls)])
        .code(1)
        .says("it holds no certificate");
    stage.file("password", "hunter2\n");
    let login = "sasl: {mechanism: scram-sha-256, username: u, password: {file: password}}";
    let sasl = stage.file("login.yaml", &left(login));
    let ended = run(&["plan", "-f", text(&sasl)]).code(1);
    // the embedded broker knows nothing of SASL
    ended.says("cluster left at");
    ended.says("SaslHandshake");
}

#[test]
fn what_this_version_cannot_do_is_refused_by_name() {
    let stage = Stage::new();
    let yaml = std::fs::read_to_string(stage.pay()).unwrap();
    let mirror = |more: &str| yaml.replace("{name: pay, ", &format!("{{name: pay, {more}, "));
    let other = stage.file("other.yaml", &mirror("engine: mirrormaker2"));
    run(&["replicate", "-f", text(&other), "--mirror", "pay"])
        .code(1)
        .says("engine mirrormaker2");
    run(&["replicate", "-f", text(&other)])
        .code(1)
        .says("passed over");
    let paused = stage.file("paused.yaml", &mirror("state: paused"));
    run(&[
        "replicate",
        "-f",
        text(&paused),
        "--mirror",
        "pay",
        "--once",
    ])
    .code(1)
    .says("paused");
    assert_eq!(stage.right.topics(), Vec::<String>::new());
}

#[test]
fn a_promoted_mirror_is_refused() {
    let stage = Stage::new();
    let yaml = std::fs::read_to_string(stage.pay()).unwrap();
    let promoted = yaml.replace("{name: pay, ", "{name: pay, state: promoted, ");
    let file = stage.file("promoted.yaml", &promoted);
    for more in [
        &[][..],
        &["--once"],
        &["--mirror", "pay"],
        &["--mirror", "pay", "--once"],
    ] {
        let arguments = [&["replicate", "-f", text(&file)], more].concat();
        let ended = run(&arguments).code(3);
        ended.says("refusing to replicate pay");
        ended.says("state: promoted");
    }
    assert_eq!(stage.right.topics(), Vec::<String>::new());
}

#[test]
fn a_mirror_that_is_not_there_is_wrong_usage_and_those_that_are_get_named() {
    let stage = Stage::new();
    let file = stage.pay();
    let ended = run(&["replicate", "-f", text(&file), "--mirror", "play"]).code(64);
    ended.says("no mirror play");
    ended.says("it has pay");
}

#[test]
fn embedded_clusters_live_in_the_demo_only() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../topology/examples/demo.yaml"
    );
    run(&["plan", "-f", file])
        .code(1)
        .says("lives only inside `mirrorctl demo`");
}

#[test]
fn a_cluster_is_not_mirrored_onto_itself() {
    let stage = Stage::new();
    let yaml = std::fs::read_to_string(stage.pay()).unwrap();
    let (left, right) = (
        stage.left.bootstrap_servers(),
        stage.right.bootstrap_servers(),
    );
    // another spelling of the same address, which only the cluster's id gives away
    let twin = left.replace("127.0.0.1", "localhost");
    let file = stage.file("twin.yaml", &yaml.replace(&right, &twin));
    let ended = run(&["replicate", "-f", text(&file), "--once"]).code(3);
    ended.says("are the same cluster");
    assert_eq!(stage.left.topics(), Vec::<String>::new());
}
