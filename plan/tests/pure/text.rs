//! What people see.

use plan::Observed;
use plan::text::{Style, render_human};

use crate::fixture::{declared, desired, everything, live, observed, planned};

const WIDE: Style = Style {
    color: false,
    width: 100,
};

#[test]
fn every_kind_of_change() {
    let (desired, observed) = everything();
    insta::assert_snapshot!(render_human(&planned(&desired, &observed), WIDE));
}

#[test]
fn a_narrow_terminal() {
    let (desired, observed) = everything();
    let style = Style {
        color: false,
        width: 50,
    };
    insta::assert_snapshot!(render_human(&planned(&desired, &observed), style));
}

#[test]
fn colour_adds_escapes_and_changes_no_text() {
    let (desired, observed) = everything();
    let plan = planned(&desired, &observed);
    let coloured = render_human(
        &plan,
        Style {
            color: true,
            width: 100,
        },
    );
    insta::assert_snapshot!(coloured.replace('\u{1b}', "␛"));
    let mut stripped = String::new();
    let mut escape = false;
    for char in coloured.chars() {
        match (escape, char) {
            (false, '\u{1b}') => escape = true,
            (true, 'm') => escape = false,
            (true, _) => {}
            (false, _) => stripped.push(char),
        }
    }
    assert_eq!(stripped, render_human(&plan, WIDE));
}

#[test]
fn nothing_to_do() {
    let topics = vec![("a", declared(Some(6), Some(3), &[]))];
    let plan = planned(&desired(topics), &observed(vec![("a", live(6, 3, &[]))]));
    insta::assert_snapshot!(render_human(&plan, WIDE));
}

#[test]
fn what_is_as_declared_is_counted() {
    let style = Style {
        color: false,
        width: 100,
    };
    let names = ["a", "b"];
    let wanted = names.map(|name| (name, declared(Some(6), Some(3), &[])));
    let found = names.map(|name| (name, live(6, 3, &[])));
    let text = render_human(
        &planned(&desired(wanted.into()), &observed(found.into())),
        style,
    );
    let said = "No changes: 2 declared topics on 1 cluster are as declared.";
    assert!(text.starts_with(said), "{text}");
}

#[test]
fn many_undeclared_settings_are_cut_short() {
    let names: Vec<String> = (0..30).map(|number| format!("topic-{number:02}")).collect();
    let wanted = names
        .iter()
        .map(|name| (name.as_str(), declared(None, None, &[])))
        .collect();
    let found = names
        .iter()
        .map(|name| (name.as_str(), live(1, 1, &[("segment.bytes", "9")])));
    let plan = planned(&desired(wanted), &observed(found.collect()));
    let text = render_human(&plan, WIDE);
    assert_eq!(text.matches("segment.bytes = 9 (not declared)").count(), 20);
    assert!(text.contains("… and 10 more in the JSON output"), "{text}");
}

#[test]
fn live_values_cannot_reach_the_terminal_as_escapes() {
    let (desired, observed) = everything();
    let text = render_human(&planned(&desired, &observed), WIDE);
    assert!(text.contains("\\u{1b}[2J"), "shown");
    assert!(!text.contains('\u{1b}'), "not sent");
}

#[test]
fn an_unseen_cluster() {
    let topics = vec![("a", declared(Some(6), Some(3), &[]))];
    insta::assert_snapshot!(render_human(
        &planned(&desired(topics), &Observed::default()),
        WIDE
    ));
}
