//! `mirrorctl schema`.

use crate::cli::{SchemaArgs, SchemaSubject};
use crate::exit::Outcome;
use crate::output;
use crate::session::Ended;

/// Prints a JSON Schema.
pub(crate) fn schema(args: &SchemaArgs) -> Ended {
    let schema = match args.subject {
        SchemaSubject::Topology => topology::json_schema(),
        SchemaSubject::Plan => plan::json_schema(),
        SchemaSubject::Report => conformance::report_schema(),
    };
    output::json(&schema)?;
    Ok(Outcome::Done)
}
