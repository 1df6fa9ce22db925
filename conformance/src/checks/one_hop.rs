//! `loop`: nothing travels more than one hop, as far as names tell.

use crate::verdict::{CheckResult, Counterexample, Failures, Verdict, figures};
use crate::words::counted;

/// Judges the names of the target's topics: one that begins with `second_hop` has come back from where it went to.
pub fn one_hop<'t>(
    subject: &str,
    second_hop: &str,
    target_topics: impl IntoIterator<Item = &'t str>,
) -> CheckResult {
    let mut failures = Failures::default();
    let mut topics = 0;
    for topic in target_topics {
        topics += 1;
        if topic.starts_with(second_hop) {
            failures.add(|| Counterexample {
                source: None,
                target: None,
                record: None,
                expected: format!("no topic on the target that begins with {second_hop}"),
                found: format!("{topic}, a copy of a copy of a topic of the target itself"),
            });
        }
    }
    let counts = figures([("topics", topics), ("copies-of-copies", failures.count())]);
    let verdict = failures.verdict(|| Verdict::Pass {
        evidence: format!(
            "none of {} of the target begins with {second_hop}",
            counted(topics, "topic")
        ),
    });
    CheckResult {
        id: "loop".to_owned(),
        subject: subject.to_owned(),
        title: "nothing travels more than one hop".to_owned(),
        verdict,
        figures: counts,
    }
}
