//! What becomes of mirrors when `replicate` starts: by their file, and by what their targets keep about them.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use plan::Clients;
use replicator::metrics::Held;
use tokio::sync::watch;
use topology::{Mirror, MirrorState, Topology};

use crate::connect::{ConnectError, connect, connect_where_possible};
use crate::failure::Failure;
use crate::follow::{Follower, Word, is_half_promoted};
use crate::promotion::Promotion;
use crate::select::clusters;
use crate::session::Session;

/// What becomes of one mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lot {
    /// It is copied.
    Run,
    /// It copies nothing for now, for this reason: it …
    Held(String),
    /// It was promoted, and what the source held was not copied to its end: by now nobody does.
    Finish,
    /// It is promoted: it …, and copies nothing any more.
    Promoted(String),
    /// Clusters of it cannot be reached, so that nobody knows: it waits for them, or is left out.
    Unreached,
}

/// The lots of mirrors, and the connections that were needed to tell.
#[derive(Debug, Default)]
pub(crate) struct Lots {
    /// By name.
    pub(crate) of: BTreeMap<String, Lot>,
    /// To the clusters of all mirrors that are to be copied, or finished, and of those that wait.
    pub(crate) clients: Clients,
    /// Why there is no connection to the others, by alias.
    pub(crate) unreached: BTreeMap<String, ConnectError>,
}

impl Lots {
    /// Connects to the clusters of the mirrors, and reads what their targets keep. One that cannot be reached holds back its own
    /// mirrors alone; where it holds back all that the file lets run, that is an error. Where the file says paused or promoted,
    /// and the clusters do not answer, the file alone counts, and that is said.
    ///
    /// What is promoted, and nobody took up, is taken up now, or written down as over where others write to the target already.
    pub(crate) async fn draw(
        session: &Session,
        topology: &Topology,
        mirrors: &[&Mirror],
    ) -> Result<Self, Failure> {
        session
            .until_stopped(Self::read(session, topology, mirrors))
            .await?
    }

    async fn read(
        session: &Session,
        topology: &Topology,
        mirrors: &[&Mirror],
    ) -> Result<Self, Failure> {
        let running: Vec<&Mirror> = mirrors
            .iter()
            .filter(|mirror| mirror.state == MirrorState::Running)
            .copied()
            .collect();
        let (clients, unreached) = connect_where_possible(topology, &clusters(&running)).await?;
        let mut lots = Self {
            of: BTreeMap::new(),
            clients,
            unreached,
        };
        for mirror in mirrors {
            let lot = match mirror.state {
                MirrorState::Running if !reached(mirror, &lots.clients) => Lot::Unreached,
                MirrorState::Running => recorded(session, topology, mirror, &lots.clients).await?,
                MirrorState::Paused | MirrorState::Promoted => continue,
            };
            lots.of.insert(mirror.name.clone(), lot);
        }
        let stopped = mirrors
            .iter()
            .filter(|mirror| mirror.state != MirrorState::Running)
            .map(|mirror| async move { (*mirror, connect(topology, &clusters(&[mirror])).await) });
        for (mirror, clients) in join_all(stopped).await {
            let lot = match clients {
                Ok(clients) => {
                    let lot = recorded(session, topology, mirror, &clients).await;
                    lots.clients.extend(clients);
                    lot
                }
                Err(error) => Err(error),
            };
            let lot = lot.unwrap_or_else(|error| {
                tracing::warn!(mirror = mirror.name, %error,
                    "what its record says of a promotion cannot be read: the topology file alone decides");
                by_file(mirror.state)
            });
            lots.of.insert(mirror.name.clone(), lot);
        }
        let alive = |lot: &Lot| matches!(lot, Lot::Run | Lot::Finish);
        let waiting = lots.of.values().any(|lot| *lot == Lot::Unreached);
        if waiting && !lots.of.values().any(alive) {
            let errors = lots.unreached.into_values();
            return Err(Failure::Connect(errors.collect()));
        }
        Ok(lots)
    }

    /// What becomes of this mirror.
    pub(crate) fn lot(&self, mirror: &Mirror) -> &Lot {
        self.of.get(&mirror.name).unwrap_or(&Lot::Run)
    }

    /// Connections to all clusters of this mirror; none where one is missing.
    pub(crate) fn clients_of(&self, mirror: &Mirror) -> Option<Clients> {
        reached(mirror, &self.clients).then(|| self.clients.clone())
    }

    /// Whether its promotion is to be brought to its end.
    pub(crate) fn finishes(&self, mirror: &Mirror) -> bool {
        *self.lot(mirror) == Lot::Finish
    }

    /// Refuses to begin where a promoted mirror is named, or where there is no other: what applications
    /// write to its target must not be mixed with what the source still gets.
    pub(crate) fn refuse_promoted(
        &self,
        mirrors: &[&Mirror],
        names: &[String],
    ) -> Result<(), Failure> {
        let promoted: BTreeSet<String> = mirrors
            .iter()
            .filter(|mirror| match self.lot(mirror) {
                Lot::Promoted(_) => true,
                // another topology's: its file says promoted all the same
                Lot::Held(_) => mirror.state == MirrorState::Promoted,
                Lot::Run | Lot::Finish | Lot::Unreached => false,
            })
            .map(|mirror| mirror.name.clone())
            .collect();
        let only_those = promoted.len() == mirrors.len();
        if !promoted.is_empty() && (only_those || !names.is_empty()) {
            let mirrors = promoted.into_iter().collect();
            return Err(Failure::Promoted { mirrors });
        }
        Ok(())
    }
}

fn reached(mirror: &Mirror, clients: &Clients) -> bool {
    let aliases = clusters(&[mirror]);
    aliases.iter().all(|alias| clients.contains_key(alias))
}

/// What is left to a mirror whose record cannot be read.
fn by_file(state: MirrorState) -> Lot {
    match state {
        MirrorState::Running => Lot::Run,
        MirrorState::Paused => Lot::Held("is paused (`state: paused`)".to_owned()),
        MirrorState::Promoted => Lot::Promoted("is promoted (`state: promoted`)".to_owned()),
    }
}

/// What the file and the record on the target say of a mirror. Fails where it shall run and is another topology's: two mirrors
/// of one name would copy by turns, with one set of positions.
async fn recorded(
    session: &Session,
    topology: &Topology,
    mirror: &Mirror,
    clients: &Clients,
) -> Result<Lot, Failure> {
    let mut follower = Follower::new(mirror, topology.name.as_deref(), clients)?;
    let word = follower.first().await;
    if let (MirrorState::Running, Some(owner)) = (mirror.state, follower.another()) {
        return Err(Failure::OfAnotherTopology {
            mirror: mirror.name.clone(),
            owner: owner.to_owned(),
            target: mirror.target.clone(),
        });
    }
    Ok(match word {
        Word::Run => Lot::Run,
        Word::Hold(Held::ByTopology) => by_file(MirrorState::Paused),
        Word::Hold(held @ (Held::ByRecord(_) | Held::ByBoth(_))) => {
            Lot::Held(format!("is held: {}", held.why()))
        }
        Word::Promote => {
            let nobody_watches = watch::channel(Vec::new()).0;
            let promotion = Promotion {
                mirror,
                clients,
                follower: &mut follower,
                watched: &nobody_watches,
                runs: &session.runs,
                stop: &session.stop,
            };
            // seldom needed, and large
            Box::pin(promotion.take_up_late()).await?;
            if is_half_promoted(follower.entry(), clients, mirror) {
                return Ok(Lot::Finish);
            }
            match mirror.state {
                MirrorState::Promoted => by_file(mirror.state),
                MirrorState::Running | MirrorState::Paused => {
                    Lot::Promoted(format!("is promoted, by its record on {}", mirror.target))
                }
            }
        }
    })
}
