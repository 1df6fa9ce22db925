//! Texts in ARM templates: a text that begins with `[` is an expression.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Tags of a resource, as they are.
pub(super) fn tags(written: &BTreeMap<String, String>) -> Map<String, Value> {
    let pairs = written.iter();
    pairs
        .map(|(key, value)| (key.clone(), json!(literal(value))))
        .collect()
}

/// A text as it is.
pub(super) fn literal(text: &str) -> String {
    if text.starts_with('[') {
        format!("[{text}")
    } else {
        text.to_owned()
    }
}

/// A text inside an expression.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The id of a resource of this template. `names` are expressions.
pub(super) fn id(kind: &str, names: &[&str]) -> String {
    format!("[{}]", bare_id(kind, names))
}

/// The same, inside an expression.
pub(super) fn bare_id(kind: &str, names: &[&str]) -> String {
    format!("resourceId({}, {})", quoted(kind), names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_no_expressions() {
        assert_eq!(literal("[resourceGroup().id]"), "[[resourceGroup().id]");
        assert_eq!(literal("a[b]"), "a[b]");
        assert_eq!(quoted("it's"), "'it''s'");
        assert_eq!(
            id("Microsoft.Network/natGateways", &[&quoted("a")]),
            "[resourceId('Microsoft.Network/natGateways', 'a')]"
        );
    }
}
