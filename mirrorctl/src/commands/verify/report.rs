//! A report in every form that was asked for.

use std::path::Path;

use conformance::Report;

use crate::cli::Format;
use crate::commands::verify::arguments::VerifyArgs;
use crate::failure::Failure;
use crate::output::{self, verdicts_human};
use crate::session::Session;

/// Writes the report's files, then prints it. Files come first: they are what a pipeline keeps. One that cannot be written costs
/// neither the others nor what is printed, which may have taken an hour.
pub(crate) fn publish(
    session: &Session,
    args: &VerifyArgs,
    report: &Report,
) -> Result<(), Failure> {
    let written = [
        write(args.report_json.as_deref(), || report.to_json()),
        write(args.junit.as_deref(), || report.to_junit()),
        write(args.html.as_deref(), || report.to_html()),
    ];
    match session.terminal.format() {
        Format::Human => output::result(&verdicts_human(report, session.terminal.width()))?,
        Format::Json => output::json(report)?,
    }
    written.into_iter().collect()
}

/// Nothing where no file was asked for.
fn write(
    path: Option<&Path>,
    text: impl FnOnce() -> Result<String, conformance::Error>,
) -> Result<(), Failure> {
    let Some(path) = path else {
        return Ok(());
    };
    let mut text = text()?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    std::fs::write(path, text).map_err(|error| Failure::File {
        path: path.to_owned(),
        error,
    })
}
