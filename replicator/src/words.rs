//! Counts and names in sentences.

/// `1 offset`, `2 offsets`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The first `most` of these names, and how many more there are.
pub(crate) fn named(names: &[String], most: usize) -> String {
    let (shown, more) = names.split_at(names.len().min(most));
    and_more(shown, more.len())
}

/// These names, and how many more there are.
pub(crate) fn and_more(names: &[String], more: usize) -> String {
    let words = names.join(", ");
    match more {
        0 => words,
        more => format!("{words} and {more} more"),
    }
}
