//! All findings about all mirrors.

use topology::Topology;

use super::evidence::{Evidence, SiteEvidence};
use super::finding::{Finding, FindingId, Severity};
use super::outlook::{Outlook, declared, judged};
use super::{
    acls, compacted, handed_over, naming, quota, retention, size, target, timestamps, way_back,
};

/// What the evidence says about the mirrors of `topology`, once its plan is applied.
///
/// Pure: equal inputs give equal findings, sorted by address, then kind.
pub fn judge(topology: &Topology, evidence: &Evidence) -> Vec<Finding> {
    let declared = declared(topology);
    let outlook = Outlook::new(topology, evidence, &declared);
    let mut findings = naming::judge(&outlook);
    findings.extend(target::judge(&outlook));
    findings.extend(handed_over::judge(&outlook));
    findings.extend(way_back::judge(&outlook));
    findings.extend(size::judge(&outlook));
    findings.extend(timestamps::judge(&outlook));
    findings.extend(retention::judge(&outlook));
    findings.extend(quota::judge(&outlook));
    findings.extend(acls::judge(&outlook));
    findings.extend(compacted::judge(&outlook));
    findings.extend(unread(&outlook));
    findings.sort_by(|a, b| (&a.address, a.id, &a.message).cmp(&(&b.address, b.id, &b.message)));
    findings
}

/// What nobody told. It is never taken for proven.
fn unread(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for mirror in judged(outlook.topology) {
        let ends = mirror.sources.iter().chain([&mirror.target]);
        let mut cases: Vec<String> = ends
            .filter_map(|alias| {
                let reason = outlook.evidence.sites.get(alias)?.as_ref().err()?;
                Some(format!("{alias} could not be read: {reason}"))
            })
            .collect();
        let flows = outlook.flows.iter();
        for (flow, pairs) in flows.filter(|(flow, _)| flow.mirror.name == mirror.name) {
            let sides = pairs.iter().flat_map(|pair| {
                [
                    (flow.source, pair.topic, pair.from),
                    (mirror.target.as_str(), pair.target.as_str(), pair.to),
                ]
            });
            cases.extend(sides.filter_map(|(alias, topic, read)| {
                let reason = read?.settings.as_ref().err()?;
                Some(format!(
                    "the configuration of {topic} on {alias} could not be read: {reason}"
                ))
            }));
            let new = pairs.iter().any(|pair| pair.to.is_none());
            if let (true, Err(reason)) = (new, &flow.to.defaults) {
                let target = &mirror.target;
                cases.push(format!(
                    "what topics are created with on {target} could not be read: {reason}"
                ));
            }
            let limits = [(flow.source, flow.from), (mirror.target.as_str(), flow.to)];
            let untold = |(alias, site): &(&str, &SiteEvidence)| {
                let untold = site.untold.iter();
                let told = untold.map(|what| format!("{alias}: {what}"));
                told.collect::<Vec<_>>()
            };
            cases.extend(limits.iter().flat_map(untold));
            cases.extend(limits.iter().filter_map(|(alias, site)| {
                let reason = site.quotas.as_ref().err()?;
                Some(format!("the quotas of {alias} could not be read: {reason}"))
            }));
        }
        let ends = mirror.sources.iter().chain([&mirror.target]);
        cases.extend(ends.filter_map(|alias| {
            let site = outlook.evidence.sites.get(alias)?.as_ref().ok()?;
            let reason = site.filled.as_ref().err()?;
            Some(format!(
                "what the mirrors into {alias} fill could not be read: {reason}"
            ))
        }));
        if !cases.is_empty() {
            let message = "something could not be looked at, so nothing is known about it";
            findings.push(Finding::new(
                FindingId::NotProven,
                Severity::Warning,
                &mirror.name,
                message.to_owned(),
                cases,
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::testbed::{Bed, topic};

    #[test]
    fn what_holds_gives_no_finding_and_what_is_not_told_is_never_taken_for_it() {
        let bed = Bed::new("").source(topic("t", &[])).target(topic("t", &[]));
        assert_eq!(bed.judge(), []);

        let mut hidden = Bed::new("").source(topic("t", &[]));
        hidden.site("a").quotas = Err("no right".to_owned());
        hidden.site("b").defaults = Err("no right".to_owned());
        let read = hidden.site("a").topics.get_mut("t").expect("it is there");
        read.settings = Err("no right".to_owned());
        let found = hidden.judge();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(
            (found[0].id, found[0].severity),
            (FindingId::NotProven, Severity::Warning)
        );
        assert_eq!(
            found[0].evidence,
            [
                "the configuration of t on a could not be read: no right",
                "the quotas of a could not be read: no right",
                "what topics are created with on b could not be read: no right",
            ]
        );

        let mut gone = Bed::new("");
        gone.evidence
            .sites
            .insert("b".to_owned(), Err("nobody answers".to_owned()));
        assert_eq!(
            gone.judge()[0].evidence,
            ["b could not be read: nobody answers"]
        );
    }

    #[test]
    fn promoted_mirrors_and_those_of_other_engines_are_not_judged() {
        for other in ["state: promoted", "engine: mirrormaker2"] {
            let mut bed = Bed::new(other);
            bed.evidence
                .sites
                .insert("b".to_owned(), Err("nobody answers".to_owned()));
            assert_eq!(bed.judge(), [], "{other}");
        }
    }
}
