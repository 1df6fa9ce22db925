//! The clusters of mirrors that are only looked at: what can be reached is shown, and what cannot is named.

use std::collections::{BTreeMap, BTreeSet};

use plan::Clients;
use topology::{Mirror, Topology};

use crate::connect::{ConnectError, connect_where_possible};
use crate::failure::Failure;
use crate::select::clusters;

/// Connections to as many clusters as could be reached.
#[derive(Debug)]
pub(crate) struct Reach<'t> {
    topology: &'t Topology,
    mirrors: Vec<&'t Mirror>,
    clients: Clients,
    /// Why there is no connection to the others, by alias.
    unreached: BTreeMap<String, ConnectError>,
}

/// One source of a mirror whose target could be reached.
#[derive(Debug)]
pub(crate) struct Route<'t> {
    /// The mirror.
    pub(crate) mirror: &'t Mirror,
    /// Alias of the source.
    pub(crate) alias: &'t String,
    /// The source; why not, where it could not be reached.
    pub(crate) source: Result<kafka::Cluster, String>,
    /// The target.
    pub(crate) target: kafka::Cluster,
}

impl<'t> Reach<'t> {
    /// Connects to both sides of these mirrors. Fails where no target of any could be reached. Cancel safe.
    pub(crate) async fn of(
        topology: &'t Topology,
        mirrors: &[&'t Mirror],
    ) -> Result<Self, Failure> {
        let (clients, unreached) = connect_where_possible(topology, &clusters(mirrors)).await?;
        let reach = Self {
            topology,
            mirrors: mirrors.to_vec(),
            clients,
            unreached,
        };
        if reach.routes().next().is_none() {
            return Err(reach.nothing());
        }
        Ok(reach)
    }

    /// Nothing of any mirror can be shown.
    pub(crate) fn nothing(self) -> Failure {
        Failure::Connect(self.unreached.into_values().collect())
    }

    /// Tries once more to connect to what could not be reached, and says what still cannot. Cancel safe.
    pub(crate) async fn again(&mut self) -> Result<(), Failure> {
        if self.unreached.is_empty() {
            return Ok(());
        }
        let missing: BTreeSet<String> = self.unreached.keys().cloned().collect();
        let (clients, unreached) = connect_where_possible(self.topology, &missing).await?;
        self.clients.extend(clients);
        self.unreached = unreached;
        for error in self.unreached.values() {
            tracing::warn!(%error, "its mirrors are not shown; trying again");
        }
        Ok(())
    }

    /// Each mirror with each source of it, where the target could be reached.
    pub(crate) fn routes(&self) -> impl Iterator<Item = Route<'t>> + '_ {
        let mirrors = self.mirrors.iter();
        let all = mirrors.flat_map(|mirror| mirror.sources.iter().map(|alias| (*mirror, alias)));
        all.filter_map(|(mirror, alias)| {
            let target = self.clients.get(&mirror.target)?.clone();
            let source = self.clients.get(alias).cloned().ok_or_else(|| {
                let why = self.unreached.get(alias);
                why.map_or_else(|| format!("{alias} is not there"), ToString::to_string)
            });
            Some(Route {
                mirror,
                alias,
                source,
                target,
            })
        })
    }

    /// Names of the mirrors of which something could not be reached. One that is promoted (`over`) needs no source any more.
    pub(crate) fn left_out(&self, over: &BTreeSet<String>) -> Vec<String> {
        let lacking = self.mirrors.iter().filter(|mirror| {
            let mut aliases = clusters(&[mirror]);
            if over.contains(&mirror.name) {
                aliases = BTreeSet::from([mirror.target.clone()]);
            }
            !aliases.iter().all(|it| self.clients.contains_key(it))
        });
        lacking.map(|mirror| mirror.name.clone()).collect()
    }

    /// What is said of them at the end; nothing where everything that is needed could be reached.
    pub(crate) fn missed(self, over: &BTreeSet<String>) -> Option<Failure> {
        let mirrors = self.left_out(over);
        (!mirrors.is_empty()).then(|| Failure::Unreached {
            mirrors,
            errors: self.unreached.into_values().collect(),
        })
    }
}
