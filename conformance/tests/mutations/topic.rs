//! The topic itself.

use conformance::{
    ConfigFact, FirstLooks, TopicFacts, Verdict, default_config_exclusions, topic_creation,
};

fn facts(partitions: i32, config: &[(&str, &str, bool)]) -> TopicFacts {
    let config = config.iter().map(|(name, value, set)| {
        let fact = ConfigFact {
            value: Some((*value).to_owned()),
            set_on_topic: *set,
        };
        ((*name).to_owned(), fact)
    });
    TopicFacts {
        partitions,
        config: Ok(config.collect()),
    }
}

#[test]
fn topic_creation_catches_what_is_missing_or_different() {
    let source = facts(
        8,
        &[
            ("cleanup.policy", "compact", true),
            ("retention.ms", "1000", true),
            ("min.insync.replicas", "2", true),
            ("segment.bytes", "1073741824", false),
        ],
    );
    let cases: [(&str, Option<TopicFacts>, &str); 9] = [
        ("equal", Some(source.clone()), "pass"),
        (
            "excluded and default settings differ",
            Some(facts(
                8,
                &[
                    ("cleanup.policy", "compact", true),
                    ("retention.ms", "1000", true),
                    ("min.insync.replicas", "1", true),
                    ("segment.bytes", "5", false),
                ],
            )),
            "pass",
        ),
        (
            "equal by the broker's default",
            Some(facts(
                8,
                &[
                    ("cleanup.policy", "compact", true),
                    ("retention.ms", "1000", false),
                ],
            )),
            "pass",
        ),
        ("missing", None, "no such topic"),
        (
            "created with the broker's default",
            Some(facts(1, &[])),
            "1 partition",
        ),
        (
            "one partition more",
            Some(TopicFacts {
                partitions: 9,
                ..source.clone()
            }),
            "9 partitions",
        ),
        (
            "a setting with another value",
            Some(facts(
                8,
                &[
                    ("cleanup.policy", "compact", true),
                    ("retention.ms", "1001", true),
                ],
            )),
            "retention.ms=1001",
        ),
        (
            "a setting missing",
            Some(facts(8, &[("cleanup.policy", "compact", true)])),
            "no retention.ms",
        ),
        (
            "not readable",
            Some(TopicFacts {
                partitions: 8,
                config: Err("denied".to_owned()),
            }),
            "inconclusive",
        ),
    ];
    for (name, target, expected) in cases {
        let exclusions = default_config_exclusions();
        let unseen = FirstLooks::default();
        let result = topic_creation("a → b", &source, target.as_ref(), &exclusions, 5, &unseen);
        let found = match &result.verdict {
            Verdict::Pass { .. } => "pass",
            Verdict::Fail { counterexample, .. } => &counterexample.found,
            Verdict::Inconclusive { .. } => "inconclusive",
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_topic_that_got_its_shape_after_its_first_record_fails() {
    let source = facts(8, &[("retention.ms", "1000", true)]);
    let judged = |looked: &FirstLooks| {
        let exclusions = default_config_exclusions();
        let target = Some(&source);
        topic_creation("a → b", &source, target, &exclusions, 5, looked).verdict
    };
    let small = Some(facts(1, &[("retention.ms", "1000", true)]));
    let other = Some(facts(8, &[("retention.ms", "7", true)]));
    for (with_records, expected) in [
        (small.clone(), "1 partition when"),
        (other, "retention.ms=7 when"),
    ] {
        let looked = FirstLooks {
            while_empty: Some(source.clone()),
            with_records,
            source: Some(source.clone()),
        };
        match judged(&looked) {
            Verdict::Fail { counterexample, .. } => {
                assert!(counterexample.found.starts_with(expected));
            }
            passed => panic!("{expected}: {passed:?}"),
        }
    }
    for (while_empty, expected) in [
        (Some(source.clone()), "when it was seen empty"),
        // it may have got the rest in time
        (small, "was not seen"),
        (None, "was not seen"),
    ] {
        let looked = FirstLooks {
            while_empty,
            with_records: Some(source.clone()),
            source: Some(source.clone()),
        };
        match judged(&looked) {
            Verdict::Pass { evidence } => assert!(evidence.ends_with(expected), "{evidence}"),
            failed => panic!("{expected}: {failed:?}"),
        }
    }
}

#[test]
fn a_source_that_changed_since_is_no_fault_of_what_was_copied_before() {
    let before = facts(4, &[]);
    let now = facts(8, &[("retention.ms", "1000", true)]);
    for source in [Some(before.clone()), None] {
        let looked = FirstLooks {
            while_empty: Some(before.clone()),
            with_records: Some(before.clone()),
            source,
        };
        let exclusions = default_config_exclusions();
        let result = topic_creation("a → b", &now, Some(&now), &exclusions, 5, &looked);
        assert!(matches!(result.verdict, Verdict::Pass { .. }), "{result:?}");
    }
}
