//! `mirrorctl completions`.

use std::io;

use clap_complete::env::Shells;

use crate::cli::CompletionsArgs;
use crate::complete::VARIABLE;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::output;
use crate::session::Ended;

/// The name that the script completes, and calls.
const NAME: &str = "mirrorctl";

/// Comes after the script for bash.
const WHOLE_WORDS: &str = include_str!("whole_words.bash");

/// Prints the script with which a shell asks this program for completions.
pub(crate) fn completions(args: &CompletionsArgs) -> Ended {
    let shells = Shells::builtins();
    let shell = shells
        .completer(&args.shell.to_string())
        .ok_or_else(|| Failure::Output(io::ErrorKind::Unsupported.into()))?;
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, NAME, NAME, NAME, &mut script)
        .map_err(Failure::Output)?;
    if shell.name() == "bash" {
        script.extend_from_slice(WHOLE_WORDS.as_bytes());
    }
    output::result(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}
