//! A copy with one thing wrong, for each thing that may be.

use std::collections::{BTreeMap, BTreeSet};

use conformance::{Journal, STAMP_HEADER, Unobserved, Verdict, write_workload};

use crate::bed::{
    Clusters, Lying, PARTITIONS, clusters, create, failed, fresh, judge_both, read_all, settings,
    workload, write_all,
};

fn full(history: &[Lying]) -> usize {
    (500..history.len())
        .find(|index| {
            let record = &history[*index].1;
            record.key.as_ref().is_some_and(|key| !key.is_empty())
                && record.value.as_ref().is_some_and(|value| value.len() > 8)
                && record.headers.len() > 2
        })
        .unwrap()
}

struct Mutant {
    name: &'static str,
    partitions: i32,
    settings: BTreeMap<String, String>,
    mutate: fn(&mut Vec<Lying>),
    stamped: &'static [&'static str],
    compared: &'static [&'static str],
}

fn mutant(
    name: &'static str,
    mutate: fn(&mut Vec<Lying>),
    stamped: &'static [&'static str],
    compared: &'static [&'static str],
) -> Mutant {
    Mutant {
        name,
        partitions: PARTITIONS,
        settings: settings(),
        mutate,
        stamped,
        compared,
    }
}

fn mutants() -> Vec<Mutant> {
    vec![
        mutant("none", |_| (), &[], &[]),
        mutant("lost", |h| drop(h.remove(700)), &["complete"], &["count"]),
        mutant(
            "tail-lost",
            |h| h.truncate(h.len() - 4),
            &["complete"],
            &["count"],
        ),
        mutant("swapped", |h| h.swap(30, 31), &["order"], &["order"]),
        mutant(
            "late",
            |h| {
                let late = h.remove(1300);
                h.insert(1350, late);
            },
            &["order"],
            &["order"],
        ),
        mutant(
            "replay-in-bound",
            |h| {
                let again = h[200..250].to_vec();
                h.splice(250..250, again);
            },
            &[],
            &[],
        ),
        mutant(
            "replay-over-bound",
            |h| {
                let again = h[200..260].to_vec();
                h.splice(260..260, again);
            },
            &["duplicates"],
            // 51 records back and more nobody remembers: they count as foreign
            &["count"],
        ),
        mutant(
            "misplaced",
            |h| h[100].0 = 2,
            &["key-order", "partition-map"],
            &["count"],
        ),
        mutant(
            "value",
            |h| {
                let index = full(h);
                h[index].1.value.as_mut().unwrap()[3] ^= 1;
            },
            &["payload"],
            &["payload"],
        ),
        mutant(
            "null-to-empty",
            |h| {
                let index = h.iter().position(|l| l.1.value.is_none()).unwrap();
                h[index].1.value = Some(Vec::new());
            },
            &["payload"],
            &["payload"],
        ),
        mutant(
            "null-key-to-empty",
            |h| {
                let index = h.iter().position(|l| l.1.key.is_none()).unwrap();
                h[index].1.key = Some(Vec::new());
            },
            &["payload"],
            &["payload"],
        ),
        mutant(
            "header-lost",
            |h| {
                let index = full(h);
                h[index].1.headers.remove(0);
            },
            &["payload"],
            &["payload"],
        ),
        mutant(
            "stamp-lost",
            |h| h[40].1.headers.retain(|header| header.0 != STAMP_HEADER),
            &["complete", "payload"],
            &["payload"],
        ),
        mutant(
            "time",
            |h| h[1200].1.timestamp.millis -= 1,
            &["timestamp"],
            &["timestamp"],
        ),
        Mutant {
            partitions: PARTITIONS + 1,
            ..mutant("partitions", |_| (), &["topic-creation"], &["partitions"])
        },
        Mutant {
            settings: BTreeMap::new(),
            ..mutant("settings", |_| (), &["topic-creation"], &[])
        },
    ]
}

fn judge_mutant(clusters: &Clusters, journal: &Journal, written: &[Lying], mutant: &Mutant) {
    let copy = fresh(mutant.name);
    create(&clusters.target, &copy, mutant.partitions, &mutant.settings);
    let mut history = written.to_vec();
    (mutant.mutate)(&mut history);
    write_all(&clusters.target, &copy, &history);
    let (stamped, compared) = judge_both(clusters, journal, &copy);
    let name = mutant.name;
    let wanted = |ids: &'static [&str]| ids.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(
        failed(&stamped),
        wanted(mutant.stamped),
        "{name}: {stamped:#?}"
    );
    assert_eq!(
        failed(&compared),
        wanted(mutant.compared),
        "{name}: {compared:#?}"
    );
    assert!(stamped.conclusive(), "{name}: {stamped:#?}");
    for failure in stamped
        .failures()
        .filter(|check| check.id != "topic-creation")
    {
        let Verdict::Fail { counterexample, .. } = &failure.verdict else {
            continue;
        };
        let unnamed = counterexample.record.is_none();
        assert!(
            counterexample.source.is_some() || unnamed,
            "{name}: {counterexample}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mutant_is_caught_and_named_through_the_clusters() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let topic = fresh("orders");
        let journal =
            write_workload(&clusters.source, &workload(&topic, 3000), &Unobserved).unwrap();
        assert_eq!(
            (journal.acknowledged(), journal.failed(), journal.unknown()),
            (3000, 0, 0)
        );
        let written = read_all(&clusters.source, &topic);
        assert_eq!(written.len(), 3000);
        // what takes time is waiting for answers, so several mutants go at once
        let mutants = mutants();
        let (clusters, journal, written) = (&clusters, &journal, written.as_slice());
        std::thread::scope(|scope| {
            for some in mutants.chunks(4) {
                scope.spawn(move || {
                    for mutant in some {
                        judge_mutant(clusters, journal, written, mutant);
                    }
                });
            }
        });
    })
    .await
    .unwrap();
}
