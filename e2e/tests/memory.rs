//! Memory stays inside the byte budget, whatever the target does: a target that takes a megabyte a second, and a
//! leader that is gone while its neighbours go on.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/heap.rs"]
mod heap;

use std::time::Duration;

use e2e::{ClusterSpec, Workspace, start_mirrorctl};
use heap::{REPLICATE, clusters, copied, throttle, until_all_is_there, until_some_is_there, watch};

#[test]
fn a_target_that_takes_a_megabyte_a_second() {
    let workspace = Workspace::create("slow").unwrap();
    let [_source, target] = clusters(&workspace, &ClusterSpec::single(), 120_000);
    throttle(&target);
    let replicate = start_mirrorctl(&workspace, "slow", &REPLICATE).unwrap();
    watch(&replicate, Duration::from_secs(20));
    until_some_is_there(&replicate, &target);
    let copied = copied(&target);
    assert!(
        (1..120_000).contains(&copied),
        "{copied} copied: the quota had no effect, or nothing moved"
    );
}

#[test]
fn a_leader_that_is_gone_for_a_while() {
    const RECORDS: u64 = 150_000;
    let workspace = Workspace::create("gone").unwrap();
    let [source, target] = clusters(&workspace, &ClusterSpec::three(), RECORDS);
    target.pause_broker(2).unwrap();
    let replicate = start_mirrorctl(&workspace, "gone", &REPLICATE).unwrap();
    watch(&replicate, Duration::from_secs(25));
    target.resume_broker(2).unwrap();
    until_all_is_there(&replicate, &source, &target, RECORDS);
}
