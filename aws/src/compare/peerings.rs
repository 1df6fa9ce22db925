//! Peerings of VPCs.

use super::{Details, Homes, Known, Report, called, choose};
use crate::observed::{Peering, Region};
use crate::wanted::WantedNetwork;

const KIND: &str = "peering";
const ACTIVE: &str = "active";

impl Peering {
    /// AWS lists peerings for hours that came to nothing or were deleted.
    fn is_over(&self) -> bool {
        matches!(
            self.state.as_str(),
            "deleted" | "deleting" | "rejected" | "failed" | "expired"
        )
    }
}

pub(super) fn compare(
    report: &mut Report<'_>,
    wanted: &[WantedNetwork],
    homes: &Homes<'_>,
    live: &Region,
) {
    let mut known = Known::new();
    for network in wanted {
        for peering in &network.peerings {
            report.compared();
            let ends = homes
                .get(network.name.as_str())
                .zip(homes.get(peering.with.as_str()));
            let between = live.peerings.iter().filter(|it| {
                !it.is_over()
                    && ends.is_some_and(|(here, there)| {
                        it.requester == here.id && it.accepter == there.id
                    })
            });
            let is_active = |it: &Peering| it.state == ACTIVE;
            let Some(found) = choose(between, |it| &it.id, is_active).0 else {
                let details = Details::none().declared("with", &peering.with);
                report.missing(KIND, &peering.name, details);
                continue;
            };
            known.insert(&found.id);
            let mut details = Details::none();
            details.differs("state", Some(&found.state), Some(ACTIVE));
            details.switch("requester resolves names", found.requester_resolves, true);
            details.switch("accepter resolves names", found.accepter_resolves, true);
            details.tags(&found.tags, &peering.tags);
            report.changed(KIND, &peering.name, &found.id, details);
        }
    }
    for peering in &live.peerings {
        let home = homes
            .iter()
            .find(|(_, vpc)| vpc.id == peering.requester || vpc.id == peering.accepter);
        let Some((network, vpc)) = home else { continue };
        if peering.is_over() || known.contains(peering.id.as_str()) {
            continue;
        }
        let far = if vpc.id == peering.requester {
            &peering.accepter
        } else {
            &peering.requester
        };
        report.foreign(
            KIND,
            called(&peering.tags, &peering.id),
            &peering.id,
            format!("a way into {network} that nobody declared"),
            Details::none()
                .live("with", far)
                .live("state", &peering.state),
        );
    }
}
