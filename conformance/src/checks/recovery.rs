//! `recovery`: after a fault is over, the lag is normal again within the declared time.

use std::time::Duration;

use crate::events::FaultEvent;
use crate::verdict::{CheckResult, Counterexample, Failures, Figures, Verdict, figures};
use crate::watched::LagSample;
use crate::words::{count, counted};

/// What is promised for the time after a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryBound {
    /// The lag that is normal.
    pub lag: Duration,
    /// How long it may take until the lag is normal again.
    pub within: Duration,
}

/// Judges the lag over time against the faults. Faults that meet, or that come before the lag was normal again and while it need not
/// be, are one disturbance, which is over when the last of them is. A fault without an end is counted and not judged.
pub fn recovery(
    subject: &str,
    samples: &[LagSample],
    events: &[FaultEvent],
    bound: Option<RecoveryBound>,
) -> CheckResult {
    let (verdict, figures) = judge(samples, events, bound);
    CheckResult {
        id: "recovery".to_owned(),
        subject: subject.to_owned(),
        title: "after a fault the lag is normal again within the declared time".to_owned(),
        verdict,
        figures,
    }
}

/// Faults that are judged as one.
#[derive(Debug)]
struct Disturbance<'e> {
    last: &'e FaultEvent,
    over_ms: i64,
    /// When the lag was normal again, as far as somebody looked.
    calm_ms: Option<i64>,
}

fn judge(
    samples: &[LagSample],
    events: &[FaultEvent],
    bound: Option<RecoveryBound>,
) -> (Verdict, Figures) {
    let open = |reason: &str| {
        let reason = reason.to_owned();
        (Verdict::Inconclusive { reason }, Figures::new())
    };
    let Some(bound) = bound else {
        return open("no objective is declared: slo.lag of the mirror");
    };
    let Some(watched_until) = samples.last().map(|sample| sample.at_ms) else {
        return open("nobody looked at the target while the records were written");
    };
    let (normal, within) = (millis(bound.lag), millis(bound.within));
    let disturbances = disturbances(samples, events, (normal, within));
    let endless = events.iter().filter(|event| event.until_ms.is_none());
    let endless = endless.count() as u64;
    if disturbances.is_empty() {
        return open(match endless {
            0 => "no fault was made",
            _ => "no fault that was made has an end",
        });
    }
    let mut failures = Failures::default();
    let (mut longest, mut not_seen) = (0, 0);
    for it in &disturbances {
        let looked = it.calm_ms.unwrap_or(watched_until);
        let took = looked.saturating_sub(it.over_ms).max(0) as u64;
        if it.calm_ms.is_some() {
            longest = longest.max(took);
        }
        if took > within {
            failures.add(|| example(it, took, normal, within));
        } else if it.calm_ms.is_none() {
            not_seen += 1;
        }
    }
    let all = disturbances.len() as u64;
    let counts = figures([
        ("disturbances", all),
        ("faults", events.len() as u64),
        ("faults-without-an-end", endless),
        ("longest-ms", longest),
        ("within-ms", within),
        ("not-seen-to-the-end", not_seen),
    ]);
    let verdict = failures.verdict(|| {
        if not_seen > 0 {
            return Verdict::Inconclusive {
                reason: format!(
                    "after {} nobody looked long enough to see the lag normal again",
                    counted(not_seen, "fault")
                ),
            };
        }
        Verdict::Pass {
            evidence: format!(
                "after each of {} the lag was {} ms or less again, {} ms after the fault at the latest; {} ms are declared",
                counted(all, "disturbance"),
                count(normal),
                count(longest),
                count(within)
            ),
        }
    });
    (verdict, counts)
}

fn example(it: &Disturbance<'_>, took: u64, normal: u64, within: u64) -> Counterexample {
    let (fault, target) = (&it.last.fault, &it.last.target);
    let found = match it.calm_ms {
        Some(_) => format!("{} ms", count(took)),
        None => format!(
            "a larger lag for {} ms, to the end of the look",
            count(took)
        ),
    };
    Counterexample {
        source: None,
        target: None,
        record: None,
        expected: format!(
            "a lag of {} ms or less within {} ms after {fault} of {target} at {}",
            count(normal),
            count(within),
            it.last.at_ms
        ),
        found,
    }
}

fn disturbances<'e>(
    samples: &[LagSample],
    events: &'e [FaultEvent],
    (normal, within): (u64, u64),
) -> Vec<Disturbance<'e>> {
    let mut ended: Vec<(i64, &FaultEvent)> = events
        .iter()
        .filter_map(|event| Some((event.until_ms?.max(event.at_ms), event)))
        .collect();
    ended.sort_by_key(|(_, event)| event.at_ms);
    let calm_after = |over: i64| {
        let calm = |it: &&LagSample| it.at_ms >= over && it.late_ms <= normal;
        samples.iter().find(calm).map(|it| it.at_ms)
    };
    let mut found: Vec<Disturbance<'_>> = Vec::new();
    for (over_ms, event) in ended {
        match found.last_mut() {
            Some(before)
                if before.calm_ms.is_none_or(|calm| event.at_ms <= calm)
                    && event.at_ms <= before.over_ms.saturating_add_unsigned(within) =>
            {
                if over_ms > before.over_ms {
                    before.over_ms = over_ms;
                    before.last = event;
                    before.calm_ms = calm_after(over_ms);
                }
            }
            Some(_) | None => found.push(Disturbance {
                last: event,
                over_ms,
                calm_ms: calm_after(over_ms),
            }),
        }
    }
    found
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
