//! Diagnostics as text for people and as JSON for programs: two renderings of one value.

use std::fmt::Write as _;

use miette::{GraphicalReportHandler, GraphicalTheme, ThemeCharacters, ThemeStyles};
use serde::Serialize;

use crate::diagnostic::{Diagnostic, Diagnostics};

/// What the text for people looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// With ANSI colours.
    pub color: bool,
    /// With Unicode lines; plain ASCII otherwise.
    pub unicode: bool,
    /// Where long lines wrap, in columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            color: false,
            unicode: true,
            width: 100,
        }
    }
}

/// Findings that are drawn with their lines of the file. Of one that is made ten thousand times, one is read; and drawing
/// looks through the file for each.
const MOST_DRAWN: usize = 50;

#[derive(Serialize)]
struct Report<'a> {
    file: &'a str,
    errors: usize,
    warnings: usize,
    diagnostics: &'a [Diagnostic],
}

impl Diagnostics {
    /// Every finding, the first fifty with snippet and hint and a line for each further one, then one line that counts
    /// them. Nothing for no findings.
    pub fn to_human(&self, style: Style) -> String {
        if self.is_empty() {
            return String::new();
        }
        let theme = GraphicalTheme {
            characters: if style.unicode {
                ThemeCharacters::unicode()
            } else {
                ThemeCharacters::ascii()
            },
            styles: if style.color {
                ThemeStyles::ansi()
            } else {
                ThemeStyles::none()
            },
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(style.width)
            .with_context_lines(1)
            .with_links(false);
        let mut text = String::new();
        for found in self.into_iter().take(MOST_DRAWN) {
            // a report that cannot be drawn (a span outside the text) still says where and what
            if handler
                .render_report(&mut text, &self.located(found))
                .is_err()
            {
                self.in_one_line(found, &mut text);
            }
            text.push('\n');
        }
        for found in self.into_iter().skip(MOST_DRAWN) {
            self.in_one_line(found, &mut text);
        }
        let _ = writeln!(
            text,
            "{}: {}, {}",
            self.name(),
            counted(self.errors(), "error"),
            counted(self.warnings(), "warning")
        );
        text
    }

    fn in_one_line(&self, found: &Diagnostic, text: &mut String) {
        let _ = writeln!(
            text,
            "{}:{}:{}: {}",
            self.name(),
            found.line,
            found.column,
            found.message
        );
    }

    /// The file, the counts and every finding.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(Report {
            file: self.name(),
            errors: self.errors(),
            warnings: self.warnings(),
            diagnostics: self.list(),
        })
    }
}

impl Serialize for Diagnostics {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
