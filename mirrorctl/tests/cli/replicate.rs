//! `mirrorctl replicate` and `mirrorctl status`.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Running, Stage, run, text, until};

/// A stage with the topic applied and `records` records in it.
fn filled(records: &str) -> (Stage, String) {
    let stage = Stage::new();
    let file = text(&stage.pay()).to_owned();
    run(&["apply", "-f", &file, "--auto-approve"]).code(0);
    write(&stage, &file, records);
    (stage, file)
}

fn write(stage: &Stage, file: &str, records: &str) {
    let journal = stage.path("journal.json");
    run(&[
        "verify",
        "-f",
        file,
        "--mirror",
        "pay",
        "--mode",
        "stamped",
        "--phase",
        "write",
        "--topic",
        "pay.orders",
        "--records",
        records,
        "--seed",
        "1",
        "--journal",
        text(&journal),
    ])
    .code(0);
}

fn copied(stage: &Stage) -> i64 {
    (0..3)
        .filter_map(|partition| stage.right.log_end_offset("left.pay.orders", partition))
        .sum()
}

#[test]
fn once_copies_to_the_end_and_a_second_run_finds_nothing_new() {
    let (_stage, file) = filled("300");
    let first = run(&["replicate", "-f", &file, "--once", "--output", "json"])
        .code(0)
        .json();
    assert_eq!(first["complete"], true);
    assert_eq!(first["runs"][0]["summary"]["records"], 300);
    assert_eq!(
        first["runs"][0]["summary"]["topics"][0]["target_topic"],
        "left.pay.orders"
    );
    let second = run(&["replicate", "-f", &file, "--once"]).code(0);
    second.says("Copied 0 records");

    let status = run(&["status", "-f", &file, "--output", "json"])
        .code(0)
        .json();
    assert_eq!(status["mirrors"][0]["lag"], 0);
    assert_eq!(status["mirrors"][0]["partitions"][2]["position"], 100);
    run(&["status", "-f", &file, "--mirror", "pay"])
        .code(0)
        .says("left.pay.orders");
}

#[test]
fn lag_is_what_was_written_since() {
    let (stage, file) = filled("300");
    run(&["replicate", "-f", &file, "--once"]).code(0);
    write(&stage, &file, "30");
    let status = run(&["status", "-f", &file, "--output", "json"])
        .code(0)
        .json();
    assert_eq!(status["mirrors"][0]["lag"], 30);
    assert_eq!(status["mirrors"][0]["partitions"][0]["source_end"], 110);
}

#[test]
fn the_first_signal_drains_and_reports() {
    for signal in [Signal::TERM, Signal::INT] {
        let (stage, file) = filled("300");
        let running = Running::start(&["replicate", "-f", &file]);
        until("everything is copied", || copied(&stage) == 300);
        running.signal(signal);
        let ended = running.ended().code(0);
        ended.says("Copied 300 records");
        let status = run(&["status", "-f", &file, "--output", "json"])
            .code(0)
            .json();
        assert_eq!(status["mirrors"][0]["lag"], 0, "positions were committed");
    }
}

#[test]
fn the_second_signal_ends_at_once_although_the_target_is_gone() {
    let (stage, file) = filled("300");
    let mut running = Running::start(&["replicate", "-f", &file]);
    until("everything is copied", || copied(&stage) == 300);
    stage.runtime.block_on(stage.right.stop_broker(1));
    write(&stage, &file, "30");
    let mut log = BufReader::new(running.0.stderr.take().unwrap()).lines();
    running.signal(Signal::INT);
    assert!(log.any(|line| line.unwrap().contains("once more to end at once")));
    running.signal(Signal::TERM);
    let sent = Instant::now();
    assert_eq!(running.0.wait().unwrap().code(), Some(143));
    assert!(
        sent.elapsed() < Duration::from_secs(2),
        "{:?}",
        sent.elapsed()
    );
}
