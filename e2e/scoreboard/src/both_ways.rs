//! The mirror that leads back, where there is one: it copies a topic of the target to the source, and what has gone one way
//! must not come back the other.

use std::thread::sleep;
use std::time::Duration;

use e2e::{Pair, TopicAdmin, record_count, write_mixed};

use crate::beside::{COPIED, PARTITIONS, RECORDS};
use crate::error::Result;
use crate::run::{Counterexample, Judged, Verdict};
use crate::scenario::Scenario;

/// Who copies what came back does so at once: the engines here look for topics every second.
const STILL: Duration = Duration::from_secs(10);
/// What begins the name of a topic of the source that was copied to the target and back.
const SECOND_HOP: &str = "target.source.";

/// The topic that the target has of its own.
fn topic(scenario: &Scenario) -> String {
    format!("{}.home", scenario.name)
}

/// Creates that topic and writes to it.
pub(crate) fn write(scenario: &Scenario, pair: &Pair) -> Result<()> {
    let servers = pair.target.bootstrap_servers();
    let topic = topic(scenario);
    TopicAdmin::new(&servers)?.create(&topic, i32::from(PARTITIONS), &[])?;
    write_mixed(&servers, &topic, PARTITIONS, RECORDS)?;
    Ok(())
}

/// Waits until it is on the source.
pub(crate) fn wait(scenario: &Scenario, pair: &Pair) -> Result<()> {
    let copy = format!("target.{}", topic(scenario));
    Ok(pair.wait_for_records_on_source(&copy, RECORDS, COPIED)?)
}

/// Adds to the verdict on `loop` what the judge, who looks at one target, does not see: the other side, and whether two idle
/// clusters stay as they are.
pub(crate) fn judge(scenario: &Scenario, pair: &Pair, checks: &mut [Judged]) -> Result<()> {
    let before = sizes(scenario, pair)?;
    sleep(STILL);
    let after = sizes(scenario, pair)?;
    for check in checks.iter_mut().filter(|it| it.id == "loop") {
        if let Verdict::Pass { evidence } = &check.verdict {
            check.verdict = verdict(evidence, &before, &after);
        }
    }
    Ok(())
}

/// How many records each topic of the scenario holds, on both sides.
fn sizes(scenario: &Scenario, pair: &Pair) -> Result<Vec<(String, u64)>> {
    let of_scenario = format!("{}.", scenario.name);
    let mut sizes = Vec::new();
    for cluster in [&pair.source, &pair.target] {
        let servers = cluster.bootstrap_servers();
        let topics = TopicAdmin::new(&servers)?.topics()?;
        for topic in topics.into_iter().filter(|it| it.contains(&of_scenario)) {
            let records = record_count(&servers, &topic)?;
            sizes.push((topic, records));
        }
    }
    Ok(sizes)
}

fn verdict(evidence: &str, before: &[(String, u64)], after: &[(String, u64)]) -> Verdict {
    let fail = |expected: String, found: String| Verdict::Fail {
        failures: 1,
        counterexample: Counterexample { expected, found },
    };
    if let Some((topic, records)) = after
        .iter()
        .find(|(topic, _)| topic.starts_with(SECOND_HOP))
    {
        return fail(
            format!("no topic on the source that begins with {SECOND_HOP}"),
            format!("{topic}, with {records} records"),
        );
    }
    if let Some((topic, records)) = after.iter().find(|it| !before.contains(it)) {
        return fail(
            format!("two idle clusters that stay as they are for {STILL:?}"),
            format!("{topic}, with {records} records then"),
        );
    }
    Verdict::Pass {
        evidence: format!(
            "{evidence}, and none of the source with {SECOND_HOP}; {} topics on both sides stood still for {STILL:?}",
            after.len()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(topics: &[(&str, u64)]) -> Vec<(String, u64)> {
        let own = topics.iter();
        own.map(|(topic, records)| ((*topic).to_owned(), *records))
            .collect()
    }

    #[test]
    fn what_came_back_or_still_moves_is_a_loop() {
        let still = found(&[("loop.records", 5), ("source.loop.records", 5)]);
        let passed = verdict("none", &still, &still);
        assert!(matches!(passed, Verdict::Pass { .. }), "{passed:?}");

        let moved = found(&[("loop.records", 5), ("source.loop.records", 6)]);
        let failed = verdict("none", &still, &moved);
        assert!(matches!(failed, Verdict::Fail { .. }), "{failed:?}");

        let back = found(&[("target.source.loop.records", 0)]);
        let failed = verdict("none", &back, &back);
        assert!(matches!(failed, Verdict::Fail { .. }), "{failed:?}");
    }
}
