//! What comes after a promotion: back, and home again.

use crate::bed::{Bed, write};
use crate::support::{Replicate, run, text, until};

#[test]
fn the_way_back_stands_beside_a_promoted_mirror_and_copies_what_was_written_since() {
    let bed = Bed::new();
    let both = |there: &str| {
        let file = write(&bed.stage, "both.yaml", there);
        let back = "- {name: back, source: right, target: left, topicsPattern: 'pay\\..*', \
                    replicationPolicy: {type: identity}}\n";
        let whole = std::fs::read_to_string(&file).unwrap() + back;
        std::fs::write(&file, whole).unwrap();
        file
    };
    run(&["validate", &both("running")])
        .code(1)
        .says("in both directions");
    let way_back = both("promoted");
    run(&["validate", &way_back]).code(0);

    bed.apply("running");
    bed.produce("30", "1.json");
    let replicate = Replicate::with(&bed.own);
    bed.until_copied(30);
    // as long as nobody promotes it, the way back has nothing to copy, and does not keep that to itself
    let once = ["replicate", "-f", &way_back, "--once", "--mirror", "back"];
    run(&once).code(3).says("mirror `pay` fills it");
    let plan = run(&["plan", "-f", &way_back]).code(0);
    plan.says("mirrored-back");
    plan.says("pay.orders of right is filled from left by mirror pay");

    bed.apply("promoted");
    assert_eq!(replicate.ended(), Some(0));
    let journal = bed.stage.path("2.json");
    let write = [
        "verify",
        "-f",
        &way_back,
        "--mirror",
        "back",
        "--mode",
        "stamped",
        "--phase",
        "write",
        "--topic",
        "pay.orders",
        "--records",
        "12",
        "--journal",
        text(&journal),
    ];
    run(&write).code(0);
    assert_eq!(bed.copied(), 42);
    let plan = run(&["apply", "-f", &way_back, "--auto-approve"]).code(0);
    assert!(!plan.out.contains("mirrored-back"), "{}", plan.out);
    let copied = run(&["replicate", "-f", &way_back, "--once"]).code(0);
    copied.says("Copied 12 records");
    let known = !copied.err.contains("no position is known");
    assert!(known, "where it begins is known: {}", copied.err);
    let ends = (0..3).filter_map(|it| bed.stage.left.log_end_offset("pay.orders", it));
    assert_eq!(ends.sum::<i64>(), 42);
    run(&once).code(0).says("Copied 0 records");
}

/// The file with the mirror `pay` in this state, and others beside it.
pub(crate) fn beside(bed: &Bed, pay: &str, others: &str) -> String {
    let file = write(&bed.stage, "beside.yaml", pay);
    let whole = std::fs::read_to_string(&file).unwrap() + others;
    std::fs::write(&file, whole).unwrap();
    file
}

/// A mirror under the same topic names.
pub(crate) fn identity(name: &str, source: &str, target: &str, more: &str) -> String {
    format!(
        "- {{name: {name}, source: {source}, target: {target}, topicsPattern: 'pay\\..*', \
         replicationPolicy: {{type: identity}}, topicSync: {{interval: 500ms}}{more}}}\n"
    )
}

/// As applications do, to the source of this mirror.
pub(crate) fn produce_to_source_of(
    bed: &Bed,
    file: &str,
    mirror: &str,
    records: &str,
    journal: &str,
) {
    let journal = bed.stage.path(journal);
    let verify = [
        "verify", "-f", file, "--mirror", mirror, "--mode", "stamped",
    ];
    let phase = ["--phase", "write", "--topic", "pay.orders"];
    let what = ["--records", records, "--journal", text(&journal)];
    run(&[&verify[..], &phase, &what].concat()).code(0);
}

#[test]
fn the_plan_says_what_a_way_back_leaves_out_and_what_it_will_refuse() {
    let bed = Bed::new();
    let way_back = beside(&bed, "promoted", &identity("back", "right", "left", ""));
    bed.apply("running");
    bed.produce("30", "1.json");
    let replicate = Replicate::with(&bed.own);
    bed.until_copied(30);
    // too early: the mirror still fills the topic
    produce_to_source_of(&bed, &way_back, "back", "6", "2.json");
    bed.apply("promoted");
    assert_eq!(replicate.ended(), Some(0));
    produce_to_source_of(&bed, &way_back, "back", "3", "3.json");
    let plan = run(&["plan", "-f", &way_back]).code(0);
    plan.says("way-back-incomplete");
    plan.says("2 or more records");
    assert!(!plan.out.contains("way-back-refused"), "{}", plan.out);

    // and what the old source gets since holds the way back up: the plan says what the replicator will
    bed.produce("3", "4.json");
    let json = ["--output", "json", "--detailed-exitcode"];
    let plan = run(&[&["plan", "-f", &way_back][..], &json].concat()).code(3);
    let findings = plan.json()["findings"].clone();
    let refused = findings.as_array().unwrap().iter();
    let refused = refused.filter(|it| it["id"] == "way-back-refused");
    let refused: Vec<_> = refused.collect();
    assert_eq!(refused.len(), 1, "{findings}");
    let case = refused[0]["evidence"][0].as_str().unwrap();
    assert!(
        case.contains("copied to offset 10 and ends at 11"),
        "{case}"
    );
    assert_eq!(refused[0]["severity"], "blocked");
    let hint = refused[0]["hint"].as_str().unwrap();
    let apply = ["apply", "-f", &way_back, "--auto-approve"];
    run(&apply).code(3).says("way-back-refused");
    run(&[&apply[..], &["--exclude", "mirror.back"]].concat()).code(0);
    let once = ["replicate", "-f", &way_back, "--once", "--mirror", "back"];
    let said = run(&once).code(1);
    said.says("copied to offset 10 and ends at 11");
    // the time in it is that of the promotion
    let (_, from) = hint.split_once("timestamp: \"").unwrap();
    let (time, _) = from.split_once('"').unwrap();
    said.says(&format!("startOffset: {{timestamp: \"{time}\"}}"));
    let told = format!(", startOffset: {{timestamp: \"{time}\"}}");
    let way_back = beside(&bed, "promoted", &identity("back", "right", "left", &told));
    let applied = run(&["apply", "-f", &way_back, "--auto-approve"]).code(0);
    assert!(!applied.out.contains("way-back-refused"), "{}", applied.out);
    applied.says("way-back-incomplete");
}

#[test]
fn home_again_by_one_file() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let replicate = Replicate::with(&bed.own);
    bed.until_copied(30);
    bed.apply("promoted");
    assert_eq!(replicate.ended(), Some(0));
    let with = |back: &str, home: &str| {
        let back = identity("back", "right", "left", &format!(", state: {back}"));
        beside(&bed, "promoted", &(back + home))
    };
    let home = identity("home", "left", "right", "");
    let apply = |file: &str| run(&["apply", "-f", file, "--auto-approve"]);
    let file = with("running", "");
    apply(&file).code(0);
    produce_to_source_of(&bed, &file, "back", "12", "2.json");
    let replicate = Replicate::with(&file);
    let left = || {
        let ends = (0..3).filter_map(|it| bed.stage.left.log_end_offset("pay.orders", it));
        ends.sum::<i64>()
    };
    until("it is back", || left() == 42);

    // all at once is too early, and what is advised loses nothing
    let file = with("promoted", &home);
    let refused = run(&["plan", "-f", &file, "--detailed-exitcode"]).code(3);
    refused.says("mirror back brings it back");
    refused.says("first apply the promotion of the mirror that brings it back");
    assert!(!refused.out.contains("mirrored-back"), "{}", refused.out);
    assert!(
        !refused.out.contains("delete the topics"),
        "{}",
        refused.out
    );
    apply(&file).code(3);
    apply(&with("promoted", "")).code(0);
    assert_eq!(replicate.ended(), Some(0));
    let file = with("promoted", &home);
    apply(&file).code(0);
    produce_to_source_of(&bed, &file, "home", "9", "3.json");
    assert_eq!((left(), bed.copied()), (51, 42));
    let once = ["replicate", "-f", &file, "--once"];
    run(&once).code(0).says("Copied 9 records");
    assert_eq!((left(), bed.copied()), (51, 51));
    run(&["plan", "-f", &file, "--detailed-exitcode"]).code(0);
}

#[test]
fn a_promoted_mirror_under_another_name_is_refused_by_the_plan() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let replicate = Replicate::with(&bed.own);
    bed.until_copied(30);
    bed.apply("promoted");
    assert_eq!(replicate.ended(), Some(0));
    let renamed = std::fs::read_to_string(&bed.own).unwrap();
    let renamed = renamed.replace("{name: pay,", "{name: pay2,");
    let file = bed.stage.file("renamed.yaml", &renamed);
    let plan = run(&["plan", "-f", text(&file), "--detailed-exitcode"]).code(3);
    plan.says("handed-over");
    plan.says("pay.orders of right: filled by mirror pay until it was promoted");
    run(&["apply", "-f", text(&file), "--auto-approve"]).code(3);
    run(&["replicate", "-f", text(&file), "--once"])
        .code(1)
        .says("handed it over");
    assert_eq!(bed.copied(), 30);
}
