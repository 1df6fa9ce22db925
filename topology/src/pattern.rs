//! Patterns of topic and group names, as MirrorMaker 2 writes them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};
use serde::{Serialize, Serializer};

/// The longest name Kafka allows for a topic, in bytes.
pub(crate) const LONGEST_TOPIC_NAME: usize = 249;

/// A regular expression, or a comma-separated list of them, that has to match a whole name.
///
/// This is how MirrorMaker 2 reads `topics` and `groups`. A comma inside brackets, braces or
/// parentheses, or after a backslash, belongs to the expression (MirrorMaker 2 would split there and fail).
/// Displays, serialises and compares as it was written.
#[derive(Clone)]
pub struct Pattern {
    written: String,
    regex: Regex,
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{part}` is not a regular expression: {problem}")]
pub struct PatternError {
    /// The expression of the list that is wrong.
    pub part: String,
    /// What is wrong with it, in one line.
    pub problem: String,
    /// The bytes of `part` that are wrong.
    pub range: Range<usize>,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When one of the expressions is not a regular expression, or the list is empty.
    pub fn new(written: &str) -> Result<Self, PatternError> {
        let parts = split_list(written);
        if parts.is_empty() {
            return Err(PatternError {
                part: written.to_owned(),
                problem: "an empty pattern matches no name".to_owned(),
                range: 0..written.len(),
            });
        }
        for part in &parts {
            check_syntax(part)?;
        }
        let joined = parts
            .iter()
            .map(|part| format!("(?:{part})"))
            .collect::<Vec<_>>()
            .join("|");
        let regex = Regex::new(&format!("^(?:{joined})$")).map_err(|error| PatternError {
            part: written.to_owned(),
            problem: match error {
                regex::Error::CompiledTooBig(limit) => {
                    format!("it needs more than {limit} bytes when compiled")
                }
                other => one_line(&other.to_string()),
            },
            range: 0..written.len(),
        })?;
        Ok(Self {
            written: written.to_owned(),
            regex,
        })
    }

    /// Whether the whole name matches.
    pub fn matches(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The expressions of the list, each as written: for those who would split at other commas.
    pub fn parts(&self) -> Vec<&str> {
        split_list(&self.written)
    }

    /// One short name that the pattern matches, if one is easily found.
    ///
    /// It is the witness in diagnostics about overlaps and loops, so it is only given when it does match.
    pub(crate) fn example(&self) -> Option<String> {
        split_list(&self.written).iter().find_map(|part| {
            let hir = regex_syntax::parse(part).ok()?;
            let mut name = String::new();
            append_example(&hir, &mut name)?;
            (!name.is_empty() && self.matches(&name)).then_some(name)
        })
    }
}

/// The parts of a comma-separated list of expressions, trimmed, without empty ones.
fn split_list(written: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut in_class = false;
    let mut start = 0;
    let mut escaped = false;
    for (at, character) in written.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match character {
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '{' | '(' if !in_class => depth += 1,
            '}' | ')' if !in_class => depth = depth.saturating_sub(1),
            ',' if depth == 0 && !in_class => {
                parts.push(&written[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&written[start..]);
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

fn check_syntax(part: &str) -> Result<(), PatternError> {
    let (problem, span) = match regex_syntax::parse(part) {
        Ok(_) => return Ok(()),
        Err(regex_syntax::Error::Parse(error)) => (error.kind().to_string(), *error.span()),
        Err(regex_syntax::Error::Translate(error)) => (error.kind().to_string(), *error.span()),
        // the error type is open for kinds to come; its text is all there is to say about them
        Err(other) => {
            return Err(PatternError {
                part: part.to_owned(),
                problem: one_line(&other.to_string()),
                range: 0..part.len(),
            });
        }
    };
    Err(PatternError {
        part: part.to_owned(),
        problem: one_line(&problem),
        range: span.start.offset..span.end.offset,
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn append_example(hir: &Hir, name: &mut String) -> Option<()> {
    if name.len() > LONGEST_TOPIC_NAME {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(()),
        HirKind::Literal(literal) => {
            name.push_str(std::str::from_utf8(&literal.0).ok()?);
            Some(())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let has = |wanted: char| {
                class
                    .iter()
                    .any(|range| range.start() <= wanted && wanted <= range.end())
            };
            let preferred = ['t', 'a', 'x', 'T', 'A', '0', '1', '-', '_', '.'];
            name.push(preferred.into_iter().find(|wanted| has(*wanted))?);
            Some(())
        }
        HirKind::Class(Class::Bytes(_)) => None,
        HirKind::Repetition(repetition) => {
            let times = if repetition.max == Some(0) {
                0
            } else {
                repetition.min.max(1)
            };
            for _ in 0..times {
                append_example(&repetition.sub, name)?;
            }
            Some(())
        }
        HirKind::Capture(capture) => append_example(&capture.sub, name),
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| append_example(part, name)),
        HirKind::Alternation(choices) => append_example(choices.first()?, name),
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.written)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.written.hash(state);
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl std::str::FromStr for Pattern {
    type Err = PatternError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        Self::new(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_whole_names_only() {
        let pattern = Pattern::new("pay|bill").unwrap();
        assert!(pattern.matches("pay") && pattern.matches("bill"));
        assert!(!pattern.matches("pay.orders") && !pattern.matches("prepay"));
    }

    #[test]
    fn reads_a_list_as_mirrormaker_2_does() {
        let pattern = Pattern::new(r"mm2.*\.internal, .*\.replica, __.*").unwrap();
        assert!(pattern.matches("mm2-offsets.a.internal"));
        assert!(pattern.matches("x.replica"));
        assert!(pattern.matches("__consumer_offsets"));
        assert!(!pattern.matches("orders"));
    }

    #[test]
    fn keeps_commas_that_belong_to_an_expression() {
        let pattern = Pattern::new("a{1,2}, [b,c], (d|e)").unwrap();
        for name in ["a", "aa", "b", ",", "c", "d"] {
            assert!(pattern.matches(name), "{name}");
        }
        assert!(!pattern.matches("2}"));
    }

    #[test]
    fn names_the_wrong_part() {
        let error = Pattern::new("good, bad(").unwrap_err();
        assert_eq!(error.part, "bad(");
        assert_eq!(error.range, 3..4);
        assert_eq!(error.problem, "unclosed group");
        assert!(Pattern::new(" , ").is_err());
    }

    #[test]
    fn examples_match() {
        for (pattern, example) in [
            (".*", "t"),
            (r"pay\..*", "pay.t"),
            ("orders", "orders"),
            ("[0-9]{3}", "000"),
            ("a|b", "a"),
        ] {
            assert_eq!(
                Pattern::new(pattern).unwrap().example().as_deref(),
                Some(example)
            );
        }
        assert_eq!(Pattern::new("a{400}").unwrap().example(), None);
    }
}
