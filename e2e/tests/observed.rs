//! A mirror that is looked at while it runs: metrics against an independent reader, readiness through an outage of the
//! target, lag as the command measures it, and a log of which every line is JSON.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/http.rs"]
mod http;
#[path = "support/waits.rs"]
mod waits;

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use e2e::{
    ClusterSpec, Pair, Stream, Workspace, end_offsets, identical, mirrorctl, producer_performance,
    start_mirrorctl,
};
use http::{http_get, listening_at};
use prometheus_parse::{Scrape, Value};
use rustix::process::Signal;
use waits::{LIMIT, until};

const TOPOLOGY: &str = "\
topics:
- {name: seen, clusters: [source], partitions: 4, replicationFactor: 1}
mirrors:
- name: watched
  source: source
  target: target
  topicsPattern: seen
  replicationPolicy: {type: identity}
  slo: {lag: 30s}
";

#[test]
fn what_is_seen_is_what_is_there() {
    let workspace = Workspace::create("observed").unwrap();
    let pair = Pair::start(&ClusterSpec::single()).unwrap();
    workspace.write("t.yaml", pair.topology(TOPOLOGY)).unwrap();
    let run = |arguments: &[&str], code: i32| {
        let assert = mirrorctl(&workspace).unwrap().args(arguments).assert();
        let assert = assert.code(code);
        String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
    };
    run(&["apply", "-f", "t.yaml", "--auto-approve"], 0);
    let servers = pair.source.bootstrap_servers();

    // nothing runs yet: everything that is written is lag, and it has an age
    let stream = Stream::start(&servers, "seen", 4, 1_000, "lz4").unwrap();
    thread::sleep(Duration::from_secs(2));
    let written = stream.stop().unwrap();
    let lag: serde_json::Value =
        serde_json::from_str(&run(&["lag", "-f", "t.yaml", "--output", "json"], 0)).unwrap();
    let mirror = &lag["mirrors"][0];
    assert_eq!(mirror["lag_records"].as_u64(), Some(written), "{lag:#}");
    // by the stream's records
    let seconds = mirror["lag_seconds"].as_f64().unwrap() - Stream::AGE.as_secs_f64();
    assert!((1.0..600.0).contains(&seconds), "{lag:#}");
    assert!(
        mirror["lag_estimated_bytes"].as_u64().unwrap() > written,
        "{lag:#}"
    );
    assert_eq!(mirror["objective_kept"], false);
    run(&["lag", "-f", "t.yaml", "--max-lag", "10"], 5);

    let mut replicate = start_mirrorctl(
        &workspace,
        "watched",
        &[
            "replicate",
            "-f",
            "t.yaml",
            "--listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
        ],
    )
    .unwrap();
    let address = listening_at(&replicate);
    let get = |path: &str| http_get(&address, path);
    assert_eq!(get("/healthz").0, 200);
    until("the mirror is ready", || get("/readyz").0 == 200);

    // scraped while a writer writes: counters only grow
    let stream = Stream::start(&servers, "seen", 4, 2_000, "none").unwrap();
    let mut before = 0.0;
    for _ in 0..10 {
        let copied = sum(&scrape(&address), "mirrorctl_copied_records_total");
        assert!(copied >= before, "{copied} after {before}");
        before = copied;
        thread::sleep(Duration::from_millis(300));
    }
    let written = written + stream.stop().unwrap();
    let caught_up = || {
        let scraped = scrape(&address);
        sum(&scraped, "mirrorctl_mirror_copied_records_total") as u64 == written
            && sum(&scraped, "mirrorctl_lag_records") < 0.5
    };
    until("everything is copied", caught_up);
    let scraped = scrape(&address);
    assert!(sum(&scraped, "mirrorctl_lag_seconds") < f64::EPSILON);
    assert!(sum(&scraped, "mirrorctl_mirror_lag_estimated_bytes") < f64::EPSILON);

    // each partition's counter and position is what an independent reader finds on the target
    let ends = end_offsets(&pair.target.bootstrap_servers(), "seen").unwrap();
    assert_eq!(ends.iter().sum::<i64>() as u64, written);
    for (partition, end) in ends.iter().enumerate() {
        for name in ["mirrorctl_copied_records_total", "mirrorctl_position"] {
            let found = of_partition(&scraped, name, partition);
            assert!(
                (found - *end as f64).abs() < 0.5,
                "{name} of {partition}: {found}, not {end}"
            );
        }
    }
    let batches = sum(&scraped, "mirrorctl_batches_total");
    assert!(batches > 10.0, "{batches} batches");

    // batches of today, copied as they come; all others are an hour late
    let (before, of_old) = histogram(&scraped, "mirrorctl_latency_seconds", 16.384);
    assert!(
        before < 0.5 && of_old > 10.0,
        "{before} of {of_old} batches"
    );
    producer_performance(&pair.source, "seen", 20_000, 100, &[]).unwrap();
    let written = written + 20_000;
    until("everything is copied", || {
        sum(&scrape(&address), "mirrorctl_copied_records_total") as u64 == written
    });
    let (live, all) = histogram(&scrape(&address), "mirrorctl_latency_seconds", 16.384);
    assert!(
        live > 0.5 && (all - of_old - live).abs() < 0.5,
        "{live} live of {all}, {of_old} before"
    );
    let (quick, requests) = histogram(&scraped, "mirrorctl_produce_seconds", 2.048);
    assert!(
        requests > 5.0 && quick / requests > 0.5,
        "{quick} of {requests} requests"
    );
    assert!(sum(&scraped, "mirrorctl_positions_committed_total") > 0.0);

    // the target goes away while records come: not ready, and the lag is seen to grow
    pair.target.kill_broker(1).unwrap();
    let stream = Stream::start(&servers, "seen", 4, 500, "none").unwrap();
    until("it is seen that the target is away", || {
        get("/readyz").0 == 503
    });
    let (_, body) = get("/readyz");
    let ready: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(ready["ready"], false, "{ready:#}");
    assert!(
        ready["mirrors"][0]["not_ready"][0]["reason"].is_string(),
        "{ready:#}"
    );
    let written = written + {
        thread::sleep(Duration::from_secs(2));
        stream.stop().unwrap()
    };
    until("the lag is known although nothing is fetched", || {
        let scraped = scrape(&address);
        let missing = written as f64 - sum(&scraped, "mirrorctl_copied_records_total");
        missing > 0.0 && (sum(&scraped, "mirrorctl_lag_records") - missing).abs() < 0.5
    });
    assert!(sum(&scrape(&address), "mirrorctl_mirror_lag_seconds") > 1.0);
    assert_eq!(
        get("/healthz").0,
        200,
        "an outage is no reason to be restarted"
    );
    assert!(sum(&scrape(&address), "mirrorctl_interruptions_total") > 0.0);
    pair.target.restart_broker(1).unwrap();
    until("it is ready again", || get("/readyz").0 == 200);
    until("everything is copied", || {
        sum(&scrape(&address), "mirrorctl_lag_records") < 0.5
    });

    let (status, body) = get("/status");
    assert_eq!(status, 200);
    let snapshot: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        snapshot["mirrors"][0]["partitions"]
            .as_array()
            .unwrap()
            .len(),
        4,
        "{snapshot:#}"
    );
    run(&["lag", "-f", "t.yaml", "--max-lag", "slo"], 0);

    replicate.signal(Signal::TERM).unwrap();
    let status = replicate.wait(LIMIT).unwrap();
    assert_eq!(status.code(), Some(0), "{}", replicate.stderr());
    assert!(
        TcpStream::connect(&address).is_err(),
        "nobody listens any more"
    );
    let (source, target) = pair.sides("seen");
    assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));
    every_line_is_json(&replicate.stderr());
}

fn every_line_is_json(log: &str) {
    let mut ended = 0;
    for line in log.lines() {
        let line: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for field in ["timestamp", "level", "message"] {
            assert!(line[field].is_string(), "no {field}: {line}");
        }
        if line.get("partition").is_some() {
            assert!(
                line["topic"].is_string() && line["partition"].is_i64(),
                "{line}"
            );
            assert_eq!(line["mirror"], "watched", "{line}");
        }
        ended += u32::from(line["message"] == "the mirror ended" && line["records"].is_u64());
    }
    assert_eq!(ended, 1, "{log}");
}

fn scrape(address: &str) -> Scrape {
    let (status, text) = http_get(address, "/metrics");
    assert_eq!(status, 200);
    Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap()
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Counter(number) | Value::Gauge(number) | Value::Untyped(number) => *number,
        Value::Histogram(_) | Value::Summary(_) => f64::NAN,
    }
}

fn sum(scrape: &Scrape, name: &str) -> f64 {
    let samples = scrape.samples.iter().filter(|sample| sample.metric == name);
    let values: Vec<f64> = samples.map(|sample| number(&sample.value)).collect();
    assert!(!values.is_empty(), "no {name}");
    values.iter().sum()
}

fn of_partition(scrape: &Scrape, name: &str, partition: usize) -> f64 {
    let partition = partition.to_string();
    let sample = scrape.samples.iter().find(|sample| {
        sample.metric == name && sample.labels.get("partition") == Some(partition.as_str())
    });
    number(&sample.unwrap().value)
}

/// How many lie within so many seconds, and how many there are.
fn histogram(scrape: &Scrape, name: &str, within: f64) -> (f64, f64) {
    let sample = scrape.samples.iter().find(|sample| sample.metric == name);
    let Value::Histogram(buckets) = &sample.unwrap().value else {
        panic!("{name} is no histogram");
    };
    let at = |bound: f64| {
        let bucket = buckets
            .iter()
            .find(|it| (it.less_than - bound).abs() < 1e-9);
        bucket.map(|it| it.count)
    };
    let all = buckets.iter().map(|it| it.count).fold(0.0, f64::max);
    (at(within).unwrap(), all)
}
