//! Single values with a form of their own. Each names its kind in the schema, for good diagnostics.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A whole number and a unit of time.
pub(crate) const DURATION_PATTERN: &str = "^[0-9]{1,9}(ms|s|m|h|d)$";
/// A number and a unit of size; decimal (`MB`) and binary (`MiB`, or `Mi` as Kubernetes writes it).
pub(crate) const BYTES_PATTERN: &str = "^[0-9]{1,9}(\\.[0-9]{1,3})? ?([kKMGT]?B|[KMGT]iB?)$";
/// Letters, digits, `_` and `-`: an alias is a part of addresses and of topic names, where `.` separates.
const ALIAS_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9_-]{0,98}$";
/// As an alias, and `.`.
const NAME_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,98}$";

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $title:literal, $schema:tt) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) String);

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                $title.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

text!(
    /// A span of time.
    DurationText, "Duration", {
        "type": "string",
        "description": "A whole number with a unit: ms, s, m, h or d. Example: 60s",
        "pattern": DURATION_PATTERN,
        "x-kind": "duration"
    }
);

text!(
    /// The name of a cluster.
    Alias, "Alias", {
        "type": "string",
        "description": "The MirrorMaker 2 cluster alias: letters, digits, `_` and `-`",
        "pattern": ALIAS_PATTERN,
        "x-kind": "alias"
    }
);

text!(
    /// The name of a mirror or a configuration block.
    Name, "Name", {
        "type": "string",
        "description": "Letters, digits, `.`, `_` and `-`",
        "pattern": NAME_PATTERN,
        "x-kind": "name"
    }
);

/// A number of bytes, written with a unit or as a plain number.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum SizeText {
    Bytes(u64),
    Text(String),
}

impl JsonSchema for SizeText {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "description": "Bytes, as a number with a unit (kB, MB, GB, KiB, MiB, GiB) or without. Example: 50MB",
            "minimum": 0,
            "pattern": BYTES_PATTERN,
            "x-kind": "size"
        })
    }
}

/// The value of a Kafka configuration key: Kafka takes texts, YAML has more types.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum ConfigValue {
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
}

impl ConfigValue {
    /// The value as Kafka takes it.
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Text(value) => value,
        }
    }
}

impl JsonSchema for ConfigValue {
    fn schema_name() -> Cow<'static, str> {
        "ConfigValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number", "boolean"],
            "description": "The value of a Kafka configuration key"
        })
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "array"],
            "description": "One text, or a list of them",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "minLength": 1
        })
    }
}

/// A secret by reference. A secret written into the file is refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Secret {
    pub(crate) env: Option<String>,
    pub(crate) file: Option<String>,
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Where to find the secret: {env: NAME} or {file: PATH}, never the secret itself",
            "properties": {
                "env": {"type": "string", "minLength": 1, "description": "The environment variable that holds it"},
                "file": {"type": "string", "minLength": 1, "description": "The file that holds it"}
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
            "x-kind": "secret"
        })
    }
}
