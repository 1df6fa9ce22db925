//! A finding while it is being written: without line and column, which only the text knows.

use std::ops::Range;

use crate::code::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::redact::redact;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) label: String,
    pub(crate) hint: Option<String>,
}

impl Finding {
    pub(crate) fn new(
        code: Code,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            label: label.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// Puts findings on the lines of their text. Secrets are replaced.
pub(crate) fn place(name: &str, text: &str, findings: Vec<Finding>) -> Diagnostics {
    let secrets: Vec<Range<usize>> = findings
        .iter()
        .filter(|finding| finding.code == Code::LiteralSecret)
        .map(|finding| finding.span.clone())
        .collect();
    let shown = redact(text, &secrets);
    let list = findings
        .into_iter()
        .map(|finding| {
            let start = finding.span.start.min(text.len());
            let end = finding.span.end.clamp(start, text.len());
            // one line is enough to see which value is meant
            let end = text[start..end].find('\n').map_or(end, |at| start + at);
            let before = &text[..start];
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            Diagnostic {
                code: finding.code.as_str(),
                severity: finding.code.severity(),
                message: finding.message,
                label: finding.label,
                hint: finding.hint,
                span: start..end,
                line: before.matches('\n').count() + 1,
                column: text[line_start..start].chars().count() + 1,
            }
        })
        .collect();
    Diagnostics::new(name, shown, list)
}
