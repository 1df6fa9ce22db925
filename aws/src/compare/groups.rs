//! Security groups, rule by rule.

use std::collections::BTreeMap;

use super::{Details, Report, choose};
use crate::observed::{Group, Region, Vpc, name};
use crate::wanted::groups::DEFAULT;
use crate::wanted::{Direction, Rule, WantedGroup, WantedNetwork};

const KIND: &str = "security-group";
const RULE: &str = "security-group-rule";

/// Compares the security groups of a network; the id of each that is there, by what it is called here.
pub(super) fn compare<'a>(
    report: &mut Report<'_>,
    network: &'a WantedNetwork,
    vpc: Option<&Vpc>,
    live: &'a Region,
) -> BTreeMap<&'a str, &'a str> {
    let mut ids = BTreeMap::new();
    for wanted in &network.groups {
        // every VPC has one of that name
        let called = if wanted.name == DEFAULT {
            format!("{}/{DEFAULT}", network.name)
        } else {
            wanted.name.clone()
        };
        let here = live
            .groups
            .iter()
            .filter(|group| vpc.is_some_and(|vpc| vpc.id == group.vpc) && wanted.is(&group.name));
        let is_tagged = |group: &Group| name(&group.tags) == name(&wanted.tags);
        let (group, others) = choose(here, |group| &group.id, is_tagged);
        for other in others {
            let reason = "another group of the same name".to_owned();
            report.foreign(KIND, &called, &other.id, reason, Details::none());
        }
        match group {
            Some(group) => {
                report.compared();
                ids.insert(wanted.name.as_str(), group.id.as_str());
                let mut details = Details::none();
                details.tags(&group.tags, &wanted.tags);
                report.changed(KIND, &called, &group.id, details);
                rules(report, wanted, &called, group);
            }
            None if wanted.is_optional => {}
            None => {
                report.compared();
                report.missing(KIND, &called, Details::none());
            }
        }
    }
    ids
}

impl WantedGroup {
    /// Whether a group of that name is the one: Terraform puts a number behind the names that it makes unique.
    fn is(&self, name: &str) -> bool {
        if self.name == DEFAULT {
            return name == DEFAULT;
        }
        name.strip_prefix(&self.name)
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|number| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
    }

    /// Whether a variable of the root may have asked for a rule.
    fn may_hold(&self, rule: &Rule) -> bool {
        self.variable_port.is_some_and(|port| {
            let port = i32::from(port);
            rule.direction == Direction::Ingress
                && rule.protocol == "tcp"
                && rule.ports == Some((port, port))
                && !rule.is_open_to_the_world()
        })
    }
}

fn rules(report: &mut Report<'_>, wanted: &WantedGroup, called: &str, group: &Group) {
    for rule in &wanted.rules {
        report.compared();
        if !group.rules.contains(rule) {
            let details = Details::none().declared("group", &group.id);
            report.missing(RULE, &format!("{called}/{rule}"), details);
        }
    }
    for rule in group.rules.difference(&wanted.rules) {
        if !wanted.may_hold(rule) {
            let name = format!("{called}/{rule}");
            let reason = why_not(rule);
            report.foreign(RULE, &name, &group.id, reason, Details::none());
        }
    }
}

fn why_not(rule: &Rule) -> String {
    let ports = match rule.ports {
        None => "every port".to_owned(),
        Some((first, last)) if first == last => format!("port {first}"),
        Some((first, last)) => format!("ports {first} to {last}"),
    };
    match (rule.is_open_to_the_world(), rule.direction) {
        (true, Direction::Ingress) => {
            format!("nobody declared it: {ports} is open to the whole world")
        }
        (true, Direction::Egress) => {
            format!("nobody declared it: members reach {ports} of the whole world")
        }
        (false, Direction::Ingress | Direction::Egress) => "nobody declared it".to_owned(),
    }
}
