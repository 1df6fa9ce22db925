//! The result of `validate`.

use std::path::PathBuf;

use serde_json::{Value, json};
use topology::{Diagnostics, LoadError, Loaded, Style};

use crate::output::figures::counted;
use crate::output::style::{BAD, GOOD, WARN};
use crate::output::terminal::Terminal;

/// What came of one file.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The file.
    pub(crate) path: PathBuf,
    /// What it declares, or why it cannot be used.
    pub(crate) result: Result<Loaded, LoadError>,
}

impl Checked {
    /// Whether it can be used.
    pub(crate) fn is_valid(&self) -> bool {
        self.result.is_ok()
    }
}

/// Every finding with its snippet, then one line a file.
pub(crate) fn validation_human(files: &[Checked], terminal: Terminal) -> String {
    let style = Style {
        color: true,
        width: terminal.width(),
        ..Style::default()
    };
    let mut text = String::new();
    for Checked { path, result } in files {
        let path = path.display();
        match result {
            Ok(loaded) => {
                text.push_str(&loaded.warnings.to_human(style));
                let topology = &loaded.topology;
                let warned = match loaded.warnings.len() {
                    0 => String::new(),
                    count => format!(", {WARN}{}{WARN:#}", counted(count, "warning")),
                };
                text.push_str(&format!(
                    "{GOOD}valid{GOOD:#}    {path}: {}, {}, {}{warned}\n",
                    counted(topology.clusters.len(), "cluster"),
                    counted(topology.topics.len(), "topic"),
                    counted(topology.mirrors.len(), "mirror"),
                ));
            }
            Err(LoadError::Invalid(diagnostics)) => {
                text.push_str(&diagnostics.to_human(style));
                text.push_str(&format!("{BAD}invalid{BAD:#}  {path}\n"));
            }
            Err(error @ LoadError::Read { .. }) => {
                text.push_str(&format!("{BAD}invalid{BAD:#}  {error}\n"));
            }
        }
    }
    text
}

/// Every file with its findings.
pub(crate) fn validation_json(files: &[Checked]) -> Value {
    let valid = files.iter().all(Checked::is_valid);
    json!({
        "format_version": "1.0",
        "valid": valid,
        "files": files.iter().map(file_json).collect::<Vec<_>>(),
    })
}

fn file_json(file: &Checked) -> Value {
    let found = |diagnostics: &Diagnostics, valid: bool| {
        json!({
            "file": file.path,
            "valid": valid,
            "errors": diagnostics.errors(),
            "warnings": diagnostics.warnings(),
            "diagnostics": diagnostics.list(),
        })
    };
    match &file.result {
        Ok(loaded) => found(&loaded.warnings, true),
        Err(LoadError::Invalid(diagnostics)) => found(diagnostics, false),
        Err(error @ LoadError::Read { .. }) => json!({
            "file": file.path,
            "valid": false,
            "errors": 1,
            "warnings": 0,
            "diagnostics": [],
            "error": error.to_string(),
        }),
    }
}
