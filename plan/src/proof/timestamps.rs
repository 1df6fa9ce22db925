//! `timestamp-limits`: records whose time the target does not take (KIP-937).

use topology::StartOffset;

use super::finding::{Finding, FindingId, Severity};
use super::outlook::{AFTER, BEFORE, Flow, Outlook, Pair, STAMP};
use crate::span::rounded;

/// How many milliseconds a record may be away from the target's clock; nothing where it may be any number.
pub(super) fn limit(pair: &Pair<'_>, key: &str) -> Option<i64> {
    // the brokers put their own time then
    if pair.on_target(STAMP) == Some("LogAppendTime") {
        return None;
    }
    let limit: i64 = pair.on_target(key)?.trim().parse().ok()?;
    (limit < i64::MAX).then_some(limit)
}

/// The time of the oldest record that is to be copied; nothing where copying begins at the end.
fn oldest(flow: &Flow<'_>, pair: &Pair<'_>) -> Option<i64> {
    let oldest = pair.from?.oldest_ms?;
    match flow.mirror.start_offset {
        StartOffset::Earliest => Some(oldest),
        StartOffset::Timestamp(from) => Some(oldest.max(from)),
        StartOffset::Latest => None,
    }
}

pub(super) fn judge(outlook: &Outlook<'_>) -> Vec<Finding> {
    let now = outlook.evidence.now_ms;
    let mut findings = Vec::new();
    for (flow, pairs) in &outlook.flows {
        let target = &flow.mirror.target;
        let (mut refused, mut perhaps) = (Vec::new(), Vec::new());
        for pair in pairs {
            let before = limit(pair, BEFORE).zip(oldest(flow, pair));
            let old = before.filter(|(limit, oldest)| now.saturating_sub(*oldest) > *limit);
            if let Some((limit, oldest)) = old {
                let age = now.saturating_sub(oldest);
                let case = format!(
                    "{}: its oldest record is {} old, {} of {target} takes {}",
                    pair.topic,
                    rounded(age),
                    pair.target,
                    rounded(limit)
                );
                // what is there may have been copied long ago, when it was not old yet
                if pair.to.is_none() {
                    refused.push(case);
                } else {
                    perhaps.push(case);
                }
            }
            let ahead = limit(pair, AFTER).zip(pair.from.and_then(|from| from.ahead_ms));
            if let Some((limit, newest)) = ahead {
                let case = format!(
                    "{}: a record is {} ahead of the clock, {} of {target} takes {}",
                    pair.topic,
                    rounded(newest.saturating_sub(now)),
                    pair.target,
                    rounded(limit)
                );
                perhaps.push(case);
            }
        }
        for (severity, cases, message) in [
            (
                Severity::Blocked,
                refused,
                format!("{target} would refuse records because of their time"),
            ),
            (
                Severity::Warning,
                perhaps,
                format!(
                    "{target} refuses records because of their time, unless they were copied before"
                ),
            ),
        ] {
            if !cases.is_empty() {
                let name = &flow.mirror.name;
                let finding =
                    Finding::new(FindingId::TimestampLimits, severity, name, message, cases);
                findings.push(finding.hint(format!(
                    "raise `{BEFORE}` or `{AFTER}` of the topics of {target}, or begin later with `startOffset`"
                )));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::testbed::{Bed, NOW, topic};

    const DAY: i64 = 86_400_000;
    const LIMIT: (&str, &str) = ("message.timestamp.before.max.ms", "86400000");

    fn aged(mirror: &str, oldest: i64) -> Bed {
        let mut bed = Bed::new(mirror).source(topic("t", &[]));
        let topic = bed.site("a").topics.get_mut("t").expect("there");
        topic.oldest_ms = Some(oldest);
        bed
    }

    fn limited(mut bed: Bed) -> Bed {
        let defaults = bed.site("b").defaults.as_mut().expect("read");
        defaults.insert(LIMIT.0.to_owned(), LIMIT.1.to_owned());
        bed
    }

    #[test]
    fn the_oldest_record_has_to_be_young_enough() {
        let old = NOW - 3 * DAY;
        let said = "t: its oldest record is 3 d old, t of b takes 1 d".to_owned();
        let there = limited(aged("", old)).target(topic("t", &[LIMIT]));
        let by_broker = topic("t", &[LIMIT, ("message.timestamp.type", "LogAppendTime")]);
        for (about, bed, found) in [
            ("no limit", aged("", old), None),
            (
                "too old for a new topic",
                limited(aged("", old)),
                Some(Severity::Blocked),
            ),
            ("perhaps copied before", there, Some(Severity::Warning)),
            ("young", limited(aged("", NOW - DAY / 2)), None),
            (
                "from the end",
                limited(aged("startOffset: latest", old)),
                None,
            ),
            (
                "from a time that is young enough",
                limited(aged(
                    &format!("startOffset: {{timestamp: {}}}", NOW - DAY / 2),
                    old,
                )),
                None,
            ),
            (
                "the brokers put their time",
                limited(aged("", old)).target(by_broker),
                None,
            ),
        ] {
            let found: Vec<(Severity, String)> =
                found.into_iter().map(|it| (it, said.clone())).collect();
            assert_eq!(bed.cases(FindingId::TimestampLimits), found, "{about}");
        }
    }

    #[test]
    fn and_no_record_too_far_ahead() {
        let mut bed = Bed::new("").source(topic("t", &[])).target(topic("t", &[]));
        assert_eq!(bed.cases(FindingId::TimestampLimits), []);
        let topic = bed.site("a").topics.get_mut("t").expect("there");
        topic.ahead_ms = Some(NOW + 3 * DAY);
        assert_eq!(
            bed.cases(FindingId::TimestampLimits),
            [(
                Severity::Warning,
                "t: a record is 3 d ahead of the clock, t of b takes 1 h".to_owned()
            )]
        );
    }
}
