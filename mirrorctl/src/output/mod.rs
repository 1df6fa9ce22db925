//! The only place that prints. Results go to stdout, everything else to stderr; colours only where
//! a terminal shows them and `NO_COLOR` does not forbid them.
#![expect(
    clippy::format_push_string,
    reason = "pages are small, and `write!` to a String would make a fallible call of what cannot fail"
)]

mod apply;
mod demo;
mod failure;
mod figures;
mod gaps;
mod history;
mod json_log;
mod lag;
mod progress;
mod render;
mod replication;
mod status;
mod stream;
mod style;
mod terminal;
mod validation;
mod verdicts;

pub(crate) use apply::{EventLines, applied, question, refused_json};
pub(crate) use demo::{Story, StoryCluster, demo_json};
pub(crate) use failure::{failure, remarks, warnings};
pub(crate) use figures::{count, counted};
pub(crate) use gaps::{MirrorGaps, gaps_human, gaps_json};
pub(crate) use history::{history_human, history_json};
pub(crate) use json_log::{JsonLines, speak_json, speaks_json};
pub(crate) use lag::{MirrorLag, lag_human, lag_json};
pub(crate) use progress::{CopyDisplay, JudgeDisplay, WatchedRun};
pub(crate) use render::{RenderReport, render_human, render_json, targets_human, targets_json};
pub(crate) use replication::{RunEnd, replication_human, replication_json};
pub(crate) use status::{Committed, MirrorStatus, status_human, status_json};
pub(crate) use stream::{end_line, log_line, note, stderr_has_color, warning};
pub(crate) use terminal::{Terminal, json, json_line, page, result};
pub(crate) use validation::{Checked, validation_human, validation_json};
pub(crate) use verdicts::verdicts_human;
