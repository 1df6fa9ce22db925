//! Memory over a full minute: one leader of three is gone, and the others take a megabyte a second each.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::print_stdout,
    reason = "the figures of a long test are worth seeing"
)]

#[path = "support/heap.rs"]
mod heap;

use std::time::Duration;

use e2e::{ClusterSpec, Workspace, start_mirrorctl};
use heap::{REPLICATE, clusters, copied, lift_throttle, peak, throttle, until_all_is_there, watch};

#[test]
fn a_minute_with_a_leader_gone_and_the_others_slow() {
    const RECORDS: u64 = 300_000;
    let workspace = Workspace::create("minute").unwrap();
    let [source, target] = clusters(&workspace, &ClusterSpec::three(), RECORDS);
    throttle(&target);
    let replicate = start_mirrorctl(&workspace, "minute", &REPLICATE).unwrap();
    watch(&replicate, Duration::from_secs(5));
    let before = copied(&target);
    target.pause_broker(2).unwrap();
    watch(&replicate, Duration::from_mins(1));
    target.resume_broker(2).unwrap();
    watch(&replicate, Duration::from_secs(5));
    let during = copied(&target);
    assert!(
        (before + 10_000..RECORDS).contains(&during),
        "{before} before, {during} after: the others stood still, or were not slow"
    );
    assert!(
        replicate
            .stderr()
            .contains("stands still although there is something to copy"),
        "the watchdog names what stood still for a minute:\n{}",
        replicate.stderr()
    );
    println!(
        "peak {} MiB, {during} records under the quota",
        peak(&replicate) >> 20
    );
    lift_throttle(&target);
    until_all_is_there(&replicate, &source, &target, RECORDS);
    println!("peak {} MiB at the end", peak(&replicate) >> 20);
}
