//! The JSON form and its checked-in schema.

use std::path::Path;

use plan::{Plan, json_schema};

use crate::fixture::{everything, planned};

#[test]
fn json_of_every_kind_of_change() {
    let (desired, observed) = everything();
    let mut plan = planned(&desired, &observed);
    "0.0.0".clone_into(&mut plan.mirrorctl_version);
    insta::assert_snapshot!(plan.to_json().unwrap());
}

#[test]
fn the_checked_in_schema_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/plan.schema.json");
    let mut generated = serde_json::to_string_pretty(&json_schema()).unwrap();
    generated.push('\n');
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == generated,
        "{} is not what the code generates: run the test with UPDATE_SCHEMA=1 and commit the file",
        path.display()
    );
}

#[test]
fn plans_match_the_schema_and_nonsense_does_not() {
    let (desired, observed) = everything();
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let plan = serde_json::to_value(planned(&desired, &observed)).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&plan)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());

    for (pointer, nonsense) in [
        (
            "/resource_changes/0/change/actions",
            serde_json::json!(["replace"]),
        ),
        ("/resource_changes/0/risk", serde_json::json!("none")),
        ("/summary/add", serde_json::json!("2")),
    ] {
        let mut damaged = plan.clone();
        *damaged.pointer_mut(pointer).unwrap() = nonsense;
        assert!(!validator.is_valid(&damaged), "{pointer}");
    }
}

#[test]
fn states_that_contradict_their_action_are_not_read() {
    let (desired, observed) = everything();
    let plan = serde_json::to_value(planned(&desired, &observed)).unwrap();
    let at = |address: &str| {
        plan["resource_changes"]
            .as_array()
            .unwrap()
            .iter()
            .position(|change| change["address"] == address)
            .unwrap()
    };
    let (update, noop) = (at("topic.onprem.pay.events"), at("topic.onprem.pay.orders"));
    for (number, field, value) in [
        (update, "before", serde_json::Value::Null),
        (update, "actions", serde_json::json!(["create"])),
        (update, "actions", serde_json::json!([])),
        (update, "actions", serde_json::json!(["update", "create"])),
        (update, "actions", serde_json::json!(["no-op"])),
        (noop, "before", serde_json::Value::Null),
    ] {
        let mut damaged = plan.clone();
        damaged["resource_changes"][number]["change"][field] = value.clone();
        assert!(
            serde_json::from_value::<Plan>(damaged).is_err(),
            "{field} = {value}"
        );
    }
    assert!(serde_json::from_value::<Plan>(plan).is_ok());
}
