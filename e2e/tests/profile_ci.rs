//! What pipelines that we render run, `verify --profile ci`, on real brokers: it fits into ten minutes on two cores.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the figures of a test must be seen")]

use std::time::{Duration, Instant};

use e2e::{ClusterSpec, Pair, TopicAdmin, Workspace, mirrorctl, write_mixed};

/// What is promised, of two cores; a machine of one is not asked.
const LIMIT: Duration = Duration::from_mins(10);
/// Of each of the topics that are compared beside the one that is written.
const RECORDS: u64 = 50_000;
const PARTITIONS: u16 = 4;

#[test]
fn it_writes_judges_and_compares_in_time() {
    let pair = Pair::start(&ClusterSpec::single()).unwrap();
    let source = pair.source.bootstrap_servers();
    let admin = TopicAdmin::new(&source).unwrap();
    for topic in ["shop.orders", "shop.payments", "shop.returns"] {
        admin.create(topic, i32::from(PARTITIONS), &[]).unwrap();
        write_mixed(&source, topic, PARTITIONS, RECORDS).unwrap();
    }
    let workspace = Workspace::create("profile").unwrap();
    let topology = pair.topology(
        "mirrors:\n- {name: m, source: source, target: target, topicsPattern: 'shop[.].*', \
         replicationPolicy: {type: identity}, topicSync: {replicationFactor: 1}}\n",
    );
    workspace.write("t.yaml", topology).unwrap();
    let verify = [
        "verify",
        "-f",
        "t.yaml",
        "--mirror",
        "m",
        "--profile",
        "ci",
        "--run",
        "--topic",
        "shop.proof",
        "--partitions",
        "4",
        "--junit",
        "verify.xml",
    ];
    let began = Instant::now();
    mirrorctl(&workspace)
        .unwrap()
        .args(verify)
        .timeout(LIMIT)
        .assert()
        .code(0);
    let took = began.elapsed();
    assert!(took < LIMIT, "{took:?}");
    let report = std::fs::read_to_string(workspace.path().join("verify.xml")).unwrap();
    for judged in ["shop.proof", "shop.orders", "shop.payments", "shop.returns"] {
        assert!(report.contains(judged), "{judged} in {report}");
    }
    // for who reads the output of this test
    println!("verify --profile ci took {:.1} s", took.as_secs_f64());
}
