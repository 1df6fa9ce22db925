//! `mirrorctl schema`.

use crate::cli::{SchemaArgs, SchemaSubject};
use crate::exit::Outcome;
use crate::session::{Ended, Session};

/// Prints a JSON Schema.
pub(crate) fn schema(session: &Session, args: &SchemaArgs) -> Ended {
    let schema = match args.subject {
        SchemaSubject::Topology => topology::json_schema(),
        SchemaSubject::Plan => plan::json_schema(),
    };
    session.terminal.json(&schema)?;
    Ok(Outcome::Done)
}
