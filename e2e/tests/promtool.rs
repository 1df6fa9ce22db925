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

#[test]
fn a_mirror_that_is_held_is_not_missing() {
    let workspace = Workspace::create("promtool-held").unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../topology/examples");
    mirrorctl(&workspace)
        .unwrap()
        .args([
            "render",
            "--out",
            "rendered",
            "--target",
            "monitoring",
            "-f",
        ])
        .arg(examples.join("seed-004-go-mirror.yaml"))
        .assert()
        .success();
    let folder = workspace.path().join("rendered/monitoring");
    std::fs::write(folder.join("test.yml"), HELD).unwrap();
    promtool(&folder, &["test", "rules", "test.yml"]);
}

const HELD: &str = r#"
rule_files: [mirrorctl.rules.yml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
  - {series: 'mirrorctl_held{mirror="dc1-to-central", by="record"}', values: '1x100'}
  - {series: 'mirrorctl_held{mirror="other", by="both"}', values: '1x100'}
  alert_rule_test:
  - eval_time: 10m
    alertname: MirrorMissing
    exp_alerts:
    - exp_labels: {severity: critical, mirror: dc2-to-central, source: dc2}
      exp_annotations: {summary: 'nothing runs the mirror dc2-to-central from dc2'}
  - {eval_time: 10m, alertname: MirrorHeld, exp_alerts: []}
  - eval_time: 70m
    alertname: MirrorHeld
    exp_alerts:
    - exp_labels: {severity: warning, mirror: dc1-to-central, by: record}
      exp_annotations: {summary: 'dc1-to-central copies nothing, by what its target says and not its file: `mirrorctl status` says why'}
"#;

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
# two processes of one mirror, of which one stands by
- interval: 1m
  input_series:
  - {series: 'mirrorctl_mirror_lag_seconds{mirror="m", source="a", target="b", instance="one"}', values: '90x20'}
  - {series: 'mirrorctl_lag_objective_seconds{mirror="m", source="a", target="b", instance="one"}', values: '30x20'}
  - {series: 'mirrorctl_mirror_lag_seconds{mirror="m", source="a", target="b", instance="two"}', values: '0x20'}
  - {series: 'mirrorctl_lag_objective_seconds{mirror="m", source="a", target="b", instance="two"}', values: '30x20'}
  alert_rule_test:
  - eval_time: 10m
    alertname: MirrorLate
    exp_alerts:
    - exp_labels: {severity: warning, mirror: m, source: a, target: b, instance: one}
      exp_annotations: {summary: 'm is 1m 30s behind, more than its slo.lag'}
# a process that began when there were losses already
- interval: 1m
  input_series:
  - {series: 'mirrorctl_mirror_gap_offsets_total{mirror="m", source="a", target="b"}', values: '_x4 7x100'}
  - {series: 'mirrorctl_mirror_quarantined_records_total{mirror="m", source="a", target="b"}', values: '_x4 1x100'}
  alert_rule_test:
  - eval_time: 10m
    alertname: MirrorLostRecords
    exp_alerts:
    - exp_labels: {severity: critical, mirror: m, source: a, target: b}
      exp_annotations: {summary: 'm passed over offsets that were lost; `mirrorctl status --gaps` names them'}
  - eval_time: 10m
    alertname: MirrorQuarantined
    exp_alerts:
    - exp_labels: {severity: warning, mirror: m, source: a, target: b}
      exp_annotations: {summary: 'm put records aside that are too large for the target'}
  - {eval_time: 80m, alertname: MirrorLostRecords, exp_alerts: []}
  - {eval_time: 80m, alertname: MirrorQuarantined, exp_alerts: []}
"#;
