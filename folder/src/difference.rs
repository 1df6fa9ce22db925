//! How the lines of a file change.

use std::fmt::Write as _;

use similar::udiff::UnifiedHunkHeader;
use similar::{Change, ChangeTag, TextDiff};

use crate::sensitive;

/// How far a unified diff goes around a change, in lines.
const CONTEXT: usize = 3;

/// The lines of a file now and as they will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Lines that come in.
    pub added: usize,
    /// Lines that go.
    pub removed: usize,
    /// The unified diff.
    whole: String,
}

impl Difference {
    /// From what there is to what is wanted; nothing stands for a file that is not there. What reads like a secret is
    /// compared and not shown.
    pub fn between(path: &str, before: Option<&[u8]>, after: Option<&[u8]>) -> Self {
        let text = |bytes: Option<&[u8]>| {
            bytes.map_or_else(String::new, |it| String::from_utf8_lossy(it).into_owned())
        };
        let name = |there: bool| if there { path } else { "/dev/null" };
        let (old, new) = (text(before), text(after));
        let diff = TextDiff::from_slices(&lines(&old), &lines(&new));
        let count = |tag| diff.iter_all_changes().filter(|it| it.tag() == tag).count();
        let (added, removed) = (count(ChangeTag::Insert), count(ChangeTag::Delete));
        let (shown_old, shown_new) = (sensitive::shown(&old), sensitive::shown(&new));
        let mut whole = String::new();
        for ops in diff.grouped_ops(CONTEXT) {
            if whole.is_empty() {
                let names = (name(before.is_some()), name(after.is_some()));
                // writing to a String cannot fail
                let _ = writeln!(whole, "--- {}\n+++ {}", names.0, names.1);
            }
            let _ = writeln!(whole, "{}", UnifiedHunkHeader::new(&ops));
            for change in ops.iter().flat_map(|op| diff.iter_changes(op)) {
                let _ = writeln!(
                    whole,
                    "{}{}{}",
                    change.tag(),
                    line(&change, &shown_old, &shown_new),
                    end(&change)
                );
                if change.missing_newline() {
                    whole.push_str("\\ No newline at end of file\n");
                }
            }
        }
        Self {
            added,
            removed,
            whole,
        }
    }

    /// The unified diff; at most `lines` lines, and then how many more there are.
    pub fn unified(&self, lines: usize) -> String {
        let count = self.whole.lines().count();
        if count <= lines {
            return self.whole.clone();
        }
        let mut shown: String = self.whole.split_inclusive('\n').take(lines).collect();
        // writing to a String cannot fail
        let _ = writeln!(shown, "… {} more lines", count - lines);
        shown
    }
}

/// With their ends, cut like those that may be shown.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The line as it may be shown.
fn line<'a>(change: &Change<&str>, old: &'a [String], new: &'a [String]) -> &'a str {
    let known = match (change.old_index(), change.new_index()) {
        (Some(at), _) => old.get(at),
        (None, Some(at)) => new.get(at),
        (None, None) => None,
    };
    known.map_or("", String::as_str)
}

/// What tells a line that ends as on Windows from the same one that does not.
fn end(change: &Change<&str>) -> &'static str {
    if change.value().ends_with("\r\n") {
        "␍"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_lines_are_told_apart() {
        let found = Difference::between("a", Some(b"one\r\ntwo\n"), Some(b"one\ntwo\n"));
        assert_eq!((found.added, found.removed), (1, 1));
        let text = found.unified(usize::MAX);
        assert!(text.contains("-one␍\n+one\n two\n"), "{text}");
    }

    #[test]
    fn lines_are_counted_and_a_long_diff_says_how_much_is_left_out() {
        let found = Difference::between("a/b", Some(b"one\ntwo\n"), Some(b"one\n2\nthree\n"));
        assert_eq!((found.added, found.removed), (2, 1));
        let text = found.unified(usize::MAX);
        assert!(text.starts_with("--- a/b\n+++ a/b\n"), "{text}");
        assert!(text.contains("@@ -1,2 +1,3 @@\n one\n"), "{text}");
        assert!(text.contains("-two\n+2\n+three\n"), "{text}");
        assert!(
            found.unified(2).ends_with("… 5 more lines\n"),
            "{}",
            found.unified(2)
        );
        let made = Difference::between("a/b", None, Some(b"one\n"));
        assert!(made.unified(9).starts_with("--- /dev/null\n+++ a/b\n"));
        let cut = Difference::between("a", Some(b"one"), Some(b"one\n"));
        assert!(
            cut.unified(9).contains("-one\n\\ No newline"),
            "{}",
            cut.unified(9)
        );
    }

    #[test]
    fn a_secret_that_changes_is_a_change_that_does_not_show_it() {
        let found = Difference::between("a", Some(b"password=hunter2\n"), Some(b"password=x\n"));
        assert_eq!((found.added, found.removed), (1, 1));
        let text = found.unified(usize::MAX);
        assert!(
            text.contains("-password=(sensitive)\n+password=(sensitive)\n"),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }
}
