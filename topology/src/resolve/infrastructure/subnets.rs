//! Whether the subnets of a network lie in it, side by side.

use super::super::scope::Scope;
use crate::choices::Platform;
use crate::code::Code;
use crate::finding::Finding;
use crate::infrastructure::{Brokers, Network};
use crate::path::Path;
use crate::spec;

/// The subnets of the network at `path`. `written` may have more of them than could be read.
pub(super) fn check(
    scope: &mut Scope<'_>,
    path: &Path,
    platform: Platform,
    written: &spec::Network,
    network: &Network,
    brokers: Option<&Brokers>,
) {
    // only then does the place in one list tell the place in the other
    if written.subnets.len() != network.subnets.len() {
        return;
    }
    let place = path.key("subnets");
    for (at, subnet) in network.subnets.iter().enumerate() {
        let problem = match network.cidr {
            Some(cidr) if !cidr.contains(subnet) => Some((
                format!("the subnet `{subnet}` is outside of its network"),
                "outside of the network".to_owned(),
                format!("the network has the range `{cidr}`"),
            )),
            Some(_) | None => network.subnets[..at]
                .iter()
                .find(|other| other.contains(subnet) || subnet.contains(*other))
                .map(|other| {
                    (
                        format!("the subnet `{subnet}` overlaps with `{other}`"),
                        "overlaps".to_owned(),
                        "give each subnet a range of its own".to_owned(),
                    )
                }),
        };
        if let Some((message, label, hint)) = problem {
            let span = scope.span(&place.index(at));
            scope.add(Finding::new(Code::InvalidSubnet, span, message, label).hint(hint));
        }
    }
    let zones = brokers.map_or(0, |brokers| brokers.zones.len());
    let aws = matches!(platform, Platform::AwsMsk | Platform::AwsEc2);
    if aws && zones > 0 && !network.subnets.is_empty() && network.subnets.len() != zones {
        let span = scope.key_span(&place);
        scope.add(
            Finding::new(
                Code::InvalidSubnet,
                span,
                format!(
                    "a subnet lies in one zone: {} subnets do not go with {zones} zones",
                    network.subnets.len()
                ),
                "not one for each zone",
            )
            .hint(
                "write one subnet for each of `brokers.zones`, or leave `subnets` out to divide the network evenly",
            ),
        );
    }
}
