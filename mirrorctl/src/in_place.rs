//! Replacing a file that is read, too.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Whether standard output goes to this file: with `>` the shell has emptied it before anybody reads it.
pub(crate) fn is_stdout(file: &Path) -> bool {
    let (Ok(file), Ok(stdout)) = (fs::metadata(file), rustix::fs::fstat(io::stdout())) else {
        return false;
    };
    file.is_file() && file.dev() == stdout.st_dev && file.ino() == stdout.st_ino
}

/// Puts `text` into a file, whole or not at all. A link stays one, and who may read the file stays the same.
pub(crate) fn replace(file: &Path, text: &str) -> io::Result<()> {
    let file = file.canonicalize()?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".mirrorctl-{}", std::process::id()));
    let new = file.with_file_name(name);
    let replaced = File::create_new(&new).and_then(|mut written| {
        written.set_permissions(fs::metadata(&file)?.permissions())?;
        written.write_all(text.as_bytes())?;
        written.sync_all()?;
        fs::rename(&new, &file)
    });
    if replaced.is_err() {
        // what failed first matters more
        let _ = fs::remove_file(&new);
    }
    replaced
}
