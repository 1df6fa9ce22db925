//! What is rendered for Prometheus, judged by promtool: the scrape configuration and the rules of every example, and the
//! alerts on figures that should and should not raise them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use e2e::{Workspace, mirrorctl};

fn promtool(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("promtool has to be installed");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

#[test]
fn promtool_takes_the_files_of_every_example() {
    let workspace = Workspace::create("promtool").unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../topology/examples");
    let mut checked = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "yaml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let file = path.to_str().unwrap();
        // some have nothing to watch, and are refused
        let output = mirrorctl(&workspace)
            .unwrap()
            .args([
                "render",
                "-f",
                file,
                "--out",
                &name,
                "--target",
                "monitoring",
            ])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("nothing to render for monitoring") {
            continue;
        }
        assert!(output.status.success(), "{said}");
        let folder = workspace.path().join(&name).join("monitoring");
        promtool(&folder, &["check", "config", "prometheus.yml"]);
        let said = promtool(&folder, &["check", "rules", "mirrorctl.rules.yml"]);
        assert!(said.contains("rules found"), "{said}");
        std::fs::write(folder.join("test.yml"), ALERTS).unwrap();
        promtool(&folder, &["test", "rules", "test.yml"]);
        checked += 1;
    }
    assert!(checked >= 6, "{checked}");
}

const ALERTS: &str = r#"
rule_files: [mirrorctl.rules.yml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {series: 'mirrorctl_mirror_lag_seconds{mirror="m", source="a", target="b"}', values: '90x20'}
  - {series: 'mirrorctl_lag_objective_seconds{mirror="m", source="a", target="b"}', values: '30x20'}
  - {series: 'mirrorctl_mirror_lag_seconds{mirror="quick", source="a", target="b"}', values: '10x20'}
  - {series: 'mirrorctl_lag_objective_seconds{mirror="quick", source="a", target="b"}', values: '30x20'}
  - {series: 'mirrorctl_partitions{mirror="m", source="a", target="b", state="failed"}', values: '0x4 2x15'}
  - {series: 'mirrorctl_mirror_gap_offsets_total{mirror="m", source="a", target="b"}', values: '0x4 7x15'}
  - {series: 'mirrorctl_up{mirror="m", source="a", target="b"}', values: '1x20'}
  alert_rule_test:
  - eval_time: 10m
    alertname: MirrorLate
    exp_alerts:
    - exp_labels: {severity: warning, mirror: m, source: a, target: b}
      exp_annotations: {summary: 'm is 1m 30s behind, more than its slo.lag'}
  - eval_time: 10m
    alertname: MirrorPartitionFailed
    exp_alerts:
    - exp_labels: {severity: critical, mirror: m, source: a, target: b, state: failed}
      exp_annotations: {summary: '2 partitions of m have stopped for good: the log and /readyz say why'}
  - {eval_time: 3m, alertname: MirrorPartitionFailed, exp_alerts: []}
  - eval_time: 10m
    alertname: MirrorLostRecords
    exp_alerts:
    - exp_labels: {severity: critical, mirror: m, source: a, target: b}
      exp_annotations: {summary: 'm passed over offsets that were lost; `mirrorctl status --gaps` names them'}
  - {eval_time: 10m, alertname: MirrorDown, exp_alerts: []}
"#;
