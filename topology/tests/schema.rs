//! The schema for editors is the one that files are checked against.
#![expect(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

use std::path::Path;

#[test]
fn the_checked_in_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/topology.schema.json");
    let generated =
        serde_json::to_string_pretty(&mirrorctl_topology::json_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == generated,
        "{} is out of date; run UPDATE_SCHEMA=1 cargo test -p mirrorctl-topology --test schema",
        path.display()
    );
}

#[test]
fn the_schema_describes_every_key() {
    fn walk(at: &str, schema: &serde_json::Value, missing: &mut Vec<String>) {
        match schema {
            serde_json::Value::Object(map) => {
                if let Some(serde_json::Value::Object(properties)) = map.get("properties") {
                    for (key, property) in properties {
                        if property.get("description").is_none() && property.get("$ref").is_none() {
                            missing.push(format!("{at}.{key}"));
                        }
                    }
                }
                for (key, inner) in map {
                    walk(&format!("{at}.{key}"), inner, missing);
                }
            }
            serde_json::Value::Array(list) => {
                for inner in list {
                    walk(at, inner, missing);
                }
            }
            _ => {}
        }
    }
    let mut missing = Vec::new();
    walk("", &mirrorctl_topology::json_schema(), &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}
