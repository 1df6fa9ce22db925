//! `mirrorctl demo`: nothing installed, nothing left behind, a verdict.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Instant;

use e2e::{Workspace, mirrorctl};

#[test]
fn the_demo_passes_quickly() {
    let workspace = Workspace::create("demo").unwrap();
    let started = Instant::now();
    let assert = mirrorctl(&workspace).unwrap().arg("demo").assert().code(0);
    let took = started.elapsed();
    let stdout = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    for check in [
        "complete",
        "order",
        "duplicates",
        "payload",
        "timestamp",
        "partition-map",
    ] {
        let line = stdout
            .lines()
            .find(|line| line.trim_start().starts_with(check));
        assert!(
            line.is_some_and(|line| line.contains("pass")),
            "{check} in {stdout}"
        );
    }
    // what is promised of it
    assert!(took.as_secs() < 60, "{took:?}");
    let left = std::fs::read_dir(workspace.path()).unwrap().count();
    assert_eq!(left, 0, "files in the working directory");
}
