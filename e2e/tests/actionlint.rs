//! The workflow that is rendered for GitHub Actions, judged by actionlint: of every example, as it is and with everything set.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use e2e::{Workspace, mirrorctl};

const SETTINGS: [&str; 3] = [
    "ci.download=https://example.org/mirrorctl",
    "ci.sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "ci.topology=clusters/topology.yaml",
];

#[test]
fn actionlint_takes_the_workflow_of_every_example() {
    let actionlint = std::env::var_os("MIRRORCTL_ACTIONLINT")
        .expect("`cargo xtask test --all` installs actionlint and says where it is");
    let workspace = Workspace::create("actionlint").unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../topology/examples");
    let mut checked = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "yaml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        for (out, settings) in [
            (name.to_owned(), &[][..]),
            (format!("{name}-set"), &SETTINGS),
        ] {
            let mut render = mirrorctl(&workspace).unwrap();
            render.args(["render", "-f", path.to_str().unwrap(), "--target", "ci"]);
            render.args(["--out", &out]);
            for setting in settings {
                render.args(["--set", setting]);
            }
            let output = render.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            if said.contains("nothing to render for ci") {
                continue;
            }
            assert!(output.status.success(), "{name}: {said}");
            let workflow = workspace.path().join(&out).join("ci/github/mirrorctl.yml");
            let output = Command::new(&actionlint).arg(&workflow).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{name}: {said}");
            checked += 1;
        }
    }
    assert!(checked >= 8, "{checked}");
    let wrong = workspace.path().join("wrong.yml");
    std::fs::write(
        &wrong,
        "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{uze: x}]}}\n",
    )
    .unwrap();
    let output = Command::new(&actionlint).arg(&wrong).output().unwrap();
    assert!(!output.status.success(), "it finds mistakes");
}
