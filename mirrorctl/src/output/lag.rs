//! What `lag` measured.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment};
use replicator::{Condition, MEASURED, PartitionLag};
use serde_json::{Value, json};

use crate::output::figures::{bytes, count, counted, elapsed, known};
use crate::output::status::attention;
use crate::output::style::{BAD, DIM, GOOD, HEAD, good, indented, number, table, unbroken, warn};
use crate::values::LagLimit;

/// Partitions that are listed one by one without being asked for.
pub(super) const FEW: usize = 20;

/// How far one mirror from one source is behind.
#[derive(Debug)]
pub(crate) struct MirrorLag {
    /// Name of the mirror.
    pub(crate) mirror: String,
    /// Alias of the source.
    pub(crate) source: String,
    /// Alias of the target.
    pub(crate) target: String,
    /// It copies nothing any more: its lag counts for no limit.
    pub(crate) promoted: bool,
    /// Why the source could not be reached, so that nothing was measured.
    pub(crate) unreached: Option<String>,
    /// `slo.lag` of the mirror.
    pub(crate) objective: Option<Duration>,
    /// What selects its topics.
    pub(crate) selection: String,
    /// Each partition, sorted.
    pub(crate) partitions: Vec<PartitionLag>,
}

/// Sums over partitions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    partitions: usize,
    /// Those of which nobody knows count as behind.
    behind: usize,
    /// Of those whose lag is known.
    records: i64,
    bytes: u64,
    /// Of the oldest record, over those that were measured.
    seconds: f64,
    /// Partitions that are behind, nobody knows for how long.
    unmeasured: usize,
    /// Partitions whose position does not speak of what the source has now: how many records are missing is not known.
    unknown: usize,
    /// Of them those whose end nobody can tell.
    leaderless: usize,
}

impl Sums {
    fn of<'p>(partitions: impl IntoIterator<Item = &'p PartitionLag>) -> Self {
        let mut sums = Self::default();
        for partition in partitions {
            sums.partitions += 1;
            sums.behind += usize::from(partition.status.lag != Some(0));
            sums.records += partition.status.lag.unwrap_or(0);
            sums.bytes += partition.lag_estimated_bytes.unwrap_or(0);
            sums.seconds = sums.seconds.max(partition.lag_seconds.unwrap_or(0.0));
            sums.unmeasured += usize::from(partition.lag_seconds.is_none());
            let leaderless = partition.status.lag.is_none();
            sums.leaderless += usize::from(leaderless);
            sums.unknown += usize::from(leaderless || is_unknown(partition.status.condition));
        }
        sums
    }

    fn time(&self) -> String {
        let known = elapsed(Duration::from_secs_f64(self.seconds));
        match (self.behind, self.unmeasured) {
            (0, _) => "–".to_owned(),
            (_, 0) => known,
            (behind, unmeasured) if behind == unmeasured => "?".to_owned(),
            _ => format!("≥ {known}"),
        }
    }

    fn size(&self) -> String {
        match (self.behind, self.unmeasured) {
            (0, _) => "–".to_owned(),
            (_, 0) => format!("≈ {}", bytes(self.bytes as f64)),
            (behind, unmeasured) if behind == unmeasured => "?".to_owned(),
            _ => format!("≥ {}", bytes(self.bytes as f64)),
        }
    }

    fn number(&self) -> String {
        match self.leaderless {
            0 => count(self.records),
            all if all == self.partitions => "?".to_owned(),
            _ => format!("≥ {}", count(self.records)),
        }
    }

    /// What is not known is over: nobody could show that it is not.
    fn is_over_time(&self, limit: Duration) -> bool {
        self.seconds > limit.as_secs_f64() || self.unmeasured > 0 || self.unknown > 0
    }
}

/// Copied is another topic than the one that is there, or more than it has: the difference is no measure of what is missing.
/// Or nobody can tell what is there.
fn is_unknown(condition: Condition) -> bool {
    match condition {
        Condition::Truncated | Condition::SourceRecreated | Condition::Leaderless => true,
        Condition::DataLost
        | Condition::TargetRecreated
        | Condition::TargetMissing
        | Condition::Refused
        | Condition::Stopped
        | Condition::Paused
        | Condition::NotStarted
        | Condition::Behind
        | Condition::CaughtUp => false,
    }
}

impl MirrorLag {
    fn sums(&self) -> Sums {
        Sums::of(&self.partitions)
    }

    /// Whether it is further behind than the limit allows. A mirror without an objective has none
    /// to miss, and one that is promoted none at all.
    pub(crate) fn is_over(&self, limit: LagLimit) -> bool {
        if self.promoted {
            return false;
        }
        let sums = self.sums();
        match limit {
            LagLimit::Time(limit) => sums.is_over_time(limit),
            LagLimit::Records(limit) => {
                u64::try_from(sums.records).unwrap_or(0) > limit || sums.unknown > 0
            }
            LagLimit::Objective => self.objective.is_some_and(|limit| sums.is_over_time(limit)),
        }
    }
}

/// A heading and a table a mirror: of partitions where there are few or all are wanted, of topics
/// otherwise.
pub(crate) fn lag_human(mirrors: &[MirrorLag], all: bool, width: usize) -> String {
    let mut text = String::new();
    for lag in mirrors {
        let sums = lag.sums();
        text.push_str(&format!(
            "{HEAD}{}{HEAD:#}  {} → {}\n",
            lag.mirror, lag.source, lag.target,
        ));
        if lag.promoted {
            text.push_str("  promoted: nothing is copied any more, and no limit counts\n");
        }
        if lag.unreached.is_some() {
            text.push_str(&format!("  {} cannot be reached\n\n", lag.source));
            continue;
        }
        text.push_str(&format!("  {}{}\n", whole(&sums), objective(lag, &sums)));
        if lag.partitions.is_empty() {
            text.push_str(&format!(
                "  no topic of {} is selected by {}\n",
                lag.source, lag.selection
            ));
        } else if all || lag.partitions.len() <= FEW {
            text.push_str(&partitions(lag, width));
        } else {
            text.push_str(&topics(lag, width));
        }
        if sums.unmeasured > 0 {
            text.push_str(&format!(
                "  {DIM}{} behind not measured in seconds and bytes: only the {MEASURED} that are furthest \
                 behind are read, and only where their leader answers{DIM:#}\n",
                counted(sums.unmeasured, "partition"),
            ));
        }
        // a lag of what is gone, or of another topic, is not what it looks like
        text.push_str(&attention(lag.partitions.iter().map(|it| &it.status), all));
        text.push('\n');
    }
    // the page ends with the last table, not with an empty line
    text.truncate(text.trim_end_matches('\n').len());
    text.push('\n');
    text
}

fn whole(sums: &Sums) -> String {
    if sums.partitions > 0 && sums.behind == 0 && sums.unknown == 0 {
        return format!("{GOOD}caught up{GOOD:#}");
    }
    let records = if sums.records == 1 {
        "record"
    } else {
        "records"
    };
    format!(
        "lag {} {records}, {}, {}",
        sums.number(),
        sums.size(),
        sums.time()
    )
}

fn objective(lag: &MirrorLag, sums: &Sums) -> String {
    let Some(limit) = lag.objective.filter(|_| !lag.promoted) else {
        return String::new();
    };
    let verdict = if sums.is_over_time(limit) {
        format!("{BAD}missed{BAD:#}")
    } else {
        format!("{GOOD}kept{GOOD:#}")
    };
    format!("; objective {} {verdict}", elapsed(limit))
}

fn partitions(lag: &MirrorLag, width: usize) -> String {
    let header = [
        "topic",
        "partition",
        "position",
        "end",
        "records",
        "bytes",
        "time",
    ];
    let mut rows = table(width.saturating_sub(2), &header);
    for partition in &lag.partitions {
        let status = &partition.status;
        let sums = Sums::of([partition]);
        rows.add_row([
            Cell::new(&status.source_topic),
            number(status.partition),
            number(status.position.map_or_else(|| "–".to_owned(), count)),
            number(known(status.source_end)),
            records(&sums),
            number(sums.size()),
            number(sums.time()),
        ]);
    }
    unbroken(&mut rows, 1..=6);
    indented(&rows)
}

fn topics(lag: &MirrorLag, width: usize) -> String {
    let mut by_topic: BTreeMap<&str, Vec<&PartitionLag>> = BTreeMap::new();
    for partition in &lag.partitions {
        by_topic
            .entry(&partition.status.source_topic)
            .or_default()
            .push(partition);
    }
    let mut topics: Vec<(&str, Sums)> = by_topic
        .into_iter()
        .map(|(topic, partitions)| (topic, Sums::of(partitions)))
        .collect();
    let in_all = topics.len();
    if in_all > FEW {
        topics.retain(|(_, sums)| sums.behind > 0);
        topics.sort_by_key(|(_, sums)| Reverse((sums.seconds.to_bits(), sums.records)));
    }
    let behind = topics.len();
    topics.truncate(FEW);
    let header = ["topic", "partitions", "behind", "records", "bytes", "time"];
    let mut rows = table(width.saturating_sub(2), &header);
    for (topic, sums) in &topics {
        rows.add_row([
            Cell::new(topic),
            number(count(sums.partitions as i128)),
            number(count(sums.behind as i128)),
            records(sums),
            number(sums.size()),
            number(sums.time()),
        ]);
    }
    unbroken(&mut rows, 1..=5);
    let mut text = if topics.is_empty() {
        String::new()
    } else {
        indented(&rows)
    };
    if topics.len() < in_all {
        let late = match behind.saturating_sub(topics.len()) {
            0 => "all caught up".to_owned(),
            more => format!("{} of them behind", count(more as i128)),
        };
        text.push_str(&format!(
            "  {DIM}{} more, {late} (--all lists every partition){DIM:#}\n",
            counted(in_all - topics.len(), "topic"),
        ));
    }
    text
}

fn records(sums: &Sums) -> Cell {
    let lag = sums.number();
    let cell = if sums.records == 0 && sums.leaderless == 0 {
        good(lag)
    } else {
        warn(lag)
    };
    cell.set_alignment(CellAlignment::Right)
}

/// Every mirror with its sums and partitions.
pub(crate) fn lag_json(mirrors: &[MirrorLag], unreached: &[String]) -> Value {
    let mirrors: Vec<Value> = mirrors
        .iter()
        .map(|lag| {
            let sums = lag.sums();
            let read = lag.unreached.is_none();
            let known = read && sums.unmeasured == 0;
            let objective = lag.objective.filter(|_| !lag.promoted);
            json!({
                "mirror": lag.mirror,
                "source": lag.source,
                "target": lag.target,
                "promoted": lag.promoted,
                "source_unreached": lag.unreached,
                "lag_records": (read && sums.leaderless == 0).then_some(sums.records),
                "lag_estimated_bytes": known.then_some(sums.bytes),
                "lag_seconds": known.then_some(sums.seconds),
                "objective_seconds": lag.objective.map(|it| it.as_secs_f64()),
                "objective_kept": objective.map(|limit| !sums.is_over_time(limit)),
                "partitions": lag.partitions,
            })
        })
        .collect();
    json!({ "format_version": "1.0", "mirrors": mirrors, "unreached": unreached })
}

#[cfg(test)]
mod tests {
    use replicator::PartitionStatus;

    use super::*;

    fn partition(topic: &str, partition: i32, lag: i64, seconds: Option<f64>) -> PartitionLag {
        PartitionLag {
            status: PartitionStatus {
                source_topic: topic.to_owned(),
                target_topic: topic.to_owned(),
                partition,
                position: Some(1_000_000),
                source_start: Some(0),
                source_end: Some(1_000_000 + lag),
                lag: Some(lag),
                cause: None,
                committed_at_ms: Some(0),
                condition: if lag == 0 {
                    Condition::CaughtUp
                } else {
                    Condition::Behind
                },
            },
            lag_seconds: seconds,
            lag_estimated_bytes: seconds.map(|_| lag as u64 * 100),
        }
    }

    fn mirror(partitions: Vec<PartitionLag>) -> MirrorLag {
        MirrorLag {
            mirror: "pay".to_owned(),
            source: "onprem".to_owned(),
            target: "aws".to_owned(),
            promoted: false,
            unreached: None,
            objective: Some(Duration::from_secs(30)),
            selection: "`.*`".to_owned(),
            partitions,
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn two_hundred_topics_fit_on_a_page_of_eighty_columns() {
        let partitions = (0..200)
            .flat_map(|topic| {
                let name = format!("pay.a-topic-with-quite-a-long-name.{topic:03}");
                let late = if topic < 30 { 1_234_567 } else { 0 };
                (0..4).map(move |index| partition(&name, index, late, Some(late as f64 / 1e4)))
            })
            .collect();
        let text = plain(&lag_human(&[mirror(partitions)], false, 80));
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        // a long name may take two lines
        assert!(text.lines().count() <= 2 * FEW + 5, "{text}");
        assert!(
            text.contains("180 topics more, 10 of them behind (--all lists every partition)"),
            "{text}"
        );
        assert!(text.contains("objective 30 s missed"), "{text}");
    }

    #[test]
    fn a_lag_of_what_is_gone_says_so() {
        let mut gone = partition("t", 3, 10, Some(1.0));
        gone.status.condition = Condition::DataLost;
        gone.status.position = Some(2);
        gone.status.source_start = Some(7);
        let text = plain(&lag_human(&[mirror(vec![gone])], false, 80));
        assert!(text.contains("! t-3: offsets 2 to 6 are gone"), "{text}");
    }

    #[test]
    fn a_recreated_source_topic_is_not_caught_up_and_keeps_no_limit() {
        for condition in [Condition::SourceRecreated, Condition::Truncated] {
            let mut recreated = partition("t", 0, 0, Some(0.0));
            recreated.status.condition = condition;
            let lag = mirror(vec![recreated]);
            assert!(lag.is_over(LagLimit::Records(0)), "{condition:?}");
            assert!(lag.is_over(LagLimit::Objective), "{condition:?}");
            let text = plain(&lag_human(&[lag], false, 80));
            assert!(!text.contains("caught up"), "{text}");
            assert!(text.contains("objective 30 s missed"), "{text}");
        }
    }

    #[test]
    fn a_partition_without_a_leader_leaves_the_lag_of_others_known_and_keeps_no_limit() {
        let mut unled = partition("t", 1, 0, None);
        unled.status.condition = Condition::Leaderless;
        unled.status.source_end = None;
        unled.status.lag = None;
        let lag = mirror(vec![partition("t", 0, 7, Some(1.0)), unled]);
        assert!(lag.is_over(LagLimit::Records(7)));
        assert!(lag.is_over(LagLimit::Objective));
        let json = lag_json(std::slice::from_ref(&lag), &[]);
        let shown = &json["mirrors"][0];
        assert!(shown["lag_records"].is_null(), "{json}");
        assert_eq!(shown["partitions"][0]["lag"], 7);
        let text = plain(&lag_human(&[lag], false, 80));
        assert!(text.contains("lag ≥ 7 records, ≥ 700 B, ≥ 1.0 s"), "{text}");
        let row = text.lines().find(|line| line.contains('?')).unwrap_or("");
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells[1..], ["1", "1,000,000", "?", "?", "?", "?"]);
    }

    #[test]
    fn limits_are_kept_or_missed_and_what_is_unknown_is_missed() {
        let late = |seconds| mirror(vec![partition("t", 0, 10, seconds)]);
        let time = |seconds| LagLimit::Time(Duration::from_secs(seconds));
        assert!(!late(Some(5.0)).is_over(time(5)));
        assert!(late(Some(5.1)).is_over(time(5)));
        assert!(late(None).is_over(time(5)));
        assert!(!late(None).is_over(LagLimit::Records(10)));
        assert!(late(None).is_over(LagLimit::Records(9)));
        assert!(late(Some(31.0)).is_over(LagLimit::Objective));
        let none = MirrorLag {
            objective: None,
            ..late(Some(31.0))
        };
        assert!(!none.is_over(LagLimit::Objective));
        let promoted = MirrorLag {
            promoted: true,
            ..late(Some(31.0))
        };
        for limit in [LagLimit::Objective, LagLimit::Records(1), time(5)] {
            assert!(!promoted.is_over(limit), "{limit:?}");
        }
        let json = lag_json(std::slice::from_ref(&promoted), &[]);
        assert!(json["mirrors"][0]["objective_kept"].is_null(), "{json}");
        let text = plain(&lag_human(&[promoted], false, 80));
        assert!(
            text.contains("promoted: nothing is copied") && !text.contains("missed"),
            "{text}"
        );
        assert!(!mirror(vec![partition("t", 0, 0, Some(0.0))]).is_over(LagLimit::Records(0)));
    }
}
