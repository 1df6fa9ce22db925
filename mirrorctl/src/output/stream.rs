//! The two streams. A reader that goes away (`| head`) is no reason to fail: the command goes on to
//! its own exit code. Writing steps around the progress bars.

use std::io::{self, ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};

use crate::output::json_log;
use crate::output::progress::bars;
use crate::output::style::{DIM, WARN};

/// Writes to stdout and flushes, so that what is printed is there when the next line is awaited.
pub(crate) fn to_stdout(text: &str) -> io::Result<()> {
    bars().suspend(|| {
        let mut stdout = anstream::stdout().lock();
        ignoring_closed(
            stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush()),
        )
    })
}

/// Writes to stdout what `NO_COLOR` must not take out: it moves the cursor and colours nothing.
pub(crate) fn raw_to_stdout(text: &str) -> io::Result<()> {
    ignoring_closed(io::stdout().lock().write_all(text.as_bytes()))
}

/// Writes to stderr; when that fails there is nobody left to tell.
pub(crate) fn to_stderr(text: &str) {
    bars().suspend(|| {
        let mut stderr = anstream::stderr().lock();
        let _ = stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush());
    });
}

/// A remark beside the result.
pub(crate) fn note(text: &str) {
    if json_log::speaks_json() {
        to_stderr(&json_log::line("INFO", text, &[]));
        return;
    }
    to_stderr(&format!("{DIM}{text}{DIM:#}\n"));
}

/// A remark that somebody should act on.
pub(crate) fn warning(text: &str) {
    if json_log::speaks_json() {
        to_stderr(&json_log::line("WARN", text, &[]));
        return;
    }
    to_stderr(&format!("{WARN}warning{WARN:#}: {text}\n"));
}

/// Ends a line that a question left open.
pub(crate) fn end_line() {
    to_stderr("\n");
}

/// One finished log line.
pub(crate) fn log_line(bytes: &[u8]) {
    bars().suspend(|| {
        let _ = io::stderr().lock().write_all(bytes);
    });
}

/// Whether colours reach a terminal on stderr.
pub(crate) fn stderr_has_color() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

fn ignoring_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Ok(()) | Err(_) => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
        assert!(ignoring_closed(Err(ErrorKind::BrokenPipe.into())).is_ok());
        assert!(ignoring_closed(Err(ErrorKind::StorageFull.into())).is_err());
    }
}
