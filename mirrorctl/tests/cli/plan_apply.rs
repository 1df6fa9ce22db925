//! `mirrorctl plan` and `mirrorctl apply`.

use std::path::Path;

use crate::support::{Stage, run, text};

#[test]
fn a_plan_is_pending_then_applied_then_empty() {
    let stage = Stage::new();
    let file = stage.pay();
    let file = text(&file);

    let planned = run(&["plan", "-f", file, "--detailed-exitcode"]).code(2);
    insta::assert_snapshot!("plan", stage.stable(&planned.out));
    assert_eq!(planned.err, "");
    run(&["plan", "-f", file]).code(0);
    assert_eq!(
        stage.left.topics(),
        Vec::<String>::new(),
        "plan changes nothing"
    );

    let applied = run(&["apply", "-f", file, "--auto-approve"]).code(0);
    insta::assert_snapshot!("apply-stdout", stage.stable(&applied.out));
    applied.says("topic.left.pay.orders: done after");
    assert_eq!(stage.left.partition_count("pay.orders"), Some(3));

    let again = run(&["plan", "-f", file, "--detailed-exitcode"]).code(0);
    again.says("No changes: 2 declared resources on 2 clusters are as declared.");
    let again = run(&["apply", "-f", file]).code(0);
    again.says("Plan: 0 to add");
}

#[test]
fn a_saved_plan_is_applied_without_a_question_and_resumes() {
    let stage = Stage::new();
    let (file, saved) = (stage.pay(), stage.path("change.plan"));
    run(&["plan", "-f", text(&file), "--out", text(&saved)])
        .code(0)
        .says("Saved to");
    run(&["apply", text(&saved)]).code(0).says("2 changes made");
    run(&["apply", text(&saved)])
        .code(0)
        .says("0 changes made, 2 already as planned");
}

#[test]
fn destroy_refuses_what_the_topology_does_not_permit() {
    let stage = Stage::new();
    let file = stage.pay();
    run(&["apply", "-f", text(&file), "--auto-approve"]).code(0);
    let destroy = [
        "destroy",
        "-f",
        text(&file),
        "--target",
        "topic.left.*",
        "--auto-approve",
        "--allow-destroy",
        "topic.left.pay.orders",
    ];
    let refused = run(&destroy).code(3);
    refused.says("does not permit to delete topic.left.pay.orders");
    refused.says("No changes: 1 refused.");
    let json = run(&[&destroy[..], &["--output", "json"]].concat())
        .code(3)
        .json();
    assert_eq!(json["event"], "apply_refused");
    assert_eq!(json["blocked"][0]["address"], "topic.left.pay.orders");
    assert_eq!(stage.left.partition_count("pay.orders"), Some(3), "kept");
}

#[test]
fn destroy_says_what_it_can_be_given_where_nobody_can_be_asked() {
    let stage = Stage::new();
    let topics = "topics:\n- {name: old, clusters: [left], partitions: 1, replicationFactor: 1}\n";
    let whole = std::fs::read_to_string(stage.topology(topics)).unwrap();
    let permitting = whole.replace("alias: left,", "alias: left, allow: {deleteTopics: true},");
    let file = stage.file("t.yaml", &permitting);
    run(&["apply", "-f", text(&file), "--auto-approve"]).code(0);
    for more in [&[][..], &["--output", "json"]] {
        let destroy = ["destroy", "-f", text(&file), "--target", "topic.*"];
        let ended = run(&[&destroy[..], more].concat()).code(64);
        ended.says("--allow-destroy ADDRESS");
        assert!(!ended.err.contains("--out"), "{}", ended.err);
    }
    assert_eq!(stage.left.partition_count("old"), Some(1));
}

#[test]
fn destroy_of_a_topic_that_a_mirror_reads_names_the_mirror() {
    let stage = Stage::new();
    let whole = std::fs::read_to_string(stage.pay()).unwrap();
    let permitting = whole.replace("alias: left,", "alias: left, allow: {deleteTopics: true},");
    let file = stage.file("t.yaml", &permitting);
    run(&["apply", "-f", text(&file), "--auto-approve"]).code(0);
    let destroy = ["destroy", "-f", text(&file), "--target", "topic.left.*"];
    let asked = ["--auto-approve", "--allow-destroy", "topic.left.pay.orders"];
    run(&[&destroy[..], &asked].concat())
        .code(3)
        .says("the mirror `pay` copies from it");
    assert_eq!(stage.left.partition_count("pay.orders"), Some(3), "kept");
}

#[test]
fn a_password_that_is_missing_is_read_when_the_apply_begins() {
    let stage = Stage::new();
    let file =
        stage.topology("users:\n- {name: u, clusters: [left], password: {env: NO_SUCH_SECRET}}\n");
    let ended = run(&["apply", "-f", text(&file), "--auto-approve"]).code(1);
    ended.says("the environment variable NO_SUCH_SECRET is not set");
    ended.says("it is read when an apply begins");
    assert!(!ended.err.contains("connection"), "{}", ended.err);
}

#[test]
fn events_are_a_line_of_json_each() {
    let stage = Stage::new();
    let file = stage.pay();
    let ended = run(&[
        "apply",
        "-f",
        text(&file),
        "--auto-approve",
        "--output",
        "json",
    ])
    .code(0);
    let events: Vec<serde_json::Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<&str> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "apply_started",
            "change_started",
            "change_done",
            "change_started",
            "change_done",
            "summary"
        ]
    );
    assert_eq!(events[5]["applied"][0], "topic.left.pay.orders");
    assert_eq!(events[5]["applied"][1], "mirror.pay");
    assert_eq!(ended.err, "");

    let plan = run(&["plan", "-f", text(&file), "--output", "json"])
        .code(0)
        .json();
    assert_eq!(plan["resource_changes"][0]["change"]["actions"][0], "no-op");
}

#[test]
fn nobody_to_ask_is_no_consent() {
    let stage = Stage::new();
    let ended = run(&["apply", "-f", text(&stage.pay())]).code(64);
    ended.says("--auto-approve");
    let ended = run(&["apply", "-f", text(&stage.pay()), "--output", "json"]).code(64);
    ended.says("--auto-approve");
    assert_eq!(stage.left.topics(), Vec::<String>::new());
}

#[test]
fn a_corrupt_or_edited_plan_is_refused_and_changes_nothing() {
    let stage = Stage::new();
    let (file, saved) = (stage.pay(), stage.path("change.plan"));
    run(&["plan", "-f", text(&file), "--out", text(&saved)]).code(0);
    let whole = std::fs::read_to_string(&saved).unwrap();

    let cut = stage.file("cut.plan", &whole[..whole.len() / 2]);
    run(&["apply", text(&cut)]).code(1).says("is corrupt");
    let edited = stage.file(
        "edited.plan",
        &whole.replace("\"partitions\": 3", "\"partitions\": 300"),
    );
    run(&["apply", text(&edited)])
        .code(1)
        .says("was changed after it was saved");
    let other = stage.file("other.plan", "{\"hello\": 1}");
    run(&["apply", text(&other)])
        .code(1)
        .says("is not a saved plan");
    run(&["apply", text(&stage.path("none.plan"))])
        .code(1)
        .says("cannot read the plan");
    assert_eq!(stage.left.topics(), Vec::<String>::new());
}

#[test]
fn a_topology_in_the_place_of_a_plan_is_known_for_one() {
    let stage = Stage::new();
    let whole = stage.pay();
    let broken = stage.file(
        "broken.yaml",
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nx: [",
    );
    for file in [whole, broken] {
        let ended = run(&["apply", text(&file)]).code(64);
        ended.says("is a topology, not a saved plan");
        ended.says(&format!("mirrorctl apply -f {}", text(&file)));
    }
    assert_eq!(stage.left.topics(), Vec::<String>::new());
}

#[test]
fn a_plan_that_the_cluster_moved_away_from_is_stale() {
    let stage = Stage::new();
    run(&["apply", "-f", text(&stage.pay()), "--auto-approve"]).code(0);
    let grown = |partitions: u32| {
        let topics = format!(
            "topics:\n- {{name: pay.orders, clusters: [left], partitions: {partitions}}}\n"
        );
        stage.topology(&topics)
    };
    let saved = stage.path("grow.plan");
    run(&["plan", "-f", text(&grown(5)), "--out", text(&saved)]).code(0);
    run(&["apply", "-f", text(&grown(8)), "--auto-approve"]).code(0);

    let refused = run(&["apply", text(&saved)]).code(4);
    refused.says("the plan is stale at topic.left.pay.orders");
    refused.says("Stopped: 0 changes made");
    assert_eq!(stage.left.partition_count("pay.orders"), Some(8));
}

#[test]
fn fewer_partitions_are_shown_as_blocked_and_refused() {
    let stage = Stage::new();
    run(&["apply", "-f", text(&stage.pay()), "--auto-approve"]).code(0);
    let file = stage.topology(
        "topics:\n- {name: pay.orders, clusters: [left], partitions: 2}\n\
         - {name: other, clusters: [left], partitions: 1, replicationFactor: 1}\n",
    );
    let planned = run(&["plan", "-f", text(&file)]).code(0);
    insta::assert_snapshot!("blocked", stage.stable(&planned.out));
    let saved = stage.path("blocked.plan");
    let planned = run(&[
        "plan",
        "-f",
        text(&file),
        "--detailed-exitcode",
        "--out",
        text(&saved),
    ])
    .code(3);
    planned.says("apply will refuse it");
    assert!(!planned.err.contains("Apply exactly"), "{}", planned.err);

    let reason = "Kafka cannot take partitions away";
    for arguments in [
        &["apply", "-f", text(&file), "--auto-approve"][..],
        &["apply", text(&saved)],
    ] {
        let refused = run(arguments).code(3);
        refused
            .says("1 change refused by safety rails, nothing was changed: topic.left.pay.orders\n");
        assert_eq!(refused.out.matches(reason).count(), 1, "{}", refused.out);
        assert!(!refused.err.contains(reason), "{}", refused.err);

        let refused = run(&[arguments, &["--output", "json"]].concat()).code(3);
        assert_eq!(refused.out.lines().count(), 1, "{}", refused.out);
        let event = refused.json();
        assert_eq!(event["event"], "apply_refused");
        assert_eq!(event["blocked"][0]["address"], "topic.left.pay.orders");
        assert_eq!(event["blocked"][0]["code"], "partition-decrease");
        let message = event["blocked"][0]["message"].as_str().unwrap();
        assert!(message.starts_with(reason), "{message}");
    }
    assert_eq!(stage.left.partition_count("pay.orders"), Some(3));
    assert_eq!(
        stage.left.partition_count("other"),
        None,
        "not a part of it either"
    );
}

#[test]
fn another_cluster_at_the_address_is_refused_with_both_ids() {
    let stage = Stage::new();
    let file = stage.pay();
    let right_one = std::fs::read_to_string(&file).unwrap();
    let wrong_one = right_one.replace("{alias: left,", "{alias: left, clusterId: someone-else,");
    let wrong = stage.file("wrong.yaml", &wrong_one);
    for command in [
        &["plan", "-f", text(&wrong)][..],
        &["apply", "-f", text(&wrong), "--auto-approve"],
        &["replicate", "-f", text(&wrong), "--once"],
        &["status", "-f", text(&wrong)],
        &[
            "verify",
            "-f",
            text(&wrong),
            "--mirror",
            "pay",
            "--mode",
            "compare",
        ],
    ] {
        let refused = run(command).code(3);
        refused.says("someone-else");
        refused.says(stage.left.cluster_id());
    }
    assert_eq!(stage.left.topics(), Vec::<String>::new());
}

#[test]
fn all_clusters_without_addresses_are_named() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../topology/examples/aws-msk.yaml");
    let refused = run(&["plan", "-f", text(&file)]).code(1);
    refused.says("cluster analytics has no bootstrapServers");
    refused.says("cluster orders has no bootstrapServers");
}

#[test]
fn a_cluster_that_cannot_be_reached_does_not_hide_what_the_others_need() {
    let stage = Stage::new();
    let topic =
        "topics:\n- {name: t, clusters: [left, right], partitions: 1, replicationFactor: 1}\n";
    let whole = std::fs::read_to_string(stage.topology(topic)).unwrap();
    let right = stage.right.bootstrap_servers();
    let file = stage.file("gone.yaml", &whole.replace(&right, "127.0.0.1:1"));
    let plan = run(&["plan", "-f", text(&file)]).code(1);
    plan.says("cluster right at 127.0.0.1:1 cannot be reached");
    plan.says("Without the clusters that cannot be reached");
    plan.says("topic.left.t");
    assert_eq!(plan.out, "", "it is not the plan that was asked for");
    run(&["apply", "-f", text(&file), "--auto-approve"]).code(1);
    assert!(!stage.left.topics().contains(&"t".to_owned()));

    let excluded = run(&["plan", "-f", text(&file), "--exclude", "topic.right.*"]).code(1);
    assert!(!excluded.err.contains("matches no"), "{}", excluded.err);

    // what does not concern it can be asked for by its address
    let target = |pattern| ["--target", pattern];
    let apply = ["apply", "-f", text(&file), "--auto-approve"];
    for both in ["topic.*", "topic.right.*"] {
        run(&[&apply[..], &target(both)].concat()).code(1);
    }
    let applied = run(&[&apply[..], &target("topic\\.left\\..*")].concat()).code(0);
    applied.says("1 change made");
    assert!(stage.left.topics().contains(&"t".to_owned()));
    let destroy = ["destroy", "-f", text(&file), "--auto-approve"];
    run(&[&destroy[..], &target("topic\\.right\\..*")].concat()).code(1);
    let kept = run(&[&destroy[..], &target("topic\\.left\\..*")].concat()).code(3);
    kept.says("topic.left.t");
    kept.says("deleteTopics");
}
