//! Whatever the text, there is an answer and never a panic.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

use std::path::Path;

use mirrorctl_topology as topology;
use proptest::prelude::*;
use topology::Style;

fn texts() -> Vec<String> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    [examples.clone(), examples.join("invalid")]
        .into_iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

/// Reads the text and renders what there is to say in every way.
fn answer(text: &str) -> Result<(), TestCaseError> {
    let found = match topology::parse("any.yaml", text) {
        Ok(loaded) => {
            let json = serde_json::to_string(&loaded.topology).unwrap();
            prop_assert!(json.contains("clusters"));
            loaded.warnings
        }
        Err(found) => {
            prop_assert!(found.errors() > 0, "refused without a reason");
            found
        }
    };
    prop_assert_eq!(found.text().len(), text.len());
    for finding in &found {
        prop_assert!(finding.span.end <= text.len());
        prop_assert!(text.is_char_boundary(finding.span.start));
        prop_assert!(text.is_char_boundary(finding.span.end));
        prop_assert!(finding.line >= 1 && finding.column >= 1);
    }
    let human = found.to_human(Style::default());
    prop_assert_eq!(human.is_empty(), found.is_empty());
    prop_assert_eq!(
        found.to_json()["diagnostics"].as_array().unwrap().len(),
        found.len()
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text(text in any::<String>()) {
        answer(&text)?;
    }

    #[test]
    fn text_made_of_yaml_signs(text in "[a-c :\\-\\[\\]{},&*!|>'\"#\n]{0,80}") {
        answer(&text)?;
    }

    #[test]
    fn an_example_with_a_piece_cut_out(
        which in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 0_usize..40,
    ) {
        let texts = texts();
        let chars: Vec<char> = which.get(&texts).chars().collect();
        let from = from.index(chars.len());
        let to = (from + length).min(chars.len());
        let text: String = chars[..from].iter().chain(&chars[to..]).collect();
        answer(&text)?;
    }

    #[test]
    fn an_example_with_something_put_in(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        what in prop::sample::select(vec![
            " ", "\n", "- ", ": ", "{", "}", "[", "]", "\"", "'", "#", "&x ", "*x", "!t ", "|", "é", "\u{feff}",
            "null", "-1", "1e400", "99999999999999999999", "name: x\n",
        ]),
    ) {
        let texts = texts();
        let mut text: Vec<char> = which.get(&texts).chars().collect();
        let at = at.index(text.len() + 1);
        text.splice(at..at, what.chars());
        answer(&text.into_iter().collect::<String>())?;
    }

    #[test]
    fn an_example_with_two_lines_exchanged(
        which in any::<prop::sample::Index>(),
        a in any::<prop::sample::Index>(),
        b in any::<prop::sample::Index>(),
    ) {
        let texts = texts();
        let mut lines: Vec<&str> = which.get(&texts).lines().collect();
        let (a, b) = (a.index(lines.len()), b.index(lines.len()));
        lines.swap(a, b);
        answer(&lines.join("\n"))?;
    }
}

#[test]
fn anchors_cannot_be_used_to_fill_memory() {
    let mut lines = vec!["a: &a0 [x, x, x, x, x, x, x, x, x, x]".to_owned()];
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        lines.push(format!("b{level}: &a{level} [{inner}]"));
    }
    let text = lines.join("\n");
    let found = topology::parse("bomb.yaml", &text).unwrap_err();
    assert_eq!(found.list()[0].code, "topology::too-complex");
}

#[test]
fn anchors_are_understood() {
    let text = "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- {alias: a, platform: embedded, brokers: &b {count: 3}}\n- {alias: b, platform: embedded, brokers: *b}\n";
    let topology = topology::parse("anchors.yaml", text).unwrap().topology;
    assert_eq!(topology.clusters[1].brokers, Some(3));
}

#[test]
fn files_from_windows_are_understood() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo.yaml");
    let unix = std::fs::read_to_string(path).unwrap();
    let windows = format!("\u{feff}{}", unix.replace('\n', "\r\n"));
    let expected = topology::parse("demo.yaml", &unix).unwrap().topology;
    assert_eq!(
        topology::parse("demo.yaml", &windows).unwrap().topology,
        expected
    );
    let broken = windows.replace("target: target", "target: nowhere");
    let found = topology::parse("demo.yaml", &broken).unwrap_err();
    assert_eq!(found.list()[0].code, "topology::unknown-cluster");
    let line = 1 + unix[..unix.find("target: target").unwrap()]
        .matches('\n')
        .count();
    assert_eq!((found.list()[0].line, found.list()[0].column), (line, 11));
    assert_eq!(&broken[found.list()[0].span.clone()], "nowhere");
}
