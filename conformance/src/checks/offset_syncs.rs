//! `offset-map` of `MirrorMaker` 2: what it says are the same records are the same records.

use crate::verdict::{CheckResult, Counterexample, Failures, Verdict, figures};
use crate::words::{count, counted};

/// A source offset that the mirror says is a target offset, and what lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncedOffset {
    /// Partition on both sides.
    pub partition: i32,
    /// The offset on the source.
    pub source: i64,
    /// The offset on the target.
    pub target: i64,
    /// Where the target partition ends.
    pub target_end: i64,
    /// Whether both hold the same record; `None` where one of them holds none any more.
    pub same: Option<bool>,
}

/// Judges a topic's offset syncs: consumers are moved by them.
pub fn offset_syncs_hold(
    subject: &str,
    topics: (&str, &str),
    offsets: &[SyncedOffset],
) -> CheckResult {
    let mut failures = Failures::default();
    let mut add = |it: &SyncedOffset, expected: String, found: String| {
        failures.add(|| {
            Counterexample::between(
                topics,
                it.partition,
                (it.source, it.target),
                expected,
                found,
            )
        });
    };
    let mut sorted = offsets.to_vec();
    sorted.sort_unstable_by_key(|it| (it.partition, it.source, it.target));
    let (mut equal, mut not_there) = (0, 0);
    let mut before: Option<SyncedOffset> = None;
    for it in &sorted {
        let earlier = before.filter(|before| before.partition == it.partition);
        if let Some(earlier) = earlier.filter(|earlier| earlier.target >= it.target) {
            let expected = format!(
                "a target offset above {}, where source offset {} is said to be",
                earlier.target, earlier.source
            );
            add(it, expected, it.target.to_string());
        }
        before = Some(*it);
        if it.target >= it.target_end {
            let expected = format!("a target offset below the end, {}", it.target_end);
            add(it, expected, it.target.to_string());
            continue;
        }
        match it.same {
            Some(true) => equal += 1,
            Some(false) => add(
                it,
                format!("the record of source offset {}", it.source),
                format!("another record at target offset {}", it.target),
            ),
            None => not_there += 1,
        }
    }
    let all = offsets.len() as u64;
    let counts = figures([
        ("offset-syncs", all),
        ("same-record", equal),
        ("not-there-any-more", not_there),
    ]);
    let verdict = failures.verdict(|| {
        if equal == 0 {
            let reason = match all {
                0 => "the mirror has noted no offsets of this topic",
                _ => "no record of the noted offsets is there any more",
            };
            return Verdict::Inconclusive {
                reason: reason.to_owned(),
            };
        }
        Verdict::Pass {
            evidence: format!(
                "{} rise, and {} of them are the same record on both sides; of {} one side has it no more",
                counted(all, "offset sync"),
                count(equal),
                count(not_there)
            ),
        }
    });
    CheckResult {
        id: "offset-map".to_owned(),
        subject: subject.to_owned(),
        title: "offsets that the mirror says are the same record are, and rise".to_owned(),
        verdict,
        figures: counts,
    }
}
