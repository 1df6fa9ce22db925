//! What was found at random is found again by its seed: the same history, and the same first counterexample.

use conformance::{CheckResult, Journal, Verdict};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::history::{AGAIN, Lying, clean, journal_of, judge, phantom, replay};

const PER_STREAM: u64 = 60;

/// A history that goes wrong in ways that the seed decides, as the records in it.
fn gone_wrong(seed: u64) -> (Journal, Vec<Lying>) {
    let journal = journal_of(seed, PER_STREAM);
    let mut history = clean(&journal);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..history.len() - 1);
        match random.random_range(0..7) {
            0 => drop(history.remove(at)),
            1 => history.swap(at, at + 1),
            2 => replay(&mut history, at + 1, random.random_range(1..=at + 1)),
            3 => history[at].partition = random.random_range(0..3),
            4 => history[at].record.value = Some(b"other".to_vec()),
            5 => history[at].record.timestamp.millis += 1,
            _ => history.insert(at, phantom(&journal, 0, PER_STREAM + 5)),
        }
    }
    (journal, history)
}

fn judged(seed: u64) -> Vec<CheckResult> {
    let (journal, history) = gone_wrong(seed);
    judge(&journal, &history, AGAIN)
}

fn first_failure(results: &[CheckResult]) -> Option<&CheckResult> {
    results
        .iter()
        .find(|result| matches!(result.verdict, Verdict::Fail { .. }))
}

#[test]
fn the_same_seed_gives_the_same_counterexample_and_another_seed_another() {
    let mut found = Vec::new();
    for seed in 0..300 {
        let (once, again) = (judged(seed), judged(seed));
        assert_eq!(once, again, "seed {seed}");
        if let Some(failure) = first_failure(&once) {
            found.push(serde_json::to_string(failure).unwrap());
        }
    }
    assert!(found.len() > 200, "only {} of 300 failed", found.len());
    let all = found.len();
    found.sort_unstable();
    found.dedup();
    assert!(
        found.len() * 10 > all * 7,
        "{} of {all} differ",
        found.len()
    );
}
