//! What hurts with MirrorMaker 2 and must not here; `e2e/PAINS.md` says which test stands for which pain.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use e2e::{
    ClusterSpec, KafkaCluster, Pair, Stream, Workspace, identical, mirrorctl, producer_performance,
    record_count, start_mirrorctl,
};
use rustix::process::Signal;

const PACKED: [&str; 4] = ["gzip", "snappy", "lz4", "zstd"];
const ONCE: [&str; 4] = ["replicate", "-f", "t.yaml", "--once"];
const LIMIT: Duration = Duration::from_mins(2);

fn stage(topics: &str, pattern: &str) -> (Workspace, Pair) {
    let workspace = Workspace::create("pains").unwrap();
    let pair = Pair::start(&ClusterSpec::single()).unwrap();
    let topology = pair.topology(&format!(
        "topics:\n{topics}mirrors:\n\
         - {{name: pains, source: source, target: target, topicsPattern: \"{pattern}\", \
              replicationPolicy: {{type: identity}}}}\n"
    ));
    workspace.write("t.yaml", topology).unwrap();
    let apply = ["apply", "-f", "t.yaml", "--auto-approve"];
    mirrorctl(&workspace).unwrap().args(apply).assert().code(0);
    (workspace, pair)
}

fn topic(name: &str) -> String {
    format!("- {{name: {name}, clusters: [source], partitions: 1, replicationFactor: 1}}\n")
}

/// The first segment of a topic's only partition.
fn segment(cluster: &KafkaCluster, topic: &str) -> PathBuf {
    fn search(directory: &Path, wanted: &str) -> Option<PathBuf> {
        for entry in fs::read_dir(directory).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                let segment = path.join("00000000000000000000.log");
                if path.ends_with(wanted) && segment.is_file() {
                    return Some(segment);
                }
                if let Some(found) = search(&path, wanted) {
                    return Some(found);
                }
            }
        }
        None
    }
    search(cluster.workspace().path(), &format!("{topic}-0")).unwrap()
}

/// Record count, codec and size of each batch, as Kafka's own tool reads them from the broker's file.
fn batches(cluster: &KafkaCluster, topic: &str) -> Vec<(String, String, String)> {
    let segment = segment(cluster, topic);
    let arguments = ["--files", segment.to_str().unwrap()];
    let dumped = cluster
        .tool_output("org.apache.kafka.tools.DumpLogSegments", &arguments, b"")
        .or_else(|_| cluster.tool_output("kafka.tools.DumpLogSegments", &arguments, b""))
        .unwrap();
    let field = |line: &str, name: &str| {
        let mut words = line.split_whitespace();
        words.find(|word| *word == name)?;
        words.next().map(str::to_owned)
    };
    dumped
        .lines()
        .filter(|line| line.starts_with("baseOffset:"))
        .map(|line| {
            (
                field(line, "count:").unwrap(),
                field(line, "compresscodec:").unwrap(),
                field(line, "size:").unwrap(),
            )
        })
        .collect()
}

#[test]
fn recompression_every_batch_keeps_its_codec_and_its_size() {
    let names = PACKED.map(|codec| format!("packed.{codec}"));
    let topics: String = names.iter().map(|name| topic(name)).collect();
    let (workspace, pair) = stage(&topics, "packed\\\\..*");
    for (codec, name) in PACKED.iter().zip(&names) {
        let compression = format!("compression.type={codec}");
        producer_performance(&pair.source, name, 20_000, 100, &[&compression]).unwrap();
    }
    mirrorctl(&workspace).unwrap().args(ONCE).assert().code(0);
    for (codec, name) in PACKED.iter().zip(&names) {
        let source = batches(&pair.source, name);
        assert!(source.len() > 3, "{codec}: {} batches", source.len());
        assert!(
            source
                .iter()
                .all(|(_, found, _)| found.eq_ignore_ascii_case(codec)),
            "{source:?}"
        );
        assert_eq!(batches(&pair.target, name), source, "{codec}");
    }
}

#[test]
fn restart_copies_nothing_again() {
    let (workspace, pair) = stage(&topic("again"), "again");
    let servers = pair.source.bootstrap_servers();
    let mut written = 0;
    for round in 1..=3 {
        let stream = Stream::start(&servers, "again", 1, 2_000, "lz4").unwrap();
        let mut run = start_mirrorctl(&workspace, &format!("run-{round}"), &ONCE[..3]).unwrap();
        // Stopped in full flight.
        pair.wait_for_records("again", written + 2_000, LIMIT)
            .unwrap();
        run.signal(Signal::TERM).unwrap();
        assert_eq!(run.wait(LIMIT).unwrap().code(), Some(0), "{}", run.stderr());
        written += stream.stop().unwrap();
    }
    mirrorctl(&workspace).unwrap().args(ONCE).assert().code(0);
    let (source, target) = pair.sides("again");
    assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));
}

#[test]
fn lag_is_never_negative() {
    let (workspace, pair) = stage(&topic("back"), "back");
    producer_performance(&pair.source, "back", 5_000, 50, &[]).unwrap();
    mirrorctl(&workspace).unwrap().args(ONCE).assert().code(0);
    let servers = pair.target.bootstrap_servers();
    assert_eq!(record_count(&servers, "back").unwrap(), 5_000);
    // The source starts anew with fewer records than the position says were copied.
    let servers = pair.source.bootstrap_servers();
    for action in [&["--delete"][..], &["--create", "--partitions", "1"][..]] {
        let arguments = [&["--bootstrap-server", &servers, "--topic", "back"], action].concat();
        pair.source
            .tool_output("org.apache.kafka.tools.TopicCommand", &arguments, b"")
            .unwrap();
    }
    producer_performance(&pair.source, "back", 100, 50, &[]).unwrap();
    let status = ["status", "-f", "t.yaml", "--output", "json"];
    let assert = mirrorctl(&workspace).unwrap().args(status).assert();
    let shown = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    let lags: Vec<&str> = shown
        .split("\"lag\":")
        .skip(1)
        .map(str::trim_start)
        .collect();
    assert!(!lags.is_empty(), "{shown}");
    assert!(lags.iter().all(|lag| !lag.starts_with('-')), "{shown}");
}
