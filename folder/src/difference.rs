//! How the lines of a file change.

use std::fmt::Write as _;

use similar::{ChangeTag, TextDiff};

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
    /// From what there is to what is wanted; nothing stands for a file that is not there.
    pub fn between(path: &str, before: Option<&[u8]>, after: Option<&[u8]>) -> Self {
        let text = |bytes: Option<&[u8]>| {
            bytes.map_or_else(String::new, |it| String::from_utf8_lossy(it).into_owned())
        };
        let name = |there: bool| if there { path } else { "/dev/null" };
        let (old, new) = (text(before), text(after));
        let diff = TextDiff::from_lines(&old, &new);
        let count = |tag| diff.iter_all_changes().filter(|it| it.tag() == tag).count();
        let (added, removed) = (count(ChangeTag::Insert), count(ChangeTag::Delete));
        let whole = diff
            .unified_diff()
            .context_radius(CONTEXT)
            .header(name(before.is_some()), name(after.is_some()))
            .to_string();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_a_long_diff_says_how_much_is_left_out() {
        let found = Difference::between("a/b", Some(b"one\ntwo\n"), Some(b"one\n2\nthree\n"));
        assert_eq!((found.added, found.removed), (2, 1));
        let text = found.unified(usize::MAX);
        assert!(text.starts_with("--- a/b\n+++ a/b\n"), "{text}");
        assert!(text.contains("-two\n+2\n+three\n"), "{text}");
        assert!(
            found.unified(2).ends_with("… 5 more lines\n"),
            "{}",
            found.unified(2)
        );
        let made = Difference::between("a/b", None, Some(b"one\n"));
        assert!(made.unified(9).starts_with("--- /dev/null\n+++ a/b\n"));
    }
}
