//! Machines.

use std::collections::{BTreeMap, BTreeSet};

use super::{Details, Known, Report, called, choose};
use crate::observed::{Instance, Region, Vpc, name};
use crate::wanted::{WantedInstance, WantedNetwork};

const KIND: &str = "instance";
const RUNNING: &str = "running";
/// AWS lists machines for an hour that are gone.
const TERMINATED: &str = "terminated";

/// Where machines of a network belong: ids by names.
pub(super) struct Place<'a> {
    pub(super) subnets: BTreeMap<&'a str, &'a str>,
    pub(super) groups: BTreeMap<&'a str, &'a str>,
}

pub(super) fn compare(
    report: &mut Report<'_>,
    network: &WantedNetwork,
    vpc: Option<&Vpc>,
    live: &Region,
    place: &Place<'_>,
) {
    let here: Vec<&Instance> = live
        .instances
        .iter()
        .filter(|it| vpc.is_some_and(|vpc| vpc.id == it.vpc) && it.state != TERMINATED)
        .collect();
    let mut known = Known::new();
    for wanted in &network.instances {
        report.compared();
        let named = here
            .iter()
            .copied()
            .filter(|it| name(&it.tags) == Some(wanted.name.as_str()));
        let is_running = |it: &Instance| it.state == RUNNING;
        if let Some(instance) = choose(named, |it| &it.id, is_running).0 {
            known.insert(&instance.id);
            let details = differences(wanted, instance, place);
            report.changed(KIND, &wanted.name, &instance.id, details);
        } else {
            let details = Details::none()
                .declared("size", &wanted.size)
                .declared("subnet", &wanted.subnet);
            report.missing(KIND, &wanted.name, details);
        }
    }
    for instance in here {
        let is_elastic =
            network.elastic.is_some() && name(&instance.tags) == network.elastic.as_deref();
        if !known.contains(instance.id.as_str()) && !is_elastic {
            let details = Details::none()
                .live("size", &instance.size)
                .live("state", &instance.state);
            report.foreign(
                KIND,
                called(&instance.tags, &instance.id),
                &instance.id,
                reason(network, instance, place),
                details,
            );
        }
    }
}

fn reason(network: &WantedNetwork, instance: &Instance, place: &Place<'_>) -> String {
    let group = place
        .groups
        .iter()
        .find(|(_, id)| instance.groups.contains(**id));
    match group {
        Some((group, _)) => format!(
            "a machine that nobody declared, with the rights of {group} in {}",
            network.name
        ),
        None => format!("a machine in {} that nobody declared", network.name),
    }
}

fn differences(wanted: &WantedInstance, instance: &Instance, place: &Place<'_>) -> Details {
    let mut details = Details::none();
    details.differs("size", Some(&instance.size), Some(&wanted.size));
    if !matches!(instance.state.as_str(), RUNNING | "pending") {
        details.differs("state", Some(&instance.state), Some(RUNNING));
    }
    // where the subnet itself is missing, that is said of the subnet
    if let Some(subnet) = place.subnets.get(wanted.subnet.as_str()) {
        details.differs("subnet", Some(&instance.subnet), Some(subnet));
    }
    if let Some(group) = place.groups.get(wanted.group.as_str()) {
        let declared = BTreeSet::from([(*group).to_owned()]);
        let text = |ids: &BTreeSet<String>| {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            ids.join(", ")
        };
        details.differs(
            "security groups",
            Some(&text(&instance.groups)),
            Some(&text(&declared)),
        );
    }
    details.differs("public address", instance.public_address.as_deref(), None);
    if let Some(tokens) = &instance.metadata_tokens {
        details.differs("metadata tokens", Some(tokens), Some("required"));
    }
    details.tags(&instance.tags, &wanted.tags);
    details
}
