//! `delete-policy`: when a source topic is deleted, its copy stays or goes as declared.

use crate::verdict::{CheckResult, Counterexample, Failures, Verdict, figures};
use crate::words::{count, counted};

/// A topic that a mirror has copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTopic {
    /// Its name on the source.
    pub source: String,
    /// Its name on the target.
    pub target: String,
    /// Whether the source has no such topic any more, by the broker's own word.
    pub source_is_gone: bool,
    /// Whether the target has it.
    pub target_is_there: bool,
    /// Whether it goes with its source: declared, and permitted.
    pub goes: bool,
}

/// Judges the copies of topics that the source has no more.
pub fn delete_policy(subject: &str, topics: &[CopiedTopic]) -> CheckResult {
    let mut failures = Failures::default();
    let gone = || topics.iter().filter(|topic| topic.source_is_gone);
    for topic in gone().filter(|topic| topic.target_is_there == topic.goes) {
        let (expected, found) = if topic.goes {
            ("deleted", "is still there")
        } else {
            ("kept", "is gone")
        };
        failures.add(|| Counterexample {
            source: None,
            target: None,
            record: None,
            expected: format!(
                "topic {} {expected}, as declared: its source topic {} was deleted",
                topic.target, topic.source
            ),
            found: format!("it {found}"),
        });
    }
    let kept = gone().filter(|topic| topic.target_is_there).count() as u64;
    let all = gone().count() as u64;
    let counts = figures([
        ("topics-copied", topics.len() as u64),
        ("gone-from-the-source", all),
        ("kept-on-the-target", kept),
    ]);
    let verdict = failures.verdict(|| Verdict::Pass {
        evidence: format!(
            "of {} copied, {} gone from the source; {} of their copies kept, {} deleted, as declared",
            counted(topics.len() as u64, "topic"),
            count(all),
            count(kept),
            count(all - kept)
        ),
    });
    CheckResult {
        id: "delete-policy".to_owned(),
        subject: subject.to_owned(),
        title: "the copy of a deleted topic stays or goes as declared".to_owned(),
        verdict,
        figures: counts,
    }
}
