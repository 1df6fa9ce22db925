//! What templates put values through: each writes its language, so that a value never leaves its quotes.
//!
//! Values that are written without a filter have to be plain (`quoting::is_plain`), see `engine`.

use std::fmt::Write as _;

use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use crate::quoting;

/// Makes all filters known.
pub(crate) fn register(tera: &mut Tera) {
    tera.register_filter("json", |value: &Value, _: Kwargs, _: &State<'_>| {
        structured(value, &Dialect::JSON)
    });
    // JSON is YAML
    tera.register_filter("yaml", |value: &Value, _: Kwargs, _: &State<'_>| {
        structured(value, &Dialect::JSON)
    });
    tera.register_filter(
        "yaml_block",
        |text: &str, arguments: Kwargs, _: &State<'_>| {
            let indent = arguments.must_get("indent")?;
            TeraResult::Ok(Value::safe_string(&quoting::yaml_block(text, indent)))
        },
    );
    tera.register_filter("hcl", |value: &Value, _: Kwargs, _: &State<'_>| {
        structured(value, &Dialect::HCL)
    });
    tera.register_filter("properties", |value: &Value, _: Kwargs, _: &State<'_>| {
        scalar(value).and_then(|text| safe(quoting::properties(&text)))
    });
    tera.register_filter("properties_key", |key: &str, _: Kwargs, _: &State<'_>| {
        safe(quoting::properties_key(key))
    });
    tera.register_filter("shell", |value: &Value, _: Kwargs, _: &State<'_>| {
        scalar(value).and_then(|text| safe(quoting::shell(&text)))
    });
    tera.register_filter("sql", |text: &str, _: Kwargs, _: &State<'_>| {
        safe(quoting::sql(text))
    });
    tera.register_filter("comment", |value: &Value, _: Kwargs, _: &State<'_>| {
        scalar(value).map(|text| Value::safe_string(&quoting::comment(&text)))
    });
    tera.register_filter("quantity", |bytes: u64, _: Kwargs, _: &State<'_>| {
        Value::safe_string(&quoting::quantity(bytes))
    });
}

fn safe(quoted: Result<String, quoting::Unquotable>) -> TeraResult<Value> {
    quoted
        .map(|text| Value::safe_string(&text))
        .map_err(Error::message)
}

/// A text, a number or a truth value as text. A list that turns into text by accident would be wrong in every language.
fn scalar(value: &Value) -> TeraResult<String> {
    if let Some(text) = value.as_str() {
        Ok(text.to_owned())
    } else if value.is_number() || value.is_bool() {
        Ok(value.to_string())
    } else {
        Err(Error::message(format!(
            "a {} is no single value",
            value.name()
        )))
    }
}

/// How a language writes what has parts.
struct Dialect {
    text: fn(&str) -> Result<String, quoting::Unquotable>,
    between_key_and_value: &'static str,
    /// Between braces and what is in them.
    inside_braces: &'static str,
}

impl Dialect {
    const JSON: Self = Self {
        text: |text| Ok(quoting::json(text)),
        between_key_and_value: ": ",
        inside_braces: "",
    };
    const HCL: Self = Self {
        text: quoting::hcl,
        between_key_and_value: " = ",
        inside_braces: " ",
    };
}

/// Any value, on one line; keys of maps are sorted.
fn structured(value: &Value, dialect: &Dialect) -> TeraResult<Value> {
    let plain = serde_json::to_value(value)
        .map_err(|error| Error::message(format!("no value of JSON: {error}")))?;
    let mut text = String::new();
    write_structured(&plain, dialect, &mut text).map_err(Error::message)?;
    Ok(Value::safe_string(&text))
}

fn write_structured(
    value: &serde_json::Value,
    dialect: &Dialect,
    to: &mut String,
) -> Result<(), quoting::Unquotable> {
    match value {
        serde_json::Value::Null => to.push_str("null"),
        // writing to a String cannot fail
        serde_json::Value::Bool(value) => {
            let _ = write!(to, "{value}");
        }
        serde_json::Value::Number(value) => {
            let _ = write!(to, "{value}");
        }
        serde_json::Value::String(text) => to.push_str(&(dialect.text)(text)?),
        serde_json::Value::Array(items) => {
            to.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    to.push_str(", ");
                }
                write_structured(item, dialect, to)?;
            }
            to.push(']');
        }
        serde_json::Value::Object(map) => {
            let mut pairs: Vec<(&String, &serde_json::Value)> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            let inside = if pairs.is_empty() {
                ""
            } else {
                dialect.inside_braces
            };
            to.push('{');
            to.push_str(inside);
            for (at, (key, item)) in pairs.into_iter().enumerate() {
                if at > 0 {
                    to.push_str(", ");
                }
                to.push_str(&(dialect.text)(key)?);
                to.push_str(dialect.between_key_and_value);
                write_structured(item, dialect, to)?;
            }
            to.push_str(inside);
            to.push('}');
        }
    }
    Ok(())
}
