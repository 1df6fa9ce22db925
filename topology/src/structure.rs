//! Checks a file against the schema and says what is wrong in words.
//!
//! After a misspelt key the file is read as if the right one were written there, so that one mistake is reported once and
//! what stands below the key is still checked.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::code::Code;
use crate::fault::{Fault, Problem, faults};
use crate::finding::Finding;
use crate::path::{Path, Step};
use crate::suggest;
use crate::tree::{Data, Node};

/// How often misspelt keys are put right before giving up; each round goes one level deeper.
const ROUNDS: usize = 16;

/// What the structure check leaves for the checks of meaning.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    pub(crate) findings: Vec<Finding>,
    /// Values that were wrong and were taken out: their absence is not another mistake.
    pub(crate) removed: BTreeSet<String>,
}

impl Structure {
    /// Whether a value stood here and was taken out.
    pub(crate) fn was_removed(&self, path: &Path) -> bool {
        self.removed.contains(&path.to_string())
    }
}

/// Checks the tree, and repairs or removes what is wrong in it.
pub(crate) fn check(tree: &mut Node) -> Structure {
    let mut structure = Structure::default();
    for _ in 0..ROUNDS {
        let found = faults(&tree.to_json());
        let unknown: Vec<&Fault> = found
            .iter()
            .filter(|fault| matches!(fault.problem, Problem::UnknownKey(_)))
            .collect();
        if unknown.is_empty() {
            for fault in &found {
                structure.findings.push(describe(tree, fault));
            }
            remove_all(tree, found, &mut structure);
            break;
        }
        for fault in unknown {
            if let Problem::UnknownKey(key) = &fault.problem {
                unknown_key(tree, fault, key, &mut structure);
            }
        }
    }
    structure
}

fn keys_of(schema: &Value) -> Vec<&str> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

fn unknown_key(tree: &mut Node, fault: &Fault, key: &str, structure: &mut Structure) {
    let known = keys_of(fault.schema);
    let path = fault.path.key(key);
    let span = tree.key_span_of(&path);
    if kind_of(fault.schema) == Some("secret")
        && suggest::closest(key, known.iter().copied()).is_none()
        && let Some(value) = tree.get(&path)
    {
        let finding = literal_secret(value, &name_of(&fault.path));
        structure.findings.push(finding);
    }
    structure.findings.push(
        Finding::new(
            Code::UnknownKey,
            span,
            if fault.path.steps().is_empty() {
                format!("unknown key `{key}`")
            } else {
                format!("unknown key `{key}` in `{}`", fault.path)
            },
            "not a key of this block",
        )
        .hint(suggest::hint(key, "keys here", known.iter().copied())),
    );
    let Some(Node {
        data: Data::Map(entries),
        ..
    }) = tree.get_mut(&fault.path)
    else {
        return;
    };
    let meant = suggest::closest(key, known.iter().copied())
        .filter(|meant| !entries.iter().any(|entry| entry.key == *meant));
    match (meant, entries.iter().position(|entry| entry.key == key)) {
        (Some(meant), Some(at)) => meant.clone_into(&mut entries[at].key),
        (None, Some(at)) => {
            entries.remove(at);
        }
        (_, None) => {}
    }
}

/// Takes wrong values out, and blocks that are incomplete without them.
fn remove_all(tree: &mut Node, mut found: Vec<Fault>, structure: &mut Structure) {
    for _ in 0..ROUNDS {
        let before = structure.removed.len();
        for fault in &found {
            let incomplete = match &fault.problem {
                Problem::MissingKey(key) => structure.was_removed(&fault.path.key(key)),
                Problem::UnknownKey(_)
                | Problem::NotAmong
                | Problem::Form
                | Problem::Range
                | Problem::Empty
                | Problem::Other(_) => true,
            };
            if incomplete {
                remove(tree, fault, structure);
            }
        }
        if structure.removed.len() == before {
            return;
        }
        found = faults(&tree.to_json());
    }
}

/// Takes a wrong value out when the file can be read without it.
fn remove(tree: &mut Node, fault: &Fault, structure: &mut Structure) {
    // the value of a list that is wrong makes the list wrong, and so on up to a key
    let mut path = fault.path.clone();
    while let Some((parent, Step::Index(_))) = path.split_last() {
        path = parent;
    }
    let Some((parent, Step::Key(key))) = path.split_last() else {
        return;
    };
    let key = key.clone();
    // the large lists of the top stay: their other items still want to be checked
    if parent.steps().is_empty() {
        return;
    }
    if let Some(Node {
        data: Data::Map(entries),
        ..
    }) = tree.get_mut(&parent)
    {
        entries.retain(|entry| entry.key != key);
        structure.removed.insert(path.to_string());
    }
}

fn describe(tree: &Node, fault: &Fault) -> Finding {
    let span = tree.span_of(&fault.path);
    let value = tree.get(&fault.path);
    let place = name_of(&fault.path);
    match &fault.problem {
        Problem::UnknownKey(key) => Finding::new(
            Code::UnknownKey,
            tree.key_span_of(&fault.path.key(key)),
            format!("unknown key `{key}`"),
            "not a key of this block",
        ),
        Problem::MissingKey(key) => {
            let about = schema_of_key(fault.schema, key)
                .and_then(|it| it.get("description"))
                .and_then(Value::as_str)
                .unwrap_or_default();
            Finding::new(
                Code::MissingKey,
                span,
                if fault.path.steps().is_empty() {
                    format!("the key `{key}` is missing")
                } else {
                    format!("the key `{key}` is missing in `{}`", fault.path)
                },
                format!("this block needs `{key}`"),
            )
            .maybe_hint((!about.is_empty()).then(|| format!("`{key}`: {about}")))
        }
        Problem::NotAmong => not_among(fault, span, value, &place),
        Problem::Form => form(fault, span, value, &place),
        Problem::Range => {
            let limit = |key: &str| {
                fault
                    .schema
                    .get(key)
                    .and_then(Value::as_f64)
                    .map(|it| it.to_string())
            };
            let allowed = match (limit("minimum"), limit("maximum")) {
                (Some(least), Some(most)) => format!("between {least} and {most}"),
                (Some(least), None) => format!("at least {least}"),
                (None, Some(most)) => format!("at most {most}"),
                (None, None) => "smaller or larger".to_owned(),
            };
            Finding::new(
                Code::OutOfRange,
                span,
                format!("{place} has to be {allowed}"),
                format!("this is {}", shown(value)),
            )
        }
        Problem::Empty => Finding::new(
            Code::EmptyList,
            span,
            format!("{place} must not be empty"),
            "nothing here",
        )
        .hint("give it a value, or leave the key out where it is optional"),
        Problem::Other(_) if kind_of(fault.schema) == Some("secret") => Finding::new(
            Code::InvalidValue,
            span,
            format!("{place} has to say where to find it, once"),
            "no place, or several",
        )
        .hint("either `{env: NAME}` or `{file: PATH}`"),
        Problem::Other(words) => Finding::new(
            Code::InvalidValue,
            span,
            format!("{place} is not valid: {words}"),
            "this value",
        ),
    }
}

fn not_among(
    fault: &Fault,
    span: std::ops::Range<usize>,
    value: Option<&Node>,
    place: &str,
) -> Finding {
    let kind = kind_of(fault.schema);
    if let (Some("secret"), Some(value)) = (kind, value) {
        return literal_secret(value, place);
    }
    if kind == Some("duration") {
        return wrong_unit(span, value, place, DURATION_FORM);
    }
    let words = words_of(fault.schema);
    let types = types_of(fault.schema);
    match value.map(|it| &it.data) {
        Some(Data::Scalar(Value::String(word))) if !words.is_empty() => {
            let about = match example_of(fault.schema) {
                Some(example) => format!("{place} is `{example}` or one of"),
                None => format!("{place} is one of"),
            };
            Finding::new(
                Code::UnknownValue,
                span,
                format!("`{word}` is not a value of {place}"),
                "not one of the known words",
            )
            .hint(suggest::hint(
                word,
                &about,
                words.iter().map(String::as_str),
            ))
        }
        _ => {
            let expected = if words.is_empty() || types.iter().any(|it| it != "string") {
                join(types.iter().map(|it| type_name(it)))
            } else {
                join(words.iter().map(|it| format!("`{it}`")))
            };
            let item = match fault.path.steps().last() {
                Some(Step::Index(_)) => "each item of ",
                Some(Step::Key(_)) | None => "",
            };
            Finding::new(
                Code::WrongType,
                span,
                format!("{item}{place} has to be {expected}"),
                format!("this is {}", shown(value)),
            )
            .maybe_hint(
                fault
                    .schema
                    .get("description")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            )
        }
    }
}

fn literal_secret(value: &Node, place: &str) -> Finding {
    Finding::new(
        Code::LiteralSecret,
        value.span.clone(),
        format!("{place} is written into the file"),
        "a secret does not belong here",
    )
    .hint("write where to find it: `{env: NAME}` or `{file: PATH}`; and change the secret, it may have been seen")
}

const DURATION_FORM: &str = "a whole number with a unit, `ms`, `s`, `m`, `h` or `d`: `60s`, `5m`";
const SIZE_FORM: &str =
    "a number with a unit, `kB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`: `50MB`, `32MiB`";

fn form(fault: &Fault, span: std::ops::Range<usize>, value: Option<&Node>, place: &str) -> Finding {
    match kind_of(fault.schema) {
        Some("duration") => wrong_unit(span, value, place, DURATION_FORM),
        Some("size") => wrong_unit(span, value, place, SIZE_FORM),
        Some("alias") => Finding::new(
            Code::InvalidName,
            span,
            format!("{} cannot be a cluster alias", shown(value)),
            "letters, digits, `_` and `-`, at most 99",
        )
        .hint("the alias becomes part of topic names and addresses, where `.` separates"),
        Some("name") => Finding::new(
            Code::InvalidName,
            span,
            format!("{} cannot be a name", shown(value)),
            "letters, digits, `.`, `_` and `-`, at most 99",
        ),
        Some(_) | None => Finding::new(
            Code::InvalidName,
            span,
            format!("{place} has a form that is not allowed"),
            format!("this is {}", shown(value)),
        )
        .hint("letters, digits, `.`, `_` and `-`: it becomes part of topic names"),
    }
}

fn wrong_unit(
    span: std::ops::Range<usize>,
    value: Option<&Node>,
    place: &str,
    form: &str,
) -> Finding {
    Finding::new(
        Code::WrongUnit,
        span,
        format!("{} is not a value of {place}", shown(value)),
        "the unit is missing or unknown",
    )
    .hint(format!("write {form}"))
}

/// The last key of a path, for sentences.
fn name_of(path: &Path) -> String {
    path.steps()
        .iter()
        .rev()
        .find_map(|step| match step {
            Step::Key(key) => Some(format!("`{key}`")),
            Step::Index(_) => None,
        })
        .unwrap_or_else(|| "the file".to_owned())
}

fn shown(value: Option<&Node>) -> String {
    match value.map(|it| &it.data) {
        None | Some(Data::Scalar(Value::Null)) => "nothing".to_owned(),
        Some(Data::Scalar(Value::String(text))) => format!("`{text}`"),
        Some(Data::Scalar(other)) => format!("`{other}`"),
        Some(Data::List(_)) => "a list".to_owned(),
        Some(Data::Map(_)) => "a mapping".to_owned(),
    }
}

fn kind_of(schema: &Value) -> Option<&str> {
    schema.get("x-kind").and_then(Value::as_str)
}

fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf"]
        .into_iter()
        .filter_map(|key| schema.get(key).and_then(Value::as_array))
        .flatten()
}

fn words_of(schema: &Value) -> Vec<String> {
    let mut words: Vec<String> = schema
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .chain(schema.get("const"))
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    words.extend(branches(schema).flat_map(|branch| words_of(resolve(branch))));
    words
}

/// The block that a choice between words and a block offers: `{timestamp: …}`.
fn example_of(schema: &Value) -> Option<String> {
    branches(schema)
        .map(resolve)
        .find_map(|branch| keys_of(branch).first().map(|key| format!("{{{key}: …}}")))
}

fn types_of(schema: &Value) -> Vec<String> {
    let mut types: Vec<String> = match schema.get("type") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    types.extend(branches(schema).flat_map(|branch| types_of(resolve(branch))));
    types.retain(|it| it != "null");
    types.dedup();
    types
}

/// Follows a reference within the schema.
fn resolve(schema: &Value) -> &Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'))
        .and_then(|pointer| crate::schema::schema().pointer(pointer))
        .unwrap_or(schema)
}

fn schema_of_key<'a>(block: &'a Value, key: &str) -> Option<&'a Value> {
    block.get("properties")?.get(key)
}

fn type_name(name: &str) -> String {
    match name {
        "string" => "a text".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "array" => "a list".to_owned(),
        "object" => "a mapping".to_owned(),
        other => other.to_owned(),
    }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    match parts.as_slice() {
        [] => "something else".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}
