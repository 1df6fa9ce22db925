//! Which records are there, and where.

use std::collections::BTreeSet;

use conformance::{RangeSet, Record};

use crate::history::{AGAIN, Lying, ONCE, at, clean, expect, failed, journal, judge, phantom};

#[test]
fn complete_catches_lost_records() {
    expect(&[
        ("one lost", AGAIN, |h| drop(h.remove(500)), &["complete"]),
        (
            "the first lost",
            AGAIN,
            |h| drop(h.remove(0)),
            &["complete"],
        ),
        ("the last lost", AGAIN, |h| drop(h.pop()), &["complete"]),
        (
            "a stretch lost",
            AGAIN,
            |h| drop(h.drain(450..480)),
            &["complete"],
        ),
        (
            "a partition lost",
            AGAIN,
            |h| h.retain(|l| l.partition != 1),
            &["complete"],
        ),
        (
            "one lost, its neighbour twice: the count is right",
            AGAIN,
            |h| h[500] = h[499].clone(),
            &["complete"],
        ),
    ]);
}

#[test]
fn order_catches_records_out_of_order() {
    expect(&[
        (
            "neighbours swapped",
            AGAIN,
            |h| h.swap(100, 101),
            &["order"],
        ),
        (
            "far ones swapped",
            ONCE,
            |h| h.swap(10, 300),
            &["order", "key-order"],
        ),
        (
            "one late",
            AGAIN,
            |h| {
                let late = h.remove(600);
                h.insert(640, late);
            },
            &["order"],
        ),
        (
            "one early",
            AGAIN,
            |h| {
                let early = h.remove(640);
                h.insert(600, early);
            },
            &["order"],
        ),
        (
            "a batch backwards",
            AGAIN,
            |h| h[800..816].reverse(),
            &["order"],
        ),
    ]);
}

#[test]
fn partition_map_catches_misplaced_records() {
    expect(&[
        (
            "one misplaced",
            AGAIN,
            |h| h[3].partition = 2,
            &["key-order", "partition-map"],
        ),
        (
            "two exchanged across partitions",
            ONCE,
            |h| {
                let (one, other) = (h[100].clone(), h[500].clone());
                h[100].record = other.record;
                h[500].record = one.record;
            },
            &["key-order", "partition-map"],
        ),
        (
            "two partitions exchanged",
            ONCE,
            |h| {
                for lying in h {
                    lying.partition = match lying.partition {
                        0 => 1,
                        1 => 0,
                        other => other,
                    };
                }
            },
            &["partition-map"],
        ),
        (
            "a partition folded into another",
            AGAIN,
            |h| {
                for lying in h.iter_mut().filter(|lying| lying.partition == 2) {
                    lying.partition = 0;
                }
            },
            &["partition-map"],
        ),
    ]);
}

#[test]
fn no_phantom_catches_what_was_never_written() {
    expect(&[
        (
            "one behind the end",
            ONCE,
            |h| h.insert(400, phantom(&journal(11), 0, 400)),
            &["no-phantom"],
        ),
        (
            "one before everything",
            AGAIN,
            |h| h.insert(0, phantom(&journal(11), 2, 1 << 40)),
            &["no-phantom"],
        ),
        (
            "of a stream that there is not",
            AGAIN,
            |h| h.push(phantom(&journal(11), 3, 0)),
            &["no-phantom"],
        ),
        (
            "instead of one that was written",
            AGAIN,
            |h| h[100] = phantom(&journal(11), 0, 4_000),
            &["complete", "no-phantom"],
        ),
    ]);
}

#[test]
fn no_phantom_catches_a_record_whose_write_failed() {
    let mut journal = journal(5);
    let history = clean(&journal);
    journal.streams[1].acknowledged = RangeSet::span(0, 399);
    journal.streams[1].failed = RangeSet::span(399, 400);
    let results = judge(&journal, &history, ONCE);
    assert_eq!(failed(&results), BTreeSet::from(["no-phantom"]));
}

#[test]
fn key_order_catches_keys_out_of_order() {
    /// Two records of one key in the first partition, nothing of it between them.
    fn pair(history: &[Lying]) -> (usize, usize) {
        let keyed = |r: &Record| r.key.as_ref().is_some_and(|key| !key.is_empty());
        let mut from = 0;
        loop {
            let one = at(history, from, keyed);
            let key = history[one].record.key.clone();
            let next = (one + 1..400).find(|index| history[*index].record.key == key);
            match next {
                Some(next) => return (one, next),
                None => from = one + 1,
            }
        }
    }
    expect(&[
        (
            "two of a key exchanged",
            ONCE,
            |h| {
                let (one, next) = pair(h);
                h.swap(one, next);
            },
            &["order", "key-order"],
        ),
        (
            "the earlier one behind the later one",
            AGAIN,
            |h| {
                let (one, next) = pair(h);
                let late = h.remove(one);
                h.insert(next, late);
            },
            &["order", "key-order"],
        ),
        (
            "the later one on another partition",
            AGAIN,
            |h| {
                let (_, next) = pair(h);
                h[next].partition = 1;
            },
            &["key-order", "partition-map"],
        ),
    ]);
}
