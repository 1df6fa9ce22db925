//! Several topologies on one cluster, and what was not said by address.

use std::path::PathBuf;

use rustix::process::Signal;

use crate::bed::{Bed, write};
use crate::support::{Replicate, Stage, run, text, until};

fn topology(stage: &Stage, name: &str, metadata: &str, topics: &[&str]) -> PathBuf {
    let topics: Vec<String> = topics
        .iter()
        .map(|topic| {
            format!("- {{name: {topic}, clusters: [left], partitions: 1, replicationFactor: 1}}\n")
        })
        .collect();
    let list = if topics.is_empty() {
        "topics: []\n"
    } else {
        "topics:\n"
    };
    let whole = stage.topology(&format!("{list}{}{metadata}", topics.concat()));
    let whole = std::fs::read_to_string(whole).unwrap();
    stage.file(
        name,
        &whole.replace("alias: left,", "alias: left, allow: {deleteTopics: true},"),
    )
}

#[test]
fn topologies_with_names_share_a_cluster() {
    let stage = Stage::new();
    let a = topology(&stage, "a.yaml", "metadata: {name: a}\n", &["one", "two"]);
    let b = topology(&stage, "b.yaml", "metadata: {name: b}\n", &["three"]);
    run(&["apply", "-f", text(&a), "--auto-approve"]).code(0);
    run(&["apply", "-f", text(&b), "--auto-approve"]).code(0);
    for file in [&a, &b] {
        let plan = run(&["plan", "-f", text(file), "--detailed-exitcode"]).code(0);
        assert!(!plan.out.contains("declared no longer"), "{}", plan.out);
    }
    // its own are still taken back, and only those
    let a = topology(&stage, "a.yaml", "metadata: {name: a}\n", &["one"]);
    let plan = run(&["plan", "-f", text(&a), "--detailed-exitcode"]).code(3);
    plan.says("topic.left.two");
    assert!(!plan.out.contains("topic.left.three"), "{}", plan.out);

    // what both declare is said to be taken over, once
    let b = topology(&stage, "b.yaml", "metadata: {name: b}\n", &["three", "one"]);
    run(&["apply", "-f", text(&b), "--auto-approve"])
        .code(0)
        .says("the topology `a` declares it too");
    let again = run(&["plan", "-f", text(&b)]).code(0);
    assert!(!again.out.contains("declares it too"), "{}", again.out);
}

#[test]
fn topologies_without_names_are_told_how_to_share() {
    let stage = Stage::new();
    let a = topology(&stage, "a.yaml", "", &["one"]);
    run(&["apply", "-f", text(&a), "--auto-approve"]).code(0);
    let b = topology(&stage, "b.yaml", "", &["three"]);
    let plan = run(&["plan", "-f", text(&b)]).code(0);
    plan.says("topic.left.one");
    plan.says("metadata: {name:");

    // with a name it takes over what it had before, without a word
    let a = topology(&stage, "a.yaml", "metadata: {name: a}\n", &["one"]);
    let named = run(&["apply", "-f", text(&a), "--auto-approve"]).code(0);
    assert!(!named.out.contains("declares it too"), "{}", named.out);
    let plan = run(&["plan", "-f", text(&b)]).code(0);
    assert!(!plan.out.contains("topic.left.one"), "{}", plan.out);
}

#[test]
fn destroy_says_that_it_was_asked_and_not_that_it_is_declared_no_longer() {
    let stage = Stage::new();
    let file = topology(&stage, "a.yaml", "", &["one"]);
    run(&["apply", "-f", text(&file), "--auto-approve"]).code(0);
    let destroy = [
        "destroy",
        "-f",
        text(&file),
        "--target",
        "topic.*",
        "--auto-approve",
    ];
    let allowed = ["--allow-destroy", "topic.left.one"];
    let destroyed = run(&[&destroy[..], &allowed].concat()).code(0);
    destroyed.says("to be destroyed, as asked for");
    assert!(
        !destroyed.out.contains("declared no longer"),
        "{}",
        destroyed.out
    );
    assert_eq!(stage.left.partition_count("one"), None);
}

#[test]
fn destroy_says_that_what_was_forgotten_is_not_managed() {
    let stage = Stage::new();
    let file = topology(&stage, "a.yaml", "", &["one"]);
    let apply = ["apply", "-f", text(&file), "--auto-approve"];
    run(&apply).code(0);
    run(&["forget", "-f", text(&file), "topic.left.one"]).code(0);
    let asked = ["--target", "topic.*", "--allow-destroy", "topic.left.one"];
    let destroy = ["destroy", "-f", text(&file), "--auto-approve"];
    let destroy = || run(&[&destroy[..], &asked].concat()).code(0);
    let left = destroy();
    left.says("nothing of topic.left.one is destroyed: declared, and not managed");
    assert!(!left.err.contains("matches no"), "{}", left.err);
    assert_eq!(stage.left.partition_count("one"), Some(1));
    // as it says
    run(&apply).code(0);
    destroy();
    assert_eq!(stage.left.partition_count("one"), None);
}

#[test]
fn addresses_that_nothing_has_are_named() {
    let stage = Stage::new();
    let file = topology(&stage, "a.yaml", "", &["one", "two"]);
    run(&["apply", "-f", text(&file), "--auto-approve"]).code(0);
    let file = topology(&stage, "a.yaml", "", &["one"]);
    let plan = |more: &[&str]| run(&[&["plan", "-f", text(&file)], more].concat()).code(0);
    plan(&["--allow-destroy", "topic.left.tow"]).says(
        "warning: --allow-destroy topic.left.tow matches nothing that this plan destroys, which is topic.left.two",
    );
    plan(&["--target", "topic.lift.*"]).says("warning: --target topic.lift.* matches no address");
    plan(&["--exclude", "topic.lift.*"]).says("--exclude topic.lift.* matches no address");
    let right = plan(&[
        "--allow-destroy",
        "topic.left.two",
        "--target",
        "topic.left.*",
    ]);
    assert_eq!(right.err, "");
    let json = plan(&["--allow-destroy", "topic.left.tow", "--output", "json"]);
    json.json();
    json.says("matches nothing");
}

#[test]
fn a_saved_plan_sets_a_password_once() {
    let stage = Stage::new();
    let password = stage.file("pw", "hunter2-hunter2\n");
    let users = |generation: u32| {
        stage.topology(&format!(
            "users:\n- {{name: orders, clusters: [left], password: {{file: '{}'}}, generation: {generation}}}\n",
            text(&password)
        ))
    };
    let (first, second) = (stage.path("1.plan"), stage.path("2.plan"));
    run(&["plan", "-f", text(&users(1)), "--out", text(&first)]).code(0);
    run(&["apply", text(&first)]).code(0).says("1 change made");
    run(&["apply", text(&first)])
        .code(0)
        .says("0 changes made, 1 already as planned");
    let history = run(&["history", "-f", text(&users(1))]).code(0);
    assert_eq!(history.out.matches("1 already as planned").count(), 1);
    run(&["plan", "-f", text(&users(2)), "--out", text(&second)]).code(0);
    run(&["apply", text(&second)]).code(0).says("1 change made");
    run(&["apply", text(&second)])
        .code(0)
        .says("0 changes made");

    let other = stage.path("other.plan");
    run(&["plan", "-f", text(&users(3)), "--out", text(&other)]).code(0);
    run(&["apply", "-f", text(&users(4)), "--auto-approve"]).code(0);
    run(&["apply", text(&other)])
        .code(4)
        .says("generation: expected 2, found 4");
}

#[test]
fn a_saved_plan_deletes_nothing_that_was_forgotten_since() {
    let stage = Stage::new();
    let both = topology(&stage, "a.yaml", "metadata: {name: a}\n", &["one", "two"]);
    run(&["apply", "-f", text(&both), "--auto-approve"]).code(0);
    let one = topology(&stage, "a.yaml", "metadata: {name: a}\n", &["one"]);
    let (saved, address) = (stage.path("saved.plan"), "topic.left.two");
    let plan = || {
        let out = ["--allow-destroy", address, "--out", text(&saved)];
        run(&[&["plan", "-f", text(&one)][..], &out].concat()).code(0);
    };
    plan();
    run(&["forget", "-f", text(&one), address]).code(0);
    run(&["apply", text(&saved)])
        .code(4)
        .says("topic.left.two: owner: expected the topology `a`, found nothing");
    assert_eq!(stage.left.partition_count("two"), Some(1));

    let both = topology(
        &stage,
        "both.yaml",
        "metadata: {name: a}\n",
        &["one", "two"],
    );
    run(&["apply", "-f", text(&both), "--auto-approve"]).code(0);
    plan();
    run(&["apply", text(&saved)]).code(0).says("1 change made");
    assert_eq!(stage.left.partition_count("two"), None);
    // what was deleted is nobody's any more, and that is how it should be
    run(&["apply", text(&saved)])
        .code(0)
        .says("0 changes made, 1 already as planned");
}

#[test]
fn what_cannot_be_saved_or_is_no_plan_is_named_for_what_it_is() {
    let stage = Stage::new();
    let file = stage.pay();
    let nowhere = stage.path("none/x.plan");
    let ended = run(&["plan", "-f", text(&file), "--out", text(&nowhere)]).code(1);
    ended.says("there is no folder");

    let printed = run(&["plan", "-f", text(&file), "--output", "json"]).code(0);
    let printed = stage.file("printed.json", &printed.out);
    run(&["apply", text(&printed)])
        .code(1)
        .says("`plan --out FILE` saves one");
}

/// A record of a mirror says neither what it selects nor how: that the state is the same means nothing.
#[test]
fn a_mirror_of_another_topology_is_refused_whatever_its_state() {
    let stage = Stage::new();
    let of = |name: &str| {
        let file = stage.topology(&format!(
            "metadata: {{name: {name}}}\ntopics:\n- {{name: {name}, clusters: [left], partitions: 1, replicationFactor: 1}}\n\
             mirrors:\n- {{name: pay, source: left, target: right, topicsPattern: {name}, replicationPolicy: {{type: identity}}}}\n"
        ));
        let own = stage.path(&format!("{name}.yaml"));
        std::fs::rename(file, &own).unwrap();
        own
    };
    let (a, b) = (of("sa"), of("sb"));
    run(&["apply", "-f", text(&a), "--auto-approve"]).code(0);
    let refused = run(&["apply", "-f", text(&b), "--auto-approve"]).code(3);
    refused.says("the topology `sa` has a mirror of this name on this target");
    for once in [&["--once"][..], &[]] {
        run(&[&["replicate", "-f", text(&b)], once].concat())
            .code(3)
            .says(
                "refusing to replicate pay: the topology `sa` has a mirror of this name on right",
            );
    }
    run(&["replicate", "-f", text(&a), "--once"]).code(0);
    run(&["forget", "-f", text(&b), "mirror.pay"])
        .code(3)
        .says("of another topology: mirror.pay (`sa`)");
    // asked for by its address, it is the other's from then on
    let take = ["--allow-destroy", "mirror.pay"];
    run(&[&["apply", "-f", text(&b), "--auto-approve"][..], &take].concat()).code(0);
    run(&["replicate", "-f", text(&b), "--once"]).code(0);
    run(&["replicate", "-f", text(&a), "--once"]).code(3);
}

#[test]
fn a_promoted_mirror_of_another_topology_is_refused_as_any_promoted_one() {
    let bed = Bed::new();
    let (a, b) = (named(&bed, "sa", "running"), named(&bed, "sb", "promoted"));
    run(&["apply", "-f", &a, "--auto-approve"]).code(0);
    for once in [&["--once"][..], &[]] {
        run(&[&["replicate", "-f", &b], once].concat())
            .code(3)
            .says("refusing to replicate pay: promoted");
    }
}

/// The file of the mirror `pay` in this state, of the topology with this name.
fn named(bed: &Bed, name: &str, meant: &str) -> String {
    let file = write(&bed.stage, &format!("{name}.yaml"), meant);
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{whole}metadata: {{name: {name}}}\n")).unwrap();
    file
}

#[test]
fn a_replicator_stands_by_where_another_topology_takes_its_mirror_over_and_goes_on_by_that_name() {
    let bed = Bed::new();
    bed.apply("running");
    bed.produce("30", "1.json");
    let mut replicate = Replicate::with(&bed.own);
    bed.until_copied(30);
    let other = named(&bed, "other", "running");
    run(&["apply", "-f", &other, "--auto-approve"]).code(0);
    let said =
        replicate.until_it_says("the topology `other` has a mirror of this name on right by now");
    assert!(said.contains("ERROR"), "{said}");
    replicate.until_it_says("nothing is copied. Where that is this topology by another name");
    bed.produce("20", "2.json");
    assert_eq!(bed.copied(), 30);
    run(&["status", "-f", &bed.own])
        .code(0)
        .says("held: the topology `other` has a mirror of this name on right");
    let status = run(&["status", "-f", &other]).code(0);
    assert!(!status.out.contains("held"), "{}", status.out);
    // one that starts is told the same
    run(&["replicate", "-f", &bed.own, "--once"])
        .code(3)
        .says("refusing to replicate pay: the topology `other` has a mirror of this name on right");

    std::fs::copy(&other, &bed.own).unwrap();
    replicate.running.signal(Signal::HUP);
    replicate.until_it_says("the name of the topology");
    until("it goes on", || bed.copied() == 50);
    replicate.stop();
}

#[test]
fn who_takes_a_mirror_over_says_so_before_its_record_says_anything() {
    let bed = Bed::new();
    let (a, b) = (named(&bed, "sa", "running"), named(&bed, "sb", "promoted"));
    run(&["apply", "-f", &a, "--auto-approve"]).code(0);
    bed.produce("30", "1.json");
    let mut replicate = Replicate::with(&a);
    bed.until_copied(30);
    let take = ["--allow-destroy", "mirror.pay"];
    run(&[&["apply", "-f", &b, "--auto-approve"][..], &take].concat()).code(0);
    replicate.until_it_says("the topology `sb` has a mirror of this name on right; nothing");
    let end = bed.entry().end(bed.stage.left.cluster_id()).cloned();
    assert_eq!(end, None, "that promotion is not its own to carry out");
    replicate.stop();
}
