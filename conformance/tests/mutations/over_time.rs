//! What is promised about time: latency and recovery, by what was seen while records were written.

use std::time::Duration;

use conformance::{
    CheckResult, FaultEvent, LagSample, Mark, RecordId, RecoveryBound, Verdict, Watched, latency,
    recovery,
};
use proptest::prelude::*;

const OBJECTIVE: u64 = 100;
const WITHIN: u64 = 300;
const EVERY: i64 = 10;

fn result_of(result: &CheckResult) -> &'static str {
    match &result.verdict {
        Verdict::Pass { .. } => "pass",
        Verdict::Fail { .. } => "fail",
        Verdict::Inconclusive { .. } => "inconclusive",
    }
}

fn fault(at_ms: i64, until_ms: Option<i64>) -> FaultEvent {
    FaultEvent {
        at_ms,
        until_ms,
        fault: "freeze".to_owned(),
        target: "engine".to_owned(),
    }
}

fn mark(number: u64, written_ms: i64, took: Option<i64>) -> Mark {
    Mark {
        id: RecordId {
            stream: 0,
            sequence: number,
        },
        written_ms,
        seen_ms: took.map(|took| written_ms + took),
    }
}

/// A record every 10 ms that takes 20 ms, and a look every 10 ms.
fn steady(records: u64) -> Watched {
    Watched {
        marks: (0..records)
            .map(|number| mark(number, number as i64 * EVERY, Some(20)))
            .collect(),
        samples: samples(&vec![20; records as usize]),
        ..Watched::default()
    }
}

fn samples(late: &[u64]) -> Vec<LagSample> {
    let samples = late.iter().enumerate().map(|(number, &late_ms)| LagSample {
        at_ms: number as i64 * EVERY,
        records: u64::from(late_ms > 0),
        late_ms,
    });
    samples.collect()
}

fn timed(watched: &Watched, events: &[FaultEvent]) -> CheckResult {
    latency(
        "a → b",
        watched,
        events,
        Some(Duration::from_millis(OBJECTIVE)),
    )
}

#[test]
fn latency_catches_records_that_are_late() {
    type Mutate = fn(&mut Watched);
    let cases: [(&str, Mutate, &str); 9] = [
        ("nothing", |_| (), "pass"),
        (
            "one in a hundred",
            |w| w.marks[50].seen_ms = Some(9_000),
            "pass",
        ),
        (
            "two in a hundred",
            |w| {
                w.marks[50].seen_ms = Some(9_000);
                w.marks[150].seen_ms = Some(9_000);
                w.marks[151].seen_ms = Some(9_000);
            },
            "fail",
        ),
        (
            "all a millisecond too late",
            |w| {
                w.marks
                    .iter_mut()
                    .for_each(|it| it.seen_ms = Some(it.written_ms + 101));
            },
            "fail",
        ),
        (
            "all just in time",
            |w| {
                w.marks
                    .iter_mut()
                    .for_each(|it| it.seen_ms = Some(it.written_ms + 100));
            },
            "pass",
        ),
        (
            "a stretch that was never seen",
            |w| w.marks[20..30].iter_mut().for_each(|it| it.seen_ms = None),
            "fail",
        ),
        (
            "the last ones, on which nobody waited",
            |w| w.marks[196..].iter_mut().for_each(|it| it.seen_ms = None),
            "pass",
        ),
        (
            "seconds instead of milliseconds",
            |w| {
                w.marks
                    .iter_mut()
                    .for_each(|it| it.seen_ms = Some(it.written_ms + 20_000));
            },
            "fail",
        ),
        ("nothing was timed", |w| w.marks.clear(), "inconclusive"),
    ];
    for (name, mutate, expected) in cases {
        let mut watched = steady(200);
        mutate(&mut watched);
        let result = timed(&watched, &[]);
        assert_eq!(result_of(&result), expected, "{name}: {result:?}");
    }
    let unknown = latency("a → b", &steady(200), &[], None);
    assert_eq!(result_of(&unknown), "inconclusive");
}

#[test]
fn latency_leaves_out_what_a_fault_held_up_and_names_the_slowest() {
    let mut watched = steady(200);
    for number in 50..60 {
        watched.marks[number].seen_ms = Some(900);
        watched.samples[number].late_ms = 400;
    }
    assert_eq!(result_of(&timed(&watched, &[])), "fail");
    let during = fault(500, Some(560));
    let result = timed(&watched, std::slice::from_ref(&during));
    assert_eq!(result_of(&result), "pass", "{result:?}");
    assert!(result.figures["records-during-faults"] >= 10);
    let elsewhere = timed(&watched, &[fault(1_500, Some(1_560))]);
    let Verdict::Fail { counterexample, .. } = &elsewhere.verdict else {
        panic!("{elsewhere:?}");
    };
    assert_eq!(counterexample.record.unwrap().sequence, 50);
}

fn recovered(late: &[u64], events: &[FaultEvent]) -> CheckResult {
    let bound = RecoveryBound {
        lag: Duration::from_millis(OBJECTIVE),
        within: Duration::from_millis(WITHIN),
    };
    recovery("a → b", &samples(late), events, Some(bound))
}

/// Late from one moment to another, in steps of 10 ms.
fn late(from: usize, to: usize, all: usize) -> Vec<u64> {
    (0..all)
        .map(|at| if (from..to).contains(&at) { 500 } else { 20 })
        .collect()
}

#[test]
fn recovery_catches_a_lag_that_stays() {
    let once = [fault(100, Some(200))];
    let cases: [(&str, Vec<u64>, &[FaultEvent], &str); 9] = [
        ("at once", late(10, 20, 200), &once, "pass"),
        ("just in time", late(10, 50, 200), &once, "pass"),
        ("one look too late", late(10, 51, 200), &once, "fail"),
        ("never", late(10, 200, 200), &once, "fail"),
        (
            "nobody looked for long",
            late(10, 40, 40),
            &once,
            "inconclusive",
        ),
        ("no fault", late(10, 200, 200), &[], "inconclusive"),
        (
            "the second of two",
            late(100, 190, 200),
            &[fault(100, Some(200)), fault(1_000, Some(1_100))],
            "fail",
        ),
        (
            "two that meet are over with the last",
            late(10, 60, 200),
            &[fault(100, Some(200)), fault(150, Some(400))],
            "pass",
        ),
        (
            "without an end",
            late(10, 200, 200),
            &[fault(100, None)],
            "inconclusive",
        ),
    ];
    for (name, late, events, expected) in cases {
        let result = recovered(&late, events);
        assert_eq!(result_of(&result), expected, "{name}: {result:?}");
    }
    assert_eq!(
        result_of(&recovery("a", &samples(&[1]), &once, None)),
        "inconclusive"
    );
    let never = recovered(&late(10, 200, 200), &once);
    let Verdict::Fail {
        failures: 1,
        counterexample,
    } = never.verdict
    else {
        panic!("passed");
    };
    assert!(
        counterexample.expected.contains("freeze of engine at 100"),
        "{counterexample}"
    );
}

/// Milliseconds by milliseconds: whether a moment belongs to a fault, or to the time after it until the lag is normal.
fn latency_of_all(watched: &Watched, events: &[FaultEvent]) -> Option<bool> {
    let end = watched.samples.last().map_or(0, |it| it.at_ms);
    let is_troubled = |now: i64| {
        events.iter().any(|event| {
            let over = event.until_ms.unwrap_or(event.at_ms);
            let calm_since = |it: &LagSample| it.at_ms >= over && it.late_ms <= OBJECTIVE;
            // a calm look before this moment ends it
            let ended = watched
                .samples
                .iter()
                .any(|it| calm_since(it) && it.at_ms < now);
            now >= event.at_ms && !ended
        })
    };
    let mut took = Vec::new();
    for it in &watched.marks {
        let until = it.seen_ms.unwrap_or(end.max(it.written_ms));
        if (it.written_ms..=until).any(is_troubled) {
            continue;
        }
        let way = until - it.written_ms;
        if it.seen_ms.is_some() || way > OBJECTIVE as i64 {
            took.push(way);
        }
    }
    if took.is_empty() {
        return None;
    }
    let late = took.iter().filter(|it| **it > OBJECTIVE as i64).count();
    // 99 of 100 in time
    Some(late * 100 <= took.len())
}

fn recovery_of_all(samples: &[LagSample], events: &[FaultEvent]) -> Option<bool> {
    let end = samples.last()?.at_ms;
    let mut ended: Vec<(i64, i64)> = events
        .iter()
        .filter_map(|it| Some((it.at_ms, it.until_ms?)))
        .collect();
    ended.sort_by_key(|it| it.0);
    if ended.is_empty() {
        return None;
    }
    let is_calm = |now: i64| {
        samples
            .iter()
            .any(|it| it.at_ms == now && it.late_ms <= OBJECTIVE)
    };
    let mut next = 0;
    while next < ended.len() {
        let mut over = ended[next].1;
        next += 1;
        let mut now = over;
        loop {
            // a fault that begins by now belongs to this disturbance
            while next < ended.len() && ended[next].0 <= now {
                over = over.max(ended[next].1);
                next += 1;
            }
            now = now.max(over);
            if is_calm(now) || now >= end.max(over) {
                break;
            }
            // what comes later has no part in that
            if now - over > WITHIN as i64 {
                return Some(false);
            }
            now += 1;
        }
        let calm = is_calm(now) && now >= over;
        let took = if calm {
            now - over
        } else {
            (end - over).max(0)
        };
        if took > WITHIN as i64 {
            return Some(false);
        }
        if !calm {
            // nothing after it can be told from it
            return None;
        }
    }
    Some(true)
}

fn events() -> impl Strategy<Value = Vec<FaultEvent>> {
    let event = (0_i64..900, prop::option::weighted(0.8, 0_i64..300));
    prop::collection::vec(event, 0..4).prop_map(|events| {
        let mut events: Vec<FaultEvent> = events
            .into_iter()
            .map(|(at, length)| fault(at, length.map(|length| at + length)))
            .collect();
        events.sort_by_key(|it| it.at_ms);
        events
    })
}

fn stretches() -> impl Strategy<Value = Vec<u64>> {
    let stretch = (
        prop::sample::select(vec![0_u64, 20, 100, 101, 400]),
        1_usize..25,
    );
    prop::collection::vec(stretch, 1..9).prop_map(|stretches| {
        let each = stretches
            .into_iter()
            .flat_map(|(late, length)| vec![late; length]);
        each.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn latency_agrees_with_a_look_at_every_millisecond(
        ways in prop::collection::vec((0_i64..900, prop::option::weighted(0.9, prop_oneof![9 => 0_i64..100, 1 => 90_i64..400])), 0..60),
        late in stretches(),
        events in events(),
    ) {
        let marks = (0..).zip(&ways).map(|(number, (written, took))| mark(number, *written, *took));
        let watched = Watched { marks: marks.collect(), samples: samples(&late), ..Watched::default() };
        let expected = match latency_of_all(&watched, &events) {
            None => "inconclusive",
            Some(true) => "pass",
            Some(false) => "fail",
        };
        let result = timed(&watched, &events);
        prop_assert_eq!(result_of(&result), expected, "{:?}", result);
    }

    #[test]
    fn recovery_agrees_with_a_look_at_every_millisecond(late in stretches(), events in events()) {
        let expected = match recovery_of_all(&samples(&late), &events) {
            None => "inconclusive",
            Some(true) => "pass",
            Some(false) => "fail",
        };
        let result = recovered(&late, &events);
        prop_assert_eq!(result_of(&result), expected, "{:?}", result);
    }

    /// Whatever happens, a mirror that is never late raises no alarm.
    #[test]
    fn a_mirror_that_is_never_late_raises_no_alarm(
        ways in prop::collection::vec((0_i64..900, 0_i64..=100), 1..60),
        late in prop::collection::vec(0_u64..=100, 130),
        events in events(),
    ) {
        let marks = (0..).zip(&ways).map(|(number, (written, took))| mark(number, *written, Some(*took)));
        let watched = Watched { marks: marks.collect(), samples: samples(&late), ..Watched::default() };
        prop_assert_ne!(result_of(&timed(&watched, &events)), "fail");
        prop_assert_ne!(result_of(&recovered(&late, &events)), "fail");
    }
}
