//! `config-sync`: the settings of the target topic follow those of the source topic, whenever that is looked at.

use crate::checks::topic_creation::{ConfigFact, TopicFacts};
use crate::verdict::{CheckResult, Counterexample, Failures, Figures, Verdict, figures};
use crate::words::counted;

/// Judges the settings of a target topic against those set on its source topic. `follows` says which keys the mirror keeps
/// equal. What is set on the target alone is counted, and no fault: somebody may want it there.
pub fn config_sync(
    subject: &str,
    source: &TopicFacts,
    target: Option<&TopicFacts>,
    follows: &dyn Fn(&str) -> bool,
) -> CheckResult {
    let (verdict, figures) = judge(source, target, follows);
    CheckResult {
        id: "config-sync".to_owned(),
        subject: subject.to_owned(),
        title: "the settings of the target topic follow those set on the source topic".to_owned(),
        verdict,
        figures,
    }
}

fn judge(
    source: &TopicFacts,
    target: Option<&TopicFacts>,
    follows: &dyn Fn(&str) -> bool,
) -> (Verdict, Figures) {
    let open = |reason: String| (Verdict::Inconclusive { reason }, Figures::new());
    let Some(target) = target else {
        return open("there is no target topic to look at".to_owned());
    };
    let (ours, theirs) = match (&source.config, &target.config) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(reason), _) => return open(unread("source", reason)),
        (_, Err(reason)) => return open(unread("target", reason)),
    };
    let mut failures = Failures::default();
    let (mut compared, mut secret) = (0, 0);
    let set = ours
        .iter()
        .filter(|(name, fact)| fact.set_on_topic && follows(name));
    for (name, fact) in set {
        let Some(wanted) = &fact.value else {
            secret += 1;
            continue;
        };
        compared += 1;
        let found = theirs.get(name).and_then(|fact| fact.value.as_ref());
        if found != Some(wanted) {
            failures.add(|| Counterexample {
                source: None,
                target: None,
                record: None,
                expected: format!("{name}={wanted}"),
                found: found
                    .map_or_else(|| format!("no {name}"), |value| format!("{name}={value}")),
            });
        }
    }
    let differs = |(name, fact): &(&String, &ConfigFact)| {
        fact.set_on_topic && follows(name) && !ours.get(*name).is_some_and(|ours| ours.set_on_topic)
    };
    let target_only = theirs.iter().filter(differs).count() as u64;
    let counts = figures([
        ("settings-compared", compared),
        ("settings-that-differ", failures.count()),
        ("settings-of-target-only", target_only),
        ("settings-kept-secret", secret),
    ]);
    let verdict = failures.verdict(|| Verdict::Pass {
        evidence: format!(
            "{} equal, {target_only} set on the target only",
            counted(compared, "setting")
        ),
    });
    (verdict, counts)
}

fn unread(side: &str, reason: &str) -> String {
    format!("the {side} topic's configuration could not be read: {reason}")
}
