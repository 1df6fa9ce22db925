//! What differs, purely.

mod groups;
mod instances;
mod networks;
mod peerings;
mod subnets;

use std::collections::{BTreeMap, BTreeSet};

use plan::{Drift, DriftDetail, DriftKind};

use crate::observed::{Region, Tags, Vpc, name};
use crate::wanted::WantedNetwork;

/// What was found out about one region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many declared resources were compared.
    pub compared: usize,
    /// What differs, sorted by address.
    pub drift: Vec<Drift>,
}

/// Compares the networks that are wanted in `region` with what is there.
pub fn compare(region: &str, wanted: &[WantedNetwork], live: &Region) -> Comparison {
    let mut report = Report {
        region,
        comparison: Comparison::default(),
    };
    let homes = networks::compare(&mut report, wanted, live);
    for network in wanted {
        let vpc = homes.get(network.name.as_str()).copied();
        let subnets = subnets::compare(&mut report, network, vpc, live);
        let groups = groups::compare(&mut report, network, vpc, live);
        let place = instances::Place { subnets, groups };
        instances::compare(&mut report, network, vpc, live, &place);
    }
    peerings::compare(&mut report, wanted, &homes, live);
    let mut comparison = report.comparison;
    comparison
        .drift
        .sort_by(|one, other| (&one.address, &one.id).cmp(&(&other.address, &other.id)));
    comparison
}

/// The VPC of each network that has one, by its name.
type Homes<'a> = BTreeMap<&'a str, &'a Vpc>;

/// What is found out about a region, while it is.
struct Report<'a> {
    region: &'a str,
    comparison: Comparison,
}

impl Report<'_> {
    fn address(&self, kind: &str, name: &str) -> String {
        format!("ec2.{}.{kind}.{name}", self.region)
    }

    /// One more resource is looked at.
    fn compared(&mut self) {
        self.comparison.compared += 1;
    }

    fn missing(&mut self, kind: &str, name: &str, details: Details) {
        let address = self.address(kind, name);
        self.comparison.drift.push(Drift {
            address,
            kind: DriftKind::Missing,
            id: None,
            reason: "declared, and not there".to_owned(),
            details: details.0,
        });
    }

    /// Says nothing where nothing differs.
    fn changed(&mut self, kind: &str, name: &str, id: &str, details: Details) {
        if details.0.is_empty() {
            return;
        }
        let address = self.address(kind, name);
        self.comparison.drift.push(Drift {
            address,
            kind: DriftKind::Changed,
            id: Some(id.to_owned()),
            reason: "not as declared".to_owned(),
            details: details.0,
        });
    }

    fn foreign(&mut self, kind: &str, name: &str, id: &str, reason: String, details: Details) {
        let address = self.address(kind, name);
        self.comparison.drift.push(Drift {
            address,
            kind: DriftKind::Foreign,
            id: Some(id.to_owned()),
            reason,
            details: details.0,
        });
    }
}

/// The attributes that differ.
#[derive(Default)]
struct Details(Vec<DriftDetail>);

impl Details {
    fn none() -> Self {
        Self::default()
    }

    fn differs(&mut self, attribute: &str, live: Option<&str>, declared: Option<&str>) {
        if live != declared {
            self.0.push(DriftDetail {
                attribute: attribute.to_owned(),
                live: live.map(ToOwned::to_owned),
                declared: declared.map(ToOwned::to_owned),
            });
        }
    }

    /// What is declared of something that is not there.
    fn declared(mut self, attribute: &str, declared: &str) -> Self {
        self.differs(attribute, None, Some(declared));
        self
    }

    /// What is there and nobody declared.
    fn live(mut self, attribute: &str, live: &str) -> Self {
        self.differs(attribute, Some(live), None);
        self
    }

    /// What AWS does not tell is no difference.
    fn switch(&mut self, attribute: &str, live: Option<bool>, declared: bool) {
        if let Some(live) = live.filter(|live| *live != declared) {
            let text = |value: bool| if value { "true" } else { "false" };
            self.differs(attribute, Some(text(live)), Some(text(declared)));
        }
    }

    /// Each declared tag; those of others are theirs.
    fn tags(&mut self, live: &Tags, declared: &Tags) {
        for (key, value) in declared {
            let live = live.get(key).map(String::as_str);
            self.differs(&format!("tags.{key}"), live, Some(value));
        }
    }
}

/// Of those called `wanted`, the one that `fits` best, and the others; in the order of their ids.
fn choose<'a, T>(
    candidates: impl IntoIterator<Item = &'a T>,
    id: impl Fn(&T) -> &str,
    fits: impl Fn(&T) -> bool,
) -> (Option<&'a T>, Vec<&'a T>) {
    let mut candidates: Vec<&T> = candidates.into_iter().collect();
    candidates.sort_by(|one, other| (!fits(one), id(one)).cmp(&(!fits(other), id(other))));
    let mut candidates = candidates.into_iter();
    (candidates.next(), candidates.collect())
}

/// How something is called that has no name.
fn called<'a>(tags: &'a Tags, id: &'a str) -> &'a str {
    name(tags).filter(|name| !name.is_empty()).unwrap_or(id)
}

/// Ids that are accounted for.
type Known<'a> = BTreeSet<&'a str>;

#[cfg(test)]
mod tests;
