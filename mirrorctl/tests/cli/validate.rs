//! `mirrorctl validate`.

use crate::support::{run, text};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../topology/examples");

#[test]
fn every_example_is_valid() {
    let mut files: Vec<String> = std::fs::read_dir(EXAMPLES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|path| text(&path).to_owned())
        .collect();
    files.sort();
    assert!(files.len() > 3);
    let mut arguments = vec!["validate"];
    arguments.extend(files.iter().map(String::as_str));
    let ended = run(&arguments).code(0);
    assert_eq!(
        ended
            .out
            .lines()
            .filter(|line| line.starts_with("valid "))
            .count(),
        files.len()
    );
    assert_eq!(ended.err, "");
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let file = format!("{EXAMPLES}/invalid/unknown-keys.yaml");
    let ended = run(&["validate", &file]).code(1);
    for words in [
        "topology::unknown-key",
        "unknown-keys.yaml:5:3",
        "did you mean `alias`?",
        "invalid-host-port",
    ] {
        ended.says(words);
    }
    assert_eq!(ended.err, "error: 1 of 1 file is not valid\n");
}

#[test]
fn a_program_gets_the_same_as_json() {
    let bad = format!("{EXAMPLES}/invalid/unknown-keys.yaml");
    let good = format!("{EXAMPLES}/demo.yaml");
    let ended = run(&[
        "validate",
        &good,
        "-f",
        &bad,
        "nowhere.yaml",
        "--output",
        "json",
    ])
    .code(1);
    let json = ended.json();
    assert_eq!(json["valid"], false);
    let files = json["files"].as_array().unwrap();
    let of = |name: &str| {
        files
            .iter()
            .find(|file| file["file"].as_str().unwrap().ends_with(name))
            .unwrap()
    };
    assert_eq!(of("demo.yaml")["valid"], true);
    assert_eq!(of("unknown-keys.yaml")["valid"], false);
    assert_eq!(
        of("unknown-keys.yaml")["diagnostics"][0]["code"],
        "topology::unknown-key"
    );
    assert!(
        of("nowhere.yaml")["error"]
            .as_str()
            .unwrap()
            .contains("nowhere.yaml")
    );
    assert_eq!(ended.err, "error: 2 of 3 files are not valid\n");
}

#[test]
fn what_a_declared_target_cannot_render_is_said_where_it_stands() {
    let place = tempfile::TempDir::new().unwrap();
    let file = place.path().join("t.yaml");
    let topology = |targets: &str| {
        format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n\
             - {{alias: a, bootstrapServers: 'a:9092'}}\n\
             - alias: b\n  platform: strimzi\n  bootstrapServers: 'b:9092'\n  storage: {{type: ephemeral}}\n  brokers: {{count: 3}}\n\
             mirrors:\n- {{name: m, source: a, target: b, engine: mirrormaker2, topicsPattern: x, \
             startOffset: {{timestamp: 5}}, replicationPolicy: {{type: default}}}}\n\
             render: {{out: rendered, targets: [{targets}]}}\n"
        )
    };
    std::fs::write(&file, topology("mirrormaker2, strimzi")).unwrap();
    let refused = run(&["validate", text(&file)]).code(1);
    for words in [
        "topology::not-renderable",
        "t.yaml:5:3",
        "strimzi: cluster `b` needs `kubernetes.listeners`",
        "t.yaml:11:10",
        "mirrormaker2: mirror `m`",
        "take the target out of `render.targets`",
    ] {
        refused.says(words);
    }
    // what nobody renders is no matter
    std::fs::write(&file, topology("monitoring")).unwrap();
    run(&["validate", text(&file)]).code(0);
}
