//! VPCs.

use super::{Details, Homes, Report, choose};
use crate::observed::{Region, Vpc, name};
use crate::wanted::WantedNetwork;

const KIND: &str = "vpc";

/// Compares the VPCs themselves; which one each network is.
pub(super) fn compare<'a>(
    report: &mut Report<'_>,
    wanted: &'a [WantedNetwork],
    live: &'a Region,
) -> Homes<'a> {
    let mut homes = Homes::new();
    for network in wanted {
        report.compared();
        let Some(vpc) = find(report, network, live) else {
            let details = Details::none().declared("cidr", &network.cidr);
            report.missing(KIND, &network.name, details);
            continue;
        };
        homes.insert(&network.name, vpc);
        let mut details = Details::none();
        details.differs("cidr", Some(&vpc.cidr), Some(&network.cidr));
        details.switch("dns support", vpc.dns_support, true);
        details.switch("dns hostnames", vpc.dns_hostnames, true);
        details.tags(&vpc.tags, &network.tags);
        report.changed(KIND, &network.name, &vpc.id, details);
    }
    homes
}

/// The one of that name; where nobody has it, the one of that range that has no name.
fn find<'a>(report: &mut Report<'_>, network: &WantedNetwork, live: &'a Region) -> Option<&'a Vpc> {
    let fits = |vpc: &Vpc| vpc.cidr == network.cidr;
    let named = live
        .vpcs
        .iter()
        .filter(|vpc| name(&vpc.tags) == Some(network.name.as_str()));
    let (ours, others) = choose(named, |vpc| &vpc.id, fits);
    for other in others {
        report.foreign(
            KIND,
            &network.name,
            &other.id,
            "another VPC has the same name".to_owned(),
            Details::none().live("cidr", &other.cidr),
        );
    }
    ours.or_else(|| {
        let nameless = live
            .vpcs
            .iter()
            .filter(|vpc| name(&vpc.tags).is_none() && fits(vpc));
        choose(nameless, |vpc| &vpc.id, fits).0
    })
}
