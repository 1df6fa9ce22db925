//! `replicate --once`: records of every codec and shape, copied and found equal by an independent reader.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use e2e::{
    CODECS, ClusterSpec, Pair, Workspace, console_producer, identical, mirrorctl,
    producer_performance, record_count, write_mixed,
};

const TOPOLOGY: &str = "\
topics:
- {name: pay.orders, clusters: [source], partitions: 8, replicationFactor: 1}
mirrors:
- name: source-to-target
  source: source
  target: target
  topicsPattern: \"pay\\\\..*\"
  replicationPolicy: {type: identity}
";

const LINES: &str = "\
trace:1,twice:first,twice:second\tkey-1\tvalue 1
NULL\tNULL\tno key and no headers
only:header\tdeleted\tNULL
h:\t\t
";

/// Copies `records` records of Kafka's own producer in each codec, three times as many that are mixed, and some by hand.
pub(crate) fn copies_are_equal(records: u64) {
    let workspace = Workspace::create("once").unwrap();
    let pair = Pair::start(&ClusterSpec::single()).unwrap();
    workspace.write("t.yaml", pair.topology(TOPOLOGY)).unwrap();
    let run = |arguments: &[&str], code: i32| {
        let assert = mirrorctl(&workspace)
            .unwrap()
            .args(arguments)
            .assert()
            .code(code);
        String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
    };
    run(&["apply", "-f", "t.yaml", "--auto-approve"], 0);

    let servers = pair.source.bootstrap_servers();
    let mut written = write_mixed(&servers, "pay.orders", 8, records * 3).unwrap();
    for codec in CODECS {
        let compression = format!("compression.type={codec}");
        producer_performance(&pair.source, "pay.orders", records, 100, &[&compression]).unwrap();
        console_producer(&pair.source, "pay.orders", codec, LINES).unwrap();
        written += records + LINES.lines().count() as u64;
    }
    assert_eq!(written, records * 8 + 20);
    assert_eq!(record_count(&servers, "pay.orders").unwrap(), written);

    run(&["replicate", "-f", "t.yaml", "--once"], 0);
    let (source, target) = pair.sides("pay.orders");
    assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));

    // positions were kept: a second run has nothing to do
    run(&["replicate", "-f", "t.yaml", "--once"], 0);
    assert_eq!(
        record_count(&pair.target.bootstrap_servers(), "pay.orders").unwrap(),
        written
    );

    // the product's own judge agrees, and sees one record that does not belong
    let verify = [
        "verify",
        "-f",
        "t.yaml",
        "--mirror",
        "source-to-target",
        "--mode",
        "compare",
    ];
    run(&verify, 0);
    console_producer(&pair.target, "pay.orders", "none", "NULL\tstray\trecord\n").unwrap();
    run(&verify, 5);
    assert!(identical(source.at(), target.at()).unwrap().is_err());
}
