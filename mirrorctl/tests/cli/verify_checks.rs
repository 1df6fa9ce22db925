//! `verify.checks` of a topology: what is judged of all that could be, whichever way it is looked at.

use std::collections::BTreeMap;

use crate::support::text;
use crate::verify::{ready, verify};

const DECLARED: &str = "verify: {checks: [complete, group-sync, compaction, config-sync]}\n";

/// Each check with its verdict, and the reason where there is none.
fn judged(file: &str, arguments: &[&str]) -> BTreeMap<String, (String, String)> {
    let arguments = [arguments, &["--output", "json"]].concat();
    let report = verify(file, &arguments).code(0).json();
    let checks = report["checks"].as_array().unwrap();
    let of = |check: &serde_json::Value, key: &str| {
        let text = check[key].as_str();
        text.unwrap_or_default().to_owned()
    };
    let each = checks
        .iter()
        .map(|check| (of(check, "id"), (of(check, "result"), of(check, "reason"))));
    each.collect()
}

#[test]
fn what_is_declared_is_judged_or_inconclusive_with_the_reason_in_every_mode() {
    let (stage, file) = ready();
    let yaml = std::fs::read_to_string(&file).unwrap();
    let declared = stage.file("declared.yaml", &format!("{yaml}{DECLARED}"));
    let file = text(&declared);
    let workload = ["--topic", "pay.orders", "--records", "30", "--run"];

    let stamped = judged(file, &[&["--mode", "stamped"][..], &workload].concat());
    assert_eq!(stamped.len(), 4, "{stamped:?}");
    assert_eq!(stamped["complete"].0, "pass");
    let reason = |found: &BTreeMap<String, (String, String)>, id: &str| found[id].1.clone();
    assert!(reason(&stamped, "group-sync").contains("not mirrored yet"));
    assert!(reason(&stamped, "compaction").contains("--mode compare"));

    // what is no promise of its own goes with the others
    let compared = judged(file, &["--mode", "compare"]);
    let ids: Vec<&str> = compared.keys().map(String::as_str).collect();
    let expected = [
        "compaction",
        "complete",
        "config-sync",
        "count",
        "group-sync",
        "partitions",
    ];
    assert_eq!(ids, expected);
    assert!(reason(&compared, "complete").contains("--mode stamped"));
    assert!(reason(&compared, "compaction").contains("nothing here"));
    assert_eq!(compared["config-sync"].0, "pass");

    // both ways were gone, so neither is advised
    let both = judged(file, &[&["--profile", "ci"][..], &workload].concat());
    assert!(reason(&both, "compaction").contains("nothing here"));
    assert_eq!(both["complete"].0, "pass");
}

#[test]
fn what_is_declared_is_done_where_the_command_line_does_not_say() {
    let (stage, file) = ready();
    let workload = ["--topic", "pay.orders", "--records", "30", "--run"];
    verify(&file, &workload)
        .code(64)
        .says("verify: {profile: ci}");
    let yaml = std::fs::read_to_string(&file).unwrap();
    let declared = stage.file("ci.yaml", &format!("{yaml}verify: {{profile: ci}}\n"));
    let done = verify(text(&declared), &workload).code(0);
    done.says("complete");
    done.says("(compared)");
    let compared = judged(text(&declared), &["--mode", "compare"]);
    assert!(!compared.contains_key("complete"), "{compared:?}");
}
