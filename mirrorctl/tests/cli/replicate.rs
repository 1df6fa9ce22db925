//! `mirrorctl replicate` and `mirrorctl status`.

use std::io::Read;
use std::time::Duration;

use broker::{ApiKey, FaultAction, FaultHandle, FaultRule, ResponseError};
use rustix::process::Signal;
use serde_json::json;

use crate::support::{Ended, Log, Replicate, Running, Stage, mirrorctl, run, text, until};

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
fn a_narrow_page_breaks_neither_titles_nor_numbers() {
    let (_stage, file) = filled("30");
    run(&["replicate", "-f", &file, "--once"]).code(0);
    let narrow = mirrorctl()
        .env("COLUMNS", "40")
        .args(["status", "-f", &file])
        .output()
        .unwrap();
    let page = Ended::from(narrow).code(0).out;
    for title in ["topic", "target", "partition", "position", "committed"] {
        assert!(page.split_whitespace().any(|word| word == title), "{page}");
    }
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
        let mut running = Running::start(&["replicate", "-f", &file]);
        until("everything is copied", || copied(&stage) == 300);
        let began = Log::of(&mut running).until_it_says("copying begins");
        for words in ["left → right", "mirror=pay", "partitions=3"] {
            assert!(began.contains(words), "{began}");
        }
        running.signal(signal);
        until("it ends", || running.0.try_wait().unwrap().is_some());
        let mut out = String::new();
        running
            .0
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut out)
            .unwrap();
        assert!(out.contains("Copied 300 records"), "{out}");
        assert_eq!(running.0.wait().unwrap().code(), Some(0));
        let status = run(&["status", "-f", &file, "--output", "json"])
            .code(0)
            .json();
        assert_eq!(status["mirrors"][0]["lag"], 0, "positions were committed");
    }
}

/// The target answers every produce request for partition 1 with `error`.
fn refuse_one_partition(stage: &Stage, error: ResponseError) -> FaultHandle {
    let rule = FaultRule::new(FaultAction::Error(error)).api(ApiKey::Produce);
    stage
        .right
        .faults()
        .inject(rule.topic("left.pay.orders").partition(1))
}

#[test]
fn a_partition_that_cannot_go_on_is_named_and_its_neighbours_arrive() {
    let (stage, file) = filled("300");
    refuse_one_partition(&stage, ResponseError::MessageTooLarge);
    let ended = run(&["replicate", "-f", &file, "--once", "--output", "json"]).code(1);
    ended.says("1 partition stopped before the end");
    let json = ended.json();
    assert_eq!(json["complete"], false);
    assert_eq!(json["runs"][0]["summary"]["records"], 200);
    assert_eq!(json["runs"][0]["summary"]["failures"][0]["partition"], 1);

    let human = run(&["replicate", "-f", &file, "--once"]).code(1);
    human.says("stopped  pay.orders-1 at offset 0");
    human.says("stops there again for as long as the cause named above is there");

    stage.right.faults().clear();
    run(&["replicate", "-f", &file, "--once"])
        .code(0)
        .says("Copied 100 records");
}

/// That its replicator stopped there is what follows from it, not what it is.
#[test]
fn records_that_the_source_deleted_before_they_were_copied_are_lost_data() {
    let (stage, file) = filled("300");
    run(&["replicate", "-f", &file, "--once"]).code(0);
    write(&stage, &file, "30");
    stage.left.delete_records("pay.orders", 1, 105);
    let conditions = || {
        let status = run(&["status", "-f", &file, "--output", "json"]).code(0);
        let partitions = status.json()["mirrors"][0]["partitions"].clone();
        let partitions = partitions.as_array().unwrap().iter();
        let conditions = partitions.map(|it| it["condition"].as_str().unwrap().to_owned());
        conditions.collect::<Vec<_>>()
    };
    assert_eq!(conditions(), ["behind", "data-lost", "behind"]);
    run(&["replicate", "-f", &file, "--once"])
        .code(1)
        .says("it deleted 5 offsets from 100 on");
    assert_eq!(conditions(), ["caught-up", "data-lost", "caught-up"]);
    let shown = run(&["status", "-f", &file]).code(0);
    shown.says("1 data lost, 2 caught up, lag 10");
    shown.says("! pay.orders-1: offsets 100 to 104 are gone from the source and were not copied");
    assert!(!shown.out.contains("stopped"), "{}", shown.out);
}

#[test]
fn once_that_is_stopped_before_the_end_is_no_success() {
    let (stage, file) = filled("300");
    // retried, so that the run can neither end nor fail
    let refusal = refuse_one_partition(&stage, ResponseError::NotEnoughReplicas);
    let running = Running::start(&["replicate", "-f", &file, "--once"]);
    until("the target refuses", || refusal.hits() > 0);
    running.signal(Signal::INT);
    running
        .ended()
        .code(1)
        .says("interrupted before the end offsets were reached");
}

#[test]
fn mirrors_in_both_directions_run_side_by_side() {
    let stage = Stage::new();
    let file = stage.topology(
        "topics:\n- {name: pay.orders, clusters: [left, right], partitions: 2, replicationFactor: 1}\n\
         mirrors:\n\
         - {name: pay, source: left, target: right, topicsPattern: 'pay\\..*', replicationPolicy: {type: default}}\n\
         - {name: back, source: right, target: left, topicsPattern: 'pay\\..*', replicationPolicy: {type: default}}\n",
    );
    let file = text(&file);
    run(&["apply", "-f", file, "--auto-approve"]).code(0);
    write(&stage, file, "20");
    let ended = run(&["replicate", "-f", file, "--once", "--output", "json"])
        .code(0)
        .json();
    let runs = ended["runs"].as_array().unwrap();
    let records: Vec<_> = runs
        .iter()
        .map(|run| {
            (
                run["summary"]["mirror"].as_str().unwrap(),
                &run["summary"]["records"],
            )
        })
        .collect();
    assert_eq!(records, [("pay", &json!(20)), ("back", &json!(0))]);
    assert_eq!(stage.left.partition_count("right.pay.orders"), Some(2));
    let one = run(&[
        "replicate",
        "-f",
        file,
        "--once",
        "--mirror",
        "back",
        "--output",
        "json",
    ])
    .code(0)
    .json();
    assert_eq!(one["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn the_second_signal_ends_at_once_although_the_target_does_not_answer() {
    let (stage, file) = filled("300");
    let mut replicate = Replicate::with(&file);
    until("everything is copied", || copied(&stage) == 300);
    // what is on its way keeps it from ending by itself
    let silent = FaultRule::new(FaultAction::Delay(Duration::from_mins(5)));
    let silent = silent.api(ApiKey::Produce).topic("left.pay.orders");
    let silent = stage.right.faults().inject(silent);
    write(&stage, &file, "30");
    until("some are on their way", || silent.hits() > 0);
    replicate.running.signal(Signal::INT);
    replicate.until_it_says("once more to end at once");
    replicate.running.signal(Signal::TERM);
    assert_eq!(replicate.ended(), Some(143));
}

#[test]
fn a_log_in_json_is_one_object_a_line_whatever_goes_wrong() {
    let (stage, file) = filled("300");
    refuse_one_partition(&stage, ResponseError::MessageTooLarge);
    let ended = run(&["replicate", "-f", &file, "--once", "--log-format", "json"]).code(1);
    let lines: Vec<serde_json::Value> = ended
        .err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        for field in ["timestamp", "level", "message"] {
            assert!(line[field].is_string(), "no {field}: {line}");
        }
    }
    let of_partition = lines.iter().find(|line| line["partition"] == 1);
    let of_partition = of_partition.unwrap_or_else(|| panic!("{}", ended.err));
    assert_eq!(of_partition["topic"], "pay.orders");
    assert_eq!(of_partition["mirror"], "pay");
    assert_eq!(of_partition["level"], "ERROR");
    let summary = lines
        .iter()
        .find(|line| line["message"] == "the mirror ended");
    assert_eq!(summary.unwrap()["failed"], 1, "{}", ended.err);
    let last = lines.last().unwrap();
    assert_eq!(last["message"], "1 partition stopped before the end");
    assert!(last["hint"].is_string(), "{last}");
}

/// Programs compare these words, so they are not the names that Rust has for them.
#[test]
fn a_log_in_json_calls_a_signal_by_its_name() {
    let (_stage, file) = filled("3");
    let mut running = Running::start(&["replicate", "-f", &file, "--log-format", "json"]);
    let mut log = Log::of(&mut running);
    log.until_it_says("copying begins");
    running.signal(Signal::TERM);
    let line = log.until_it_says("once more to end at once");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["signal"], "SIGTERM");
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_pattern_that_selects_nothing_is_said_until_it_selects_something() {
    let stage = Stage::new();
    let topology = |topics: &str| {
        let file = stage.topology(&format!(
            "topics:\n{topics}mirrors:\n- {{name: pay, source: left, target: right, topicsPattern: 'pay\\.order', \
             replicationPolicy: {{type: identity}}, topicSync: {{interval: 200ms}}}}\n"
        ));
        text(&file).to_owned()
    };
    let orders = "- {name: pay.orders, clusters: [left], partitions: 3, replicationFactor: 1}\n";
    let file = topology(orders);
    let apply = |file: &str| {
        let topics = ["--auto-approve", "--target", "topic.*"];
        run(&[&["apply", "-f", file][..], &topics].concat()).code(0);
    };
    apply(&file);
    let mut replicate = Replicate::of(&["replicate", "-f", &file, "--log-format", "json"]);
    let line = replicate.until_it_says("no topic of the source is selected");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["level"], &line["mirror"]),
        (&json!("WARN"), &json!("pay"))
    );
    let pattern = line["pattern"].as_str().unwrap();
    assert!(pattern.starts_with("`pay\\.order` without"), "{pattern}");
    let hint = line["hint"].as_str().unwrap();
    assert!(hint.contains("the source has pay.orders"), "{hint}");

    // several discoveries later
    std::thread::sleep(Duration::from_secs(1));
    let said = replicate.log.said().matches("is selected").count();
    assert_eq!(said, 1, "{}", replicate.log.said());
    let order = orders.replace("orders", "order");
    apply(&topology(&format!("{orders}{order}")));
    replicate.until_it_says("topics of the source are selected");
    replicate.running.signal(Signal::TERM);
    assert_eq!(replicate.ended(), Some(0));
}

/// Its connections stay open, and whatever is asked of it waits.
#[test]
fn a_target_that_answers_nothing_is_said_in_one_line_and_so_is_its_end() {
    let stage = Stage::new();
    let file = stage.topology(
        "topics:\n- {name: pay.orders, clusters: [left], partitions: 3, replicationFactor: 1}\n\
         mirrors:\n- {name: pay, source: left, target: right, topicsPattern: 'pay\\..*', \
         replicationPolicy: {type: default}, topicSync: {interval: 200ms}, stallAfter: 1s}\n",
    );
    let file = text(&file);
    run(&["apply", "-f", file, "--auto-approve"]).code(0);
    write(&stage, file, "300");
    let mut replicate = Replicate::of(&["replicate", "-f", file, "--log-format", "json"]);
    until("everything is copied", || copied(&stage) == 300);
    let frozen = FaultRule::new(FaultAction::Delay(Duration::from_secs(10)));
    let frozen = stage.right.faults().inject(frozen);
    until("it is asked", || frozen.hits() > 0);
    write(&stage, file, "30");
    let line = replicate.until_it_says("stands still although there is something to copy");
    frozen.remove();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    let broker = stage.right.leader("left.pay.orders", 0).unwrap();
    for (field, value) in [
        ("level", json!("WARN")),
        ("mirror", json!("pay")),
        ("side", json!("target")),
        ("broker", json!(broker)),
    ] {
        assert_eq!(line[field], value, "{field} of {line}");
    }
    assert!(line["partitions"].as_u64().unwrap() > 0, "{line}");
    // one alone is named as in every line
    let named = line["names"].as_str().or(line["topic"].as_str());
    assert!(named.unwrap().contains("pay.orders"), "{line}");
    let reason = line["reason"].as_str().unwrap();
    assert!(reason.contains("not acknowledged"), "{line}");
    let again = replicate.until_it_says("progress again");
    assert!(again.contains("\"INFO\""), "{again}");
    until("everything is copied", || copied(&stage) == 330);
    replicate.running.signal(Signal::TERM);
    assert_eq!(replicate.ended(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_said_before_anything_is_copied() {
    let (_stage, file) = filled("300");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(&["replicate", "-f", &file, "--once", "--listen", &address]).code(1);
    ended.says(&format!("cannot listen on {address}"));
    ended.says("choose another --listen");
    assert_eq!(ended.out, "");
    let lag = run(&["lag", "-f", &file, "--output", "json"])
        .code(0)
        .json();
    assert_eq!(lag["mirrors"][0]["lag_records"], 300);
    run(&["lag", "-f", &file, "--max-lag", "299"])
        .code(5)
        .says("lag is over 299 records: pay");
    run(&["lag", "-f", &file, "--max-lag", "300"]).code(0);
}
