//! Subnets.

use std::collections::BTreeMap;

use super::{Details, Known, Report, called, choose};
use crate::observed::{Region, Subnet, Vpc, name};
use crate::wanted::{WantedNetwork, WantedSubnet};

const KIND: &str = "subnet";

/// Compares the subnets of a network; the id of each that is there, by its name.
pub(super) fn compare<'a>(
    report: &mut Report<'_>,
    network: &'a WantedNetwork,
    vpc: Option<&Vpc>,
    live: &'a Region,
) -> BTreeMap<&'a str, &'a str> {
    let here: Vec<&Subnet> = live
        .subnets
        .iter()
        .filter(|subnet| vpc.is_some_and(|vpc| vpc.id == subnet.vpc))
        .collect();
    let mut ids = BTreeMap::new();
    for wanted in &network.subnets {
        let Some(subnet) = find(wanted, network, &here) else {
            if !wanted.is_optional {
                report.compared();
                let details = Details::none()
                    .declared("cidr", &wanted.cidr)
                    .declared("zone", &wanted.zone);
                report.missing(KIND, &wanted.name, details);
            }
            continue;
        };
        report.compared();
        ids.insert(wanted.name.as_str(), subnet.id.as_str());
        let mut details = Details::none();
        details.differs("cidr", Some(&subnet.cidr), Some(&wanted.cidr));
        details.differs("zone", Some(&subnet.zone), Some(&wanted.zone));
        details.switch("public addresses", subnet.public_addresses, false);
        details.tags(&subnet.tags, &wanted.tags);
        report.changed(KIND, &wanted.name, &subnet.id, details);
    }
    let known: Known<'_> = ids.values().copied().collect();
    for subnet in here {
        if !known.contains(subnet.id.as_str()) {
            report.foreign(
                KIND,
                called(&subnet.tags, &subnet.id),
                &subnet.id,
                format!("a subnet of {} that nobody declared", network.name),
                Details::none()
                    .live("cidr", &subnet.cidr)
                    .live("zone", &subnet.zone),
            );
        }
    }
    ids
}

/// The one of that name; where nobody has it, the one of that range that has the name of no other.
fn find<'a>(
    wanted: &WantedSubnet,
    network: &WantedNetwork,
    here: &[&'a Subnet],
) -> Option<&'a Subnet> {
    let fits = |subnet: &Subnet| subnet.cidr == wanted.cidr;
    let named = here
        .iter()
        .copied()
        .filter(|subnet| name(&subnet.tags) == Some(wanted.name.as_str()));
    choose(named, |subnet| &subnet.id, fits).0.or_else(|| {
        here.iter().copied().find(|subnet| {
            let is_another = network
                .subnets
                .iter()
                .any(|other| name(&subnet.tags) == Some(other.name.as_str()));
            fits(subnet) && !is_another
        })
    })
}
