//! `compacted-exactly-once`: compaction takes away what exactly-once counts by, so the replicator refuses such topics.

use topology::Delivery;

use super::finding::{Finding, FindingId, Severity};
use super::outlook::{CLEANUP, Outlook};

pub(super) fn judge(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (flow, pairs) in &outlook.flows {
        if flow.mirror.delivery != Delivery::ExactlyOnce {
            continue;
        }
        let compacted = |policy: Option<&str>| policy.is_some_and(|it| it.contains("compact"));
        let cases: Vec<String> = pairs
            .iter()
            .filter_map(|pair| {
                let side = if compacted(pair.on_source(CLEANUP)) {
                    flow.source
                } else if compacted(pair.on_target(CLEANUP)) {
                    &flow.mirror.target
                } else {
                    return None;
                };
                Some(format!("{} is compacted on {side}", pair.topic))
            })
            .collect();
        if !cases.is_empty() {
            findings.push(
                Finding::new(
                    FindingId::CompactedExactlyOnce,
                    Severity::Blocked,
                    &flow.mirror.name,
                    format!("exactly-once is promised for compacted topics of {}", flow.source),
                    cases,
                )
                .hint("exclude them, and copy them in a mirror with `delivery: at-least-once`, where a repetition leaves their last values as they are"),
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::testbed::{Bed, topic};

    #[test]
    fn only_compacted_topics_of_an_exact_mirror_are_refused() {
        let plain = || topic("plain", &[]);
        let keys = || topic("keys", &[("cleanup.policy", "compact,delete")]);
        let exact = "delivery: exactly-once";
        for (mirror, bed, found) in [
            (exact, Bed::new(exact).source(plain()), None),
            (
                exact,
                Bed::new(exact).source(keys()),
                Some("keys is compacted on a"),
            ),
            (
                "its target alone",
                Bed::new(&format!("{exact}, topicSync: {{config: false}}"))
                    .source(topic("keys", &[]))
                    .target(keys()),
                Some("keys is compacted on b"),
            ),
            ("at least once", Bed::new("").source(keys()), None),
        ] {
            let findings = bed.judge();
            let cases: Vec<&str> = findings
                .iter()
                .flat_map(|finding| finding.evidence.iter().map(String::as_str))
                .collect();
            assert_eq!(cases, Vec::from_iter(found), "{mirror}");
            for finding in &findings {
                assert_eq!(finding.id, FindingId::CompactedExactlyOnce);
                assert_eq!(finding.severity, Severity::Blocked);
            }
        }
    }

    #[test]
    fn what_this_plan_changes_counts() {
        let bed = Bed::with_topics(
            "delivery: exactly-once",
            "- {name: keys, clusters: [a, b], configs: {cleanup.policy: delete}}",
        )
        .source(topic("keys", &[("cleanup.policy", "compact")]))
        .target(topic("keys", &[("cleanup.policy", "compact")]));
        assert_eq!(bed.judge(), []);
    }
}
