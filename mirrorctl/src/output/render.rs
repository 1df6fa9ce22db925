//! The result of `render`.

use std::path::Path;

use render::{Comparison, FileChange, FileState, Templates, Written, targets};
use serde_json::{Value, json};

use crate::output::figures::counted;
use crate::output::style::{BAD, DIM, GOOD, HEAD, WARN};

/// Lines of a diff that are shown of each file.
const DIFF_LINES: usize = 40;

/// What came of a rendering.
pub(crate) struct RenderReport<'a> {
    /// The files.
    pub(crate) comparison: &'a Comparison,
    /// Where they are.
    pub(crate) out: &'a Path,
    /// How many were written; absent where nothing was.
    pub(crate) written: Option<Written>,
}

/// One line a file that is not as wanted, with its diff where nothing was written; then a line that counts.
pub(crate) fn render_human(report: &RenderReport<'_>) -> String {
    let mut text = String::new();
    for file in &report.comparison.files {
        let path = &file.path;
        match file.state {
            FileState::Same => continue,
            FileState::Missing => text.push_str(&format!("{GOOD}+{GOOD:#} {path}\n")),
            FileState::Outdated => text.push_str(&format!("{WARN}~{WARN:#} {path}\n")),
            FileState::NotExecutable => text.push_str(&format!(
                "{WARN}~{WARN:#} {path} {DIM}(not executable any more){DIM:#}\n"
            )),
            FileState::Others => text.push_str(&format!(
                "{BAD}!{BAD:#} {path} {DIM}(rendered from another topology){DIM:#}\n"
            )),
            FileState::Edited => text.push_str(&format!(
                "{BAD}!{BAD:#} {path} {DIM}(edited since, or not rendered by mirrorctl){DIM:#}\n"
            )),
            FileState::Obsolete => text.push_str(&format!("{BAD}-{BAD:#} {path}\n")),
            FileState::Left => text.push_str(&format!(
                "{WARN}?{WARN:#} {path} {DIM}(not wanted any more, and edited: it stays){DIM:#}\n"
            )),
        }
        if report.written.is_none() && file.before.is_some() && file.after.is_some() {
            for line in file.diff(DIFF_LINES).lines() {
                text.push_str(&format!("    {}\n", colored(line)));
            }
        }
    }
    text.push_str(&summary(report));
    text
}

fn colored(line: &str) -> String {
    if line.starts_with('+') {
        format!("{GOOD}{line}{GOOD:#}")
    } else if line.starts_with('-') {
        format!("{BAD}{line}{BAD:#}")
    } else {
        line.to_owned()
    }
}

fn summary(report: &RenderReport<'_>) -> String {
    let out = report.out.display();
    let count = |state| report.comparison.in_state(state).count();
    let Some(written) = report.written else {
        if report.comparison.is_current() {
            return format!(
                "{out} is as the topology says: {}.\n",
                counted(count(FileState::Same), "file")
            );
        }
        return format!(
            "{HEAD}Not written{HEAD:#} to {out}: {} to create, {} to change, {} to remove, {} edited, {} as wanted.\n",
            count(FileState::Missing),
            count(FileState::Outdated) + count(FileState::NotExecutable),
            count(FileState::Obsolete),
            count(FileState::Edited) + count(FileState::Others),
            count(FileState::Same),
        );
    };
    format!(
        "{HEAD}Rendered{HEAD:#} to {out}: {} created, {} changed, {} removed, {} as wanted.\n",
        written.created, written.updated, written.removed, written.unchanged,
    )
}

/// Every file, in Terraform's words for what is or would be done with it.
pub(crate) fn render_json(report: &RenderReport<'_>) -> Value {
    json!({
        "format_version": "1.0",
        "out": report.out,
        "written": report.written.is_some(),
        "current": report.comparison.is_current(),
        "files": report.comparison.files.iter().map(|file| file_json(file, report.written.is_none())).collect::<Vec<_>>(),
    })
}

fn file_json(file: &FileChange, with_diff: bool) -> Value {
    let (action, edited) = match file.state {
        FileState::Same => ("no-op", false),
        FileState::Left => ("no-op", true),
        FileState::Missing => ("create", false),
        FileState::Outdated | FileState::NotExecutable => ("update", false),
        FileState::Edited | FileState::Others => ("update", true),
        FileState::Obsolete => ("delete", false),
    };
    let mut value = json!({
        "path": file.path,
        "action": action,
        "edited": edited,
    });
    if let Some(after) = &file.after {
        value["target"] = after.target.into();
        value["sha256"] = after.digest().into();
    }
    if with_diff && file.before.is_some() && file.after.is_some() && file.state != FileState::Same {
        value["diff"] = file.diff(usize::MAX).into();
    }
    value
}

/// One line a target, and what can be chosen about it.
pub(crate) fn targets_human(templates: &Templates) -> String {
    let width = targets().iter().map(|it| it.name.len()).max().unwrap_or(0);
    let mut text = format!("{HEAD}Targets{HEAD:#}\n");
    for target in targets() {
        text.push_str(&format!("  {:width$}  {}\n", target.name, target.about));
        text.push_str(&format!(
            "  {:width$}  {DIM}for {}{DIM:#}\n",
            "", target.renders
        ));
        for setting in target.settings {
            let values = match setting.values() {
                [] => String::new(),
                values => format!(" ({})", values.join(", ")),
            };
            text.push_str(&format!(
                "  {:width$}  {DIM}--set {}.{}=…{values}{DIM:#} {}\n",
                "", target.name, setting.name, setting.about
            ));
        }
    }
    text.push_str(&format!("{HEAD}Templates{HEAD:#}\n"));
    for name in templates.names() {
        text.push_str(&format!("  {name}\n"));
    }
    text
}

/// The same for programs.
pub(crate) fn targets_json(templates: &Templates) -> Value {
    let list: Vec<Value> = targets()
        .iter()
        .map(|target| {
            let settings: Vec<Value> = target
                .settings
                .iter()
                .map(|it| json!({"name": it.name, "about": it.about, "values": it.values()}))
                .collect();
            json!({"name": target.name, "about": target.about, "for": target.renders, "settings": settings})
        })
        .collect();
    json!({
        "format_version": "1.0",
        "targets": list,
        "templates": templates.names().collect::<Vec<_>>(),
    })
}
