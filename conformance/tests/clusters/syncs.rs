//! Offsets that a mirror says belong together.

use std::collections::BTreeMap;

use conformance::{
    CompareOptions, MirrorFacts, MirrorRules, OffsetSyncTopics, Record, Timestamp, Unobserved,
    Verdict, compare, write_workload,
};

use crate::bed::{
    Clusters, Lying, PARTITIONS, bound, clusters, create, fresh, read_all, settings,
    wait_until_listed, workload, write_all,
};

/// A mirror of an engine that notes offsets as `MirrorMaker` 2 does.
#[derive(Debug)]
struct Follows;

impl MirrorRules for Follows {
    fn follows(&self, _target_topic: &str, _key: &str) -> bool {
        false
    }

    fn deletes(&self, _source_topic: &str, _target_topic: &str) -> bool {
        false
    }
}

fn sync(topic: &str, partition: i32, upstream: i64, downstream: i64) -> Lying {
    let mut key = (topic.len() as i16).to_be_bytes().to_vec();
    key.extend(topic.as_bytes());
    key.extend(partition.to_be_bytes());
    let record = Record {
        key: Some(key),
        value: Some([upstream.to_be_bytes(), downstream.to_be_bytes()].concat()),
        headers: Vec::new(),
        timestamp: Timestamp::create(1_760_000_000_000),
    };
    (0, record)
}

#[tokio::test(flavor = "multi_thread")]
async fn offset_syncs_are_held_against_the_records() {
    let clusters = clusters().await;
    tokio::task::spawn_blocking(move || {
        let (topic, copy) = (fresh("orders"), fresh("copy"));
        write_workload(&clusters.source, &workload(&topic, 600), &Unobserved).unwrap();
        let mut history = read_all(&clusters.source, &topic);
        // the first ten of partition 0 come twice, so that offsets differ by ten from there on
        let again = history[..10].to_vec();
        history.splice(10..10, again);
        create(&clusters.target, &copy, PARTITIONS, &settings());
        write_all(&clusters.target, &copy, &history);
        let judged = |syncs: &[Lying]| {
            let names = OffsetSyncTopics {
                on_source: fresh("mm2-offset-syncs.b.internal"),
                on_target: fresh("mm2-offset-syncs.a.internal"),
            };
            create(&clusters.source, &names.on_source, 1, &BTreeMap::new());
            wait_until_listed(&clusters.source, &names.on_source);
            write_all(&clusters.source, &names.on_source, syncs);
            let options = CompareOptions {
                replays: bound(),
                mirror: Some(MirrorFacts {
                    name: "m".to_owned(),
                    keeps_notes: false,
                    whole: false,
                    second_hop: None,
                    quarantine_suffix: ".q".to_owned(),
                    offset_syncs: Some(names),
                    rules: std::sync::Arc::new(Follows),
                }),
                ..CompareOptions::default()
            };
            let pairs = [(topic.clone(), copy.clone())];
            let Clusters { source, target, .. } = &clusters;
            let report = compare(source, target, &pairs, &options, &Unobserved).unwrap();
            let mut checks = report.checks.into_iter();
            checks
                .find(|check| check.id == "offset-map")
                .map(|check| check.verdict)
        };
        assert_eq!(judged(&[]), None);
        let right = [
            sync(&topic, 0, 0, 10),
            sync(&topic, 0, 100, 110),
            sync(&topic, 1, 50, 50),
            sync("another", 0, 1, 9_999),
        ];
        let verdict = judged(&right);
        assert!(matches!(verdict, Some(Verdict::Pass { .. })), "{verdict:?}");
        for (name, wrong) in [
            ("shifted", sync(&topic, 0, 120, 120)),
            ("behind the end", sync(&topic, 1, 60, 9_999)),
            ("falling", sync(&topic, 0, 130, 105)),
        ] {
            let syncs: Vec<Lying> = right.iter().cloned().chain([wrong]).collect();
            let verdict = judged(&syncs);
            assert!(
                matches!(verdict, Some(Verdict::Fail { .. })),
                "{name}: {verdict:?}"
            );
        }
    })
    .await
    .unwrap();
}
