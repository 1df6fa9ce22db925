//! `offset-map`: where a consumer goes on after a move skips nothing, rises, and goes back no further than declared.

use crate::verdict::{CheckResult, Counterexample, Failures, Verdict, figures};
use crate::words::counted;

/// A translated offset, and where the record it stands before lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MappedOffset {
    /// Partition on both sides.
    pub partition: i32,
    /// The offset on the source that a consumer has committed.
    pub source: i64,
    /// The offset on the target that it is translated to.
    pub target: i64,
    /// The first record at or behind `source` that both sides have, on the source and on the target; `None` where there is
    /// none yet.
    pub next: Option<(i64, i64)>,
    /// Where the target partition ends.
    pub target_end: i64,
}

/// Judges a topic's translated offsets. `bound` is how many target offsets a consumer may be sent back.
pub fn offset_map(
    subject: &str,
    topics: (&str, &str),
    offsets: &[MappedOffset],
    bound: u64,
) -> CheckResult {
    let mut failures = Failures::default();
    let mut sorted = offsets.to_vec();
    sorted.sort_unstable_by_key(|it| (it.partition, it.source, it.target));
    let (mut behind_all, mut furthest_back) = (0, 0);
    let mut before: Option<MappedOffset> = None;
    for it in sorted {
        if let Some(before) = before.filter(|before| before.partition == it.partition)
            && before.target > it.target
        {
            failures.add(|| {
                Counterexample::between(
                    topics,
                    it.partition,
                    (it.source, it.target),
                    format!(
                        "a target offset of at least {}, where source offset {} is translated to",
                        before.target, before.source
                    ),
                    it.target.to_string(),
                )
            });
        }
        before = Some(it);
        let Some((source, target)) = it.next else {
            behind_all += 1;
            if it.target > it.target_end {
                failures.add(|| {
                    Counterexample::between(
                        topics,
                        it.partition,
                        (it.source, it.target),
                        format!("a target offset up to the end, {}", it.target_end),
                        format!("{}, which skips what comes next", it.target),
                    )
                });
            }
            continue;
        };
        let example = |expected: String, found: String| {
            Counterexample::between(topics, it.partition, (source, target), expected, found)
        };
        if it.target > target {
            failures.add(|| {
                example(
                    format!(
                        "source offset {} translated to {target} or less, where the next record lies",
                        it.source
                    ),
                    format!("{}, which skips it", it.target),
                )
            });
            continue;
        }
        let back = (target - it.target) as u64;
        furthest_back = furthest_back.max(back);
        if back > bound {
            failures.add(|| {
                example(
                    format!(
                        "a consumer sent back by at most {}",
                        counted(bound, "offset")
                    ),
                    format!(
                        "source offset {} translated to {}, {back} before the next record",
                        it.source, it.target
                    ),
                )
            });
        }
    }
    let all = offsets.len() as u64;
    let counts = figures([
        ("offsets", all),
        ("without-a-record-behind", behind_all),
        ("furthest-back", furthest_back),
        ("bound", bound),
    ]);
    let verdict = failures.verdict(|| Verdict::Pass {
        evidence: format!(
            "{} skip nothing and rise, {behind_all} of them at the end; the furthest goes back by {}",
            counted(all, "translated offset"),
            counted(furthest_back, "offset")
        ),
    });
    CheckResult {
        id: "offset-map".to_owned(),
        subject: subject.to_owned(),
        title: "translated offsets skip nothing, rise, and go back no further than declared"
            .to_owned(),
        verdict,
        figures: counts,
    }
}
