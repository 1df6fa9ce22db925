//! Rendered files as resources of `plan` and `apply`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Ended, Running, Stage, mirrorctl, run, text};

const FILE: &str = "mirrormaker2/pay/mm2.properties";
const ADDRESS: &str = "file.mirrormaker2/pay/mm2.properties";
const RENDER: &str = "render: {out: rendered, targets: [mirrormaker2]}\n";

/// A topology with one topic, one mirror of MirrorMaker 2, and its files.
fn topology(stage: &Stage, render: &str) -> PathBuf {
    stage.topology(&format!(
        "topics:\n- {{name: pay.orders, clusters: [left], partitions: 3, replicationFactor: 1}}\n\
         mirrors:\n- {{name: pay, source: left, target: right, engine: mirrormaker2, \
         topicsPattern: 'pay\\..*', replicationPolicy: {{type: default}}}}\n{render}"
    ))
}

fn rendered(stage: &Stage, name: &str) -> PathBuf {
    stage.path("rendered").join(name)
}

fn plan(file: &Path, more: &[&str]) -> Ended {
    run(&[&["plan", "-f", text(file), "--detailed-exitcode"], more].concat())
}

fn apply(file: &Path, more: &[&str]) -> Ended {
    run(&[&["apply", "-f", text(file), "--auto-approve"], more].concat())
}

/// That `render` finds nothing to do where `plan` finds nothing.
fn agreed(file: &Path) {
    plan(file, &[]).code(0).says("No changes");
    run(&["render", "-f", text(file), "--check"]).code(0);
}

fn edit(path: &Path) -> String {
    let edited = fs::read_to_string(path).unwrap() + "fetch.max.bytes = 1\n";
    fs::write(path, &edited).unwrap();
    edited
}

#[test]
fn files_are_created_repaired_and_then_left_alone() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    let first = plan(&file, &[]).code(2);
    first.says(&format!("+ {ADDRESS}  not there"));
    first.says("Plan: 2 to add");
    let applied = apply(&file, &[]).code(0);
    applied.says(&format!("{ADDRESS}: done after"));
    agreed(&file);

    let whole = fs::read(rendered(&stage, FILE)).unwrap();
    fs::remove_file(rendered(&stage, FILE)).unwrap();
    let drifted = plan(&file, &["--drift-only"]).code(2);
    drifted.says(&format!("+ {ADDRESS}  gone since it was rendered"));
    drifted.says("Plan: 1 to add");
    apply(&file, &[]).code(0);
    assert_eq!(fs::read(rendered(&stage, FILE)).unwrap(), whole);
    agreed(&file);

    // somebody else's file in the folder is nobody's business
    let foreign = rendered(&stage, "mirrormaker2/notes.txt");
    fs::write(&foreign, "mine").unwrap();
    agreed(&file);
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "mine");
}

#[test]
fn an_edit_is_drift_and_lost_only_where_that_is_asked_for_by_address() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    apply(&file, &[]).code(0);
    let path = rendered(&stage, FILE);
    let edited = edit(&path);

    let drifted = plan(&file, &["--drift-only"]).code(3);
    insta::assert_snapshot!("files-edited", stage.stable(&drifted.out));
    apply(&file, &[]).code(3).says("refused by safety rails");
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);
    // everything else goes on
    apply(&file, &["--exclude", "file.*"]).code(0);

    let allowed = ["--allow-destroy", ADDRESS];
    plan(&file, &allowed).code(2).says("[loses edits]");
    apply(&file, &allowed).code(0);
    assert_ne!(fs::read_to_string(&path).unwrap(), edited);
    agreed(&file);
}

#[test]
fn a_file_that_was_there_before_is_not_overwritten() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    let path = rendered(&stage, FILE);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "mine\n").unwrap();
    let refused = apply(&file, &[]).code(3);
    refused.says("there, and not rendered by mirrorctl");
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine\n");
    assert_eq!(stage.left.topics(), Vec::<String>::new(), "nothing else");
    apply(&file, &["--allow-destroy", ADDRESS]).code(0);
    agreed(&file);
}

#[test]
fn what_is_rendered_no_longer_goes_unless_it_was_edited() {
    let stage = Stage::new();
    let both = "render: {out: rendered, targets: [connect, mirrormaker2]}\n";
    apply(&topology(&stage, both), &[]).code(0);
    let connectors = rendered(&stage, "connect");
    let kept = fs::read_dir(&connectors).unwrap().next().unwrap().unwrap();
    let one = |folder: &Path| -> PathBuf {
        let mut path = folder.to_owned();
        while path.is_dir() {
            path = fs::read_dir(&path).unwrap().next().unwrap().unwrap().path();
        }
        path
    };
    let path = one(&kept.path());
    let edited = edit(&path);
    let name = path.strip_prefix(stage.path("rendered")).unwrap();
    let address = format!("file.{}", name.display());

    let file = topology(&stage, RENDER);
    let refused = plan(&file, &[]).code(3);
    refused.says(&format!("! {address}"));
    refused.says("rendered no longer, and edited since it was");
    apply(&file, &["--exclude", &address.replace('.', "\\.")]).code(0);
    assert_eq!(one(&connectors), path, "the others are gone");
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);

    run(&["forget", "-f", text(&file), &address]).code(0);
    agreed(&file);
    assert!(path.exists(), "forgotten, and there");
}

#[test]
fn a_saved_plan_writes_what_it_holds_or_nothing() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    let saved = stage.path("change.plan");
    let path = rendered(&stage, FILE);
    run(&["plan", "-f", text(&file), "--out", text(&saved)]).code(0);
    // the topology that it was made from is not read again
    fs::remove_file(&file).unwrap();
    run(&["apply", text(&saved), "--auto-approve"]).code(0);
    run(&["apply", text(&saved)])
        .code(0)
        .says("2 already as planned");

    let file = topology(&stage, RENDER);
    agreed(&file);
    let other = fs::read_to_string(&file)
        .unwrap()
        .replace("3, replicationFactor", "5, replicationFactor");
    let other = other.replace("pay\\..*", "pay\\.o.*");
    fs::write(&file, other).unwrap();
    run(&["plan", "-f", text(&file), "--out", text(&saved)]).code(0);
    let edited = edit(&path);
    let refused = run(&["apply", text(&saved)]).code(4);
    refused.says(&format!(
        "the plan is stale at {ADDRESS}: content: expected sha256:"
    ));
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);
    assert_eq!(
        stage.left.partition_count("pay.orders"),
        Some(3),
        "nothing else"
    );
}

#[test]
fn files_alone_need_no_cluster() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    let nobody = fs::read_to_string(&file)
        .unwrap()
        .replace(&stage.left.bootstrap_servers(), "127.0.0.1:1");
    fs::write(&file, nobody).unwrap();
    plan(&file, &[]).code(1);
    let only = ["--target", "file\\..*"];
    plan(&file, &only).code(2).says("Plan: 1 to add");
    apply(&file, &only).code(0);
    plan(&file, &only)
        .code(0)
        .says("No changes: 1 declared resource in");

    let destroy = ["destroy", "-f", text(&file), "--auto-approve"];
    let refused = run(&[&destroy[..], &only].concat()).code(3);
    refused.says(&format!("deleting needs `--allow-destroy {ADDRESS}`"));
    refused.says("hint: --allow-destroy ADDRESS asks for each of them");
    assert!(rendered(&stage, FILE).exists());
    let asked = ["--allow-destroy", ADDRESS];
    let gone = run(&[&destroy[..], &only, &asked].concat()).code(0);
    gone.says("to be destroyed, as asked for");
    assert!(!rendered(&stage, FILE).exists());
    assert!(stage.path("rendered").exists());

    // nor does what the folder alone remembers
    apply(&file, &only).code(0);
    run(&["forget", "-f", text(&file), ADDRESS]).code(0);
    let manifest = rendered(&stage, "mirrorctl-render.json");
    assert!(!fs::read_to_string(manifest).unwrap().contains(FILE));
}

#[test]
fn a_link_is_refused() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    let elsewhere = stage.path("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::create_dir_all(stage.path("rendered")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, rendered(&stage, "mirrormaker2")).unwrap();
    let refused = plan(&file, &[]).code(3);
    refused.says("is a symbolic link");
    refused.says("Plan: 1 to add, 0 to change, 0 to destroy, 1 blocked.");
    apply(&file, &[]).code(3);
    assert!(fs::read_dir(&elsewhere).unwrap().next().is_none());
    // what has nothing to do with it goes on
    apply(&file, &["--target", "topic.*"]).code(0);
    assert_eq!(stage.left.partition_count("pay.orders"), Some(3));
}

#[test]
fn a_damaged_manifest_blocks_files_and_nothing_else() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    apply(&file, &["--target", "file.*"]).code(0);
    let manifest = rendered(&stage, "mirrorctl-render.json");
    let whole = fs::read(&manifest).unwrap();
    fs::write(&manifest, "{").unwrap();
    let refused = plan(&file, &[]).code(3);
    refused.says("nobody knows what was rendered");
    refused.says("+ topic.left.pay.orders");
    for scope in [["--exclude", "file.*"], ["--target", "topic.left.*"]] {
        let planned = plan(&file, &scope).code(2);
        planned.says("Plan: 1 to add, 0 to change, 0 to destroy.");
        assert_eq!(planned.err, "", "nothing to warn of");
    }
    let destroy = ["destroy", "-f", text(&file), "--target", "file.*"];
    let all = ["--auto-approve", "--allow-destroy", ADDRESS];
    run(&[&destroy[..], &all].concat())
        .code(1)
        .says("is damaged");
    assert!(rendered(&stage, FILE).exists());

    fs::write(&manifest, whole).unwrap();
    apply(&file, &[]).code(0);
    agreed(&file);
}

/// `a.yaml` and `b.yaml`, which render into one folder.
fn two_topologies(stage: &Stage, names: [&str; 2], second: &str) -> [PathBuf; 2] {
    let first = topology(stage, RENDER);
    let first = fs::read_to_string(first).unwrap();
    let [a, b] = names;
    [
        stage.file("a.yaml", &format!("{first}{a}")),
        stage.file(
            "b.yaml",
            &format!(
                "{}{b}",
                first.replace("{name: pay,", &format!("{{name: {second},"))
            ),
        ),
    ]
}

const NAMES: [&str; 2] = ["metadata: {name: a}\n", "metadata: {name: b}\n"];

#[test]
fn topologies_with_names_share_a_folder() {
    let stage = Stage::new();
    let [a, b] = two_topologies(&stage, NAMES, "bill");
    let only = ["--target", "file.*"];
    apply(&a, &only).code(0);
    let planned = plan(&b, &only).code(2);
    planned.says("Plan: 1 to add, 0 to change, 0 to destroy.");
    apply(&b, &only).code(0);
    for file in [&a, &b] {
        plan(file, &only).code(0);
        run(&["render", "-f", text(file), "--check"]).code(0);
    }
    assert!(rendered(&stage, FILE).exists());
    assert!(rendered(&stage, "mirrormaker2/bill/mm2.properties").exists());
    // with everything asked for the plan says whose the others are
    let whole = plan(&b, &[]).code(2);
    whole.says("1 file of the topology `a`");

    // each takes back its own only, and so does `render`
    let text_of_b = fs::read_to_string(&b).unwrap();
    fs::write(&b, text_of_b.replace("{name: bill,", "{name: due,")).unwrap();
    let planned = plan(&b, &only).code(2);
    planned.says("- file.mirrormaker2/bill/mm2.properties  rendered no longer");
    assert!(!planned.out.contains(ADDRESS), "{}", planned.out);
    run(&["render", "-f", text(&b)])
        .code(0)
        .says("1 created, 0 changed, 1 removed");
    assert!(rendered(&stage, FILE).exists());
    plan(&a, &only).code(0);
    // without a name, nothing of what has one is taken back
    let without = fs::read_to_string(&b).unwrap().replace(NAMES[1], "");
    let c = stage.file("c.yaml", &without.replace("{name: due,", "{name: third,"));
    let planned = plan(&c, &only).code(2);
    planned.says("Plan: 1 to add, 0 to change, 0 to destroy.");
}

#[test]
fn two_topologies_that_render_one_file_do_not_overwrite_each_other() {
    let stage = Stage::new();
    let [a, b] = two_topologies(&stage, NAMES, "pay");
    let other = fs::read_to_string(&b).unwrap();
    fs::write(&b, other.replace("pay\\..*", "pay\\.x.*")).unwrap();
    let only = ["--target", "file.*"];
    apply(&a, &only).code(0);
    let before = fs::read(rendered(&stage, FILE)).unwrap();
    let refused = plan(&b, &only).code(3);
    refused.says("there, and rendered from another topology");
    refused.says("overwriting what the topology `a` renders");
    run(&["render", "-f", text(&b)]).code(3);
    assert_eq!(fs::read(rendered(&stage, FILE)).unwrap(), before);
    plan(&a, &only).code(0);

    let taken = apply(&b, &[&only[..], &["--allow-destroy", ADDRESS]].concat()).code(0);
    taken.says("this apply takes it over");
    plan(&b, &only).code(0);
    plan(&a, &only).code(3);
}

#[test]
fn topologies_without_names_are_told_how_to_share_a_folder() {
    let stage = Stage::new();
    let [a, b] = two_topologies(&stage, ["", ""], "bill");
    let only = ["--target", "file.*"];
    apply(&a, &only).code(0);
    plan(&b, &only).code(2).says("metadata: {name:");
    // a name takes over what was rendered without one
    fs::write(&a, fs::read_to_string(&a).unwrap() + NAMES[0]).unwrap();
    apply(&a, &only).code(0);
    let planned = plan(&b, &only).code(2);
    planned.says("Plan: 1 to add, 0 to change, 0 to destroy.");
}

#[test]
fn topologies_without_names_do_not_overwrite_what_is_of_other_clusters() {
    let stage = Stage::new();
    let [a, b] = two_topologies(&stage, ["", ""], "pay");
    let addresses = [&stage.left, &stage.right].map(broker::EmbeddedCluster::bootstrap_servers);
    let other = fs::read_to_string(&b).unwrap();
    let other = other.replace(&addresses[0], "x.test:9092");
    fs::write(&b, other.replace(&addresses[1], "y.test:9092")).unwrap();
    let only = ["--target", "file.*"];
    apply(&a, &only).code(0);
    let before = fs::read(rendered(&stage, FILE)).unwrap();
    let refused = plan(&b, &only).code(3);
    refused.says("there, and rendered from another topology");
    refused.says("overwriting what a topology without a name renders");
    assert_eq!(fs::read(rendered(&stage, FILE)).unwrap(), before);
    plan(&a, &only).code(0);
    let taken = apply(&b, &[&only[..], &["--allow-destroy", ADDRESS]].concat()).code(0);
    taken.says("a topology without a name renders it too, or did; this apply takes it over");
    plan(&b, &only).code(0);
    plan(&a, &only).code(3);
}

#[test]
fn a_saved_plan_writes_where_it_was_made_for_wherever_it_is_applied() {
    let stage = Stage::new();
    let home = stage.path("home");
    fs::create_dir(&home).unwrap();
    let whole = fs::read_to_string(topology(&stage, RENDER)).unwrap();
    fs::write(home.join("t.yaml"), whole).unwrap();
    let in_folder = |folder: &Path, arguments: &[&str]| -> Ended {
        let mut command = mirrorctl();
        command.current_dir(folder).args(arguments);
        command.output().unwrap().into()
    };
    let elsewhere = stage.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let saved = stage.path("change.plan");
    let out = ["--target", "file.*", "--out", text(&saved)];
    in_folder(&home, &[&["plan", "-f", "t.yaml"][..], &out].concat()).code(0);
    in_folder(&elsewhere, &["apply", text(&saved)]).code(0);
    assert!(home.join("rendered").join(FILE).exists());
    assert!(fs::read_dir(&elsewhere).unwrap().next().is_none());

    fs::remove_dir_all(home.join("rendered")).unwrap();
    let moved = stage.path("moved");
    fs::rename(&home, &moved).unwrap();
    let refused = in_folder(&moved, &["apply", text(&saved)]).code(4);
    refused.says("which is not there; nothing was changed");
    assert!(!home.exists() && !moved.join("rendered").exists());
}

#[test]
fn a_saved_plan_is_stale_where_a_file_changed_hands_since() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    apply(&file, &[]).code(0);
    let path = rendered(&stage, FILE);
    let before = fs::read_to_string(&path).unwrap();
    let other = fs::read_to_string(&file).unwrap();
    fs::write(&file, other.replace("pay\\..*", "pay\\.o.*")).unwrap();
    let saved = stage.path("saved.plan");
    plan(&file, &["--target", "file.*", "--out", text(&saved)]).code(2);
    // who renders it by now is another one, although its bytes are the same
    let manifest = rendered(&stage, "mirrorctl-render.json");
    let entries = fs::read_to_string(&manifest).unwrap();
    let mut entries: serde_json::Value = serde_json::from_str(&entries).unwrap();
    entries["files"][FILE]["topology"] = "b".into();
    fs::write(&manifest, entries.to_string()).unwrap();
    let words = "owner: expected a topology without a name, found the topology `b`";
    run(&["apply", text(&saved)]).code(4).says(words);
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

#[test]
fn a_script_that_cannot_be_executed_any_more_is_drift() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new();
    let file = stage.topology(
        "mirrors:\n- {name: pay, source: left, target: right, engine: mirrormaker, topicsPattern: 'pay\\..*', \
         replicationPolicy: {type: identity}}\nrender: {out: rendered, targets: [mirrormaker]}\n",
    );
    let only = ["--target", "file.*"];
    apply(&file, &only).code(0);
    let script = rendered(&stage, "mirrormaker/pay/start.sh");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
    let drifted = plan(&file, &["--drift-only", "--target", "file.*"]).code(2);
    drifted.says("~ file.mirrormaker/pay/start.sh  drifted: not executable any more");
    drifted.says("executable   no → yes");
    let checked = run(&["render", "-f", text(&file), "--check"]).code(2);
    checked.says("start.sh (not executable any more)");
    apply(&file, &only).code(0);
    let mode = fs::metadata(&script).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    plan(&file, &only).code(0);
    plan(&file, &["--drift-only", "--target", "file.*"])
        .code(0)
        .says("No drift: nothing that was applied was changed by anybody else since.");
}

#[test]
fn a_password_that_somebody_wrote_into_a_file_is_shown_nowhere() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    apply(&file, &[]).code(0);
    let path = rendered(&stage, FILE);
    let edited = fs::read_to_string(&path).unwrap() + "left.sasl.password = hunter2\n";
    fs::write(&path, edited).unwrap();
    let shown = plan(&file, &[]).code(3);
    shown.says("-left.sasl.password = (sensitive)");
    let saved = stage.path("change.plan");
    let json = plan(&file, &["--output", "json", "--out", text(&saved)]).code(3);
    let checked = run(&["render", "-f", text(&file), "--check"]).code(2);
    let as_json = run(&["render", "-f", text(&file), "--check", "--output", "json"]).code(2);
    let kept = fs::read_to_string(&saved).unwrap();
    for text in [&shown.out, &json.out, &checked.out, &as_json.out, &kept] {
        assert!(text.contains("(sensitive)"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn events_and_json_name_files_like_anything_else() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    let planned = plan(&file, &["--output", "json", "--target", "file.*"])
        .code(2)
        .json();
    assert_eq!(planned["folder"]["path"], text(&stage.path("rendered")));
    let change = &planned["resource_changes"][0];
    assert_eq!(change["address"], ADDRESS);
    assert_eq!(change["type"], "rendered_file");
    assert_eq!(change["folder"], text(&stage.path("rendered")));
    assert!(change.get("cluster").is_none(), "{change}");
    assert_eq!(change["change"]["actions"][0], "create");

    let applied = apply(&file, &["--output", "json", "--target", "file.*"]).code(0);
    let names: Vec<String> = applied
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|event| event["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        ["apply_started", "change_started", "change_done", "summary"]
    );
}

#[test]
fn a_cluster_keeps_no_record_of_files() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    apply(&file, &[]).code(0);
    let history = run(&["history", "-f", text(&file)]).code(0);
    history.says("topic.left.pay.orders");
    assert!(!history.out.contains(ADDRESS), "{}", history.out);
}

#[test]
fn settings_that_no_target_has_are_refused_before_anything_is_read() {
    let stage = Stage::new();
    let set = "render: {out: rendered, targets: [systemd], set: {systemd.memory: 1G}}\n";
    let file = topology(&stage, set);
    for command in [
        &["plan", "-f"][..],
        &["apply", "--auto-approve", "-f"],
        &["render", "-f"],
        &["validate"],
    ] {
        let refused = run(&[command, &[text(&file)]].concat()).code(1);
        refused.says("there is no setting `systemd.memory`");
        refused.says("t.yaml:10:51");
        refused.says("topology::invalid-setting");
    }
    let out = "render: {out: ../rendered, targets: [systemd]}\n";
    plan(&topology(&stage, out), &[])
        .code(1)
        .says("is no folder below the folder of this file");
}

/// Killed in the middle, the next plan shows the rest; also where it was the manifest that was not written.
#[test]
fn killed_halfway_the_next_plan_goes_on() {
    let stage = Stage::new();
    let all = "render: {out: rendered, targets: [ansible, mirrormaker2, monitoring, systemd]}\n";
    let file = topology(&stage, all);
    let mut running = Running::start(&["apply", "-f", text(&file), "--auto-approve"]);
    let folder = stage.path("rendered");
    crate::support::until("something is there, or all", || {
        folder.exists() || running.0.try_wait().unwrap().is_some()
    });
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    drop(running);
    // the lease of a process that is gone counts for nothing
    apply(&file, &[]).code(0);
    agreed(&file);
}

#[test]
fn files_of_a_former_folder_are_named_until_they_are_gone() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    apply(&file, &[]).code(0);
    agreed(&file);
    for render in ["render: {out: elsewhere, targets: [mirrormaker2]}\n", ""] {
        let moved = topology(&stage, render);
        let noticed = run(&["plan", "-f", text(&moved)]).code(0);
        noticed.says("Rendered from a topology without a name into other folders, and left there:");
        noticed.says(&format!("{}  1 file\n", stage.path("rendered").display()));
        noticed
            .says("hint: remove them yourself; or write that folder into `render.out` once more");
        let json = run(&["plan", "-f", text(&moved), "--output", "json"]).code(0);
        assert_eq!(json.json()["former_folders"][0]["files"], 1);
    }
    // destroy names them too, and does not touch them; with the old folder it does as the hint says
    let moved = topology(
        &stage,
        "render: {out: elsewhere, targets: [mirrormaker2]}\n",
    );
    let all = [
        "--target",
        "file\\..*",
        "--auto-approve",
        "--allow-destroy",
        ADDRESS,
    ];
    let destroy = |file: &PathBuf| run(&[&["destroy", "-f", text(file)][..], &all].concat());
    let nothing = destroy(&moved).code(0);
    nothing.says("left there:");
    nothing.says(&format!("nothing of {ADDRESS} is destroyed"));
    assert!(!nothing.err.contains("matches no"), "{}", nothing.err);
    assert!(rendered(&stage, FILE).exists());
    destroy(&topology(&stage, RENDER)).code(0);
    assert!(!rendered(&stage, FILE).exists());
    apply(&topology(&stage, RENDER), &[]).code(0);

    // another topology's files are its own affair, without a name, too, where its clusters are others
    let elsewhere = fs::read_to_string(topology(&stage, "")).unwrap();
    let addresses = [&stage.left, &stage.right].map(broker::EmbeddedCluster::bootstrap_servers);
    let elsewhere = elsewhere
        .replace(&addresses[0], "x.test:9092")
        .replace(&addresses[1], "y.test:9092");
    let elsewhere = stage.file("elsewhere.yaml", &elsewhere);
    let nearby = stage.path("nearby");
    run(&["render", "-f", text(&elsewhere), "--out", text(&nearby)]).code(0);
    let planned = run(&["plan", "-f", text(&topology(&stage, ""))]).code(0);
    planned.says(text(&stage.path("rendered")));
    assert!(!planned.out.contains("nearby"), "{}", planned.out);
    let named = topology(&stage, "metadata: {name: other}\n");
    let other = run(&["plan", "-f", text(&named)]).code(0);
    assert!(!other.out.contains("left there"), "{}", other.out);
    fs::remove_file(rendered(&stage, FILE)).unwrap();
    let gone = run(&["plan", "-f", text(&topology(&stage, ""))]).code(0);
    assert!(!gone.out.contains("left there"), "{}", gone.out);
}

#[test]
fn a_damaged_manifest_is_said_once() {
    let stage = Stage::new();
    let both = "render: {out: rendered, targets: [connect, mirrormaker2]}\n";
    let file = topology(&stage, both);
    apply(&file, &[]).code(0);
    fs::write(rendered(&stage, "mirrorctl-render.json"), "{").unwrap();
    let refused = plan(&file, &[]).code(3);
    assert_eq!(refused.out.matches("nobody knows what was").count(), 1);
    refused.says(&format!("! {ADDRESS}"));
    let json = plan(&file, &["--output", "json"]).code(3).json();
    let changes = json["resource_changes"].as_array().unwrap();
    let blocked = changes
        .iter()
        .filter(|it| it["blocked"][0]["message"].is_string());
    assert!(blocked.count() > 1, "each of them is blocked");
}

#[test]
fn a_folder_that_is_a_link_or_behind_one_is_refused() {
    let stage = Stage::new();
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(stage.path(to), stage.path(name)).unwrap();
    };
    let file = topology(&stage, RENDER);
    apply(&file, &[]).code(0);
    fs::rename(stage.path("rendered"), stage.path("real")).unwrap();
    link("real", "rendered");
    let refused = plan(&file, &[]).code(3);
    refused.says(&format!(
        "{} is a symbolic link",
        stage.path("rendered").display()
    ));
    assert!(!refused.out.contains("left there"), "{}", refused.out);

    let outside = tempfile::TempDir::new().unwrap();
    std::os::unix::fs::symlink(outside.path(), stage.path("a")).unwrap();
    link("nowhere", "dangling");
    for (out, named) in [("a/b", "a"), ("dangling", "dangling")] {
        let render = format!("render: {{out: {out}, targets: [mirrormaker2]}}\n");
        let file = topology(&stage, &render);
        let named = format!("{} is a symbolic link", stage.path(named).display());
        plan(&file, &[]).code(3).says(&named);
        apply(&file, &[]).code(3);
        let render = run(&["render", "-f", text(&file)]).code(3);
        render.says(&named);
        run(&["render", "-f", text(&file), "--check"]).code(3);
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_manifest_that_may_be_sound_is_not_given_up() {
    let stage = Stage::new();
    let file = topology(&stage, RENDER);
    apply(&file, &[]).code(0);
    let manifest = rendered(&stage, "mirrorctl-render.json");
    fs::remove_file(&manifest).unwrap();
    fs::create_dir(&manifest).unwrap();
    let refused = plan(&file, &[]).code(3);
    refused.says("it is no file; move that away, and plan again");
    refused.says(&format!("! {ADDRESS}  not known"));
    for words in ["not there", "restore it", "remove it"] {
        assert!(!refused.out.contains(words), "{words} in {}", refused.out);
    }
}
