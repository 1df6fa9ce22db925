//! `mirrorctl verify` with records of one's own, and with a look at the target while they are written.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Ended, Running, Stage, run, text};

fn ready(topology: impl Fn(String) -> String) -> (Stage, String) {
    let stage = Stage::new();
    let written = std::fs::read_to_string(stage.pay()).unwrap();
    let file = text(&stage.file("pay.yaml", &topology(written))).to_owned();
    run(&["apply", "-f", &file, "--auto-approve"]).code(0);
    (stage, file)
}

fn stamped(file: &str, arguments: &[&str]) -> Ended {
    let verify = ["verify", "-f", file, "--mirror", "pay", "--mode", "stamped"];
    run(&[&verify, arguments].concat())
}

fn check<'r>(report: &'r Value, id: &str) -> &'r Value {
    let mut checks = report["checks"].as_array().unwrap().iter();
    checks.find(|check| check["id"] == id).unwrap()
}

#[test]
fn records_of_a_file_are_written_copied_and_judged() {
    let (stage, file) = ready(|it| it);
    let lines: String = (0..40)
        .map(|number| match number % 4 {
            0 => format!("{{\"key\":\"k{}\",\"value\":\"v{number}\",\"timestamp\":{}}}\n", number % 3, 1_760_000_000_000_u64 + number),
            1 => "{\"keyBase64\":\"AP8=\",\"valueBase64\":\"3q2+7w==\",\"partition\":1}\n".to_owned(),
            2 => format!("{{\"key\":\"k1\",\"headers\":[{{\"name\":\"h\",\"value\":\"{number}\"}},{{\"name\":\"h\"}}]}}\n"),
            _ => "{}\n".to_owned(),
        })
        .collect();
    let records = stage.file("records.jsonl", &lines);
    let journal = stage.path("journal.json");
    let topic = ["--topic", "pay.orders", "--workload", text(&records)];
    let phases = ["--journal", text(&journal), "--phase"];
    let written = stamped(&file, &[&topic[..], &phases, &["write"]].concat()).code(0);
    written.says("40 acknowledged, 0 failed, 0 unknown; from ");
    assert!(!written.out.contains("seed"), "{}", written.out);
    let judged = [&phases[..], &["check", "--run", "--output", "json"]].concat();
    let report = stamped(&file, &judged).code(0).json();
    assert_eq!(report["seed"], Value::Null);
    let ids = ["complete", "payload", "timestamp", "key-order"];
    assert!(
        ids.iter().all(|id| check(&report, id)["result"] == "pass"),
        "{report}"
    );
    // the judge needs the very file
    stage.file("records.jsonl", &lines.replace("v0", "v1"));
    stamped(&file, &judged).code(1).says("it was changed");
}

#[test]
fn nothing_is_written_of_a_file_that_is_wrong() {
    let (stage, file) = ready(|it| it);
    let topic = ["--topic", "pay.new", "--partitions", "2", "--workload"];
    for (name, lines, says) in [
        (
            "json",
            "{\"value\":\"a\"}\n{\"value\":\n",
            "wrong.jsonl:2:9: EOF while parsing",
        ),
        (
            "partition",
            "{\"partition\":2}\n",
            "wrong.jsonl:1:2: partition 2 of a topic with 2 partitions",
        ),
        (
            "field",
            "{\"key\":\"a\",\"vaule\":\"b\"}\n",
            "wrong.jsonl:1:18: unknown field `vaule`",
        ),
        ("empty", "\n", "holds no record"),
    ] {
        let records = stage.file("wrong.jsonl", lines);
        let ended = stamped(&file, &[&topic[..], &[text(&records)]].concat()).code(1);
        assert!(ended.err.contains(says), "{name}: {}", ended.err);
        assert_eq!(stage.left.partition_count("pay.new"), None, "{name}");
    }
    let both = ["--topic", "pay.orders", "--workload", "x", "--records", "5"];
    stamped(&file, &both).code(64).says("--records");
    let late = ["--phase", "check", "--journal", "x", "--watch"];
    stamped(&file, &late)
        .code(64)
        .says("--phase check writes none");
    let beside = ["--topic", "pay.orders", "--watch", "--run"];
    stamped(&file, &beside)
        .code(64)
        .says("--run copies when everything is written");
}

#[test]
fn a_mirror_that_runs_is_watched_and_its_lag_is_drawn() {
    let (stage, file) =
        ready(|it| it.replace("target: right,", "target: right, slo: {lag: 120s},"));
    let mirror = Running::start(&["replicate", "-f", &file]);
    let page = stage.path("page.html");
    let watched = [
        "--topic",
        "pay.orders",
        "--records",
        "1200",
        "--rate",
        "300",
        "--watch",
        "--output",
        "json",
        "--html",
        text(&page),
    ];
    let report = stamped(&file, &watched).code(0).json();
    let latency = check(&report, "latency");
    assert_eq!(latency["result"], "pass", "{report}");
    assert!(
        latency["figures"]["records-timed"].as_u64().unwrap() >= 10,
        "{latency}"
    );
    let recovery = check(&report, "recovery");
    assert_eq!(recovery["reason"], "no fault was made", "{report}");
    let samples = report["timeline"]["lag"].as_array().unwrap();
    // the last look may come before the last record
    let lags: Vec<i64> = samples
        .iter()
        .map(|sample| sample["records"].as_i64().unwrap())
        .collect();
    assert!(lags.len() >= 2, "{report}");
    assert!(lags.iter().all(|lag| (0..=1200).contains(lag)), "{report}");
    assert!(
        std::fs::read_to_string(&page)
            .unwrap()
            .contains("class=\"line\"")
    );

    // the same in phases, with something that was done in between
    let journal = stage.path("journal.json");
    let phases = ["--journal", text(&journal), "--phase"];
    let write = [
        "write",
        "--topic",
        "pay.orders",
        "--records",
        "200",
        "--rate",
        "400",
        "--watch",
    ];
    stamped(&file, &[&phases[..], &write].concat()).code(0);
    mirror.signal(Signal::INT);
    mirror.ended().code(0);
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&journal).unwrap()).unwrap();
    let began = kept["started_ms"].as_i64().unwrap();
    let events = format!(
        r#"[{{"at_ms":{},"until_ms":{},"fault":"freeze","target":"engine"}}]"#,
        began + 1,
        began + 2
    );
    let events = stage.file("events.json", &events);
    let judged = [
        "check",
        "--events",
        text(&events),
        "--output",
        "json",
        "--html",
        text(&page),
    ];
    let report = stamped(&file, &[&phases[..], &judged].concat())
        .code(0)
        .json();
    assert_eq!(check(&report, "recovery")["result"], "pass", "{report}");
    assert!(
        std::fs::read_to_string(&page)
            .unwrap()
            .contains("<b>freeze</b> of engine")
    );
    let wrong = stage.file("wrong.json", r#"[{"fault":"freeze"}]"#);
    let judged = ["check", "--events", text(&wrong)];
    stamped(&file, &[&phases[..], &judged].concat())
        .code(64)
        .says("missing field");
}

#[test]
fn without_a_mirror_the_lag_is_seen_and_fails() {
    let (_stage, file) =
        ready(|it| it.replace("target: right,", "target: right, slo: {lag: 100ms},"));
    let watched = [
        "--topic",
        "pay.orders",
        "--records",
        "1200",
        "--rate",
        "400",
        "--watch",
        "--timeout",
        "500ms",
        "--output",
        "json",
    ];
    let report = stamped(&file, &watched).code(5).json();
    assert_eq!(check(&report, "latency")["result"], "fail", "{report}");
    assert_eq!(check(&report, "complete")["result"], "fail");
}
