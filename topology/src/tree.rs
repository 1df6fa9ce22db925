//! The YAML text as a tree in which every key and value knows its place.

use std::collections::HashMap;
use std::ops::Range;

use saphyr::Scalar;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::Value;

use crate::code::Code;
use crate::finding::Finding;
use crate::path::{Path, Step};

/// Nesting deeper than this is refused: a topology needs ten levels, and recursion has to end.
const DEEPEST: usize = 64;
/// More nodes than this, after anchors are expanded, are refused.
const MOST_NODES: usize = 1_000_000;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) data: Data,
}

#[derive(Debug, Clone)]
pub(crate) enum Data {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: Node,
}

impl Node {
    /// The value without places.
    pub(crate) fn to_json(&self) -> Value {
        match &self.data {
            Data::Scalar(value) => value.clone(),
            Data::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Data::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.to_json()))
                    .collect(),
            ),
        }
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.data {
            Data::Map(entries) => entries.iter().find(|entry| entry.key == key),
            Data::Scalar(_) | Data::List(_) => None,
        }
    }

    fn child(&self, step: &Step) -> Option<&Self> {
        match (step, &self.data) {
            (Step::Key(key), Data::Map(_)) => self.entry(key).map(|entry| &entry.value),
            (Step::Index(index), Data::List(items)) => items.get(*index),
            _ => None,
        }
    }

    /// The node at a path, when there is one.
    pub(crate) fn get(&self, path: &Path) -> Option<&Self> {
        path.steps()
            .iter()
            .try_fold(self, |node, step| node.child(step))
    }

    /// The node at a path, to repair it.
    pub(crate) fn get_mut(&mut self, path: &Path) -> Option<&mut Self> {
        path.steps()
            .iter()
            .try_fold(self, |node, step| match (step, &mut node.data) {
                (Step::Key(key), Data::Map(entries)) => entries
                    .iter_mut()
                    .find(|entry| &entry.key == key)
                    .map(|entry| &mut entry.value),
                (Step::Index(index), Data::List(items)) => items.get_mut(*index),
                _ => None,
            })
    }

    /// Where to point for the value at a path: the value, or the nearest thing above it that exists.
    pub(crate) fn span_of(&self, path: &Path) -> Range<usize> {
        let mut node = self;
        let mut span = self.headline();
        for step in path.steps() {
            match (node.child(step), step) {
                (Some(child), Step::Key(key)) => {
                    // a whole block is too much to underline: its key says which one it is
                    span = match (&child.data, node.entry(key)) {
                        (Data::Scalar(Value::Null) | Data::List(_) | Data::Map(_), Some(entry)) => {
                            entry.key_span.clone()
                        }
                        (Data::Scalar(_), _) | (_, None) => child.span.clone(),
                    };
                    node = child;
                }
                (Some(child), Step::Index(_)) => {
                    span = child.headline();
                    node = child;
                }
                (None, _) => return span,
            }
        }
        span
    }

    /// Where to point for the key at the end of a path.
    pub(crate) fn key_span_of(&self, path: &Path) -> Range<usize> {
        match path.split_last() {
            Some((parent, Step::Key(key))) => self
                .get(&parent)
                .and_then(|node| node.entry(key))
                .map_or_else(|| self.span_of(path), |entry| entry.key_span.clone()),
            Some((_, Step::Index(_))) | None => self.span_of(path),
        }
    }

    /// The part of a value that stands for it: a scalar itself, else its first key or item.
    fn headline(&self) -> Range<usize> {
        match &self.data {
            Data::Scalar(_) => self.span.clone(),
            Data::List(items) => items
                .first()
                .map_or_else(|| self.span.clone(), Self::headline),
            Data::Map(entries) => entries
                .first()
                .map_or_else(|| self.span.clone(), |entry| entry.key_span.clone()),
        }
    }
}

/// An unfinished list or mapping.
struct Open {
    node: Node,
    anchor: usize,
    /// The key read last in a mapping, waiting for its value.
    key: Option<PendingKey>,
}

enum PendingKey {
    Named(String, Range<usize>),
    /// A key that cannot be used; it was reported, and its value is dropped.
    Refused,
}

/// Reads one YAML document, collecting what is wrong with it.
///
/// The tree is absent when the text is not YAML or holds no document.
pub(crate) fn read(text: &str) -> (Option<Node>, Vec<Finding>) {
    let mut reader = Reader::new(text);
    let mut parser = Parser::new_from_str(text);
    let tree = match reader.document(&mut parser) {
        Read::Document(tree) => reader
            .is_the_last(&mut parser)
            .then_some(tree)
            .and_then(|tree| reader.unless_empty(tree)),
        Read::End => reader.unless_empty(None),
        Read::Flawed => None,
    };
    (tree, reader.flaws)
}

/// Reads every YAML document of a text, collecting what is wrong with them. Empty documents are left out; after a document
/// that is not YAML there are no more.
pub(crate) fn read_all(text: &str) -> (Vec<Node>, Vec<Finding>) {
    let mut reader = Reader::new(text);
    let mut parser = Parser::new_from_str(text);
    let mut trees = Vec::new();
    while let Read::Document(tree) = reader.document(&mut parser) {
        trees.extend(tree.filter(|tree| !is_nothing(tree)));
    }
    (trees, reader.flaws)
}

/// What is read of a text.
type Events<'a> = Parser<'a, StrInput<'a>>;

/// What the parser had.
enum Read {
    /// A document; one may be without a value.
    Document(Option<Node>),
    /// No document any more.
    End,
    /// Something that ends the reading; it was reported.
    Flawed,
}

fn is_nothing(tree: &Node) -> bool {
    matches!(tree.data, Data::Scalar(Value::Null))
}

struct Reader<'a> {
    text: &'a str,
    offsets: Offsets,
    flaws: Vec<Finding>,
    stack: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            offsets: Offsets::new(text),
            flaws: Vec::new(),
            stack: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            nodes: 0,
        }
    }

    fn not_yaml(&mut self, error: &ScanError) {
        let at = self.offsets.byte(*error.marker());
        let end = self.text[at..]
            .chars()
            .next()
            .map_or(at, |c| at + c.len_utf8());
        self.flaws.push(
                        Finding::new(
                            Code::YamlSyntax,
                            at..end,
                            format!("this is not YAML: {}", error.info()),
                            "the reader stopped here",
                        )
                        .hint("the mistake is often a little before this place: indentation, a missing `:` or an unclosed quote"),
                    );
    }

    /// Whether nothing follows the first document.
    fn is_the_last(&mut self, parser: &mut Events<'_>) -> bool {
        while let Some(next) = parser.next_event() {
            match next {
                Ok((Event::DocumentStart(_), span)) => {
                    let range = self.range(span);
                    self.flaws.push(
                        Finding::new(
                            Code::SeveralDocuments,
                            range,
                            "a topology is one YAML document, this file holds several",
                            "a second document begins here",
                        )
                        .hint("put the other documents into files of their own"),
                    );
                    return true;
                }
                Ok(_) => {}
                Err(error) => {
                    self.not_yaml(&error);
                    return false;
                }
            }
        }
        true
    }

    /// The tree, which a file without a value has not.
    fn unless_empty(&mut self, tree: Option<Node>) -> Option<Node> {
        if tree.as_ref().is_none_or(is_nothing) {
            self.flaws.push(
                Finding::new(
                    Code::EmptyFile,
                    0..0,
                    "the file declares nothing",
                    "expected a topology",
                )
                .hint("begin with `apiVersion: mirrorctl.io/v1` and `kind: Topology`"),
            );
            return None;
        }
        tree
    }

    /// The next document.
    fn document(&mut self, parser: &mut Events<'_>) -> Read {
        while let Some(next) = parser.next_event() {
            let (event, span) = match next {
                Ok(found) => found,
                Err(error) => {
                    self.not_yaml(&error);
                    return Read::Flawed;
                }
            };
            let range = self.range(span);
            // levels that an alias adds below the open ones
            let mut below = 0;
            match event {
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_) => {}
                Event::DocumentEnd => return Read::Document(self.root.take()),
                Event::Scalar(value, style, anchor, tag) => {
                    let value = self.scalar(value, style, tag.as_deref(), &range);
                    let node = Node {
                        span: range,
                        data: Data::Scalar(value),
                    };
                    self.finish(node, anchor);
                }
                Event::SequenceStart(anchor, tag) => {
                    self.open(Data::List(Vec::new()), range, anchor, tag.as_deref());
                }
                Event::MappingStart(anchor, tag) => {
                    self.open(Data::Map(Vec::new()), range, anchor, tag.as_deref());
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    if let Some(mut open) = self.stack.pop() {
                        open.node.span.end = range.end.max(open.node.span.start);
                        self.finish(open.node, open.anchor);
                    }
                }
                Event::Alias(anchor) => {
                    // an alias inside its own anchor refers to a node that is not finished; it has no value
                    let node = self.anchors.get(&anchor).cloned().unwrap_or(Node {
                        span: range,
                        data: Data::Scalar(Value::Null),
                    });
                    self.nodes += count(&node);
                    below = depth(&node);
                    self.finish(node, 0);
                }
            }
            self.nodes += 1;
            if self.stack.len() + below > DEEPEST || self.nodes > MOST_NODES {
                let at = self.range(span);
                self.flaws.push(Finding::new(
                    Code::TooComplex,
                    at,
                    format!(
                        "the file nests deeper than {DEEPEST} levels or holds more than {MOST_NODES} values"
                    ),
                    "the limit is reached here",
                ));
                return Read::Flawed;
            }
        }
        Read::End
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.offsets.byte(span.start);
        let end = self.offsets.byte(span.end).max(start);
        start..end
    }

    fn scalar(
        &mut self,
        value: std::borrow::Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        range: &Range<usize>,
    ) -> Value {
        let tag = tag.map(|tag| std::borrow::Cow::<Tag>::Owned(tag.clone()));
        if tag.as_ref().is_some_and(|tag| !tag.is_yaml_core_schema()) {
            self.unsupported_tag(range.clone());
        }
        match Scalar::parse_from_cow_and_metadata(value, style, tag.as_ref()) {
            Some(Scalar::Null) => Value::Null,
            Some(Scalar::Boolean(value)) => Value::Bool(value),
            Some(Scalar::Integer(value)) => Value::from(value),
            // infinity and not-a-number have no JSON form; as text they fail the type check, with their place
            Some(Scalar::FloatingPoint(value)) => serde_json::Number::from_f64(value.into_inner())
                .map_or_else(|| Value::from(value.to_string()), Value::Number),
            Some(Scalar::String(value)) => Value::from(value.into_owned()),
            None => {
                self.unsupported_tag(range.clone());
                Value::Null
            }
        }
    }

    fn unsupported_tag(&mut self, range: Range<usize>) {
        self.flaws.push(
            Finding::new(
                Code::UnsupportedTag,
                range,
                "YAML tags of one's own are not understood here",
                "this value carries a tag that does not fit it",
            )
            .hint("write the value without `!…`"),
        );
    }

    fn open(&mut self, data: Data, range: Range<usize>, anchor: usize, tag: Option<&Tag>) {
        if tag.is_some_and(|tag| !tag.is_yaml_core_schema()) {
            self.unsupported_tag(range.clone());
        }
        self.stack.push(Open {
            node: Node { span: range, data },
            anchor,
            key: None,
        });
    }

    /// Puts a finished node where it belongs: into the list or mapping around it, or at the root.
    fn finish(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.stack.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut parent.node.data {
            Data::List(items) => items.push(node),
            Data::Map(entries) => match parent.key.take() {
                None => parent.key = Some(as_key(node, entries, &mut self.flaws)),
                Some(PendingKey::Named(key, key_span)) => entries.push(Entry {
                    key,
                    key_span,
                    value: node,
                }),
                Some(PendingKey::Refused) => {}
            },
            Data::Scalar(_) => {}
        }
    }
}

fn as_key(node: Node, entries: &[Entry], flaws: &mut Vec<Finding>) -> PendingKey {
    let key = match &node.data {
        Data::Scalar(Value::String(key)) => key.clone(),
        // `1: x` and `true: x` are meant as text where the keys are names
        Data::Scalar(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        Data::Scalar(_) | Data::List(_) | Data::Map(_) => {
            flaws.push(Finding::new(
                Code::BadKey,
                node.headline(),
                "a key has to be a text",
                "this is used as a key",
            ));
            return PendingKey::Refused;
        }
    };
    if entries.iter().any(|entry| entry.key == key) {
        flaws.push(
            Finding::new(
                Code::DuplicateKey,
                node.span,
                format!("the key `{key}` is written twice in one mapping"),
                "written again here",
            )
            .hint("keep one of them: the other would be lost"),
        );
        return PendingKey::Refused;
    }
    PendingKey::Named(key, node.span)
}

fn count(node: &Node) -> usize {
    match &node.data {
        Data::Scalar(_) => 1,
        Data::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        Data::Map(entries) => {
            1 + entries
                .iter()
                .map(|entry| count(&entry.value))
                .sum::<usize>()
        }
    }
}

fn depth(node: &Node) -> usize {
    match &node.data {
        Data::Scalar(_) => 1,
        Data::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Data::Map(entries) => {
            1 + entries
                .iter()
                .map(|entry| depth(&entry.value))
                .max()
                .unwrap_or(0)
        }
    }
}

/// Byte offsets of characters: the YAML reader counts characters, everything else here counts bytes.
struct Offsets {
    /// Where each character begins; empty when every character is one byte.
    starts: Vec<usize>,
    len: usize,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let starts = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).collect()
        };
        Self {
            starts,
            len: text.len(),
        }
    }

    fn byte(&self, marker: Marker) -> usize {
        if self.starts.is_empty() {
            marker.index().min(self.len)
        } else {
            self.starts.get(marker.index()).copied().unwrap_or(self.len)
        }
    }
}
