//! The same promises, judged with everything in memory and nothing clever: it has to agree with the checks on any history.

use std::collections::{BTreeMap, BTreeSet};

use conformance::{Delivery, Generator, Journal, Record, RecordId, STAMP_HEADER};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::history::{
    AGAIN, Lying, ONCE, PARTITIONS, bound, clean, failed, journal_of, judge, phantom, replay,
};

const PER_STREAM: u64 = 60;

/// A record of the run on the target.
struct Seen<'h> {
    partition: i32,
    id: RecordId,
    record: &'h Record,
}

fn id_of(record: &Record) -> Option<RecordId> {
    let (name, stamp) = record.headers.last()?;
    let stamp = stamp.as_ref().filter(|_| name == STAMP_HEADER)?;
    Some(RecordId {
        stream: u32::from_be_bytes(stamp[9..13].try_into().unwrap()),
        sequence: u64::from_be_bytes(stamp[13..21].try_into().unwrap()),
    })
}

/// The ids of the checks that have to fail.
fn guilty(journal: &Journal, history: &[Lying], delivery: Delivery) -> BTreeSet<&'static str> {
    let mut guilty = BTreeSet::new();
    let mut seen = Vec::new();
    for lying in history {
        let written = id_of(&lying.record).map(|id| {
            let stream = journal.streams.get(id.stream as usize);
            (id, stream.is_some_and(|it| id.sequence < it.written))
        });
        match written {
            None => drop(guilty.insert("payload")),
            Some((_, false)) => drop(guilty.insert("no-phantom")),
            Some((id, true)) => seen.push(Seen {
                partition: lying.partition,
                id,
                record: &lying.record,
            }),
        }
    }
    let here: BTreeSet<RecordId> = seen.iter().map(|it| it.id).collect();
    if here.len() < (PARTITIONS as u64 * PER_STREAM) as usize {
        guilty.insert("complete");
    }
    content(journal, &seen, &mut guilty);
    keys(&seen, &mut guilty);
    lanes(&seen, delivery, &mut guilty);
    guilty
}

fn content(journal: &Journal, seen: &[Seen<'_>], guilty: &mut BTreeSet<&'static str>) {
    let mut generator = Generator::new(journal);
    for it in seen {
        let written = generator.record(it.id);
        if it.record.timestamp != written.timestamp {
            guilty.insert("timestamp");
        }
        let same_content = it.record.key == written.key
            && it.record.value == written.value
            && it.record.headers == written.headers;
        if !same_content {
            guilty.insert("payload");
        }
        if it.partition != journal.streams[it.id.stream as usize].partition {
            guilty.insert("partition-map");
        }
    }
}

fn keys(seen: &[Seen<'_>], guilty: &mut BTreeSet<&'static str>) {
    type Places = Vec<(i32, u64)>;
    let mut firsts: BTreeMap<(u32, &[u8]), Places> = BTreeMap::new();
    let mut before = BTreeSet::new();
    for it in seen {
        let key = it.record.key.as_deref();
        if before.insert(it.id)
            && let Some(key) = key
        {
            let places = firsts.entry((it.id.stream, key)).or_default();
            places.push((it.partition, it.id.sequence));
        }
    }
    for places in firsts.values() {
        if places.iter().any(|it| it.0 != places[0].0) || !places.is_sorted_by_key(|it| it.1) {
            guilty.insert("key-order");
        }
    }
}

fn lanes(seen: &[Seen<'_>], delivery: Delivery, guilty: &mut BTreeSet<&'static str>) {
    let mut lanes: BTreeMap<(i32, u32), Vec<u64>> = BTreeMap::new();
    for it in seen {
        let lane = lanes.entry((it.partition, it.id.stream)).or_default();
        lane.push(it.id.sequence);
    }
    let mut replays: BTreeMap<i32, u64> = BTreeMap::new();
    let bound = bound(delivery);
    for ((partition, _), lane) in &lanes {
        let again = |at: usize| lane[..at].contains(&lane[at]);
        let firsts: Vec<u64> = (0..lane.len())
            .filter(|at| !again(*at))
            .map(|at| lane[at])
            .collect();
        if !firsts.is_sorted() {
            guilty.insert("order");
        }
        let mut length = 0;
        for at in 0..lane.len() {
            if !again(at) {
                length = 0;
            } else if length == 0 || lane[at] <= lane[at - 1] {
                length = 1;
                *replays.entry(*partition).or_default() += 1;
            } else {
                length += 1;
            }
            let too_much = match delivery {
                Delivery::ExactlyOnce => length > 0,
                Delivery::AtLeastOnce => length > bound.window,
            };
            if too_much {
                guilty.insert("duplicates");
            }
            if at > 0 && again(at - 1) && lane[at] > lane[at - 1] {
                let due = lane[..at].iter().filter(|it| **it > lane[at - 1]).min();
                if due.is_some_and(|due| *due < lane[at]) {
                    guilty.insert("replay-shape");
                }
            }
        }
    }
    let restarts = bound.restarts.unwrap();
    if delivery == AGAIN && replays.values().any(|it| *it > restarts) {
        guilty.insert("duplicates");
    }
}

/// One thing that goes wrong.
#[derive(Debug, Clone)]
enum Fault {
    Lose(Index),
    Swap(Index),
    Exchange(Index, Index),
    Move(Index, Index),
    Again(Index, Index),
    Replay(Index, usize),
    Misplace(Index, i32),
    Alter(Index),
    NoKey(Index),
    Shift(Index),
    Unstamp(Index),
    Phantom(Index, u32, u64),
}

fn fault() -> impl Strategy<Value = Fault> {
    let at = any::<Index>;
    prop_oneof![
        at().prop_map(Fault::Lose),
        at().prop_map(Fault::Swap),
        (at(), at()).prop_map(|(one, other)| Fault::Exchange(one, other)),
        (at(), at()).prop_map(|(from, to)| Fault::Move(from, to)),
        (at(), at()).prop_map(|(from, to)| Fault::Again(from, to)),
        (at(), 1_usize..70).prop_map(|(end, length)| Fault::Replay(end, length)),
        (at(), 0..PARTITIONS).prop_map(|(index, to)| Fault::Misplace(index, to)),
        at().prop_map(Fault::Alter),
        at().prop_map(Fault::NoKey),
        at().prop_map(Fault::Shift),
        at().prop_map(Fault::Unstamp),
        (at(), 0_u32..5, PER_STREAM..1_000).prop_map(|(at, s, n)| Fault::Phantom(at, s, n)),
    ]
}

fn apply(journal: &Journal, history: &mut Vec<Lying>, fault: &Fault) {
    let size = history.len();
    match fault {
        Fault::Lose(at) => drop(history.remove(at.index(size))),
        Fault::Swap(at) => {
            let at = at.index(size - 1);
            history.swap(at, at + 1);
        }
        Fault::Exchange(one, other) => history.swap(one.index(size), other.index(size)),
        Fault::Move(from, to) => {
            let moved = history.remove(from.index(size));
            history.insert(to.index(size), moved);
        }
        Fault::Again(from, to) => {
            let again = history[from.index(size)].clone();
            history.insert(to.index(size), again);
        }
        Fault::Replay(end, length) => {
            let end = end.index(size) + 1;
            replay(history, end, (*length).min(end));
        }
        Fault::Misplace(at, to) => history[at.index(size)].partition = *to,
        Fault::Alter(at) => history[at.index(size)].record.value = Some(b"other".to_vec()),
        Fault::NoKey(at) => history[at.index(size)].record.key = None,
        Fault::Shift(at) => history[at.index(size)].record.timestamp.millis += 1,
        Fault::Unstamp(at) => drop(history[at.index(size)].record.headers.pop()),
        Fault::Phantom(at, stream, sequence) => {
            history.insert(at.index(size), phantom(journal, *stream, *sequence));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_checks_agree_with_the_reference(
        seed in 0..u64::MAX - 77,
        faults in prop::collection::vec(fault(), 0..4),
        once in any::<bool>(),
    ) {
        let delivery = if once { ONCE } else { AGAIN };
        let journal = journal_of(seed, PER_STREAM);
        let mut history = clean(&journal);
        for fault in &faults {
            apply(&journal, &mut history, fault);
        }
        let results = judge(&journal, &history, delivery);
        prop_assert_eq!(failed(&results), guilty(&journal, &history, delivery), "{:#?}", results);
    }
}
