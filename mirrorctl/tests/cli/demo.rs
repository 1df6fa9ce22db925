//! `mirrorctl demo`.

use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Ended, Running, mirrorctl, run};

#[test]
fn the_demo_tells_its_story_in_under_fifteen_seconds() {
    let started = Instant::now();
    let output = mirrorctl()
        .env("COLUMNS", "60")
        .args(["demo", "--records", "9000", "--seed", "4"])
        .output()
        .unwrap();
    let ended = Ended::from(output).code(0);
    assert!(
        started.elapsed() < Duration::from_secs(15),
        "{:?}",
        started.elapsed()
    );
    for words in [
        "1. ",
        "topic.source.orders",
        "9,000 records acknowledged",
        "seed 4",
        "complete",
        "It works",
    ] {
        ended.says(words);
    }
    assert_eq!(ended.err, "");
    assert!(ended.out.lines().count() < 40);
    assert!(!ended.out.contains('…'), "cut in a pipe: {}", ended.out);
}

#[test]
fn a_program_gets_the_demo_as_one_value() {
    let ended = run(&["demo", "--records", "3000", "--output", "json"]).code(0);
    let json = ended.json();
    assert_eq!(json["passed"], true);
    assert_eq!(json["replication"]["runs"][0]["summary"]["records"], 3000);
    assert_eq!(json["verification"][0]["mode"], "stamped");
    assert_eq!(json["verification"][1]["mode"], "compare");
}

#[test]
fn held_clusters_stay_until_a_signal() {
    let mut running = Running::start(&["demo", "--records", "1000", "--hold"]);
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("until Ctrl-C")));
    let cluster = lines.next().unwrap().unwrap();
    let address = cluster.split_whitespace().nth(1).unwrap();
    std::net::TcpStream::connect(address).unwrap();
    running.signal(Signal::TERM);
    crate::support::until("the demo ends", || running.0.try_wait().unwrap().is_some());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    std::net::TcpStream::connect(address).unwrap_err();
}

#[test]
fn a_signal_ends_the_demo_before_its_verdict() {
    let mut running = Running::start(&["demo", "--records", "1000000"]);
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("1,000,000 records into")));
    let asked = Instant::now();
    running.signal(Signal::INT);
    crate::support::until("the demo ends", || running.0.try_wait().unwrap().is_some());
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(running.0.wait().unwrap().code(), Some(1));
    assert!(!lines.any(|line| line.unwrap().contains("It works")));
}
