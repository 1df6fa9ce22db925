//! `message-size`: records that the source takes and the target does not.

use topology::OnOversize;

use super::finding::{Finding, FindingId, Severity};
use super::outlook::{Outlook, SIZE};

pub(super) fn judge(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (flow, pairs) in &outlook.flows {
        let target = &flow.mirror.target;
        let cases: Vec<String> = pairs
            .iter()
            .filter_map(|pair| {
                let here: u64 = pair.on_source(SIZE)?.trim().parse().ok()?;
                let there: u64 = pair.on_target(SIZE)?.trim().parse().ok()?;
                (here > there).then(|| {
                    let (topic, named) = (pair.topic, &pair.target);
                    let source = flow.source;
                    format!("{topic} takes {here} bytes on {source}, {named} {there} on {target}")
                })
            })
            .collect();
        if cases.is_empty() {
            continue;
        }
        let (severity, then) = match flow.mirror.on_oversize {
            OnOversize::Fail => (Severity::Blocked, "would stop its partition"),
            OnOversize::Quarantine => (Severity::Warning, "would be kept in quarantine"),
        };
        findings.push(
            Finding::new(
                FindingId::MessageSize,
                severity,
                &flow.mirror.name,
                format!("a record that is too large for {target} {then}"),
                cases,
            )
            .hint(format!(
                "raise `max.message.bytes` of the topics of {target} (or let it follow: `topicSync.config`), or lower it on {}, or choose `onOversize: quarantine`",
                flow.source
            )),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::testbed::{Bed, topic};

    const LARGE: (&str, &str) = ("max.message.bytes", "5000000");

    #[test]
    fn sizes_are_compared_as_they_will_be() {
        let unsynced = "topicSync: {config: false}";
        let said = "t takes 5000000 bytes on a, t 1048588 on b";
        for (about, bed, found) in [
            (
                "the setting follows to a new topic",
                Bed::new("").source(topic("t", &[LARGE])),
                None,
            ),
            (
                "and to one that exists",
                Bed::new("")
                    .source(topic("t", &[LARGE]))
                    .target(topic("t", &[])),
                None,
            ),
            (
                "it does not follow to a new topic",
                Bed::new(unsynced).source(topic("t", &[LARGE])),
                Some((Severity::Blocked, said)),
            ),
            (
                "nor to one that exists",
                Bed::new(unsynced)
                    .source(topic("t", &[LARGE]))
                    .target(topic("t", &[])),
                Some((Severity::Blocked, said)),
            ),
            (
                "quarantine",
                Bed::new("topicSync: {config: false}, onOversize: quarantine")
                    .source(topic("t", &[LARGE])),
                Some((Severity::Warning, said)),
            ),
            (
                "smaller on the source",
                Bed::new(unsynced)
                    .source(topic("t", &[]))
                    .target(topic("t", &[LARGE])),
                None,
            ),
            (
                "declared on the target: does not follow",
                Bed::with_topics(
                    "",
                    "- {name: t, clusters: [b], configs: {max.message.bytes: 2000000}}",
                )
                .source(topic("t", &[LARGE])),
                Some((
                    Severity::Blocked,
                    "t takes 5000000 bytes on a, t 2000000 on b",
                )),
            ),
            (
                "declared large enough",
                Bed::with_topics(
                    unsynced,
                    "- {name: t, clusters: [b], configs: {max.message.bytes: 5000000}}",
                )
                .source(topic("t", &[LARGE]))
                .target(topic("t", &[])),
                None,
            ),
            (
                "a source that is only declared",
                Bed::with_topics(
                    unsynced,
                    "- {name: t, clusters: [a], configs: {max.message.bytes: 5000000}}",
                ),
                Some((Severity::Blocked, said)),
            ),
        ] {
            let found: Vec<(Severity, String)> = found
                .into_iter()
                .map(|(severity, text)| (severity, text.to_owned()))
                .collect();
            assert_eq!(bed.cases(FindingId::MessageSize), found, "{about}");
        }
    }

    #[test]
    fn a_default_of_the_sources_brokers_does_not_follow() {
        let mut bed = Bed::new("").source(topic("t", &[]));
        let settings = &mut bed.site("a").topics.get_mut("t").expect("there").settings;
        let size = settings
            .as_mut()
            .expect("read")
            .get_mut(SIZE)
            .expect("known");
        "9000000".clone_into(&mut size.value);
        assert_eq!(
            bed.cases(FindingId::MessageSize),
            [(
                Severity::Blocked,
                "t takes 9000000 bytes on a, t 1048588 on b".to_owned()
            )]
        );
    }
}
