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
