//! The JSON Schema of a topology file, generated from the types it is read into.

use std::sync::LazyLock;

use jsonschema::Validator;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::spec::File;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<File>()
        .to_value()
});

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    jsonschema::draft202012::new(&SCHEMA).expect("the generated schema is a valid schema")
});

/// The JSON Schema of a topology file, for editors. `schema/topology.schema.json` is this, checked in.
pub fn json_schema() -> Value {
    SCHEMA.clone()
}

/// The schema, to look into.
pub(crate) fn schema() -> &'static Value {
    &SCHEMA
}

/// The compiled schema.
pub(crate) fn validator() -> &'static Validator {
    &VALIDATOR
}
