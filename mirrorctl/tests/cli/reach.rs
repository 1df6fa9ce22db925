//! One cluster that cannot be reached holds back its own mirrors alone.

use std::io::Read;

use rustix::process::Signal;

use crate::support::{Ended, Running, Stage, mirrorctl, run, text, until};

const DEAD: &str = "- {alias: dead, bootstrapServers: ['127.0.0.1:1']}\n";

/// Mirror `pay` with 300 records in its source, and mirror `lost`, whose source is at a dead port.
fn half_dead() -> (Stage, String) {
    let stage = Stage::new();
    let pay = text(&stage.pay()).to_owned();
    run(&["apply", "-f", &pay, "--auto-approve"]).code(0);
    let journal = stage.path("journal.json");
    let write = ["verify", "-f", &pay, "--mirror", "pay", "--mode", "stamped"];
    let what = [
        "--phase",
        "write",
        "--topic",
        "pay.orders",
        "--records",
        "300",
    ];
    let to = ["--journal", text(&journal)];
    run(&[&write[..], &what, &to].concat()).code(0);
    let file = stage.topology(&format!(
        "{DEAD}mirrors:\n- {{name: pay, source: left, target: right, topicsPattern: 'pay\\..*', \
         replicationPolicy: {{type: default}}}}\n\
         - {{name: lost, source: dead, target: right, topicsPattern: 'lost\\..*', \
         replicationPolicy: {{type: default}}}}\n"
    ));
    let file = text(&file).to_owned();
    (stage, file)
}

#[test]
fn once_copies_what_it_can_and_names_the_rest() {
    let (_stage, file) = half_dead();
    let copied = run(&["replicate", "-f", &file, "--once", "--output", "json"]).code(1);
    let json = copied.json();
    assert_eq!(json["runs"][0]["summary"]["records"], 300);
    assert_eq!(json["complete"], false);
    assert_eq!(json["unreached"][0], "lost");
    copied.says("cluster dead at 127.0.0.1:1 cannot be reached");
    copied.says("mirror lost is left out");

    for command in ["status", "lag"] {
        let human = run(&[command, "-f", &file]).code(1);
        human.says("pay.orders");
        human.says("mirror lost is left out");
        let json = run(&[command, "-f", &file, "--output", "json"]).code(1);
        assert_eq!(json.json()["mirrors"][0]["mirror"], "pay");
        assert_eq!(json.json()["unreached"][0], "lost");
    }
    let gone = run(&["status", "-f", &file, "--mirror", "lost"]).code(1);
    assert!(
        gone.out.contains("`clusterId` of the source"),
        "{}",
        gone.out
    );
    // its target is there
    run(&["status", "-f", &file, "--gaps"]).code(0);

    let alone = run(&["replicate", "-f", &file, "--once", "--mirror", "lost"]).code(1);
    alone.says("cluster dead at 127.0.0.1:1 cannot be reached");
    assert!(alone.out.is_empty(), "{}", alone.out);
}

#[test]
fn a_continuous_run_copies_what_it_can_and_tries_the_rest_again() {
    let (stage, file) = half_dead();
    let mut running = Running::start(&["replicate", "-f", &file]);
    until("the other mirror is copied", || {
        (0..3)
            .filter_map(|it| stage.right.log_end_offset("left.pay.orders", it))
            .sum::<i64>()
            == 300
    });
    running.signal(Signal::TERM);
    let mut log = String::new();
    let stderr = running.0.stderr.as_mut().unwrap();
    stderr.read_to_string(&mut log).unwrap();
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    assert!(
        log.contains("the mirror cannot start; trying again") && log.contains("127.0.0.1:1"),
        "{log}"
    );

    let lost = run(&["replicate", "-f", &file, "--mirror", "lost"]).code(1);
    lost.says("cluster dead at 127.0.0.1:1 cannot be reached");
}

#[test]
fn an_objective_that_is_not_declared_cannot_be_asked_for() {
    let (_stage, file) = half_dead();
    let asked = run(&["lag", "-f", &file, "--max-lag", "slo"]).code(64);
    asked.says("`slo.lag`, which is not declared for pay, lost");
    asked.says("--max-lag 30s");
}

#[test]
fn a_mirror_that_selects_nothing_shows_its_pattern() {
    let stage = Stage::new();
    let file = stage.topology(
        "mirrors:\n- {name: pay, source: left, target: right, topicsPattern: 'pya\\..*', \
         replicationPolicy: {type: default}}\n",
    );
    let file = text(&file);
    for command in [
        &["replicate", "-f", file, "--once"][..],
        &["status", "-f", file],
        &["lag", "-f", file],
    ] {
        let said = run(command).code(0);
        said.says("no topic of left is selected by `pya\\..*`");
    }
}

#[test]
fn a_file_that_a_service_does_not_see_is_read_as_its_credential() {
    let place = tempfile::TempDir::new().unwrap();
    let file = place.path().join("t.yaml");
    let topology = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
         - {alias: a, bootstrapServers: '127.0.0.1:1', tls: {caFile: /home/nobody-here/ca.pem}}\n\
         topics:\n- {name: t, clusters: [a], partitions: 1, replicationFactor: 1}\n";
    std::fs::write(&file, topology).unwrap();
    let plan = || {
        let mut command = mirrorctl();
        command.args(["plan", "-f", text(&file)]);
        command
    };
    let by_path = Ended::from(plan().output().unwrap()).code(1);
    by_path.says("/home/nobody-here/ca.pem: No such file");
    std::fs::write(place.path().join("file_-home_-nobody-here_-ca.pem"), "x").unwrap();
    let folder = text(place.path());
    let as_credential = plan().env("CREDENTIALS_DIRECTORY", folder).output();
    Ended::from(as_credential.unwrap())
        .code(1)
        .says("it holds no certificate");
}
