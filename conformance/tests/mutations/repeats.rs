//! What comes again.

use conformance::Verdict;

use crate::history::{AGAIN, ONCE, clean, expect, failed, find, journal, judge, replay};

#[test]
fn duplicates_catches_too_many() {
    expect(&[
        (
            "one repeat, exactly-once",
            ONCE,
            |h| replay(h, 200, 1),
            &["duplicates"],
        ),
        (
            "the last once more, exactly-once",
            ONCE,
            |h| replay(h, 400, 1),
            &["duplicates"],
        ),
        (
            "a replay over the bound",
            AGAIN,
            |h| replay(h, 200, 51),
            &["duplicates"],
        ),
        (
            "a whole partition again",
            AGAIN,
            |h| replay(h, 1200, 400),
            &["duplicates"],
        ),
        (
            "three replays at two restarts",
            AGAIN,
            |h| {
                replay(h, 300, 5);
                replay(h, 200, 5);
                replay(h, 100, 5);
            },
            &["duplicates"],
        ),
        (
            "the same stretch three times more at two restarts",
            AGAIN,
            |h| {
                replay(h, 300, 5);
                replay(h, 305, 5);
                replay(h, 310, 5);
            },
            &["duplicates"],
        ),
    ]);
}

#[test]
fn repeats_within_the_bound_are_counted_and_fine() {
    let journal = journal(3);
    let mut history = clean(&journal);
    replay(&mut history, 700, 50);
    replay(&mut history, 300, 20);
    replay(&mut history, 100, 1);
    let results = judge(&journal, &history, AGAIN);
    assert!(failed(&results).is_empty(), "{results:#?}");
    let duplicates = find(&results, "duplicates");
    assert_eq!(duplicates.figures["duplicates"], 71);
    assert_eq!(duplicates.figures["replays"], 3);
    assert_eq!(duplicates.figures["replays-of-worst-partition"], 2);
    assert_eq!(duplicates.figures["longest-replay"], 50);
    let Verdict::Pass { evidence } = &duplicates.verdict else {
        panic!("{duplicates:?}")
    };
    assert_eq!(
        evidence,
        "71 duplicates in 3 replays, longest 50; each replay is within 50, and no partition has \
         more of them than the 2 restarts"
    );
}

#[test]
fn replay_shape_catches_broken_replays() {
    expect(&[
        (
            "one left out of a replay",
            AGAIN,
            |h| {
                replay(h, 200, 20);
                h.remove(210);
            },
            &["replay-shape"],
        ),
        (
            "one left out before it goes on",
            AGAIN,
            |h| {
                replay(h, 200, 20);
                h.remove(219);
            },
            &["replay-shape"],
        ),
        (
            "neighbours of a replay exchanged",
            AGAIN,
            |h| {
                replay(h, 200, 20);
                h.swap(210, 211);
            },
            &["replay-shape"],
        ),
        (
            "a batch once more after the next one",
            AGAIN,
            |h| {
                let batch = h[100..110].to_vec();
                h.splice(120..120, batch);
            },
            &["replay-shape"],
        ),
    ]);
}

#[test]
fn a_replay_that_is_broken_off_by_another_is_in_shape() {
    let journal = journal(3);
    let mut history = clean(&journal);
    // copied up to 200, from 180 again up to 190, then from 180 to the end
    replay(&mut history, 200, 20);
    let broken_off = history[180..190].to_vec();
    history.splice(200..200, broken_off);
    let results = judge(&journal, &history, AGAIN);
    assert!(failed(&results).is_empty(), "{results:#?}");
    assert_eq!(find(&results, "replay-shape").figures["replays"], 2);
}
