//! What a schema validator says, as single faults with a place.
//!
//! A validator reports a choice (`anyOf`, `oneOf`) as one error that holds the errors of every branch. The faults here are
//! those of the branch that was meant.

use jsonschema::error::{ValidationError, ValidationErrorKind as Kind};
use jsonschema::paths::{Location, LocationSegment};
use serde_json::Value;

use crate::path::{Path, Step};
use crate::schema::schema;

/// One fault in the structure of a file.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) path: Path,
    pub(crate) problem: Problem,
    /// The part of the schema that was not met.
    pub(crate) schema: &'static Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Problem {
    UnknownKey(String),
    MissingKey(String),
    /// The value has none of the types, or is none of the words, that the schema lists.
    NotAmong,
    /// The text has the wrong form.
    Form,
    /// The number is too small or too large.
    Range,
    /// The list or text is empty.
    Empty,
    /// Anything else, in the validator's words.
    Other(String),
}

/// All faults of a value.
pub(crate) fn faults(value: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    for error in crate::schema::validator().iter_errors(value) {
        collect(&error, &mut faults);
    }
    faults
}

fn collect(error: &ValidationError<'_>, faults: &mut Vec<Fault>) {
    let mut add = |problem| {
        let fault = Fault {
            path: path_of(error.instance_path()),
            problem,
            schema: schema_of(error.schema_path()),
        };
        // a value of the wrong type is also none of the words: one fault
        if !faults
            .iter()
            .any(|it| it.path == fault.path && it.problem == fault.problem)
        {
            faults.push(fault);
        }
    };
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            for key in unexpected {
                add(Problem::UnknownKey(key.clone()));
            }
        }
        Kind::Required { property } => add(Problem::MissingKey(
            property.as_str().unwrap_or_default().to_owned(),
        )),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => match meant(error, context) {
            Some(branch) => {
                for inner in branch {
                    collect(inner, faults);
                }
            }
            None => add(Problem::NotAmong),
        },
        Kind::Type { .. } | Kind::Enum { .. } | Kind::Constant { .. } => add(Problem::NotAmong),
        Kind::Pattern { .. } => add(Problem::Form),
        Kind::Minimum { .. }
        | Kind::Maximum { .. }
        | Kind::ExclusiveMinimum { .. }
        | Kind::ExclusiveMaximum { .. } => add(Problem::Range),
        Kind::MinItems { .. } | Kind::MinLength { .. } => add(Problem::Empty),
        // keywords that the generated schema does not use today
        _ => add(Problem::Other(error.masked().to_string())),
    }
}

/// The branch of a choice that the writer meant: the one whose own type and words the value fits.
///
/// Where only one branch is not `null`, it is that one.
fn meant<'a>(
    choice: &ValidationError<'_>,
    branches: &'a [Vec<ValidationError<'static>>],
) -> Option<&'a Vec<ValidationError<'static>>> {
    let misses_the_value_itself = |branch: &&Vec<ValidationError<'static>>| {
        branch.iter().any(|error| {
            error.instance_path() == choice.instance_path()
                && matches!(
                    error.kind(),
                    Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. }
                )
        })
    };
    if let Some(branch) = branches
        .iter()
        .filter(|branch| !misses_the_value_itself(branch))
        .min_by_key(|branch| branch.len())
    {
        return Some(branch);
    }
    let mut others = branches
        .iter()
        .filter(|branch| !branch.iter().any(wants_null));
    match (others.next(), others.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

fn wants_null(error: &ValidationError<'_>) -> bool {
    schema_of(error.schema_path()).get("type") == Some(&Value::from("null"))
}

fn path_of(location: &Location) -> Path {
    location
        .iter()
        .map(|segment| match segment {
            LocationSegment::Property(key) => Step::Key(key.into_owned()),
            LocationSegment::Index(index) => Step::Index(index),
        })
        .collect()
}

/// The schema that holds the keyword at this location.
fn schema_of(location: &Location) -> &'static Value {
    let pointer = location.as_str();
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    schema().pointer(parent).unwrap_or(&Value::Null)
}
