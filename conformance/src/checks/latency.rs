//! `latency`: how long a record takes from its writer to a reader of the target, while nothing is wrong.

use std::time::Duration;

use crate::events::FaultEvent;
use crate::verdict::{CheckResult, Counterexample, Figures, Verdict, figures};
use crate::watched::{LagSample, Mark, Watched};
use crate::words::{count, counted};

/// Judges the ways of the records that were timed against the objective: of a hundred, ninety-nine have to be in time. Records that
/// were on their way during a fault, or before the lag was within the objective again after it, are `recovery`'s.
pub fn latency(
    subject: &str,
    watched: &Watched,
    events: &[FaultEvent],
    objective: Option<Duration>,
) -> CheckResult {
    let (verdict, figures) = judge(watched, events, objective);
    CheckResult {
        id: "latency".to_owned(),
        subject: subject.to_owned(),
        title: "99 of 100 records are on the target within the objective".to_owned(),
        verdict,
        figures,
    }
}

/// How long a record took.
#[derive(Debug, Clone, Copy)]
struct Way {
    mark: Mark,
    /// In milliseconds; so far, of a record that was not seen.
    took: u64,
    /// Not seen, and not long enough on its way to say anything.
    is_open: bool,
}

fn judge(
    watched: &Watched,
    events: &[FaultEvent],
    objective: Option<Duration>,
) -> (Verdict, Figures) {
    let Some(objective) = objective.map(|it| it.as_millis() as u64) else {
        let reason = "no objective is declared: slo.lag of the mirror".to_owned();
        return (Verdict::Inconclusive { reason }, Figures::new());
    };
    let troubles = troubles(watched, events, objective);
    let end = watched.samples.last().map_or(i64::MIN, |it| it.at_ms);
    let mut ways = Vec::with_capacity(watched.marks.len());
    let mut disturbed = 0;
    for mark in &watched.marks {
        let until = mark.seen_ms.unwrap_or(end.max(mark.written_ms));
        let meets = |(from, to): &(i64, i64)| mark.written_ms <= *to && until >= *from;
        if troubles.iter().any(meets) {
            disturbed += 1;
            continue;
        }
        let took = until.abs_diff(mark.written_ms);
        ways.push(Way {
            mark: *mark,
            took,
            is_open: mark.seen_ms.is_none() && took <= objective,
        });
    }
    let open = ways.iter().filter(|way| way.is_open).count() as u64;
    ways.retain(|way| !way.is_open);
    ways.sort_by_key(|way| way.took);
    let Some(slowest) = ways.last().copied() else {
        let reason = match disturbed {
            0 => "no record was timed".to_owned(),
            _ => "every record that was timed was on its way during a fault".to_owned(),
        };
        return (Verdict::Inconclusive { reason }, Figures::new());
    };
    let (middle, most) = (at(&ways, 50), at(&ways, 99));
    let late = ways.iter().filter(|way| way.took > objective).count() as u64;
    let timed = ways.len() as u64;
    let counts = figures([
        ("records-timed", timed),
        ("records-during-faults", disturbed),
        ("records-still-on-their-way", open),
        ("records-late", late),
        ("p50-ms", middle),
        ("p99-ms", most),
        ("max-ms", slowest.took),
        ("objective-ms", objective),
    ]);
    let said = format!(
        "half within {} ms, 99 of 100 within {} ms, all within {} ms",
        count(middle),
        count(most),
        count(slowest.took)
    );
    let verdict = if most > objective {
        Verdict::Fail {
            failures: late,
            counterexample: Counterexample {
                source: None,
                target: None,
                record: Some(slowest.mark.id),
                expected: format!("99 of 100 records within {} ms", count(objective)),
                found: format!(
                    "of {}, {} late: {said}; the slowest is {}{}",
                    counted(timed, "record"),
                    count(late),
                    slowest.mark.id,
                    if slowest.mark.seen_ms.is_some() {
                        ""
                    } else {
                        ", which was not seen at all"
                    }
                ),
            },
        }
    } else {
        Verdict::Pass {
            evidence: format!(
                "{} from the writer to a reader of the target: {said}; the objective is {} ms",
                counted(timed, "record"),
                count(objective)
            ),
        }
    };
    (verdict, counts)
}

/// The time that this many of a hundred ways took at most; of ways in the order of their times, of which there is one at least.
fn at(ways: &[Way], percent: usize) -> u64 {
    let place = (ways.len() * percent).div_ceil(100).max(1) - 1;
    ways.get(place).map_or(0, |way| way.took)
}

/// From the beginning of each fault to when the lag was within the objective again.
fn troubles(watched: &Watched, events: &[FaultEvent], objective: u64) -> Vec<(i64, i64)> {
    let troubles = events.iter().map(|event| {
        let over = event.until_ms.unwrap_or(event.at_ms).max(event.at_ms);
        let calm = watched
            .samples
            .iter()
            .find(|it| is_calm(it, over, objective));
        (event.at_ms, calm.map_or(i64::MAX, |it| it.at_ms))
    });
    troubles.collect()
}

fn is_calm(sample: &LagSample, over: i64, objective: u64) -> bool {
    sample.at_ms >= over && sample.late_ms <= objective
}
