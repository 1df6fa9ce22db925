//! What the board itself sees on the target, for engines that keep no notes which `verify` could judge by: the board knows what
//! it has done to whom.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Instant;

use e2e::{Pair, end_offsets};

use crate::beside::{Beside, COPIED, GONE, LOOK_AGAIN, NEW, PARTITIONS, RECORDS, SMALL};
use crate::engine::Engine;
use crate::run::{Counterexample, Judged, Verdict};
use crate::scenario::Scenario;

/// What consumers of Kafka say where an offset is gone; at level INFO, which Kafka Connect logs by default.
const SAYS_GONE: &str = "out of range";
/// What producers of Kafka say of a record that is too large, and Kafka Connect with them.
const SAYS_TOO_LARGE: &str = "RecordTooLarge";

/// Verdicts on what was done beside a scenario.
pub(crate) fn judge(scenario: &Scenario, pair: &Pair, engine: &Engine<'_>) -> Vec<Judged> {
    let looked = scenario.beside.iter().filter_map(|beside| {
        let topic = beside.topic(scenario);
        let verdict = match beside {
            Beside::Retention => retention(&settled(pair, &topic, &LEFT), &engine.printed()),
            Beside::Deletion => deletion(&settled(pair, &topic, &BULK)),
            Beside::Oversize => oversize(&settled(pair, &topic, &ALL_SMALL), &engine.printed()),
            Beside::Reset => reset(&settled(pair, &topic, &ANEW)),
            Beside::Transactions | Beside::Growth | Beside::Settings | Beside::Compaction => {
                return None;
            }
        };
        let id = match beside {
            Beside::Retention => "retention-gap",
            Beside::Deletion => "delete-policy",
            Beside::Reset => "topic-reset",
            _ => "oversize",
        };
        Some(Judged {
            id: id.to_owned(),
            by_comparison: false,
            verdict,
            figures: BTreeMap::new(),
        })
    });
    looked.collect()
}

const HALF: i64 = (RECORDS / PARTITIONS as u64) as i64;
/// What a partition of a bulk holds.
const BULK: [i64; 2] = [HALF; 2];
/// Two bulks without what was gone.
const LEFT: [i64; 2] = [2 * HALF - GONE as i64; 2];
/// A bulk, and all of the topic that was created again.
const ANEW: [i64; 2] = [HALF + NEW as i64; 2];
/// All that is not too large.
const ALL_SMALL: [i64; 2] = [2 * SMALL.len() as i64; 2];

/// Whether each partition holds so many; who promises at-least-once may have written some of them twice.
fn are_there(ends: &[i64], wanted: &[i64]) -> bool {
    ends.len() == wanted.len() && ends.iter().zip(wanted).all(|(end, wanted)| end >= wanted)
}

/// How many records each partition of the copy holds: waits until they are so many, or for a while.
fn settled(pair: &Pair, topic: &str, wanted: &[i64]) -> Vec<i64> {
    let began = Instant::now();
    loop {
        let ends = end_offsets(&pair.target.bootstrap_servers(), topic).unwrap_or_default();
        if are_there(&ends, wanted) || began.elapsed() >= COPIED {
            return ends;
        }
        sleep(LOOK_AGAIN);
    }
}

fn retention(ends: &[i64], printed: &str) -> Verdict {
    if ends != LEFT {
        return Verdict::Inconclusive {
            reason: format!(
                "it did not copy exactly what was left: its partitions end at {ends:?}, and not at {LEFT:?}"
            ),
        };
    }
    match printed.lines().find(|line| line.contains(SAYS_GONE)) {
        Some(line) => Verdict::Pass {
            evidence: format!(
                "{GONE} records of each partition were gone before they were copied, and its log says so: {line}"
            ),
        },
        None => Verdict::Fail {
            failures: GONE * u64::from(PARTITIONS),
            counterexample: Counterexample {
                expected: format!("a report of {GONE} records of each partition that were gone"),
                found: "a copy that goes on behind them, and no line of its log about it"
                    .to_owned(),
            },
        },
    }
}

fn deletion(ends: &[i64]) -> Verdict {
    if are_there(ends, &BULK) {
        return Verdict::Pass {
            evidence: format!("the copy of a deleted topic is kept, with its {RECORDS} records"),
        };
    }
    Verdict::Fail {
        failures: 1,
        counterexample: Counterexample {
            expected: format!("the copy of a deleted topic, ending at {BULK:?} or later"),
            found: if ends.is_empty() {
                "no such topic".to_owned()
            } else {
                format!("one that ends at {ends:?}")
            },
        },
    }
}

fn reset(ends: &[i64]) -> Verdict {
    let beyond = [NEW as i64; 2];
    match ends {
        all if all == ANEW => Verdict::Pass {
            evidence: format!(
                "all {NEW} records of each partition of the topic that was created again are copied"
            ),
        },
        rest if rest == beyond => Verdict::Fail {
            failures: (HALF * i64::from(PARTITIONS)).unsigned_abs(),
            counterexample: Counterexample {
                expected: format!(
                    "all {NEW} records of each partition of the topic that was created again, or a report"
                ),
                found: format!(
                    "those from offset {HALF} on, where it had been in the topic before: it took the one for the other"
                ),
            },
        },
        other => Verdict::Inconclusive {
            reason: format!(
                "it did not go on, or wrote some records twice: its partitions end at {other:?}, and not at {ANEW:?}"
            ),
        },
    }
}

/// The first partition has a record that is too large in its middle, and the others are its neighbours.
fn oversize(ends: &[i64], printed: &str) -> Verdict {
    let said = printed.lines().find(|line| line.contains(SAYS_TOO_LARGE));
    let before = SMALL.len() as i64;
    let all = ALL_SMALL[0];
    let fail = |expected: String, found: String| Verdict::Fail {
        failures: 1,
        counterexample: Counterexample { expected, found },
    };
    match ends {
        [first, ..] if *first > all => Verdict::Inconclusive {
            reason: "the target has taken the record".to_owned(),
        },
        [first, ..] if *first == all && said.is_none() => fail(
            "a stop at the record that is too large, or a report of it".to_owned(),
            "what comes after it, and no report".to_owned(),
        ),
        [first, neighbour] if [before, all].contains(first) && *neighbour < all => fail(
            format!("all {all} records of the neighbouring partition"),
            format!(
                "{neighbour} of them: whoever stops at one partition stops its neighbours, too"
            ),
        ),
        [first, _] if *first == before => Verdict::Pass {
            evidence: format!(
                "it stands before the record that is too large; all {all} records of the neighbour are there"
            ),
        },
        [first, _] if *first == all => Verdict::Pass {
            evidence: format!(
                "what comes after the record is copied, and its log says that this one was not: {}; all {all} records of \
                 the neighbour are there",
                said.unwrap_or_default()
            ),
        },
        other => Verdict::Inconclusive {
            reason: format!(
                "it had not copied what comes before the record: its partitions end at {other:?}"
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Fail { .. })
    }

    fn passed(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Pass { .. })
    }

    #[test]
    fn a_gap_without_a_word_fails_and_one_in_the_log_passes() {
        assert!(failed(&retention(&LEFT, "WARN something else")));
        let said = "WARN Fetch position 2500 is out of range for partition";
        assert!(passed(&retention(&LEFT, said)));
        let open = retention(&BULK, said);
        assert!(matches!(open, Verdict::Inconclusive { .. }), "{open:?}");
    }

    #[test]
    fn a_copy_of_a_deleted_topic_is_kept_whole() {
        assert!(passed(&deletion(&BULK)));
        assert!(passed(&deletion(&[HALF, HALF + 5])), "some of them twice");
        assert!(failed(&deletion(&[])));
        assert!(failed(&deletion(&[0, 0])));
    }

    #[test]
    fn who_takes_a_new_topic_for_the_one_before_fails() {
        assert!(passed(&reset(&ANEW)));
        assert!(failed(&reset(&[3_000, 3_000])));
        let stopped = reset(&BULK);
        assert!(
            matches!(stopped, Verdict::Inconclusive { .. }),
            "{stopped:?}"
        );
    }

    #[test]
    fn who_stops_at_a_large_record_passes_unless_neighbours_stop_too() {
        let silent = |ends: &[i64]| oversize(ends, "WARN something else");
        assert!(passed(&silent(&[2, 4])));
        assert!(failed(&silent(&[2, 2])));
        assert!(failed(&silent(&[4, 4])), "skipped without a word");
        assert!(matches!(silent(&[5, 4]), Verdict::Inconclusive { .. }));
        assert!(matches!(silent(&[]), Verdict::Inconclusive { .. }));
    }

    #[test]
    fn a_large_record_that_the_log_tells_of_is_not_skipped_without_a_word() {
        let said =
            "org.apache.kafka.common.errors.RecordTooLargeException: The message is 3000099 bytes";
        assert!(passed(&oversize(&[4, 4], said)));
        assert!(failed(&oversize(&[4, 2], said)), "its neighbour stands");
    }
}
