//! `missing-acl`: rights that `replicate` needs and its login does not have.
//!
//! Of what exists the brokers themselves say what we may do (KIP-430), super users included. Of topics that are yet to be
//! created only the access rules tell, where they may be read.

use std::collections::{BTreeMap, BTreeSet};

use kafka::AclOperation as Operation;
use topology::{
    AclBinding, AclOperation, AclPermission, Delivery, Mirror, OnSourceDelete, PatternType,
    ResourceType, Topology, WILDCARD,
};

use super::evidence::{SiteEvidence, TopicEvidence};
use super::finding::{Finding, FindingId, Severity};
use super::outlook::{Flow, Outlook};

/// What `replicate` keeps for itself on the target.
const OWN_TOPICS: [&str; 3] = [
    "mirrorctl-positions.internal",
    "mirrorctl-gaps.internal",
    "mirrorctl-topics.internal",
];

/// Operations on the wire and in a topology, with their words.
const OPERATIONS: [(Operation, AclOperation, &str); 8] = [
    (Operation::Read, AclOperation::Read, "Read"),
    (Operation::Write, AclOperation::Write, "Write"),
    (Operation::Create, AclOperation::Create, "Create"),
    (Operation::Delete, AclOperation::Delete, "Delete"),
    (Operation::Alter, AclOperation::Alter, "Alter"),
    (Operation::Describe, AclOperation::Describe, "Describe"),
    (
        Operation::DescribeConfigs,
        AclOperation::DescribeConfigs,
        "DescribeConfigs",
    ),
    (
        Operation::AlterConfigs,
        AclOperation::AlterConfigs,
        "AlterConfigs",
    ),
];

/// Whether something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    /// Nobody tells.
    Unknown,
}

pub(super) fn judge(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen_targets = BTreeSet::new();
    for (flow, pairs) in &outlook.flows {
        let mirror = flow.mirror;
        let mut cases = Cases::default();
        let here = Login::new(outlook.topology, flow.source, flow.from);
        for pair in pairs.iter().filter(|pair| pair.from.is_some()) {
            let needs = [
                AclOperation::Read,
                AclOperation::Describe,
                AclOperation::DescribeConfigs,
            ];
            cases.look(&here, pair.topic, pair.from, &needs);
        }
        let there = Login::new(outlook.topology, &mirror.target, flow.to);
        for pair in pairs {
            let needs = on_target(mirror, &pair.target, pair.to.is_some());
            cases.look(&there, &pair.target, pair.to, &needs);
        }
        // several sources share what is kept on the target
        if seen_targets.insert(mirror.name.as_str()) {
            for topic in OWN_TOPICS {
                let live = flow.to.topics.get(topic);
                let mut needs = vec![
                    AclOperation::Read,
                    AclOperation::Write,
                    AclOperation::Describe,
                    AclOperation::DescribeConfigs,
                ];
                needs.extend(live.is_none().then_some(AclOperation::Create));
                cases.look(&there, topic, live, &needs);
            }
        }
        findings.extend(cases.findings(flow));
    }
    findings
}

/// What a mirror needs on a topic of its target.
fn on_target(mirror: &Mirror, topic: &str, exists: bool) -> Vec<AclOperation> {
    let mut needs = vec![
        AclOperation::Write,
        AclOperation::Describe,
        AclOperation::DescribeConfigs,
    ];
    if mirror.delivery == Delivery::ExactlyOnce {
        needs.push(AclOperation::Read);
    }
    if mirror.rails.topics.permits(topic) {
        let optional = [
            (!exists, AclOperation::Create),
            (mirror.topic_sync.partitions, AclOperation::Alter),
            (mirror.topic_sync.config, AclOperation::AlterConfigs),
            (
                mirror.topic_sync.on_source_delete == OnSourceDelete::Delete,
                AclOperation::Delete,
            ),
        ];
        let asked = optional.iter().filter(|(asked, _)| *asked);
        needs.extend(asked.map(|(_, operation)| *operation));
    }
    needs
}

/// What is missing and what is not known, over the topics of one flow.
#[derive(Default)]
struct Cases {
    missing: Vec<String>,
    unknown: BTreeMap<String, usize>,
}

impl Cases {
    fn look(
        &mut self,
        login: &Login<'_>,
        topic: &str,
        live: Option<&TopicEvidence>,
        needs: &[AclOperation],
    ) {
        let mut missing = Vec::new();
        let mut unknown = false;
        for operation in needs {
            match login.may(topic, live, *operation) {
                Answer::Yes => {}
                Answer::No => missing.push(word(*operation)),
                Answer::Unknown => unknown = true,
            }
        }
        if !missing.is_empty() {
            let alias = login.alias;
            self.missing
                .push(format!("{topic} on {alias}: {}", missing.join(", ")));
        } else if unknown {
            let known = self.unknown.entry(login.untold());
            *known.or_default() += 1;
        }
    }

    fn findings(self, flow: &Flow<'_>) -> impl Iterator<Item = Finding> {
        let name = &flow.mirror.name;
        let missing = (!self.missing.is_empty()).then(|| {
            let message = "the login has not all rights that replicating needs".to_owned();
            Finding::new(
                FindingId::MissingAcl,
                Severity::Blocked,
                name,
                message,
                self.missing,
            )
            .hint("grant them (README, Access rights), or declare them under `acls`")
        });
        let told = self.unknown.into_iter().map(|(reason, topics)| {
            let plural = if topics == 1 { "topic" } else { "topics" };
            format!("{reason} ({topics} {plural})")
        });
        let told: Vec<String> = told.collect();
        let unknown = (!told.is_empty()).then(|| {
            let message = "whether the login may replicate could not be told".to_owned();
            Finding::new(FindingId::NotProven, Severity::Warning, name, message, told)
        });
        missing.into_iter().chain(unknown)
    }
}

fn word(operation: AclOperation) -> &'static str {
    let known = OPERATIONS.iter().find(|(_, it, _)| *it == operation);
    known.map_or("?", |(_, _, word)| word)
}

/// Whom a cluster takes us for, with the rules that will hold there.
struct Login<'a> {
    alias: &'a str,
    site: &'a SiteEvidence,
    /// Live and declared rules; nothing where the live ones are not known.
    rules: Option<Vec<&'a AclBinding>>,
    declared: Vec<&'a AclBinding>,
    /// The brokers grant more than the rules do.
    favoured: Favour,
}

/// What is granted beyond all rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Favour {
    /// Nothing.
    None,
    /// What no rule is about: the cluster lets everybody, or we are a super user.
    Unruled,
    /// Everything: we are a super user.
    All,
}

impl<'a> Login<'a> {
    fn new(topology: &'a Topology, alias: &'a str, site: &'a SiteEvidence) -> Self {
        let declared = topology.acls.iter().filter(|acl| acl.cluster == alias);
        let declared: Vec<&AclBinding> = declared.map(|acl| &acl.binding).collect();
        let live = site.rules.as_ref().ok();
        let live = live.and_then(|rules| rules.as_ref());
        let mut login = Self {
            alias,
            site,
            rules: live.map(|live| live.iter().chain(declared.iter().copied()).collect()),
            declared,
            favoured: Favour::None,
        };
        if let Some(live) = live {
            login.favoured = login.favour(live);
        }
        login
    }

    /// Compares what the brokers grant with what the rules say.
    fn favour(&self, live: &BTreeSet<AclBinding>) -> Favour {
        let live: Vec<&AclBinding> = live.iter().collect();
        let told = self.site.topics.iter().filter_map(|(name, topic)| {
            let may = topic.rights?.allow(Operation::Alter);
            may.then(|| (name, self.granted(&live, name, AclOperation::Alter)))
        });
        let mut favour = Favour::None;
        for (name, by_rule) in told {
            if by_rule == Answer::Yes {
                continue;
            }
            if live.iter().any(|rule| is_about(rule, name)) {
                return Favour::All;
            }
            favour = Favour::Unruled;
        }
        let on_cluster = self
            .site
            .rights
            .is_some_and(|it| it.allow(Operation::ClusterAction));
        let by_rule = live.iter().any(|rule| {
            rule.resource_type == ResourceType::Cluster
                && rule.permission == AclPermission::Allow
                && self.is_ours(rule)
                && covers(rule.operation, AclOperation::ClusterAction)
        });
        if on_cluster && !by_rule {
            favour = Favour::Unruled;
        }
        favour
    }

    fn may(&self, topic: &str, live: Option<&TopicEvidence>, operation: AclOperation) -> Answer {
        if let Ok(None) = self.site.rules {
            return Answer::Yes;
        }
        if self.denied(&self.declared, topic, operation) {
            return Answer::No;
        }
        match live.and_then(|live| live.rights) {
            Some(rights) if operation != AclOperation::Create => {
                let told = OPERATIONS.iter().find(|(_, it, _)| *it == operation);
                if told.is_some_and(|(wire, _, _)| rights.allow(*wire)) {
                    return Answer::Yes;
                }
                match self.granted(&self.declared, topic, operation) {
                    Answer::Yes => Answer::Yes,
                    Answer::No | Answer::Unknown => Answer::No,
                }
            }
            Some(_) | None => self.by_rules(topic, operation),
        }
    }

    /// What the rules say of a topic that does not exist yet.
    fn by_rules(&self, topic: &str, operation: AclOperation) -> Answer {
        let create = Some(Operation::Create).filter(|_| operation == AclOperation::Create);
        let rights = self.site.rights;
        if create.is_some_and(|it| rights.is_some_and(|rights| rights.allow(it))) {
            return Answer::Yes;
        }
        let Some(rules) = &self.rules else {
            return Answer::Unknown;
        };
        match (self.granted(rules, topic, operation), self.favoured) {
            (Answer::Yes, _) | (_, Favour::All) => Answer::Yes,
            (_, Favour::Unruled) if !rules.iter().any(|rule| is_about(rule, topic)) => Answer::Yes,
            (_, Favour::Unruled) => Answer::Unknown,
            (answer, Favour::None) => answer,
        }
    }

    fn granted(&self, rules: &[&AclBinding], topic: &str, operation: AclOperation) -> Answer {
        if self.site.principal.is_none() {
            return Answer::Unknown;
        }
        if self.denied(rules, topic, operation) {
            return Answer::No;
        }
        let allowed = rules.iter().any(|rule| {
            let place = is_about(rule, topic)
                || (operation == AclOperation::Create
                    && rule.resource_type == ResourceType::Cluster);
            place
                && rule.permission == AclPermission::Allow
                && rule.host == WILDCARD
                && self.is_ours(rule)
                && covers(rule.operation, operation)
        });
        if allowed { Answer::Yes } else { Answer::No }
    }

    fn denied(&self, rules: &[&AclBinding], topic: &str, operation: AclOperation) -> bool {
        rules.iter().any(|rule| {
            rule.permission == AclPermission::Deny
                && is_about(rule, topic)
                && self.is_ours(rule)
                && (rule.operation == operation || rule.operation == AclOperation::All)
        })
    }

    fn is_ours(&self, rule: &AclBinding) -> bool {
        rule.principal == "User:*" || Some(&rule.principal) == self.site.principal.as_ref()
    }

    /// Why it is not known.
    fn untold(&self) -> String {
        let alias = self.alias;
        match (&self.site.rules, &self.site.principal) {
            (Err(reason), _) => format!("the access rules of {alias} could not be read: {reason}"),
            (Ok(_), None) => {
                format!("whom the brokers of {alias} take this login for is not known")
            }
            (Ok(_), Some(_)) => format!(
                "{alias} grants more than its rules say, and may not do so for new topics that rules are about"
            ),
        }
    }
}

/// Whether a rule is about a topic.
fn is_about(rule: &AclBinding, topic: &str) -> bool {
    rule.resource_type == ResourceType::Topic
        && match rule.pattern {
            PatternType::Literal => rule.resource_name == WILDCARD || rule.resource_name == topic,
            PatternType::Prefixed => topic.starts_with(&rule.resource_name),
        }
}

/// Whether a rule that allows one operation allows another one, as Kafka's authorizer has it.
fn covers(allowed: AclOperation, wanted: AclOperation) -> bool {
    use AclOperation::{All, Alter, AlterConfigs, Delete, Describe, DescribeConfigs, Read, Write};
    allowed == wanted
        || allowed == All
        || (wanted == Describe && [Read, Write, Delete, Alter].contains(&allowed))
        || (wanted == DescribeConfigs && allowed == AlterConfigs)
}

#[cfg(test)]
#[path = "acls_tests.rs"]
mod tests;
