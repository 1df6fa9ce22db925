//! The rendered units, judged by systemd-analyze, offline: systemd itself does not run everywhere that tests do.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/examples.rs"]
mod examples;
#[path = "support/rendered.rs"]
mod rendered;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Workspace, mirrorctl_binary};
use examples::example;
use rendered::{render, run, said, succeed};

/// Exposure from 0 to 10; what the unit may have at most.
const MOST_EXPOSED: f64 = 2.0;

/// A root with the system's own units, the rendered ones, and the binary that they start.
fn image(workspace: &Workspace, units: &Path) -> PathBuf {
    let image = workspace.path().join("image");
    for folder in [
        "etc/systemd",
        "lib/systemd",
        "usr/local/bin",
        "usr/lib",
        "bin",
    ] {
        fs::create_dir_all(image.join(folder)).unwrap();
    }
    let system = ["/lib/systemd/system", "/usr/lib/systemd/system"]
        .into_iter()
        .find(|folder| Path::new(folder).is_dir())
        .expect("systemd's own units");
    succeed(
        Command::new("cp")
            .args(["-r", system])
            .arg(image.join("lib/systemd/system")),
    );
    succeed(
        Command::new("cp")
            .arg("-r")
            .arg(units)
            .arg(image.join("etc/systemd/system")),
    );
    fs::copy(
        mirrorctl_binary().unwrap(),
        image.join("usr/local/bin/mirrorctl"),
    )
    .unwrap();
    fs::copy("/bin/kill", image.join("bin/kill")).unwrap();
    image
}

/// A secured topology, so that there are credentials to load; `name` is the line that names it.
fn secured(workspace: &Workspace, name: &str) -> PathBuf {
    let text = format!(
        "apiVersion: mirrorctl.io/v1\n\
         kind: Topology\n{name}\
         clusters:\n\
         - alias: a\n  bootstrapServers: a.example:9093\n  tls: {{caFile: certs/a.pem}}\n  \
         sasl: {{mechanism: scram-sha-512, username: mirror, password: {{env: KAFKA_PW}}}}\n\
         - alias: b\n  bootstrapServers: b.example:9092\n  tls: {{caFile: /home/mirror/b.pem}}\n\
         mirrors:\n\
         - {{name: a_to.b, source: a, target: b}}\n"
    );
    workspace.write("topology.yaml", text).unwrap()
}

#[test]
fn units_are_right_and_hardened() {
    let workspace = Workspace::create("systemd").unwrap();
    let seed = example("seed-000-hybrid-cloud.yaml");
    for (name, unit) in [
        (None, "mirrorctl@onprem-to-aws.service"),
        (Some(""), "mirrorctl@a_to.b.service"),
        (
            Some("metadata: {name: pay.ments}\n"),
            "mirrorctl-pay.ments@a_to.b.service",
        ),
    ] {
        let topology = name.map_or_else(|| seed.clone(), |name| secured(&workspace, name));
        let folder = render(&workspace, &topology, "systemd", &[]);
        let image = image(&workspace, &folder.join("units"));
        let words = succeed(
            Command::new("systemd-analyze")
                .arg(format!("--root={}", image.display()))
                .args(["--man=no", "--recursive-errors=no", "verify", unit]),
        );
        assert_eq!(words.trim(), "", "systemd-analyze verify");
        let words = succeed(
            Command::new("systemd-analyze")
                .arg(format!("--root={}", image.display()))
                .args(["security", "--offline=true", "--no-pager"])
                .arg(unit),
        );
        let exposure: f64 = words
            .lines()
            .find(|line| line.contains("Overall exposure level"))
            .and_then(|line| line.split(": ").nth(1)?.split(' ').next()?.parse().ok())
            .unwrap_or_else(|| panic!("no figure in {words}"));
        assert!(exposure <= MOST_EXPOSED, "{exposure}: {words}");
        fs::remove_dir_all(image).unwrap();
    }
}

#[test]
fn a_unit_that_is_wrong_is_noticed() {
    let workspace = Workspace::create("systemd").unwrap();
    let folder = render(
        &workspace,
        &example("seed-000-hybrid-cloud.yaml"),
        "systemd",
        &[],
    );
    let image = image(&workspace, &folder.join("units"));
    let unit = image.join("etc/systemd/system/mirrorctl@.service");
    let text = fs::read_to_string(&unit).unwrap();
    fs::write(
        &unit,
        text.replace("RestrictRealtime=yes", "RestrictRealtim=yes"),
    )
    .unwrap();
    let words = said(&run(Command::new("systemd-analyze")
        .arg(format!("--root={}", image.display()))
        .args(["--man=no", "verify", "mirrorctl@onprem-to-aws.service"])));
    assert!(words.contains("RestrictRealtim"), "{words}");
}

#[test]
fn the_script_is_a_script() {
    let workspace = Workspace::create("systemd").unwrap();
    let folder = render(&workspace, &secured(&workspace, ""), "systemd", &[]);
    succeed(Command::new("sh").arg("-n").arg(folder.join("install.sh")));
}
