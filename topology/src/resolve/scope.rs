//! What every check needs: where things stand in the text, what was declared, and where findings go.

use std::ops::Range;

use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::pattern::Pattern;
use crate::spec::SizeText;
use crate::structure::Structure;
use crate::suggest;
use crate::tree::Node;
use crate::units;

pub(crate) struct Scope<'a> {
    text: &'a str,
    tree: &'a Node,
    structure: &'a Structure,
    /// The aliases of all clusters that the file declares.
    pub(crate) aliases: Vec<String>,
    pub(crate) findings: Vec<Finding>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(text: &'a str, tree: &'a Node, structure: &'a Structure) -> Self {
        Self {
            text,
            tree,
            structure,
            aliases: Vec::new(),
            findings: Vec::new(),
        }
    }

    pub(crate) fn span(&self, path: &Path) -> Range<usize> {
        self.tree.span_of(path)
    }

    pub(crate) fn key_span(&self, path: &Path) -> Range<usize> {
        self.tree.key_span_of(path)
    }

    /// Whether a value is written here, right or wrong.
    pub(crate) fn is_written(&self, path: &Path) -> bool {
        self.tree.get(path).is_some() || self.structure.was_removed(path)
    }

    /// Whether a wrong value stood here.
    pub(crate) fn was_removed(&self, path: &Path) -> bool {
        self.structure.was_removed(path)
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The line, from 1, on which a value stands: for messages that point back to it.
    pub(crate) fn line(&self, path: &Path) -> usize {
        self.text[..self.span(path).start].matches('\n').count() + 1
    }

    /// Says that something is accepted and not acted on.
    pub(crate) fn declared_only(&mut self, path: &Path, what: &str, hint: &str) {
        let span = self.key_span(path);
        self.add(
            Finding::new(
                Code::DeclaredOnly,
                span,
                format!("`{what}` is accepted, and not acted on by this version"),
                "declared only",
            )
            .hint(hint),
        );
    }

    /// Compiles a pattern, or says where it is wrong.
    pub(crate) fn pattern(&mut self, path: &Path, written: &str) -> Option<Pattern> {
        match Pattern::new(written) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let value = self.span(path);
                // the part stands in the text as it is, unless quoting changed it: then the whole value is marked
                let span = self.text[value.clone()]
                    .find(&error.part)
                    .filter(|_| !error.part.is_empty())
                    .map(|at| value.start + at)
                    .map(|at| at + error.range.start..at + error.range.end)
                    .filter(|span| span.end <= value.end && self.text.get(span.clone()).is_some())
                    .unwrap_or(value);
                let lookaround = error.problem.contains("look-around");
                self.add(
                    Finding::new(
                        Code::InvalidPattern,
                        span,
                        format!("`{}` is not a usable pattern", error.part),
                        error.problem,
                    )
                    .hint(if lookaround {
                        "look-around does not exist here: take more with the pattern and leave some with the exclude pattern"
                    } else {
                        "a regular expression for whole names, or several separated by commas: `pay\\..*, bill`"
                    }),
                );
                None
            }
        }
    }

    /// Whether the alias is declared; says so when it is not.
    pub(crate) fn knows_cluster(&mut self, path: &Path, alias: &str) -> bool {
        if self.aliases.iter().any(|it| it == alias) {
            return true;
        }
        let span = self.span(path);
        let hint = suggest::hint(
            alias,
            "declared clusters",
            self.aliases.iter().map(String::as_str),
        );
        self.add(
            Finding::new(
                Code::UnknownCluster,
                span,
                format!("no cluster has the alias `{alias}`"),
                "not declared under `clusters`",
            )
            .hint(hint),
        );
        false
    }

    /// Whether all aliases of a list are declared and none is listed twice; says what is not so.
    pub(crate) fn clusters(&mut self, path: &Path, aliases: &[String]) -> bool {
        let mut good = true;
        for (at, alias) in aliases.iter().enumerate() {
            let place = path.index(at);
            good &= self.knows_cluster(&place, alias);
            if aliases[..at].contains(alias) {
                good = false;
                let span = self.span(&place);
                self.add(Finding::new(
                    Code::DuplicateReference,
                    span,
                    format!("`{alias}` is listed twice"),
                    "listed again here",
                ));
            }
        }
        good
    }

    /// A number of bytes that is `least` or more; says what is not.
    pub(crate) fn size(&mut self, path: &Path, written: &SizeText, least: u64) -> Option<u64> {
        let bytes = units::size(written);
        if let Some(bytes) = bytes.filter(|bytes| *bytes >= least) {
            return Some(bytes);
        }
        let span = self.span(path);
        self.add(
            Finding::new(
                Code::OutOfRange,
                span,
                if bytes.is_some() {
                    format!("`{path}` has to be {} or more", size_in_words(least))
                } else {
                    format!("`{path}` is more than 64 bits hold")
                },
                bytes.map_or_else(
                    || "too large".to_owned(),
                    |bytes| format!("this is {}", size_in_words(bytes)),
                ),
            )
            .hint("write a number with a unit: `50MB`, `32MiB`"),
        );
        None
    }

    /// Reports names that occur twice; `names` are the values of `key` in the items of the list at `path`.
    pub(crate) fn unique(
        &mut self,
        code: Code,
        list: &Path,
        key: &str,
        names: &[Option<String>],
        what: &str,
    ) {
        for (at, name) in names.iter().enumerate() {
            let Some(name) = name else { continue };
            let Some(first) = names[..at].iter().position(|it| it.as_ref() == Some(name)) else {
                continue;
            };
            let line = self.line(&list.index(first).key(key));
            let span = self.span(&list.index(at).key(key));
            self.add(
                Finding::new(
                    code,
                    span,
                    format!("two {what} are called `{name}`"),
                    "used again here",
                )
                .hint(format!(
                    "line {line} has it first; give one of them another name"
                )),
            );
        }
    }
}

/// Bytes, in the largest unit that holds them exactly.
fn size_in_words(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes.is_multiple_of(*unit)) {
        Some((unit, name)) if bytes > 0 => format!("{}{name}", bytes / unit),
        Some(_) | None => format!("{bytes} {}", if bytes == 1 { "byte" } else { "bytes" }),
    }
}
