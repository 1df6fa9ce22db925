//! What a record holds.

use conformance::{Record, STAMP_HEADER, TimestampKind};

use crate::history::{AGAIN, Lying, at, expect};

#[test]
fn payload_catches_altered_records() {
    fn full(history: &[Lying]) -> usize {
        at(history, 500, |r| {
            r.key.as_ref().is_some_and(|k| !k.is_empty())
                && r.value.as_ref().is_some_and(|v| v.len() > 8)
                && r.headers.len() > 2
                && r.headers[0] != r.headers[1]
        })
    }
    fn alter(history: &mut [Lying], change: fn(&mut Record)) {
        let index = full(history);
        change(&mut history[index].record);
    }
    expect(&[
        (
            "a byte of the key",
            AGAIN,
            |h| alter(h, |r| r.key.as_mut().unwrap()[0] ^= 1),
            &["payload"],
        ),
        (
            "no key",
            AGAIN,
            |h| alter(h, |r| r.key = None),
            &["payload"],
        ),
        (
            "a bit of the value",
            AGAIN,
            |h| alter(h, |r| r.value.as_mut().unwrap()[7] ^= 0x80),
            &["payload"],
        ),
        (
            "a value cut short",
            AGAIN,
            |h| alter(h, |r| r.value.as_mut().unwrap().truncate(3)),
            &["payload"],
        ),
        (
            "a value become null",
            AGAIN,
            |h| alter(h, |r| r.value = None),
            &["payload"],
        ),
        (
            "null become empty",
            AGAIN,
            |h| {
                let index = at(h, 0, |r| r.value.is_none());
                h[index].record.value = Some(Vec::new());
            },
            &["payload"],
        ),
        (
            "empty become null",
            AGAIN,
            |h| {
                let index = at(h, 0, |r| r.value == Some(Vec::new()));
                h[index].record.value = None;
            },
            &["payload"],
        ),
        (
            "null key become empty",
            AGAIN,
            |h| {
                let index = at(h, 0, |r| r.key.is_none());
                h[index].record.key = Some(Vec::new());
            },
            &["payload"],
        ),
        (
            "null header become empty",
            AGAIN,
            |h| {
                let index = at(h, 0, |r| r.headers.iter().any(|header| header.1.is_none()));
                let header = h[index].record.headers.iter_mut().find(|h| h.1.is_none());
                header.unwrap().1 = Some(Vec::new());
            },
            &["payload"],
        ),
        (
            "a header lost",
            AGAIN,
            |h| alter(h, |r| drop(r.headers.remove(0))),
            &["payload"],
        ),
        (
            "headers swapped",
            AGAIN,
            |h| alter(h, |r| r.headers.swap(0, 1)),
            &["payload"],
        ),
        (
            "a header renamed",
            AGAIN,
            |h| alter(h, |r| r.headers[0].0.push('s')),
            &["payload"],
        ),
        (
            "a header added before",
            AGAIN,
            |h| alter(h, |r| r.headers.insert(0, ("origin".into(), None))),
            &["payload"],
        ),
        (
            "a header added behind",
            AGAIN,
            |h| alter(h, |r| r.headers.push(("origin".into(), None))),
            &["payload"],
        ),
        (
            "values exchanged",
            AGAIN,
            |h| {
                let value = h[20].record.value.clone();
                h[20].record.value = std::mem::replace(&mut h[41].record.value, value);
            },
            &["payload"],
        ),
        // without its stamp a record is not found either
        (
            "the stamp lost",
            AGAIN,
            |h| alter(h, |r| r.headers.retain(|header| header.0 != STAMP_HEADER)),
            &["complete", "payload"],
        ),
        (
            "the stamp cut short",
            AGAIN,
            |h| {
                alter(h, |r| {
                    r.headers
                        .last_mut()
                        .unwrap()
                        .1
                        .as_mut()
                        .unwrap()
                        .truncate(36);
                });
            },
            &["complete", "payload"],
        ),
        (
            "the hash in the stamp altered",
            AGAIN,
            |h| {
                alter(h, |r| {
                    r.headers.last_mut().unwrap().1.as_mut().unwrap()[36] ^= 1;
                });
            },
            &["payload"],
        ),
    ]);
}

#[test]
fn timestamp_catches_shifted_times() {
    expect(&[
        (
            "a millisecond later",
            AGAIN,
            |h| h[5].record.timestamp.millis += 1,
            &["timestamp"],
        ),
        (
            "the wall clock",
            AGAIN,
            |h| {
                for lying in h {
                    lying.record.timestamp.millis = 1_760_000_009_999;
                }
            },
            &["timestamp"],
        ),
        (
            "log-append time",
            AGAIN,
            |h| h[900].record.timestamp.kind = TimestampKind::LogAppend,
            &["timestamp"],
        ),
        (
            "none",
            AGAIN,
            |h| {
                h[900].record.timestamp.kind = TimestampKind::Absent;
                h[900].record.timestamp.millis = -1;
            },
            &["timestamp"],
        ),
        (
            "seconds instead of milliseconds",
            AGAIN,
            |h| h[7].record.timestamp.millis /= 1000,
            &["timestamp"],
        ),
    ]);
}
