//! What a seed has brought to light it brings to light again, on other clusters too.

use std::collections::BTreeSet;

use conformance::{Unobserved, WorkloadSpec, check_stamped, write_workload};

use crate::bed::{
    Clusters, PARTITIONS, clusters, create, fresh, read_all, settings, stamped_options, workload,
    write_all,
};

/// Writes, copies with one thing wrong, judges; what was found first, without the names of this time.
fn found_by(clusters: &Clusters, seed: u64) -> (String, serde_json::Value) {
    let (topic, copy) = (fresh("orders"), fresh("copy"));
    let spec = WorkloadSpec {
        seed,
        ..workload(&topic, 600)
    };
    let journal = write_workload(&clusters.source, &spec, &Unobserved).unwrap();
    let mut history = read_all(&clusters.source, &topic);
    let at = (seed * 37 % 500) as usize;
    match seed % 4 {
        0 => drop(history.remove(at)),
        1 => history.swap(at, at + 1),
        2 => history[at].1.value = Some(b"other".to_vec()),
        _ => history[at].0 = (history[at].0 + 1) % PARTITIONS,
    }
    create(&clusters.target, &copy, PARTITIONS, &settings());
    write_all(&clusters.target, &copy, &history);
    let options = stamped_options(&copy);
    let Clusters { source, target, .. } = clusters;
    let report = check_stamped(source, target, &journal, &options, &Unobserved).unwrap();
    let first = report.failures().next().expect("something is wrong");
    let verdict = serde_json::to_string(&first.verdict).unwrap();
    let verdict = verdict.replace(&topic, "SOURCE").replace(&copy, "TARGET");
    (first.id.clone(), serde_json::from_str(&verdict).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seed_of_a_run_gives_the_same_counterexample_again() {
    let (once, again) = (clusters().await, clusters().await);
    tokio::task::spawn_blocking(move || {
        let mut found = BTreeSet::new();
        for seed in [4, 5, 6, 7] {
            let (id, first) = found_by(&once, seed);
            assert_eq!(
                (id.clone(), first.clone()),
                found_by(&again, seed),
                "seed {seed}"
            );
            found.insert(id);
            if seed == 4 {
                assert_ne!(first, found_by(&again, seed + 4).1, "another seed");
            }
        }
        assert!(found.len() >= 3, "{found:?}");
    })
    .await
    .unwrap();
}
