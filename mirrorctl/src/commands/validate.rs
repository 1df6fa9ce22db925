//! `mirrorctl validate`.

use std::path::Path;

use crate::cli::{Format, ValidateArgs};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::output::{self, Checked, validation_human, validation_json};
use crate::rendered;
use crate::session::{Ended, Session};

/// Checks every file and prints everything that is wrong in all of them.
pub(crate) fn validate(session: &Session, args: &ValidateArgs) -> Ended {
    let files: Vec<Checked> = args
        .files
        .iter()
        .chain(&args.file)
        .map(|path| check(path))
        .collect();
    match session.terminal.format() {
        Format::Human => output::result(&validation_human(&files, session.terminal))?,
        Format::Json => output::json(&validation_json(&files))?,
    }
    let invalid = files.iter().filter(|file| !file.is_valid()).count();
    if invalid > 0 {
        return Err(Failure::InvalidFiles {
            invalid,
            files: files.len(),
        });
    }
    Ok(Outcome::Done)
}

fn check(path: &Path) -> Checked {
    let result = topology::load(path).and_then(|loaded| {
        if let Some(block) = &loaded.topology.render {
            rendered::check_settings(path, block)?;
            rendered::check_targets(path, block)?;
        }
        Ok(loaded)
    });
    Checked {
        path: path.to_owned(),
        result,
    }
}
