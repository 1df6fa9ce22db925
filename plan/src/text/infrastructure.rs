//! What was seen of networks and machines.

use super::{INDENT, Line, Tone, explain, printable};
use crate::infrastructure::{Drift, DriftDetail, DriftKind, Infrastructure, NotObserved};

const TITLE: &str = "Infrastructure (observed only, `apply` leaves it alone):";
/// What is repaired, and by whom.
const REPAIR: &str = "`terraform apply` of the root that `mirrorctl render` writes repairs what is missing or changed; it removes nothing that others made, and starts no machine that was stopped";

/// A section of its own, with an empty line behind it.
pub(super) fn lines(seen: &Infrastructure, width: usize, lines: &mut Vec<Line>) {
    if !seen.drift.is_empty() {
        lines.push(Line::of(Tone::Heading, TITLE));
    }
    for drift in &seen.drift {
        one(drift, width, lines);
    }
    if !seen.drift.is_empty() {
        explain(Tone::Dim, &format!("hint: {REPAIR}"), 2, width, lines);
    }
    for missed in &seen.not_observed {
        not_observed(missed, width, lines);
    }
    if !seen.observed.is_empty() {
        explain(Tone::Plain, &result(seen), 0, width, lines);
    }
    lines.push(Line::default());
}

fn result(seen: &Infrastructure) -> String {
    let found = match seen.drift.len() {
        0 => "no drift".to_owned(),
        1 => "1 difference".to_owned(),
        more => format!("{more} differences"),
    };
    let besides = match seen.left_out {
        0 => String::new(),
        more => format!(" ({more} more not asked for)"),
    };
    let compared = match seen.compared {
        1 => "1 resource".to_owned(),
        more => format!("{more} resources"),
    };
    let places = seen.observed.join(", ");
    format!("Infrastructure: {found}{besides}, {compared} compared in {places}.")
}

fn one(drift: &Drift, width: usize, lines: &mut Vec<Line>) {
    let tone = match drift.kind {
        DriftKind::Missing => Tone::Delete,
        DriftKind::Changed => Tone::Change,
        DriftKind::Foreign => Tone::Risk,
    };
    let title = Line::of(tone, format!("  ≠ {}", printable(&drift.address)));
    let title = match &drift.id {
        Some(id) => title.and(Tone::Dim, format!("  {}", printable(id))),
        None => title,
    };
    lines.push(title.and(tone, format!("  [{}]", drift.kind)));
    explain(Tone::Dim, &drift.reason, INDENT, width, lines);
    let column = drift
        .details
        .iter()
        .map(|detail| detail.attribute.chars().count())
        .max()
        .unwrap_or(0);
    for detail in &drift.details {
        let attribute = printable(&detail.attribute);
        let values = values(detail);
        lines.push(Line::of(
            Tone::Plain,
            format!("{:INDENT$}{attribute:column$}   {values}", ""),
        ));
    }
}

fn values(DriftDetail { live, declared, .. }: &DriftDetail) -> String {
    let shown = |value: &Option<String>| {
        value
            .as_deref()
            .map_or_else(|| "(none)".to_owned(), printable)
    };
    format!("is {}, declared {}", shown(live), shown(declared))
}

fn not_observed(missed: &NotObserved, width: usize, lines: &mut Vec<Line>) {
    let (symbol, tone) = if missed.failed {
        ('!', Tone::Blocked)
    } else {
        ('?', Tone::Dim)
    };
    let text = format!("{symbol} {}", missed.message);
    explain(tone, &text, 2, width, lines);
    if let Some(hint) = &missed.hint {
        explain(Tone::Dim, &format!("hint: {hint}"), INDENT, width, lines);
    }
}
