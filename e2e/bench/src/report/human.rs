//! On standard output.
#![expect(clippy::print_stdout, reason = "the one file that prints results")]

use super::json::json;
use super::sections::{Section, sections};
use crate::cli::Output;
use crate::demands::demands;
use crate::results::Results;

/// Prints the results.
pub(crate) fn print(results: &Results, output: Output) {
    match output {
        Output::Human => {
            for section in sections(results, &demands(results)) {
                print!("{}", text(&section));
            }
        }
        Output::Json => println!("{:#}", json(results)),
    }
}

fn text(section: &Section) -> String {
    let head: Vec<String> = section.head.iter().map(|&cell| cell.to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&head).chain(&section.rows).collect();
    let width = |column: usize| {
        let cells = all.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut lines = vec![String::new(), section.title.clone()];
    if !section.text.is_empty() {
        lines.push(section.text.clone());
    }
    for row in all {
        let cells = row.iter().zip(&widths).enumerate();
        let line: Vec<String> = cells
            .map(|(column, (cell, width))| {
                if column == 0 {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            })
            .collect();
        lines.push(line.join("  ").replace("**", "").trim_end().to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}
