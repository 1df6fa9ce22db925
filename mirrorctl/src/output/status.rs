//! What `status` read.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use comfy_table::Cell;
use replicator::{Condition, PartitionStatus, Position, PositionKey};
use serde_json::{Value, json};
use topology::MirrorState;

use crate::follow::{By, Shown};
use crate::output::figures::{count, counted, elapsed, known};
use crate::output::lag::FEW;
use crate::output::style::{
    BAD, DIM, HEAD, WARN, bad, good, indented, number, table, unbroken, warn,
};

/// How far one mirror from one source is.
#[derive(Debug)]
pub(crate) struct MirrorStatus {
    /// Name of the mirror.
    pub(crate) mirror: String,
    /// Alias of the source.
    pub(crate) source: String,
    /// Alias of the target.
    pub(crate) target: String,
    /// Whether it is meant to run.
    pub(crate) state: Shown,
    /// What selects its topics.
    pub(crate) selection: String,
    /// Each partition, sorted; none where the source could not be reached.
    pub(crate) partitions: Vec<PartitionStatus>,
    /// What there is instead, where the source could not be reached.
    pub(crate) committed: Option<Committed>,
}

/// What the target alone shows of a mirror.
#[derive(Debug)]
pub(crate) struct Committed {
    /// Why the source could not be reached.
    pub(crate) unreached: String,
    /// Where partitions were copied to, as far as that is known.
    pub(crate) positions: BTreeMap<PositionKey, Position>,
}

impl MirrorStatus {
    /// Partitions that somebody should look at; none of a promoted mirror, which copies nothing any more.
    pub(crate) fn needing(&self) -> impl Iterator<Item = &PartitionStatus> {
        let copies = self.state.state != MirrorState::Promoted;
        let partitions = self.partitions.iter().filter(move |_| copies);
        partitions.filter(|it| it.condition.needs_attention())
    }

    fn telling(&self) -> &'static Telling {
        if self.state.over { &OVER } else { &COPIED }
    }

    /// Nothing where it is not known of all partitions.
    fn lag(&self) -> Option<i64> {
        self.partitions.iter().map(|partition| partition.lag).sum()
    }
}

/// How tables tell of partitions.
struct Telling {
    /// What heads the number of records that are not on the target.
    lag: &'static str,
    condition: fn(Condition) -> Cell,
}

const COPIED: Telling = Telling {
    lag: "lag",
    condition,
};
/// Of a mirror whose promotion is over: nobody copies what is missing, and nobody is late with it.
const OVER: Telling = Telling {
    lag: "not copied",
    condition: when_over,
};

/// A heading and a table a mirror and source: of partitions where there are few or all are wanted, of
/// topics otherwise. What needs attention is named below it, whatever the table shows.
pub(crate) fn status_human(mirrors: &[MirrorStatus], all: bool, width: usize) -> String {
    let mut text = String::new();
    for status in mirrors {
        let MirrorStatus {
            mirror,
            source,
            target,
            state,
            selection,
            partitions,
            committed,
        } = status;
        text.push_str(&format!("{HEAD}{mirror}{HEAD:#}  {source} → {target}\n"));
        if let Some(committed) = committed {
            text.push_str(&format!(
                "  {WARN}{source} cannot be reached{WARN:#}: its lag is not known\n"
            ));
            text.push_str(&meant(state, target));
            text.push_str(&committed_table(&committed.positions, all, width));
            text.push('\n');
            continue;
        }
        text.push_str(&format!("  {DIM}{}{DIM:#}\n", summary(status)));
        text.push_str(&meant(state, target));
        if partitions.is_empty() {
            text.push_str(&format!(
                "  no topic of {source} is selected by {selection}\n\n"
            ));
            continue;
        }
        text.push_str(&if all || partitions.len() <= FEW {
            partition_table(partitions, status.telling(), width)
        } else {
            topic_table(partitions, status.telling(), width)
        });
        text.push_str(&attention(partitions.iter(), all));
        text.push('\n');
    }
    // the page ends with the last table, not with an empty line
    text.truncate(text.trim_end_matches('\n').len());
    text.push('\n');
    text
}

/// How far it is. What the source gets after a promotion is not behind: nobody is to copy it.
fn summary(status: &MirrorStatus) -> String {
    let lag = status.lag();
    match (status.state.state, &status.state.promotion, lag) {
        (MirrorState::Promoted, Some(_), Some(0)) => "nothing of the source is missing".to_owned(),
        (MirrorState::Promoted, Some(_), Some(lag)) => format!(
            "{} of the source not on the target: how the promotion ended says whether they came after it",
            counted(usize::try_from(lag).unwrap_or(0), "record")
        ),
        (MirrorState::Promoted | MirrorState::Running | MirrorState::Paused, ..) => {
            format!("{}, lag {}", states(status.partitions.iter()), known(lag))
        }
    }
}

/// Nothing where the mirror is meant to run, and everybody says so.
fn meant(shown: &Shown, target: &str) -> String {
    let Shown {
        state,
        by,
        record,
        deleted,
        held,
        promotion,
        over: _,
    } = shown;
    let mut text = String::new();
    if *state != MirrorState::Running {
        let by = match by {
            By::Topology => "by the topology".to_owned(),
            By::Record => format!("by its record on {target}"),
            By::Both => format!("by the topology and its record on {target}"),
        };
        text.push_str(&format!("  {WARN}{}{WARN:#} {by}\n", state.word()));
        if let Some(record) = record {
            text.push_str(&format!("  {DIM}record on {target}: {record}{DIM:#}\n"));
        }
    }
    if *deleted {
        text.push_str(&format!(
            "  {WARN}its record on {target} was deleted{WARN:#}: a replicator that has seen it holds the mirror until it is applied \
             again\n"
        ));
    }
    let held = held.as_ref().map(|why| format!("held: {why}"));
    for line in held.iter().chain(promotion) {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

/// `3 partitions caught up, 1 behind`, the gravest first.
fn states<'p>(partitions: impl Iterator<Item = &'p PartitionStatus>) -> String {
    let mut counts: BTreeMap<Condition, usize> = BTreeMap::new();
    for partition in partitions {
        *counts.entry(partition.condition).or_default() += 1;
    }
    let words: Vec<String> = counts
        .iter()
        .map(|(condition, number)| format!("{} {}", count(*number as i128), condition.words()))
        .collect();
    if words.is_empty() {
        "0 partitions".to_owned()
    } else {
        words.join(", ")
    }
}

fn partition_table(partitions: &[PartitionStatus], telling: &Telling, width: usize) -> String {
    let renamed = partitions
        .iter()
        .any(|it| it.source_topic != it.target_topic);
    let mut header = vec![
        "topic",
        "partition",
        "state",
        "position",
        telling.lag,
        "committed",
    ];
    if renamed {
        header.insert(1, "on the target");
    }
    let mut rows = table(width.saturating_sub(2), &header);
    for partition in partitions {
        let mut row = vec![
            Cell::new(&partition.source_topic),
            number(partition.partition),
            (telling.condition)(partition.condition),
            number(partition.position.map_or_else(|| "–".to_owned(), count)),
            number(known(partition.lag)),
            Cell::new(committed(partition.committed_at_ms)),
        ];
        if renamed {
            row.insert(1, Cell::new(&partition.target_topic));
        }
        rows.add_row(row);
    }
    let first = usize::from(renamed) + 1;
    unbroken(&mut rows, first..=first + 3);
    indented(&rows)
}

/// What was committed last of each partition.
fn committed_table(positions: &BTreeMap<PositionKey, Position>, all: bool, width: usize) -> String {
    if positions.is_empty() {
        return "  no position of it is known (before the first `apply` it takes `clusterId` of the source to tell which are its)\n"
            .to_owned();
    }
    let shown = if all { positions.len() } else { FEW };
    let header = ["topic", "partition", "position", "committed"];
    let mut rows = table(width.saturating_sub(2), &header);
    for (key, position) in positions.iter().take(shown) {
        rows.add_row([
            Cell::new(&key.topic),
            number(key.partition),
            number(count(position.offset)),
            Cell::new(committed(Some(position.committed_at_ms))),
        ]);
    }
    unbroken(&mut rows, 1..=3);
    let mut text = indented(&rows);
    if positions.len() > shown {
        text.push_str(&format!(
            "  {DIM}{} more (--all lists every partition){DIM:#}\n",
            counted(positions.len() - shown, "partition"),
        ));
    }
    text
}

fn topic_table(partitions: &[PartitionStatus], telling: &Telling, width: usize) -> String {
    let mut topics: BTreeMap<&str, Vec<&PartitionStatus>> = BTreeMap::new();
    for partition in partitions {
        topics
            .entry(&partition.source_topic)
            .or_default()
            .push(partition);
    }
    let gravest = |of: &[&PartitionStatus]| of.iter().map(|it| it.condition).min();
    let mut topics: Vec<(&str, Vec<&PartitionStatus>)> = topics.into_iter().collect();
    let in_all = topics.len();
    // stable: by name within a condition
    topics.sort_by_key(|(_, of)| gravest(of));
    topics.truncate(FEW);
    let header = ["topic", "partitions", "state", telling.lag, "committed"];
    let mut rows = table(width.saturating_sub(2), &header);
    for (topic, of) in &topics {
        let lag: Option<i64> = of.iter().map(|it| it.lag).sum();
        let newest = of.iter().filter_map(|it| it.committed_at_ms).max();
        rows.add_row([
            Cell::new(topic),
            number(count(of.len() as i128)),
            gravest(of).map_or_else(|| Cell::new(""), telling.condition),
            number(known(lag)),
            Cell::new(committed(newest)),
        ]);
    }
    unbroken(&mut rows, 1..=3);
    let mut text = indented(&rows);
    if in_all > topics.len() {
        text.push_str(&format!(
            "  {DIM}{} more, none of them worse (--all lists every partition){DIM:#}\n",
            counted(in_all - topics.len(), "topic"),
        ));
    }
    text
}

/// What a replicator would stop at, in words.
pub(super) fn attention<'p>(
    partitions: impl Iterator<Item = &'p PartitionStatus>,
    all: bool,
) -> String {
    let grave: Vec<&PartitionStatus> = partitions
        .filter(|it| it.condition.needs_attention())
        .collect();
    let shown = if all { grave.len() } else { FEW };
    let mut text = String::new();
    for partition in grave.iter().take(shown) {
        text.push_str(&format!(
            "  {BAD}!{BAD:#} {}-{}: {}\n",
            partition.source_topic,
            partition.partition,
            why(partition)
        ));
    }
    if grave.len() > shown {
        text.push_str(&format!("  {DIM}and {} more{DIM:#}\n", grave.len() - shown));
    }
    text
}

fn why(partition: &PartitionStatus) -> String {
    let position = partition.position.unwrap_or(0);
    match partition.condition {
        Condition::DataLost => format!(
            "offsets {} to {} are gone from the source and were not copied; `onDataLoss: continue` notes the gap and goes on",
            count(position),
            known(partition.source_start.map(|start| start - 1)),
        ),
        Condition::Truncated => format!(
            "copied up to offset {}, and the source ends at {}: it lost records",
            count(position),
            known(partition.source_end),
        ),
        Condition::SourceRecreated => {
            "the source topic was deleted and created again; `onTopicReset: restart` copies the new one".to_owned()
        }
        Condition::TargetRecreated => {
            "the target topic was deleted and created again: the next run copies it anew".to_owned()
        }
        Condition::TargetMissing => format!("{} is not on the target", partition.target_topic),
        Condition::Refused
        | Condition::Stopped
        | Condition::Leaderless
        | Condition::Paused
        | Condition::NotStarted
        | Condition::Behind
        | Condition::CaughtUp => match &partition.cause {
            Some(cause) => cause.clone(),
            None => partition.condition.words().to_owned(),
        },
    }
}

fn condition(condition: Condition) -> Cell {
    let words = condition.words();
    match condition {
        Condition::CaughtUp => good(words),
        Condition::Paused | Condition::NotStarted | Condition::Behind => warn(words),
        Condition::DataLost
        | Condition::Truncated
        | Condition::SourceRecreated
        | Condition::TargetRecreated
        | Condition::TargetMissing
        | Condition::Refused
        | Condition::Stopped
        | Condition::Leaderless => bad(words),
    }
}

fn when_over(condition: Condition) -> Cell {
    match condition {
        Condition::Paused | Condition::NotStarted | Condition::Behind | Condition::CaughtUp => {
            Cell::new("promoted")
        }
        Condition::DataLost
        | Condition::Truncated
        | Condition::SourceRecreated
        | Condition::TargetRecreated
        | Condition::TargetMissing
        | Condition::Refused
        | Condition::Stopped
        | Condition::Leaderless => self::condition(condition),
    }
}

fn committed(at_ms: Option<i64>) -> String {
    at_ms.map_or_else(
        || "never".to_owned(),
        |at| match since(at) {
            recent if recent.as_secs() == 0 => "just now".to_owned(),
            time => format!("{} ago", elapsed(time)),
        },
    )
}

fn since(at_ms: i64) -> Duration {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    now.saturating_sub(Duration::from_millis(u64::try_from(at_ms).unwrap_or(0)))
}

/// Every mirror with its partitions.
pub(crate) fn status_json(mirrors: &[MirrorStatus], unreached: &[String]) -> Value {
    let needing = mirrors.iter().flat_map(MirrorStatus::needing).count();
    let mirrors: Vec<Value> = mirrors
        .iter()
        .map(|status| {
            let mut shown = json!({
                "mirror": status.mirror,
                "source": status.source,
                "target": status.target,
                "state": status.state,
                "lag": status.lag().filter(|_| status.committed.is_none()),
                "partitions": status.partitions,
            });
            if let Some(committed) = &status.committed {
                shown["source_unreached"] = json!(committed.unreached);
                shown["committed"] = committed_json(&committed.positions);
            }
            shown
        })
        .collect();
    json!({
        "format_version": "1.0",
        "mirrors": mirrors,
        "needs_attention": needing,
        "unreached": unreached,
    })
}

fn committed_json(positions: &BTreeMap<PositionKey, Position>) -> Value {
    let positions = positions.iter().map(|(key, position)| {
        json!({
            "source_topic": key.topic,
            "target_topic": position.target_topic,
            "partition": key.partition,
            "position": position.offset,
            "committed_at_ms": position.committed_at_ms,
        })
    });
    positions.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_attention_comes_first_and_says_why() {
        let partitions = (0..200)
            .map(|index| PartitionStatus {
                source_topic: format!("pay.orders.{index:03}"),
                target_topic: format!("pay.orders.{index:03}"),
                partition: 0,
                position: Some(100),
                source_start: Some(if index == 199 { 150 } else { 0 }),
                source_end: Some(200),
                lag: Some(100),
                cause: None,
                committed_at_ms: Some(0),
                condition: if index == 199 {
                    Condition::DataLost
                } else {
                    Condition::Behind
                },
            })
            .collect();
        let mirror = MirrorStatus {
            mirror: "pay".to_owned(),
            source: "a".to_owned(),
            target: "b".to_owned(),
            state: Shown {
                state: MirrorState::Running,
                by: By::Topology,
                record: None,
                deleted: false,
                held: None,
                promotion: None,
                over: false,
            },
            selection: "`.*`".to_owned(),
            partitions,
            committed: None,
        };
        let page = status_human(&[mirror], false, 80);
        let text = anstream::adapter::strip_str(&page).to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "  1 data lost, 199 behind, lag 20,000");
        assert!(
            lines[3].contains("pay.orders.199") && lines[3].contains("data lost"),
            "{text}"
        );
        assert!(
            text.contains("! pay.orders.199-0: offsets 100 to 149 are gone"),
            "{text}"
        );
        assert!(lines.len() < FEW + 8, "{text}");
    }
}
