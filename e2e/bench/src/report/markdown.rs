//! As Markdown.

use super::sections::Section;

/// A section with its table.
pub(crate) fn markdown(section: &Section) -> String {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = ["## ", &section.title, "\n\n"].concat();
    if !section.text.is_empty() {
        text += &section.text;
        text += "\n\n";
    }
    text += &row(section.head.iter().map(|&cell| cell.to_owned()).collect());
    text += &row(section.head.iter().map(|_| "---".to_owned()).collect());
    for cells in &section.rows {
        text += &row(cells.iter().map(|cell| escaped(cell)).collect());
    }
    text + "\n"
}

/// A cell may hold neither bars nor line ends.
fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_stays_a_table_whatever_its_cells_hold() {
        let section = Section {
            title: "A".to_owned(),
            text: "Words.".to_owned(),
            head: vec!["", "b"],
            rows: vec![vec!["x|y".to_owned(), "one\ntwo".to_owned()]],
        };
        assert_eq!(
            markdown(&section),
            "## A\n\nWords.\n\n|  | b |\n| --- | --- |\n| x\\|y | one two |\n\n"
        );
    }
}
