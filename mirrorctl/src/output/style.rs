//! The few colours there are, each with one meaning, and tables.

use std::ops::RangeInclusive;

use anstyle::{AnsiColor, Style};
use comfy_table::{
    Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width, presets,
};

/// Headings.
pub(crate) const HEAD: Style = Style::new().bold();
/// What went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What failed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What deserves a look.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// What may be passed over.
pub(crate) const DIM: Style = Style::new().dimmed();

/// Spaces beside what a cell holds.
const PADDING: usize = 2;

/// An empty table without lines; colours are written always and taken out by the stream.
pub(crate) fn table(width: usize, header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .enforce_styling();
    table.set_header(header.iter().map(Cell::new));
    for (column, title) in table.column_iter_mut().zip(header) {
        // where the page is too narrow, rows get wider than it before titles break inside a word
        let longest = title.split(' ').map(str::len).max().unwrap_or(0) + PADDING;
        let longest = Width::Fixed(u16::try_from(longest).unwrap_or(u16::MAX));
        column.set_constraint(ColumnConstraint::LowerBoundary(longest));
    }
    table
}

/// Keeps what stands in these columns, counted from 0, on one line: half a number is another one.
pub(crate) fn unbroken(table: &mut Table, columns: RangeInclusive<usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// A cell of a number.
pub(crate) fn number(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// A cell that says what went well.
pub(crate) fn good(text: impl ToString) -> Cell {
    Cell::new(text).fg(Color::Green)
}

/// A cell that says what failed.
pub(crate) fn bad(text: impl ToString) -> Cell {
    Cell::new(text).fg(Color::Red)
}

/// A cell that says what deserves a look.
pub(crate) fn warn(text: impl ToString) -> Cell {
    Cell::new(text).fg(Color::Yellow)
}

/// The table's lines, indented by two, the header in bold, without spaces at the ends of lines.
pub(crate) fn indented(table: &Table) -> String {
    let mut text = String::new();
    for (place, line) in table.lines().enumerate() {
        let line = line.trim_end();
        if place == 0 {
            text.push_str(&format!(" {HEAD}{line}{HEAD:#}\n"));
        } else {
            text.push_str(&format!(" {line}\n"));
        }
    }
    text
}
