//! Where results go, in which form, and how wide the page is.

use std::io::{self, IsTerminal};

use serde::Serialize;
use terminal_size::{Width, terminal_size_of};

use crate::cli::Format;
use crate::failure::Failure;
use crate::output::stream::{raw_to_stdout, to_stderr, to_stdout};

/// The width of a page that no terminal shows.
const PAGE: usize = 100;
const WIDEST: usize = 160;

/// Prints a part of the result as it is.
pub(crate) fn result(text: &str) -> Result<(), Failure> {
    to_stdout(text).map_err(Failure::Output)
}

/// Prints a part of the result as indented JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(Failure::Json)?;
    text.push('\n');
    result(&text)
}

/// Prints a part of the result as one line of JSON.
pub(crate) fn json_line<T: Serialize>(value: &T) -> Result<(), Failure> {
    let mut text = serde_json::to_string(value).map_err(Failure::Json)?;
    text.push('\n');
    result(&text)
}

/// Prints a page that takes the place of the one before it: on a terminal the screen is cleared,
/// elsewhere an empty line stands between them.
pub(crate) fn page(text: &str) -> Result<(), Failure> {
    /// Clears what is shown and what was scrolled away (ED 2, ED 3), and goes to the first line.
    const CLEAR: &str = "\x1b[2J\x1b[3J\x1b[H";
    if io::stdout().is_terminal() {
        raw_to_stdout(CLEAR).map_err(Failure::Output)?;
        result(text)
    } else {
        result(&format!("{text}\n"))
    }
}

/// The page that results are set on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    format: Format,
    width: usize,
}

impl Terminal {
    /// `COLUMNS` comes before what the terminal says of itself.
    pub(crate) fn new(format: Format) -> Self {
        let told = std::env::var("COLUMNS")
            .ok()
            .and_then(|columns| columns.parse().ok());
        let seen = || terminal_size_of(io::stdout()).map(|(Width(width), _)| usize::from(width));
        let width = told
            .filter(|width| *width > 0)
            .or_else(seen)
            .unwrap_or(PAGE)
            .min(WIDEST);
        Self { format, width }
    }

    /// The form that was asked for.
    pub(crate) fn format(self) -> Format {
        self.format
    }

    /// Columns of the page.
    pub(crate) fn width(self) -> usize {
        self.width
    }

    /// Columns to which a line is cut: a terminal's. What goes to a file or a pipe stays whole.
    pub(crate) fn line_room(self) -> usize {
        let seen = match self.format {
            Format::Human => io::stdout().is_terminal(),
            Format::Json => io::stderr().is_terminal(),
        };
        if seen { self.width } else { usize::MAX }
    }

    /// Whether somebody can be asked.
    pub(crate) fn can_ask() -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Prints the result for people: on stdout, or on stderr where stdout is for programs.
    pub(crate) fn aside(self, text: &str) -> Result<(), Failure> {
        match self.format {
            Format::Human => result(text),
            Format::Json => {
                to_stderr(text);
                Ok(())
            }
        }
    }

    /// Asks, and returns the answer without the newline. Blocks until there is one.
    pub(crate) fn ask(question: &str) -> io::Result<String> {
        to_stderr(question);
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(answer.trim().to_owned())
    }
}
