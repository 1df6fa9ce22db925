//! `mirrorctl verify`.

use crate::support::{Ended, Stage, run, text};

fn ready() -> (Stage, String) {
    let stage = Stage::new();
    let file = text(&stage.pay()).to_owned();
    run(&["apply", "-f", &file, "--auto-approve"]).code(0);
    (stage, file)
}

fn verify(file: &str, arguments: &[&str]) -> Ended {
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
        ["pay.more → left.pay.more", "pay.orders → left.pay.orders"]
    );
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
    verify(&file, &nowhere)
        .code(1)
        .says("pay.none does not exist");
}
