//! `retention-outage`: records that the source deletes before an outage that was promised to be survived is over.

use std::time::Duration;

use super::finding::{Finding, FindingId, Severity};
use super::outlook::{CLEANUP, Outlook, Pair, RETENTION_BYTES, RETENTION_MS};
use crate::span::rounded;

pub(super) fn judge(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (flow, pairs) in &outlook.flows {
        let Some(budget) = flow.mirror.slo_outage_budget else {
            continue;
        };
        let budget_ms = millis(budget);
        let now = outlook.evidence.now_ms;
        let cases: Vec<String> = pairs
            .iter()
            .filter(|pair| deletes(pair))
            .flat_map(|pair| [by_time(pair, budget_ms), by_size(pair, budget_ms, now)])
            .flatten()
            .collect();
        if !cases.is_empty() {
            findings.push(
                Finding::new(
                    FindingId::RetentionOutage,
                    Severity::Warning,
                    &flow.mirror.name,
                    format!(
                        "{} keeps records for a shorter time than the outage budget of {}",
                        flow.source,
                        rounded(budget_ms)
                    ),
                    cases,
                )
                .hint("raise `retention.ms` or `retention.bytes` on the source, or lower `slo.outageBudget`"),
            );
        }
    }
    findings
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn deletes(pair: &Pair<'_>) -> bool {
    pair.on_source(CLEANUP)
        .is_none_or(|policy| policy.contains("delete"))
}

/// What is limited; `-1` is no limit.
fn limit(pair: &Pair<'_>, key: &str) -> Option<i64> {
    let limit: i64 = pair.on_source(key)?.trim().parse().ok()?;
    (limit >= 0).then_some(limit)
}

/// Whether the size of the topic is limited, so that it matters how much is there.
pub(super) fn is_sized(pair: &Pair<'_>) -> bool {
    deletes(pair) && limit(pair, RETENTION_BYTES).is_some()
}

fn by_time(pair: &Pair<'_>, budget_ms: i64) -> Option<String> {
    let kept = limit(pair, RETENTION_MS).filter(|kept| *kept < budget_ms)?;
    Some(format!("{} is kept for {}", pair.topic, rounded(kept)))
}

/// A partition that is nearly as large as it may be holds about as much time as there will ever be.
fn by_size(pair: &Pair<'_>, budget_ms: i64, now_ms: i64) -> Option<String> {
    let limit = limit(pair, RETENTION_BYTES)?;
    let (oldest, largest) = (pair.from?.oldest_ms?, pair.from?.largest_bytes?);
    let held = now_ms.saturating_sub(oldest);
    let full = i128::from(largest) * 5 >= i128::from(limit) * 4;
    (full && held < budget_ms).then(|| {
        format!(
            "{} keeps {limit} bytes a partition, which is {} of records ({largest} bytes)",
            pair.topic,
            rounded(held)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::testbed::{Bed, NOW, topic};

    const HOUR: i64 = 3_600_000;

    fn cases(bed: &Bed) -> Vec<String> {
        let found = bed.judge().into_iter();
        let of_kind = found.filter(|finding| finding.id == FindingId::RetentionOutage);
        of_kind.flat_map(|finding| finding.evidence).collect()
    }

    #[test]
    fn time_is_compared_with_a_budget_that_is_declared() {
        let day = "slo: {outageBudget: 24h}";
        let short = || topic("t", &[("retention.ms", "3600000")]);
        let said = "t is kept for 1 h";
        let lengthened = "- {name: t, clusters: [a], configs: {retention.ms: 604800000}}";
        for (about, bed, found) in [
            ("not declared", Bed::new("").source(short()), None),
            ("too short", Bed::new(day).source(short()), Some(said)),
            ("a week", Bed::new(day).source(topic("t", &[])), None),
            (
                "no limit",
                Bed::new(day).source(topic("t", &[("retention.ms", "-1")])),
                None,
            ),
            (
                "never deleted",
                Bed::new(day).source(topic(
                    "t",
                    &[("retention.ms", "1"), ("cleanup.policy", "compact")],
                )),
                None,
            ),
            (
                "lengthened by this plan",
                Bed::with_topics(day, lengthened).source(short()),
                None,
            ),
        ] {
            assert_eq!(cases(&bed), Vec::from_iter(found), "{about}");
        }
    }

    #[test]
    fn size_counts_where_it_is_nearly_reached() {
        for (bytes, hours, found) in [
            (
                900,
                2,
                Some("t keeps 1000 bytes a partition, which is 2 h of records (900 bytes)"),
            ),
            (700, 2, None),
            (900, 48, None),
        ] {
            let mut bed = Bed::new("slo: {outageBudget: 24h}")
                .source(topic("t", &[("retention.bytes", "1000")]));
            let topic = bed.site("a").topics.get_mut("t").expect("there");
            topic.largest_bytes = Some(bytes);
            topic.oldest_ms = Some(NOW - hours * HOUR);
            assert_eq!(cases(&bed), Vec::from_iter(found), "{bytes} {hours}");
        }
    }
}
