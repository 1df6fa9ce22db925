//! A report in every form that was asked for.

use std::path::Path;

use conformance::Report;

use crate::cli::Format;
use crate::commands::verify::arguments::VerifyArgs;
use crate::failure::Failure;
use crate::output::{self, verdicts_human};
use crate::session::Session;

/// Writes the report's files, then prints it. Files come first: they are what a pipeline keeps.
pub(crate) fn publish(
    session: &Session,
    args: &VerifyArgs,
    report: &Report,
) -> Result<(), Failure> {
    if let Some(path) = &args.report_json {
        write(path, &report.to_json()?)?;
    }
    if let Some(path) = &args.junit {
        write(path, &report.to_junit()?)?;
    }
    if let Some(path) = &args.html {
        write(path, &report.to_html()?)?;
    }
    match session.terminal.format() {
        Format::Human => output::result(&verdicts_human(report, session.terminal.width())),
        Format::Json => output::json(report),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let text = if text.ends_with('\n') {
        text.to_owned()
    } else {
        format!("{text}\n")
    };
    std::fs::write(path, text).map_err(|error| Failure::File {
        path: path.to_owned(),
        error,
    })
}
