//! The topic itself.

use conformance::{ConfigFact, TopicFacts, Verdict, default_config_exclusions, topic_creation};

#[test]
fn topic_creation_catches_what_is_missing_or_different() {
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
        let result = topic_creation("a → b", &source, target.as_ref(), &exclusions, 5);
        let found = match &result.verdict {
            Verdict::Pass { .. } => "pass",
            Verdict::Fail { counterexample, .. } => &counterexample.found,
            Verdict::Inconclusive { .. } => "inconclusive",
        };
        assert_eq!(found, expected, "{name}");
    }
}
