//! `mirrorctl verify`.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use rustix::process::Signal;

use crate::support::{Ended, Running, Stage, run, text, until};

pub(crate) fn ready() -> (Stage, String) {
    let stage = Stage::new();
    let file = text(&stage.pay()).to_owned();
    run(&["apply", "-f", &file, "--auto-approve"]).code(0);
    (stage, file)
}

pub(crate) fn verify(file: &str, arguments: &[&str]) -> Ended {
    run(&[&["verify", "-f", file, "--mirror", "pay"], arguments].concat())
}

#[test]
fn a_workload_is_written_copied_and_judged_in_phases() {
    let (stage, file) = ready();
    let (journal, junit, json, html) = (
        stage.path("journal.json"),
        stage.path("junit.xml"),
        stage.path("report.json"),
        stage.path("report.html"),
    );
    let stamped = ["--mode", "stamped", "--journal", text(&journal)];
    let written = verify(
        &file,
        &[
            &stamped[..],
            &[
                "--phase",
                "write",
                "--topic",
                "pay.orders",
                "--records",
                "600",
                "--seed",
                "9",
            ],
        ]
        .concat(),
    )
    .code(0);
    written.says("600 acknowledged, 0 failed, 0 unknown; seed 9");
    let check = [&stamped[..], &["--phase", "check", "--timeout", "200ms"]].concat();

    let early = verify(&file, &check).code(5);
    early.says("complete");
    early.says("FAIL");
    early.says("verification failed");

    run(&["replicate", "-f", &file, "--once"]).code(0);
    let files = [
        ["--junit", text(&junit)],
        ["--report-json", text(&json)],
        ["--html", text(&html)],
    ]
    .concat();
    let passed = verify(&file, &[&check[..], &files].concat()).code(0);
    passed.says("PASS: 10 checks");
    passed.says("seed 9");
    assert!(
        std::fs::read_to_string(&junit)
            .unwrap()
            .contains("<testsuites")
    );
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(report["seed"], 9);
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(page.contains("10 checks passed"), "{page}");
    assert!(
        report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|check| check["result"] == "pass")
    );
}

#[test]
fn run_copies_in_a_process_of_its_own_and_compare_agrees() {
    let (_stage, file) = ready();
    let stamped = [
        "--mode",
        "stamped",
        "--topic",
        "pay.more",
        "--partitions",
        "2",
        "--records",
        "200",
        "--run",
    ];
    verify(&file, &stamped).code(0).says("PASS: 10 checks");
    let report = verify(&file, &["--mode", "compare", "--output", "json"])
        .code(0)
        .json();
    let mut subjects: Vec<&str> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["subject"].as_str().unwrap())
        .collect();
    subjects.dedup();
    assert_eq!(
        subjects,
        [
            "pay.more → left.pay.more",
            "pay.orders → left.pay.orders",
            "mirror pay"
        ]
    );
    let judged = |id: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().filter(|check| check["id"] == id).count()
    };
    for (id, times) in [
        ("config-sync", 2),
        ("transactions", 2),
        ("partition-growth", 2),
        ("retention-gap", 2),
        ("oversize", 2),
        ("loop", 1),
        ("delete-policy", 1),
    ] {
        assert_eq!(judged(id), times, "{id}");
    }
    assert!(
        report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|check| check["result"] == "pass")
    );
}

#[test]
fn records_that_are_on_one_side_only_fail_the_comparison() {
    let (stage, file) = ready();
    let journal = stage.path("journal.json");
    let write = [
        "--mode",
        "stamped",
        "--phase",
        "write",
        "--topic",
        "pay.orders",
        "--records",
        "30",
        "--journal",
    ];
    let write = [&write[..], &[text(&journal)]].concat();
    verify(&file, &write).code(0);
    run(&["replicate", "-f", &file, "--once"]).code(0);
    verify(&file, &write).code(0);
    let ended = verify(&file, &["--mode", "compare", "--timeout", "0s"]).code(5);
    ended.says("FAIL");
    ended.says("pay.orders-0@10");
    let junit = stage.path("junit.xml");
    let files = ["--report-json", "/no/such/report.json", "--junit"];
    let compare = ["--mode", "compare", "--timeout", "0s"];
    let ended = verify(&file, &[&compare[..], &files, &[text(&junit)]].concat()).code(1);
    ended.says("cannot write /no/such/report.json");
    ended.says("pay.orders-0@10");
    assert!(junit.is_file());
}

#[test]
fn a_topic_is_not_judged_by_itself() {
    let (stage, file) = ready();
    let yaml = std::fs::read_to_string(&file).unwrap();
    let (left, right) = (
        stage.left.bootstrap_servers(),
        stage.right.bootstrap_servers(),
    );
    let alike = yaml
        .replace(&right, &left)
        .replace("{type: default}", "{type: identity}");
    let alike = stage.file("alike.yaml", &alike);
    let stamped = ["--mode", "stamped", "--topic", "pay.orders"];
    for arguments in [&["--mode", "compare"][..], &stamped] {
        let ended = verify(text(&alike), arguments).code(3);
        ended.says("left and right are the same cluster");
        ended.says("pay.orders would be judged by itself");
    }
}

#[test]
fn protected_topics_are_not_written_to() {
    let (stage, file) = ready();
    let yaml = std::fs::read_to_string(&file).unwrap();
    let guarded = stage.file(
        "guarded.yaml",
        &yaml.replace(
            "{alias: left,",
            "{alias: left, topics: {protected: 'pay.gold'},",
        ),
    );
    let write = [
        "--mode",
        "stamped",
        "--topic",
        "pay.gold",
        "--partitions",
        "1",
        "--records",
        "1",
    ];
    verify(text(&guarded), &write)
        .code(3)
        .says("refusing to write to it");
    assert_eq!(stage.left.partition_count("pay.gold"), None);
}

#[test]
fn what_makes_no_sense_together_is_wrong_usage() {
    let (_stage, file) = ready();
    verify(&file, &["--mode", "stamped"])
        .code(64)
        .says("does not select topic mirrorctl.verify");
    verify(&file, &["--mode", "stamped", "--phase", "write"])
        .code(64)
        .says("--journal");
    verify(&file, &["--mode", "compare", "--phase", "check"])
        .code(64)
        .says("--mode stamped");
    verify(&file, &["--mode", "compare", "--source", "right"])
        .code(64)
        .says("it has left");
    verify(&file, &["--mode", "compare", "--topic", "other"])
        .code(64)
        .says("does not select");
    let missing = [
        "--mode",
        "stamped",
        "--phase",
        "check",
        "--journal",
        "/no/such/journal",
    ];
    verify(&file, &missing).code(1).says("/no/such/journal");
    let nowhere = ["--mode", "stamped", "--topic", "pay.none", "--records", "1"];
    let nowhere = verify(&file, &nowhere).code(1);
    nowhere.says("pay.none does not exist");
    nowhere.says("--partitions N creates");
}

fn failed(report: &serde_json::Value) -> BTreeSet<String> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks
        .filter(|check| check["result"] == "fail")
        .map(|check| check["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Two topics of which one is not copied to its end.
fn half_copied() -> (Stage, String) {
    let (stage, file) = ready();
    let journal = stage.path("journal.json");
    let write = |topic: &str| {
        let arguments = [
            "--mode",
            "stamped",
            "--phase",
            "write",
            "--topic",
            topic,
            "--records",
            "60",
            "--partitions",
            "3",
            "--journal",
            text(&journal),
        ];
        verify(&file, &arguments).code(0);
    };
    write("pay.orders");
    write("pay.more");
    run(&["replicate", "-f", &file, "--once"]).code(0);
    write("pay.orders");
    (stage, file)
}

#[test]
fn a_comparison_is_narrowed_by_topics_time_and_share() {
    let (_stage, file) = half_copied();
    let compare = ["--mode", "compare", "--timeout", "0s", "--output", "json"];
    let judged = |arguments: &[&str], code: i32| {
        verify(&file, &[&compare[..], arguments].concat())
            .code(code)
            .json()
    };
    let whole = judged(&[], 5);
    assert_eq!(failed(&whole), BTreeSet::from(["count".to_owned()]));
    assert_eq!(whole["limits"].as_array().unwrap().len(), 0);
    let one = judged(&["--topics", r"pay\.m.*"], 0);
    let subjects: BTreeSet<_> = one["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["subject"].to_string())
        .collect();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
    let later = judged(&["--since", "2090-01-01T00:00:00Z"], 0);
    assert_eq!(later["records_read"], 0);
    assert!(
        later["limits"][0].as_str().unwrap().contains("2090-01-01"),
        "{later}"
    );
    // 20 of each partition were copied
    let behind = judged(&["--since", "20", "--topics", r"pay\.orders"], 5);
    assert_eq!(failed(&behind), BTreeSet::from(["count".to_owned()]));
    let share = judged(&["--sample", "50", "--topics", r"pay\.more"], 0);
    assert!(share["records_read"].as_u64().unwrap() < 120, "{share}");
    verify(
        &file,
        &["--mode", "compare", "--timeout", "0s", "--sample", "50"],
    )
    .code(5)
    .says("Not everything: a sample of 50 %");
    verify(&file, &["--mode", "compare", "--since", "yesterday"])
        .code(64)
        .says("how long ago");
    verify(&file, &["--mode", "stamped", "--sample", "5"])
        .code(64)
        .says("say what is compared");
}

#[test]
fn settings_that_did_not_follow_fail_the_comparison() {
    let (stage, file) = ready();
    run(&["replicate", "-f", &file, "--once"]).code(0);
    let yaml = std::fs::read_to_string(&file).unwrap();
    let changed = stage.file(
        "changed.yaml",
        &yaml.replace(
            "replicationFactor: 1}",
            "replicationFactor: 1, configs: {retention.ms: 7000}}",
        ),
    );
    run(&["apply", "-f", text(&changed), "--auto-approve"]).code(0);
    let compare = ["--mode", "compare", "--timeout", "0s", "--output", "json"];
    let report = verify(text(&changed), &compare).code(5).json();
    assert_eq!(failed(&report), BTreeSet::from(["config-sync".to_owned()]));
    run(&["replicate", "-f", text(&changed), "--once"]).code(0);
    verify(text(&changed), &compare).code(0);
}

#[test]
fn a_profile_writes_judges_and_compares() {
    let (_stage, file) = ready();
    let profile = [
        "--profile",
        "ci",
        "--run",
        "--topic",
        "pay.proof",
        "--records",
        "200",
        "--output",
        "json",
    ];
    let report = verify(&file, &profile).code(0).json();
    let judged: BTreeSet<(String, String)> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            let text = |key: &str| check[key].as_str().unwrap().to_owned();
            (text("subject"), text("id"))
        })
        .collect();
    let all = report["checks"].as_array().unwrap().len();
    assert_eq!(judged.len(), all, "each once");
    for (subject, id) in [
        ("pay.proof → left.pay.proof", "complete"),
        ("pay.proof → left.pay.proof (compared)", "count"),
        ("pay.orders → left.pay.orders (compared)", "config-sync"),
    ] {
        assert!(
            judged.contains(&(subject.to_owned(), id.to_owned())),
            "{subject} {id}"
        );
    }
    verify(&file, &["--profile", "ci", "--mode", "compare"]).code(64);
    verify(&file, &[]).code(64).says("--mode");
}

#[test]
fn where_exactly_once_sends_consumers_is_judged() {
    let (stage, file) = ready();
    let yaml = std::fs::read_to_string(&file).unwrap();
    let once = stage.file(
        "once.yaml",
        &yaml.replace("target: right,", "target: right, delivery: exactly-once,"),
    );
    let profile = [
        "--profile",
        "ci",
        "--run",
        "--topic",
        "pay.orders",
        "--records",
        "90",
        "--output",
        "json",
    ];
    let report = verify(text(&once), &profile).code(0).json();
    let mut checks = report["checks"].as_array().unwrap().iter();
    let check = checks.find(|check| check["id"] == "offset-map").unwrap();
    assert_eq!(check["result"], "pass", "{report}");
    assert_eq!(check["figures"]["offsets"], 3);
}

fn asked(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_audit_goes_on_shows_its_verdicts_and_ends_with_the_last_report() {
    let (_stage, file) = half_copied();
    let address = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().to_string()
    };
    let audit = Running::start(&[
        "verify",
        "-f",
        &file,
        "--mirror",
        "pay",
        "--mode",
        "compare",
        "--timeout",
        "0s",
        "--follow",
        "--every",
        "100ms",
        "--listen",
        &address,
    ]);
    until("the audit listens", || TcpStream::connect(&address).is_ok());
    let metric = |line: &str| asked(&address, "/metrics").lines().any(|it| it == line);
    until("a round has failed", || {
        metric(r#"mirrorctl_verify_passed{mirror="pay"} 0"#)
    });
    assert!(metric(
        r#"mirrorctl_verify_checks{mirror="pay",check="count",verdict="fail"} 1"#
    ));
    assert!(asked(&address, "/healthz").starts_with("HTTP/1.1 200"));
    run(&["replicate", "-f", &file, "--once"]).code(0);
    until("a round has passed", || {
        metric(r#"mirrorctl_verify_passed{mirror="pay"} 1"#)
    });
    assert!(asked(&address, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(asked(&address, "/status").contains("\"last\":{"));
    audit.signal(Signal::INT);
    let ended = audit.ended().code(0);
    ended.says("round 1: FAIL, 1 of ");
    assert!(ended.out.contains("PASS: "), "{}", ended.out);
    let stamped = ["--mode", "stamped", "--follow"];
    verify(&file, &stamped).code(64).says("--mode compare");
}
