//! `mirrorctl validate`.

use std::path::PathBuf;

use crate::cli::{Format, ValidateArgs};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::output::{Checked, validation_human, validation_json};
use crate::session::{Ended, Session};

/// Checks every file and prints everything that is wrong in all of them.
pub(crate) fn validate(session: &Session, args: &ValidateArgs) -> Ended {
    let files: Vec<Checked> = args.files.iter().chain(&args.file).map(check).collect();
    match session.terminal.format() {
        Format::Human => session
            .terminal
            .result(&validation_human(&files, session.terminal))?,
        Format::Json => session.terminal.json(&validation_json(&files))?,
    }
    let invalid = files.iter().filter(|file| file.result.is_err()).count();
    if invalid > 0 {
        return Err(Failure::InvalidFiles {
            invalid,
            files: files.len(),
        });
    }
    Ok(Outcome::Done)
}

fn check(path: &PathBuf) -> Checked {
    Checked {
        path: path.clone(),
        result: topology::load(path),
    }
}
