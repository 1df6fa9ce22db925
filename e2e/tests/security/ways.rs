//! Every way in, from the plan to the verdict.

use e2e::{Way, Workspace, identical, write_mixed};

use crate::bed::{bed, run};

/// Plans, applies, copies and verifies by this way into both clusters.
fn journey(way: Way, topic: &str) {
    let bed = bed();
    let workspace = Workspace::create(topic).unwrap();
    let access = bed.access(&workspace, way);
    let text = bed.topology(&access, &access, topic);
    workspace.write("t.yaml", text).unwrap();

    let plan = run(&workspace, &["plan", "-f", "t.yaml"], 0);
    assert!(plan.stdout.contains("Plan: 2 to add"), "{}", plan.stdout);
    run(&workspace, &["apply", "-f", "t.yaml", "--auto-approve"], 0);
    let servers = bed.pair.source.bootstrap_servers();
    let written = write_mixed(&servers, topic, 3, 3_000).unwrap();
    run(&workspace, &["replicate", "-f", "t.yaml", "--once"], 0);
    let verify = [
        "verify", "-f", "t.yaml", "--mirror", topic, "--mode", "compare",
    ];
    run(&workspace, &verify, 0);
    let (source, target) = bed.pair.sides(topic);
    assert_eq!(identical(source.at(), target.at()).unwrap(), Ok(written));
}

#[test]
fn tls() {
    journey(Way::Tls, "way.tls");
}

#[test]
fn mutual_tls() {
    journey(Way::MutualTls, "way.mutual");
}

#[test]
fn plain() {
    journey(Way::Plain, "way.plain");
}

#[test]
fn scram_sha_256() {
    journey(Way::ScramSha256, "way.scram256");
}

#[test]
fn scram_sha_512() {
    journey(Way::ScramSha512, "way.scram512");
}

#[test]
fn scram_without_tls() {
    journey(Way::ScramInClear, "way.clear");
}

#[test]
fn oauthbearer() {
    journey(Way::Oauthbearer, "way.oauth");
}
