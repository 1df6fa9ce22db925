//! The plan as people read it: lines of toned pieces, wrapped to a width, and their plain or
//! coloured text. JSON is the other rendering of the same value ([`Plan::to_json`]).

mod figures;
mod infrastructure;
mod left;

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as AnsiStyle};

pub use self::figures::count;
use crate::change::{Action, Detail, Resource, ResourceChange, Risk};
use crate::document::{ClusterRef, Plan};
use crate::draft::DECLARED_NO_LONGER;
use crate::home::Home;
use crate::infrastructure::Infrastructure;
use crate::observed::ConfigOrigin;
use crate::proof::Severity;
use crate::span;
use crate::withdrawn::NOT_DESTROYED;

/// Indent of a resource's attributes.
const INDENT: usize = 6;
/// Cases of one finding that are printed; the JSON form has all of them.
const CASES_SHOWN: usize = 5;
/// The lines of a unified diff that name the file: the address does.
const DIFF_HEADER: usize = 2;
/// Lines of a diff that are printed of each file; the JSON form has more.
const DIFF_SHOWN: usize = 16;
/// No wrapping below this width: a word a line is harder to read than a line that the terminal
/// breaks.
const NARROWEST: usize = 40;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour with ANSI escapes.
    pub color: bool,
    /// Columns of the terminal; explanations are wrapped to it.
    pub width: usize,
}

/// What a piece of a line says, from which a renderer takes its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Plain text.
    Plain,
    /// A cluster's heading, or the summary.
    Heading,
    /// Something that will be created.
    Add,
    /// Something that will be changed.
    Change,
    /// Something that will be deleted.
    Delete,
    /// A risk above safe.
    Risk,
    /// A refusal.
    Blocked,
    /// Less important text.
    Dim,
}

/// One line, cut into pieces of one tone each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line(pub Vec<(Tone, String)>);

impl Line {
    fn of(tone: Tone, text: impl Into<String>) -> Self {
        Self(vec![(tone, text.into())])
    }

    fn and(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.0.push((tone, text.into()));
        self
    }
}

/// Prints the whole plan, with a final newline.
pub fn render_human(plan: &Plan, style: Style) -> String {
    print(lines(plan, style.width), style)
}

/// Prints what was seen of infrastructure alone, for when there is no plan.
pub fn render_infrastructure(seen: &Infrastructure, style: Style) -> String {
    let mut lines = Vec::new();
    infrastructure::lines(seen, style.width.max(NARROWEST), &mut lines);
    print(lines, style)
}

fn print(lines: Vec<Line>, style: Style) -> String {
    let mut text = String::new();
    for Line(pieces) in lines {
        for (tone, piece) in pieces {
            // writing to a String cannot fail
            let _ = if style.color && tone != Tone::Plain {
                let ansi = ansi(tone);
                write!(text, "{ansi}{piece}{ansi:#}")
            } else {
                write!(text, "{piece}")
            };
        }
        text.push('\n');
    }
    text
}

/// The lines of the plan, wrapped to `width` columns: changes by cluster, then what is left alone,
/// then the summary.
pub fn lines(plan: &Plan, width: usize) -> Vec<Line> {
    let width = width.max(NARROWEST);
    let mut lines = Vec::new();
    for cluster in &plan.clusters {
        let changes = pending(plan, |home| home.cluster() == Some(cluster.alias.as_str()));
        if changes.is_empty() {
            continue;
        }
        heading(cluster, width, &mut lines);
        for change in changes {
            resource(change, None, width, &mut lines);
        }
        lines.push(Line::default());
    }
    if let Some(folder) = &plan.folder {
        let changes = pending(plan, |home| matches!(home, Home::Folder(_)));
        if !changes.is_empty() {
            let path = printable(&folder.path.display().to_string());
            lines.push(Line::of(Tone::Heading, "files").and(Tone::Dim, format!("  {path}")));
            let refusal = common_refusal(&changes);
            if let Some(message) = refusal {
                explain(
                    Tone::Blocked,
                    &format!("refused: {message}"),
                    2,
                    width,
                    &mut lines,
                );
            }
            for change in changes {
                resource(change, refusal, width, &mut lines);
            }
            lines.push(Line::default());
        }
    }
    left::left_alone(plan, width, &mut lines);
    left::left_behind(plan, &mut lines);
    findings(plan, width, &mut lines);
    if let Some(seen) = &plan.infrastructure {
        infrastructure::lines(seen, width, &mut lines);
    }
    left::shared(plan, width, &mut lines);
    left::former_folders(plan, width, &mut lines);
    if !plan.has_changes() {
        explain(Tone::Plain, &no_changes(plan), 0, width, &mut lines);
    }
    let summary = plan.summary().to_string();
    explain(Tone::Heading, &summary, 0, width, &mut lines);
    lines
}

/// The cluster and where it is; the addresses on lines of their own where they do not fit.
fn heading(cluster: &ClusterRef, width: usize, lines: &mut Vec<Line>) {
    let alias = printable(&cluster.alias);
    let id = printable(&cluster.cluster_id);
    let id = if id.is_empty() { id } else { format!("  {id}") };
    let addresses = cluster.bootstrap.join(",");
    let used = [&alias, &id, &addresses].map(|it| it.chars().count());
    let heading = Line::of(Tone::Heading, alias).and(Tone::Dim, id);
    if used.iter().sum::<usize>() + 2 <= width {
        lines.push(heading.and(Tone::Dim, format!("  {addresses}")));
    } else {
        lines.push(heading);
        explain(Tone::Dim, &cluster.bootstrap.join(", "), 2, width, lines);
    }
}

/// What is to be changed in some home.
fn pending(plan: &Plan, here: impl Fn(&Home) -> bool) -> Vec<&ResourceChange> {
    let changes = plan.resource_changes.iter();
    changes
        .filter(|change| here(&change.home) && change.is_pending())
        .collect()
}

fn no_changes(plan: &Plan) -> String {
    let declared = || {
        let changes = plan.resource_changes.iter();
        changes.filter(|change| change.reason != DECLARED_NO_LONGER)
    };
    let (resources, clusters) = (declared().count(), plan.clusters.len());
    let is_topic = |change: &ResourceChange| matches!(change.resource, Resource::Topic(_));
    if plan.resource_changes.is_empty() {
        return match &plan.infrastructure {
            None => "No changes: no resource is declared, or none is selected.",
            Some(seen) if seen.observed.is_empty() => {
                "Nothing to apply, and nothing is known about the infrastructure: it was not looked at."
            }
            Some(_) => "Nothing to apply: no other resource is declared, or none is selected.",
        }
        .to_owned();
    }
    if resources == 0 {
        return "No changes.".to_owned();
    }
    let refused = declared().filter(|change| change.reason == NOT_DESTROYED);
    match refused.count() {
        0 => {}
        refused => return format!("No changes: {} refused.", count(refused as i128)),
    }
    let noun = if declared().all(is_topic) {
        "topic"
    } else {
        "resource"
    };
    let (plural, are) = if resources == 1 {
        ("", "is")
    } else {
        ("s", "are")
    };
    let clusters = match clusters {
        0 => None,
        1 => Some("on 1 cluster".to_owned()),
        more => Some(format!("on {more} clusters")),
    };
    let folder = plan.folder.as_ref();
    let folder = folder.map(|it| format!("in {}", printable(&it.path.display().to_string())));
    let places: Vec<String> = clusters.into_iter().chain(folder).collect();
    let places = places.join(" and ");
    let resources = count(resources as i128);
    format!("No changes: {resources} declared {noun}{plural} {places} {are} as declared.")
}

/// Why none of several changes can be made, where it is the same for all of them: what is damaged is damaged once.
fn common_refusal<'a>(changes: &[&'a ResourceChange]) -> Option<&'a str> {
    let [first, _, ..] = changes else {
        return None;
    };
    let [block] = first.blocked.as_slice() else {
        return None;
    };
    let same = changes.iter().all(|it| it.blocked == first.blocked);
    same.then_some(block.message.as_str())
}

/// A change; `said` is a refusal that was printed before.
fn resource(change: &ResourceChange, said: Option<&str>, width: usize, lines: &mut Vec<Line>) {
    let (symbol, tone) = if change.is_blocked() {
        ('!', Tone::Blocked)
    } else {
        match change.action() {
            Action::NoOp => (' ', Tone::Plain),
            Action::Create => ('+', Tone::Add),
            Action::Update => ('~', Tone::Change),
            Action::Delete => ('-', Tone::Delete),
        }
    };
    let tag = if change.is_blocked() {
        Some((Tone::Blocked, "  [blocked]".to_owned()))
    } else if change.risk > Risk::Safe {
        Some((Tone::Risk, format!("  [{}]", change.risk)))
    } else {
        None
    };
    let address = format!("  {symbol} {}", printable(&change.address));
    let reason = printable(&change.reason);
    let used = [&address, &reason]
        .into_iter()
        .chain(tag.as_ref().map(|(_, text)| text));
    let fits = used.map(|text| text.chars().count()).sum::<usize>() + 2 <= width;
    let mut title = Line::of(tone, address);
    if fits {
        title = title.and(Tone::Dim, format!("  {reason}"));
    }
    if let Some((tone, text)) = tag {
        title = title.and(tone, text);
    }
    lines.push(title);
    if !fits {
        explain(Tone::Dim, &reason, INDENT, width, lines);
    }

    let column = change
        .details
        .iter()
        .map(|detail| label(detail).len())
        .max()
        .unwrap_or(0);
    for detail in &change.details {
        lines.push(Line::of(
            Tone::Plain,
            format!(
                "{:INDENT$}{:column$}   {}",
                "",
                label(detail),
                values(detail)
            ),
        ));
        if let Some(reason) = &detail.reason {
            let text = format!("{}: {reason}", detail.risk);
            explain(Tone::Risk, &text, INDENT + 2, width, lines);
        }
    }
    let diff = change.diff.as_deref().unwrap_or_default();
    for line in diff.lines().skip(DIFF_HEADER).take(DIFF_SHOWN) {
        let tone = match line.chars().next() {
            Some('+') => Tone::Add,
            Some('-') => Tone::Delete,
            Some(_) | None => Tone::Dim,
        };
        let text = format!("{:indent$}{}", "", printable(line), indent = INDENT + 2);
        lines.push(Line::of(tone, text));
    }
    let more = diff
        .lines()
        .count()
        .saturating_sub(DIFF_HEADER + DIFF_SHOWN);
    if more > 0 {
        let text = "… the JSON output has more of it";
        explain(Tone::Dim, text, INDENT + 2, width, lines);
    }
    let blocks = change.blocked.iter();
    for block in blocks.filter(|it| Some(it.message.as_str()) != said) {
        explain(
            Tone::Blocked,
            &format!("refused: {}", block.message),
            INDENT,
            width,
            lines,
        );
    }
    for note in &change.notes {
        explain(Tone::Dim, &format!("note: {note}"), INDENT, width, lines);
    }
}

/// What does not hold of mirrors.
fn findings(plan: &Plan, width: usize, lines: &mut Vec<Line>) {
    if plan.findings.is_empty() {
        return;
    }
    lines.push(Line::of(Tone::Heading, "Mirrors:"));
    for finding in &plan.findings {
        let (symbol, tone) = match finding.severity {
            Severity::Blocked => ('!', Tone::Blocked),
            Severity::Warning => ('?', Tone::Risk),
        };
        let title = format!("  {symbol} {}  {}", printable(&finding.address), finding.id);
        lines.push(Line::of(tone, title).and(tone, format!("  [{}]", finding.severity)));
        explain(Tone::Plain, &finding.message, INDENT, width, lines);
        for case in finding.evidence.iter().take(CASES_SHOWN) {
            explain(Tone::Dim, case, INDENT + 2, width, lines);
        }
        let more = finding.evidence.len().saturating_sub(CASES_SHOWN);
        if more > 0 {
            let text = format!("… and {more} more in the JSON output");
            explain(Tone::Dim, &text, INDENT + 2, width, lines);
        }
        if let Some(hint) = &finding.hint {
            explain(Tone::Dim, &format!("hint: {hint}"), INDENT, width, lines);
        }
    }
    lines.push(Line::default());
}

fn label(detail: &Detail) -> String {
    let name = detail
        .attribute
        .strip_prefix("config.")
        .unwrap_or(&detail.attribute);
    // an attribute of the topic reads as words, a configuration key as Kafka writes it
    if detail.attribute.starts_with("config.") {
        printable(name)
    } else {
        name.replace('_', " ")
    }
}

fn values(detail: &Detail) -> String {
    let name = detail
        .attribute
        .strip_prefix("config.")
        .unwrap_or(&detail.attribute);
    let after = match &detail.after {
        Some(after) => annotated(after, unit(name, after).into_iter()),
        None => "the brokers' default".to_owned(),
    };
    match &detail.before {
        None => after,
        Some(before) => {
            let origin = match detail.origin {
                Some(ConfigOrigin::Default) => Some("default".to_owned()),
                Some(ConfigOrigin::Broker) => Some("broker setting".to_owned()),
                Some(ConfigOrigin::Topic | ConfigOrigin::Other) | None => None,
            };
            let before = annotated(before, unit(name, before).into_iter().chain(origin));
            format!("{before} → {after}")
        }
    }
}

fn annotated(value: &str, remarks: impl Iterator<Item = String>) -> String {
    let remarks: Vec<String> = remarks.collect();
    let value = if value.is_empty() {
        "(empty)".to_owned()
    } else {
        printable(value)
    };
    if remarks.is_empty() {
        value
    } else {
        format!("{value} ({})", remarks.join(", "))
    }
}

/// A value of milliseconds or bytes in the largest unit that expresses it exactly; what a limit of clients counts.
fn unit(key: &str, value: &str) -> Option<String> {
    const BYTES: [(i64, &str); 4] = [
        (1 << 40, "TiB"),
        (1 << 30, "GiB"),
        (1 << 20, "MiB"),
        (1 << 10, "KiB"),
    ];
    let bytes = |number: i64| {
        let fits = |(size, _): &&(i64, &str)| number >= *size && number % size == 0;
        let (size, name) = BYTES.iter().find(fits)?;
        Some(format!("{} {name}", number / size))
    };
    // limits of clients are no whole numbers, always
    value.trim().parse::<f64>().ok()?;
    let number = value.trim().parse::<i64>().ok();
    if number == Some(-1) && key.starts_with("retention.") {
        return Some("no limit".to_owned());
    }
    match (key.rsplit_once('.'), key) {
        (Some((_, "ms")), _) => span::exact(number?),
        (Some((_, "bytes")), _) => bytes(number?),
        (None, "producer_byte_rate" | "consumer_byte_rate") => Some(
            number
                .and_then(bytes)
                .map_or_else(|| "bytes/s".to_owned(), |bytes| format!("{bytes}/s")),
        ),
        (None, "request_percentage") => Some("% of a thread".to_owned()),
        (None, "controller_mutation_rate") => Some("mutations/s".to_owned()),
        (None, "connection_creation_rate") => Some("connections/s".to_owned()),
        (Some(_) | None, _) => None,
    }
}

/// Words wrapped to `width` columns, each line indented.
fn explain(tone: Tone, text: &str, indent: usize, width: usize, lines: &mut Vec<Line>) {
    let mut line = String::new();
    for word in printable(text).split(' ') {
        let used = if line.is_empty() {
            0
        } else {
            line.chars().count() + 1
        };
        if used > 0 && indent + used + word.chars().count() > width {
            lines.push(Line::of(tone, format!("{:indent$}{line}", "")));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(Line::of(tone, format!("{:indent$}{line}", "")));
}

/// Live values and brokers' messages come from elsewhere: control characters, which could rewrite
/// the terminal, are shown and not sent.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() {
            printable.extend(char.escape_default());
        } else {
            printable.push(char);
        }
    }
    printable
}

fn ansi(tone: Tone) -> AnsiStyle {
    let color = |color: AnsiColor| AnsiStyle::new().fg_color(Some(color.into()));
    match tone {
        Tone::Plain => AnsiStyle::new(),
        Tone::Heading => AnsiStyle::new().bold(),
        Tone::Add => color(AnsiColor::Green),
        Tone::Change => color(AnsiColor::Yellow),
        Tone::Delete => color(AnsiColor::Red),
        Tone::Risk => color(AnsiColor::Magenta),
        Tone::Blocked => color(AnsiColor::Red).bold(),
        Tone::Dim => AnsiStyle::new().dimmed(),
    }
}
