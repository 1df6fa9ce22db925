//! `render`: files, exit codes, and what is printed.

use std::fs;
use std::path::Path;

use crate::support::{Ended, run, text};
use tempfile::TempDir;

const TOPOLOGY: &str = "apiVersion: mirrorctl.io/v1
kind: Topology
clusters:
- {alias: a, bootstrapServers: ['a:9092']}
- {alias: b, bootstrapServers: ['b:9092']}
mirrors:
- {name: m, source: a, target: b, engine: mirrormaker2, topicsPattern: orders, replicationPolicy: {type: default}}
";
const FILE: &str = "out/mirrormaker2/m/mm2.properties";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        place.write("t.yaml", TOPOLOGY);
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path().join(name), content).unwrap();
    }

    fn render(&self, more: &[&str]) -> Ended {
        let file = self.path().join("t.yaml");
        let out = self.path().join("out");
        let mut arguments = vec!["render", "-f", text(&file), "--out", text(&out)];
        arguments.extend(["--target", "mirrormaker2"]);
        arguments.extend(more);
        let mut ended = run(&arguments);
        let shown = self.path().display().to_string();
        ended.out = ended.out.replace(&shown, "DIR");
        ended.err = ended.err.replace(&shown, "DIR");
        ended
    }
}

#[test]
fn renders_checks_and_removes() {
    let place = Place::new();
    let pending = place.render(&["--check"]).code(2);
    pending.says("+ mirrormaker2/m/mm2.properties");
    assert!(!place.path().join("out").exists(), "--check writes nothing");

    place
        .render(&[])
        .code(0)
        .says("1 created, 0 changed, 0 removed, 0 as wanted");
    assert!(place.path().join(FILE).exists());
    place
        .render(&["--check"])
        .code(0)
        .says("as the topology says: 1 file");

    place.write("t.yaml", &TOPOLOGY.replace("orders", "payments"));
    let differs = place.render(&["--check"]).code(2);
    insta::assert_snapshot!("render-check", differs.out);
    place.render(&[]).code(0).says("1 changed");

    let none = TOPOLOGY.replace("engine: mirrormaker2, ", "");
    place.write("t.yaml", &none);
    place
        .render(&[])
        .code(0)
        .says("- mirrormaker2/m/mm2.properties");
    assert!(!place.path().join(FILE).exists());
}

#[test]
fn edited_files_are_refused_with_3() {
    let place = Place::new();
    place.render(&[]).code(0);
    fs::write(place.path().join(FILE), "mine\n").unwrap();
    let refused = place.render(&[]).code(3);
    refused.says("mirrormaker2/m/mm2.properties");
    refused.says("--force");
    assert_eq!(
        fs::read_to_string(place.path().join(FILE)).unwrap(),
        "mine\n"
    );
    let json = place
        .render(&["--check", "--output", "json"])
        .code(2)
        .json();
    assert_eq!(json["files"][0]["action"], "update");
    assert_eq!(json["files"][0]["edited"], true);
    assert!(json["files"][0]["diff"].as_str().unwrap().contains("-mine"));
    place.render(&["--force"]).code(0).says("1 changed");
    place.render(&["--check"]).code(0);
}

#[test]
fn templates_and_settings_that_are_wrong_are_named() {
    let place = Place::new();
    let templates = place.path().join("mine/mirrormaker2");
    fs::create_dir_all(&templates).unwrap();
    fs::write(
        templates.join("mm2.properties"),
        "a = 1\nb = {{ nothing }}\n",
    )
    .unwrap();
    let folder = place.path().join("mine");
    let wrong = place.render(&["--templates", text(&folder)]).code(1);
    wrong.says("mirrormaker2/mm2.properties:2");
    wrong.says("nothing");
    place
        .render(&["--set", "mirrormaker2.x=1"])
        .code(64)
        .says("--list");
    place
        .render(&["--target", "nonsense"])
        .code(64)
        .says("nonsense");
}

#[test]
fn targets_are_listed() {
    let list = run(&["render", "--list"]).code(0);
    list.says("mirrormaker2 ");
    list.says("mirrormaker2/mm2.properties");
    let json = run(&["render", "--list", "--output", "json"])
        .code(0)
        .json();
    assert!(!json["targets"].as_array().unwrap().is_empty());
    run(&["render"]).code(64);
}
