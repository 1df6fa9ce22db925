//! What every invalid example makes the tool say.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mirrorctl_topology as topology;
use topology::{CODES, Diagnostics, Severity, Style};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn invalid() -> Vec<(String, Diagnostics)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("examples/invalid"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let found = topology::parse(&format!("{name}.yaml"), &text)
                .map(|_| ())
                .expect_err(&name);
            (name, found)
        })
        .collect()
}

fn of(name: &str) -> Diagnostics {
    invalid()
        .into_iter()
        .find(|(it, _)| it == name)
        .map(|(_, found)| found)
        .unwrap()
}

#[test]
fn invalid_examples_are_explained() {
    for (name, found) in invalid() {
        assert!(found.errors() > 0, "{name}");
        insta::assert_snapshot!(name.as_str(), found.to_human(Style::default()));
    }
}

#[test]
fn diagnostics_as_json() {
    for name in ["many", "yaml-syntax", "literal-secret"] {
        insta::assert_json_snapshot!(format!("{name}.json"), of(name).to_json());
    }
}

#[test]
fn every_finding_has_its_place() {
    for (name, found) in invalid() {
        let human = found.to_human(Style::default());
        let mut last = 0;
        for finding in &found {
            assert!(finding.span.start >= last, "{name}: not sorted by place");
            last = finding.span.start;
            let lines: Vec<&str> = found.text().lines().collect();
            let line = lines.get(finding.line - 1).copied().unwrap_or_default();
            assert!(
                finding.column <= line.chars().count() + 1,
                "{name}: {finding:?}"
            );
            let place = format!("{name}.yaml:{}:{}", finding.line, finding.column);
            assert!(human.contains(&place), "{place} is not in\n{human}");
            assert!(
                finding
                    .message
                    .chars()
                    .next()
                    .is_some_and(|c| !c.is_uppercase() || "HKMY".contains(c)),
                "{name}: {}",
                finding.message
            );
        }
    }
}

#[test]
fn each_code_is_provoked_and_explained() {
    let provoked: BTreeSet<&str> = invalid()
        .iter()
        .flat_map(|(_, found)| found.iter().map(|it| it.code).collect::<Vec<_>>())
        .collect();
    let table = std::fs::read_to_string(root().join("DIAGNOSTICS.md")).unwrap();
    for (code, severity) in CODES {
        assert!(
            provoked.contains(code),
            "no invalid example provokes {code}"
        );
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        assert!(
            table.contains(&format!("| `{code}` | {severity} |")),
            "DIAGNOSTICS.md does not explain {code}"
        );
    }
    let rows = table
        .lines()
        .filter(|line| line.starts_with("| `topology::"))
        .count();
    assert_eq!(
        rows,
        CODES.len(),
        "DIAGNOSTICS.md explains codes that do not exist"
    );
}

#[test]
fn secrets_are_never_repeated() {
    for (name, secret) in [
        ("literal-secret", "hunter2"),
        ("many", "s3cret"),
        ("access", "hunter2"),
    ] {
        let found = of(name);
        for text in [
            found.to_human(Style::default()),
            found.to_json().to_string(),
            found.to_string(),
            format!("{found:?}"),
        ] {
            assert!(!text.contains(secret), "{name}: {text}");
        }
    }
}

#[test]
fn colour_and_ascii_on_request() {
    let found = of("timestamp");
    let plain = Style {
        unicode: false,
        ..Style::default()
    };
    let coloured = Style {
        color: true,
        ..Style::default()
    };
    assert!(found.to_human(plain).is_ascii());
    assert!(found.to_human(coloured).contains("\u{1b}["));
    assert!(!found.to_human(Style::default()).contains('\u{1b}'));
}

#[test]
fn mistakes_in_one_place_do_not_hide_others() {
    let codes: BTreeSet<&str> = of("many").iter().map(|it| it.code).collect();
    for code in [
        "topology::unknown-key",
        "topology::invalid-host-port",
        "topology::unknown-value",
        "topology::literal-secret",
        "topology::unknown-cluster",
        "topology::invalid-topic-name",
        "topology::out-of-range",
        "topology::invalid-pattern",
        "topology::wrong-unit",
        "topology::source-is-target",
    ] {
        assert!(codes.contains(code), "{code} is missing in {codes:?}");
    }
}

#[test]
fn a_mistake_made_a_thousand_times_is_drawn_a_few_times_and_named_each_time() {
    let topics: Vec<String> = (0..1_000)
        .map(|topic| format!("- {{name: t.{topic}, clusters: [a], partition: 1}}\n"))
        .collect();
    let topics = topics.concat();
    let text = format!(
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- {{alias: a, platform: embedded}}\ntopics:\n{topics}"
    );
    let found = topology::parse("long.yaml", &text).unwrap_err();
    assert_eq!(found.errors(), 1_000);
    let human = found.to_human(Style::default());
    assert_eq!(
        human.matches("-[long.yaml").count() + human.matches("─[long.yaml").count(),
        50
    );
    for line in [6, 55, 56, 1_005] {
        assert!(human.contains(&format!("long.yaml:{line}:")), "{line}");
    }
    assert!(human.ends_with("long.yaml: 1000 errors, 0 warnings\n"));
}
