//! What people see.

use std::collections::BTreeMap;

use plan::Observed;
use plan::proof::{Evidence, Setting, SiteEvidence, TopicEvidence, judge};
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

#[test]
fn findings_about_mirrors_stand_after_the_changes() {
    let loaded = topology::parse(
        "t.yaml",
        "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- {alias: a, bootstrapServers: [\"h:1\"]}\n\
         - {alias: b, bootstrapServers: [\"h:2\"]}\nmirrors:\n- {name: m, source: a, target: b, delivery: exactly-once}\n",
    );
    let topology = loaded.unwrap().topology;
    let mut topics: BTreeMap<String, TopicEvidence> = BTreeMap::new();
    for number in 0..7 {
        let mut topic = TopicEvidence::new(1, None);
        let (value, own) = ("compact".to_owned(), true);
        topic.settings = Ok([("cleanup.policy".to_owned(), Setting { value, own })].into());
        topics.insert(format!("keys.{number}"), topic);
    }
    let site = SiteEvidence {
        cluster_id: "A".to_owned(),
        brokers: 3,
        principal: None,
        topics,
        defaults: Ok(BTreeMap::new()),
        quotas: Ok(BTreeMap::new()),
        rights: None,
        rules: Ok(None),
        filled: Ok(Vec::new()),
        untold: Vec::new(),
    };
    let evidence = Evidence {
        sites: [
            ("a".to_owned(), Ok(site)),
            ("b".to_owned(), Err("nobody \u{1b}[2J answers".to_owned())),
        ]
        .into(),
        now_ms: 0,
    };
    let unread = judge(&topology, &evidence);
    let mut both = evidence;
    let mut other = both.sites["a"].clone().unwrap();
    "B".clone_into(&mut other.cluster_id);
    other.topics.clear();
    both.sites.insert("b".to_owned(), Ok(other));
    let mut findings = judge(&topology, &both);
    findings.extend(unread);

    let (desired, observed) = (desired(vec![]), observed(vec![]));
    let plan = planned(&desired, &observed).with_findings(findings);
    assert!(plan.is_blocked() && !plan.has_changes());
    insta::assert_snapshot!(render_human(&plan, WIDE));
    let json = serde_json::to_value(&plan).unwrap();
    let schema = jsonschema::validator_for(&plan::json_schema()).unwrap();
    assert!(schema.is_valid(&json), "{json:#}");
    let again: plan::Plan = serde_json::from_value(json).unwrap();
    assert_eq!(again, plan);
}
