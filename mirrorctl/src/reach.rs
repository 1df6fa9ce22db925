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

impl<'t> Reach<'t> {
    /// Connects to both sides of these mirrors. Fails where nothing of any mirror could be shown. Cancel safe.
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
        if reach.pairs().next().is_none() {
            return Err(Failure::Connect(reach.unreached.into_values().collect()));
        }
        Ok(reach)
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

    /// Each mirror with each source of it, where both sides could be reached: mirror, alias of the source, source, target.
    pub(crate) fn pairs(
        &self,
    ) -> impl Iterator<Item = (&'t Mirror, &'t String, kafka::Cluster, kafka::Cluster)> + '_ {
        let mirrors = self.mirrors.iter();
        let all = mirrors.flat_map(|mirror| mirror.sources.iter().map(|alias| (*mirror, alias)));
        all.filter_map(|(mirror, alias)| {
            let source = self.clients.get(alias)?.clone();
            let target = self.clients.get(&mirror.target)?.clone();
            Some((mirror, alias, source, target))
        })
    }

    /// Names of the mirrors of which something could not be reached.
    pub(crate) fn left_out(&self) -> Vec<String> {
        let lacking = self.mirrors.iter().filter(|mirror| {
            let aliases = clusters(&[mirror]);
            !aliases.iter().all(|it| self.clients.contains_key(it))
        });
        lacking.map(|mirror| mirror.name.clone()).collect()
    }

    /// What is said of them at the end; nothing where everything could be reached.
    pub(crate) fn missed(self) -> Option<Failure> {
        let mirrors = self.left_out();
        (!mirrors.is_empty()).then(|| Failure::Unreached {
            mirrors,
            errors: self.unreached.into_values().collect(),
        })
    }
}
