//! `mirrorctl replicate` follows its topology file.

use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultRule};
use rustix::process::Signal;

use crate::support::{Replicate, Stage, asked, run, text, until};

const TOPICS: &str = "topics:\n\
    - {name: pay.orders, clusters: [left], partitions: 3, replicationFactor: 1}\n\
    - {name: bill.orders, clusters: [left], partitions: 3, replicationFactor: 1}\n";

fn mirror(name: &str, more: &str) -> String {
    format!(
        "- {{name: {name}, source: left, target: right, topicsPattern: '{name}\\..*', \
         replicationPolicy: {{type: identity}}{more}}}\n"
    )
}

fn write(stage: &Stage, file: &str, mirror: &str, records: &str, journal: &str) {
    let topic = format!("{mirror}.orders");
    let journal = stage.path(journal);
    let more = ["--records", records, "--journal", text(&journal)];
    let verify = [
        "verify", "-f", file, "--mirror", mirror, "--mode", "stamped",
    ];
    run(&[&verify[..], &["--phase", "write", "--topic", &topic], &more].concat()).code(0);
}

fn copied(stage: &Stage, topic: &str) -> i64 {
    (0..3)
        .filter_map(|partition| stage.right.log_end_offset(topic, partition))
        .sum()
}

#[test]
fn a_paused_mirror_waits_for_the_file_to_say_running() {
    let stage = Stage::new();
    let yaml = |state: &str| stage.topology(&format!("{TOPICS}mirrors:\n{}", mirror("pay", state)));
    let file = yaml(", state: paused");
    let file = text(&file);
    // without its record, so that the file alone decides
    let topics = ["--target", "topic.*"];
    run(&[&["apply", "-f", file, "--auto-approve"][..], &topics].concat()).code(0);
    write(&stage, file, "pay", "300", "1.json");
    let mut replicate = Replicate::with(file);
    replicate.until_it_says("the topology file says paused; nothing is copied");
    assert!(!stage.right.topics().contains(&"pay.orders".to_owned()));

    yaml("");
    replicate.running.signal(Signal::HUP);
    replicate.until_it_says("reload: resumed");
    until("it copies", || copied(&stage, "pay.orders") == 300);

    yaml(", state: paused");
    replicate.running.signal(Signal::HUP);
    replicate.until_it_says("reload: paused");
    // drained and committed: what comes now stays where it is
    until("positions are committed", || {
        let status = run(&["status", "-f", file, "--output", "json"]).code(0);
        status.json()["mirrors"][0]["lag"] == 0
    });
    write(&stage, file, "pay", "30", "2.json");
    assert_eq!(copied(&stage, "pay.orders"), 300);
    let out = replicate.stop();
    assert!(out.contains("Copied 300 records"), "{out}");
}

#[test]
fn a_promoted_mirror_drains_and_is_over() {
    let stage = Stage::new();
    let yaml = |state: &str| {
        let mirrors = mirror("pay", state) + &mirror("bill", ", state: promoted");
        stage.topology(&format!("{TOPICS}mirrors:\n{mirrors}"))
    };
    let file = yaml("");
    let file = text(&file);
    run(&["apply", "-f", file, "--auto-approve"]).code(0);
    write(&stage, file, "pay", "300", "1.json");
    let mut replicate = Replicate::with(file);
    // one that nobody named is passed over, and its neighbour runs
    replicate.until_it_says("promoted: passed over");
    until("it copies", || copied(&stage, "pay.orders") == 300);
    assert_eq!(copied(&stage, "bill.orders"), 0);

    yaml(", state: promoted");
    replicate.running.signal(Signal::HUP);
    replicate.until_it_says("reload: promoted");
    // nothing is left to wait for
    assert_eq!(replicate.ended(), Some(0));
    write(&stage, file, "pay", "30", "2.json");
    assert_eq!(copied(&stage, "pay.orders"), 300);
}

/// A second change of the file may come while the first one is still being carried out.
#[test]
fn what_is_paused_and_at_once_promoted_is_copied_to_its_end() {
    let stage = Stage::new();
    let yaml = |state: &str| stage.topology(&format!("{TOPICS}mirrors:\n{}", mirror("pay", state)));
    let file = yaml("");
    let file = text(&file);
    run(&["apply", "-f", file, "--auto-approve", "--target", "topic.*"]).code(0);
    write(&stage, file, "pay", "300", "1.json");
    let mut replicate = Replicate::with(file);
    until("it copies", || copied(&stage, "pay.orders") == 300);
    // so that it drains for a while
    let slow = FaultRule::new(FaultAction::Delay(Duration::from_secs(4)));
    let slow = slow.api(ApiKey::Produce).topic("pay.orders");
    let slow = stage.right.faults().inject(slow);
    write(&stage, file, "pay", "30", "2.json");
    until("some are on their way", || slow.hits() > 0);
    yaml(", state: paused");
    replicate.running.signal(Signal::HUP);
    replicate.until_it_says("reload: paused");
    write(&stage, file, "pay", "30", "3.json");
    yaml(", state: promoted");
    replicate.running.signal(Signal::HUP);
    replicate.until_it_says("reload: promoted");
    slow.remove();
    assert_eq!(replicate.ended(), Some(0));
    assert_eq!(copied(&stage, "pay.orders"), 360);
}

#[test]
fn a_changed_mirror_starts_anew_and_its_neighbour_never_notices() {
    let stage = Stage::new();
    let yaml = |mirrors: &str| stage.topology(&format!("{TOPICS}mirrors:\n{mirrors}"));
    let both = mirror("pay", "") + &mirror("bill", "");
    let file = yaml(&both);
    let file = text(&file);
    run(&["apply", "-f", file, "--auto-approve"]).code(0);
    write(&stage, file, "pay", "300", "1.json");
    write(&stage, file, "bill", "300", "2.json");
    let mut replicate = Replicate::with(file);
    let arrived = |pay, bill| {
        until("everything is copied", || {
            copied(&stage, "pay.orders") == pay && copied(&stage, "bill.orders") == bill
        });
    };
    arrived(300, 300);

    // not valid: said, and nothing else happens
    yaml(&both.replace("topicsPattern", "topicPattern"));
    replicate.running.signal(Signal::HUP);
    replicate.until_it_says("topicsPattern");
    replicate.until_it_says("go on as before");
    yaml(&both);
    write(&stage, file, "pay", "30", "3.json");
    arrived(330, 300);

    yaml(&(mirror("pay", ", throttle: {bytesPerSecond: 1MB}") + &mirror("bill", "")));
    replicate.running.signal(Signal::HUP);
    let change = replicate.until_it_says("reload: ");
    assert!(change.contains("changed: throttle"), "{change}");
    assert!(change.contains("mirror=\"pay\""), "{change}");
    write(&stage, file, "pay", "30", "4.json");
    write(&stage, file, "bill", "30", "5.json");
    arrived(360, 330);

    yaml(&mirror("bill", ""));
    replicate.running.signal(Signal::HUP);
    let change = replicate.until_it_says("reload: ");
    assert!(change.contains("removed"), "{change}");
    write(&stage, file, "bill", "30", "6.json");
    arrived(360, 360);
    let out = replicate.stop();
    // two runs of pay, one of bill: it was never interrupted
    assert_eq!(out.matches("bill  left → right").count(), 1, "{out}");
    assert_eq!(out.matches("pay  left → right").count(), 2, "{out}");
    assert!(out.contains("Copied 720 records"), "{out}");
}

#[test]
fn a_mirror_that_cannot_start_is_named_where_its_neighbours_are() {
    let stage = Stage::new();
    let yaml = |more: &str| {
        let pay = mirror("pay", "");
        // nobody listens there
        let away = "- {alias: away, bootstrapServers: [\"127.0.0.1:1\"]}\n";
        stage.topology(&format!("{away}{TOPICS}mirrors:\n{pay}{more}"))
    };
    let file = yaml("");
    let file = text(&file);
    let topics = ["--target", "topic.left.*"];
    run(&[&["apply", "-f", file, "--auto-approve"][..], &topics].concat()).code(0);
    let listening = ["replicate", "-f", file, "--listen", "127.0.0.1:0"];
    let mut replicate = Replicate::of(&listening);
    let address = replicate.address();
    let is_ready = || asked(&address, "/readyz").starts_with("HTTP/1.0 200");
    until("pay is ready", is_ready);

    let bill = mirror("bill", "");
    yaml(&bill.replace("source: left", "source: away"));
    replicate.running.signal(Signal::HUP);
    replicate.until_it_says("the mirror cannot start");
    let ready = asked(&address, "/readyz");
    assert!(ready.starts_with("HTTP/1.0 503"), "{ready}");
    for words in [
        "\"mirror\":\"bill\"",
        "cluster away at 127.0.0.1:1 cannot be reached",
    ] {
        assert!(ready.contains(words), "{words} in {ready}");
    }
    let metrics = asked(&address, "/metrics");
    for sample in [
        "mirrorctl_up{mirror=\"bill\",source=\"away\",target=\"right\"} 0",
        "mirrorctl_up{mirror=\"pay\",source=\"left\",target=\"right\"} 1",
    ] {
        assert!(metrics.contains(sample), "{sample} in {metrics}");
    }
    assert!(asked(&address, "/status").contains("\"mirror\":\"bill\""));

    yaml(&bill);
    replicate.running.signal(Signal::HUP);
    replicate.until_it_says("reload: changed");
    until("both are ready", is_ready);
    assert!(!asked(&address, "/metrics").contains("source=\"away\""));
    replicate.stop();
}
