//! What a transaction left behind that was aborted.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::lane::{ONCE, WITHIN, failed, figure, finish, original, result};
use crate::Error;
use crate::compare::align::{Side, Wanted, align};
use crate::compare::entry::{Entry, TimestampRule};
use crate::compare::judge::{Judge, Starts};
use crate::record::{Record, RecordHasher};
use crate::verdict::{CheckResult, Verdict};

/// Records with their offsets.
type Records = Vec<(i64, Record)>;

type Mutate = fn(&mut Records, &[(i64, Record)]);

/// A side with the offsets of the log.
struct Log {
    entries: std::vec::IntoIter<Entry>,
}

impl Log {
    fn new(records: &[(i64, Record)]) -> Self {
        let mut hasher = RecordHasher::default();
        let entries: Vec<Entry> = records
            .iter()
            .map(|(offset, record)| {
                Entry::new(&mut hasher, TimestampRule::Exact, *offset, &record.view())
            })
            .collect();
        Self {
            entries: entries.into_iter(),
        }
    }
}

impl Side for Log {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        Ok(self.entries.next())
    }

    fn stop_waiting(&mut self) {}
}

/// The source's log, with the places of aborted records.
fn log(records: usize, aborted: &BTreeSet<usize>) -> (Records, Records) {
    let everything: Records = (0_i64..).zip(original(records)).collect();
    let committed = everything
        .iter()
        .filter(|(offset, _)| !aborted.contains(&(*offset as usize)))
        .cloned()
        .collect();
    (everything, committed)
}

fn judged(
    everything: &[(i64, Record)],
    committed: &[(i64, Record)],
    copied: &[(i64, Record)],
) -> Vec<CheckResult> {
    let wanted = Wanted {
        remembered: ONCE.window as usize,
        ..Wanted::default()
    };
    let tick = &mut || Ok(());
    let mut found = align(
        &mut Log::new(committed),
        &mut Log::new(copied),
        wanted,
        tick,
    )
    .expect("no reader fails");
    if found.holds_foreign() {
        found
            .set_aborted_apart(&mut Log::new(everything), &mut Log::new(committed), tick)
            .expect("no reader fails");
    }
    let mut judge = Judge::new("a", "b", WITHIN, 1, Some(1));
    judge.add(0, Starts::default(), found);
    finish(&judge, &[], &[])
}

/// The copies of these records, at offsets of their own.
fn copies(records: &[(i64, Record)]) -> Records {
    let records = records.iter().map(|(_, record)| record.clone());
    (0..).zip(records).collect()
}

#[test]
fn each_mutant_is_named() {
    let aborted = BTreeSet::from([40, 41, 42, 77, 499]);
    let (everything, committed) = log(500, &aborted);
    let mutants: [(&str, Mutate, &[&str]); 6] = [
        ("nothing", |_, _| (), &[]),
        (
            "everything copied",
            |c, e| *c = copies(e),
            &["transactions"],
        ),
        (
            "one aborted record copied",
            |c, e| c.insert(40, (0, e[40].1.clone())),
            &["transactions"],
        ),
        (
            "an aborted record at the end",
            |c, e| c.push((0, e[499].1.clone())),
            &["transactions"],
        ),
        (
            "an aborted record instead of a committed one",
            |c, e| c[39] = (0, e[40].1.clone()),
            &["count", "transactions"],
        ),
        (
            "a stranger, which is of no transaction",
            |c, e| {
                let mut stranger = e[40].1.clone();
                stranger.key = Some(b"stranger".to_vec());
                c.insert(100, (0, stranger));
            },
            &["count"],
        ),
    ];
    for (name, mutate, guilty) in mutants {
        let mut copied = copies(&committed);
        mutate(&mut copied, &everything);
        let copied = copies(&copied);
        let results = judged(&everything, &committed, &copied);
        let guilty: BTreeSet<&str> = guilty.iter().copied().collect();
        assert_eq!(failed(&results), guilty, "{name}: {results:#?}");
    }
}

#[test]
fn the_aborted_record_is_named_by_its_places() {
    let (everything, committed) = log(100, &BTreeSet::from([40]));
    let results = judged(&everything, &committed, &copies(&everything));
    let Verdict::Fail {
        failures: 1,
        counterexample,
    } = result(&results, "transactions")
    else {
        panic!("{results:#?}");
    };
    assert!(
        counterexample
            .to_string()
            .ends_with("source a-0@40; target b-0@40"),
        "{counterexample}"
    );
}

#[test]
fn a_replay_that_reaches_too_far_back_is_not_taken_for_an_aborted_record() {
    let (everything, committed) = log(1_000, &BTreeSet::from([5]));
    let mut copied = copies(&committed);
    copied.push((0, committed[0].1.clone()));
    let results = judged(&everything, &committed, &copies(&copied));
    assert_eq!(failed(&results), BTreeSet::from(["count"]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// With aborted records anywhere, a clean copy raises no alarm, and each that is copied is counted.
    #[test]
    fn aborted_records_are_counted(
        aborted in prop::collection::btree_set(0_usize..200, 0..20),
        copied in prop::collection::btree_set(0_usize..200, 0..20),
    ) {
        let (everything, committed) = log(200, &aborted);
        let on_target: Records = everything.iter().filter(|(offset, _)| {
            let place = *offset as usize;
            !aborted.contains(&place) || copied.contains(&place)
        }).cloned().collect();
        let results = judged(&everything, &committed, &copies(&on_target));
        let wrong = aborted.intersection(&copied).count() as u64;
        let guilty: BTreeSet<&str> = (wrong > 0).then_some("transactions").into_iter().collect();
        prop_assert_eq!(failed(&results), guilty, "{:#?}", results);
        prop_assert_eq!(figure(&results, "transactions", "aborted-and-copied"), wrong);
    }
}
