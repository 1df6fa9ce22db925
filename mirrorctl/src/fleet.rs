//! Mirrors that run until told otherwise, and follow their topology file.
//!
//! What shall run (`wanted`) and what does (`crews`) are two maps; [`Fleet::settle`] brings the
//! second to the first. A mirror whose definition changed is stopped, drained and started anew; one
//! that did not change never notices.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use plan::Clients;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use topology::{Cluster, Mirror, MirrorState, Topology};

use crate::failure::Failure;
use crate::lots::Lots;
use crate::output::{self, CopyDisplay, RunEnd, WatchedRun};
use crate::select::{builtin, clusters};
use crate::session::Session;
use crate::signals::Hangups;
use crate::steered::{Before, Steered, Steering};

/// All that decides how a mirror runs.
#[derive(Debug, Clone, PartialEq)]
struct Definition {
    mirror: Mirror,
    /// The name of the topology: by that it is known whose the mirror is.
    topology: Option<String>,
    clusters: Vec<Cluster>,
}

/// A mirror that runs.
#[derive(Debug)]
struct Crew {
    definition: Definition,
    stop: CancellationToken,
    /// Cancelled once the file says that it is promoted: it copies to the end of now, and then ends.
    promoted: CancellationToken,
}

/// How the steering of a mirror ended.
type CrewEnd = (String, Result<Steering, Failure>);

/// The mirrors of one topology file.
#[derive(Debug)]
pub(crate) struct Fleet<'f> {
    session: &'f Session,
    file: &'f Path,
    /// Only these mirrors, where some are named.
    names: &'f [String],
    topology: Topology,
    wanted: BTreeMap<String, Definition>,
    crews: BTreeMap<String, Crew>,
    /// Ended by themselves: not started again before the next reload.
    ended: BTreeSet<String>,
    /// The mirror whose crew has just made room for the next one, and had it at hand.
    at_hand: Option<String>,
    tasks: JoinSet<CrewEnd>,
    ends: Vec<RunEnd>,
    watched: watch::Sender<Vec<WatchedRun>>,
}

impl<'f> Fleet<'f> {
    /// Connects to the clusters of all mirrors that are not promoted, and starts those; paused ones wait there for what file and
    /// record say. One whose clusters cannot be reached waits for them. Fails where that is all that are to run, or where a
    /// promoted mirror is asked for.
    pub(crate) async fn launch(
        session: &'f Session,
        file: &'f Path,
        names: &'f [String],
        topology: Topology,
    ) -> Result<Self, Failure> {
        let asked = builtin(&topology, names)?;
        let lots = Lots::draw(session, &topology, &asked).await?;
        lots.refuse_promoted(&asked, names)?;
        let mut wanted = wanted(&topology, names)?;
        let unfinished = asked.iter().filter(|mirror| lots.finishes(mirror));
        let unfinished: BTreeSet<String> = unfinished.map(|mirror| mirror.name.clone()).collect();
        for mirror in asked.iter().filter(|it| unfinished.contains(&it.name)) {
            wanted.insert(mirror.name.clone(), definition(&topology, mirror));
        }
        let mut fleet = Self {
            session,
            file,
            names,
            wanted,
            topology,
            crews: BTreeMap::new(),
            ended: BTreeSet::new(),
            at_hand: None,
            tasks: JoinSet::new(),
            ends: Vec::new(),
            watched: watch::channel(Vec::new()).0,
        };
        let held = in_state(MirrorState::Paused, &fleet.topology, names);
        session.runs.pause(held);
        let promoted = in_state(MirrorState::Promoted, &fleet.topology, names);
        for name in promoted.filter(|name| !unfinished.contains(*name)) {
            tracing::info!(
                mirror = name,
                "promoted: passed over, nothing is copied to its target"
            );
        }
        for definition in fleet.wanted.clone().into_values() {
            let clients = lots.clients_of(&definition.mirror);
            fleet.start(definition, clients);
        }
        Ok(fleet)
    }

    /// Runs until the session stops, or until every mirror has ended by itself.
    /// Reads the file again on every SIGHUP.
    pub(crate) async fn sail(mut self, mut hangups: Hangups) -> Result<Vec<RunEnd>, Failure> {
        let display = CopyDisplay::new(self.watched.subscribe());
        tokio::select! {
            ends = self.steer(&mut hangups) => ends,
            never = display.show() => match never {},
        }
    }

    async fn steer(&mut self, hangups: &mut Hangups) -> Result<Vec<RunEnd>, Failure> {
        let mut stopping = false;
        loop {
            if self.crews.is_empty() {
                return Ok(std::mem::take(&mut self.ends));
            }
            tokio::select! {
                Some(end) = self.tasks.join_next() => {
                    self.crew_ended(end.map_err(Failure::Panicked)?)?;
                }
                () = hangups.next() => self.reload(),
                // the crews' own tokens are children of the session's: they drain and end
                () = self.session.stop.cancelled(), if !stopping => stopping = true,
            }
        }
    }

    fn crew_ended(&mut self, (name, steering): CrewEnd) -> Result<(), Failure> {
        let Some(crew) = self.crews.remove(&name) else {
            return Ok(());
        };
        self.session.runs.release(&name);
        let Steering { ends, left } = steering?;
        self.ends.extend(ends);
        let promoted = self.says_promoted(&name);
        self.watched
            .send_modify(|runs| runs.retain(|run| run.mirror != name));
        if !crew.stop.is_cancelled() {
            self.session.runs.end(&name);
            self.ended.insert(name);
        } else if self.session.stop.is_cancelled() {
            if promoted && left.is_some() {
                tracing::warn!(
                    mirror = name,
                    "promoted by its file, and stopped before its last copy was done: what the source held by then may not be \
                     on the target"
                );
            }
        } else {
            // removed, paused, promoted, or about to start anew
            self.session.runs.remove(&name);
            self.at_hand = (left == Some(Before::AtHand)).then(|| name.clone());
            // it was told to end for another reason, and promoted before it had: the last copy is still to be made
            if promoted && left.is_some() {
                self.start(crew.definition, None);
            }
        }
        self.settle();
        self.at_hand = None;
        Ok(())
    }

    /// Whether the file says that this mirror is promoted.
    fn says_promoted(&self, name: &str) -> bool {
        let mirror = self.topology.mirror(name);
        mirror.is_some_and(|mirror| mirror.state == MirrorState::Promoted)
    }

    /// Reads the file again. What is wrong with it is said, and everything goes on as before.
    fn reload(&mut self) {
        tracing::info!(file = %self.file.display(), "SIGHUP: reading the topology again");
        let read = crate::load::load(self.file)
            .and_then(|topology| Ok((wanted(&topology, self.names)?, topology)));
        let (wanted, topology) = match read {
            Ok(read) => read,
            Err(failure) => {
                output::failure(&failure);
                tracing::error!("the topology is not reloaded; the mirrors go on as before");
                return;
            }
        };
        self.tell(&wanted, &topology);
        let held = in_state(MirrorState::Paused, &topology, self.names);
        self.session.runs.pause(held);
        self.wanted = wanted;
        self.topology = topology;
        self.ended.clear();
        self.settle();
    }

    /// Says what a new topology changes, mirror by mirror.
    fn tell(&self, wanted: &BTreeMap<String, Definition>, topology: &Topology) {
        let states = |topology| -> BTreeMap<&str, MirrorState> {
            let mirrors = of_fleet(topology, self.names);
            mirrors.map(|it| (it.name.as_str(), it.state)).collect()
        };
        let (before, after) = (states(&self.topology), states(topology));
        let mut changes = 0;
        let mut say = |mirror: &str, change: &str| {
            changes += 1;
            tracing::info!(mirror, "reload: {change}");
        };
        for name in self.wanted.keys().filter(|it| !wanted.contains_key(*it)) {
            match after.get(name.as_str()) {
                Some(MirrorState::Promoted) => {
                    say(
                        name,
                        "promoted; it copies what the source holds now, and then nothing any more",
                    );
                }
                Some(MirrorState::Running | MirrorState::Paused) | None => {
                    say(name, "removed; it drains and ends");
                }
            }
        }
        for (name, definition) in wanted {
            match self.wanted.get(name) {
                None => match before.get(name.as_str()) {
                    Some(MirrorState::Promoted) => {
                        let now = definition.mirror.state.word();
                        say(name, &format!("{now} again; it was promoted"));
                    }
                    Some(MirrorState::Running | MirrorState::Paused) | None => say(name, "new"),
                },
                Some(old) if old == definition && self.ended.contains(name) => {
                    say(name, "unchanged; it had stopped and is started again");
                }
                Some(old) if old == definition => {}
                Some(old) => match (old.mirror.state, definition.mirror.state) {
                    (MirrorState::Running, MirrorState::Paused) => {
                        say(name, "paused; it drains, and keeps its positions");
                    }
                    (MirrorState::Paused, MirrorState::Running) => say(name, "resumed"),
                    (
                        MirrorState::Running | MirrorState::Paused | MirrorState::Promoted,
                        MirrorState::Running | MirrorState::Paused | MirrorState::Promoted,
                    ) => say(name, &format!("changed: {}", changed(old, definition))),
                },
            }
        }
        if changes == 0 {
            tracing::info!("reload: nothing changed for any mirror");
        }
    }

    /// Stops what shall not run as it does, and starts what shall run and does not.
    fn settle(&mut self) {
        if self.session.stop.is_cancelled() {
            return;
        }
        for (name, crew) in &self.crews {
            if self.wanted.get(name) == Some(&crew.definition) {
                continue;
            }
            if self.says_promoted(name) {
                crew.promoted.cancel();
            } else {
                crew.stop.cancel();
            }
        }
        let missing: Vec<Definition> = self
            .wanted
            .iter()
            .filter(|(name, _)| !self.crews.contains_key(*name) && !self.ended.contains(*name))
            .map(|(_, definition)| definition.clone())
            .collect();
        for definition in missing {
            self.start(definition, None);
        }
    }

    fn start(&mut self, definition: Definition, clients: Option<Clients>) {
        let stop = self.session.stop.child_token();
        let promoted = CancellationToken::new();
        let name = definition.mirror.name.clone();
        let steered = Steered {
            mirror: definition.mirror.clone(),
            topology: self.topology.clone(),
            clients,
            watched: self.watched.clone(),
            runs: self.session.runs.clone(),
            stop: stop.clone(),
            promoted: promoted.clone(),
            before: match &self.at_hand {
                Some(at_hand) if *at_hand == name => Before::AtHand,
                Some(_) | None => Before::Nothing,
            },
        };
        let crew = Crew {
            definition,
            stop,
            promoted,
        };
        self.crews.insert(name.clone(), crew);
        self.tasks.spawn(async move { (name, steered.run().await) });
    }
}

/// The mirrors that shall run now, or wait until they may.
fn wanted(topology: &Topology, names: &[String]) -> Result<BTreeMap<String, Definition>, Failure> {
    let mirrors = builtin(topology, names)?;
    Ok(mirrors
        .into_iter()
        .filter(|mirror| mirror.state != MirrorState::Promoted)
        .map(|mirror| (mirror.name.clone(), definition(topology, mirror)))
        .collect())
}

fn definition(topology: &Topology, mirror: &Mirror) -> Definition {
    let aliases = clusters(&[mirror]);
    let clusters = topology.clusters.iter();
    Definition {
        mirror: mirror.clone(),
        topology: topology.name.clone(),
        clusters: clusters
            .filter(|cluster| aliases.contains(&cluster.alias))
            .cloned()
            .collect(),
    }
}

/// Mirrors of the file that are in this state, of those that are named.
fn in_state<'t>(
    state: MirrorState,
    topology: &'t Topology,
    names: &'t [String],
) -> impl Iterator<Item = &'t str> {
    of_fleet(topology, names)
        .filter(move |mirror| mirror.state == state)
        .map(|mirror| mirror.name.as_str())
}

/// Mirrors of the built-in engine, of those that are named.
fn of_fleet<'t>(topology: &'t Topology, names: &'t [String]) -> impl Iterator<Item = &'t Mirror> {
    topology.mirrors.iter().filter(|mirror| {
        mirror.engine == topology::Engine::Builtin
            && (names.is_empty() || names.contains(&mirror.name))
    })
}

/// The keys in which two definitions differ, as words.
fn changed(old: &Definition, new: &Definition) -> String {
    let fields = |definition: &Definition| match serde_json::to_value(&definition.mirror) {
        Ok(serde_json::Value::Object(fields)) => fields,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    let (before, after) = (fields(old), fields(new));
    let mut keys: Vec<String> = after
        .iter()
        .filter(|(key, value)| before.get(*key) != Some(value))
        .map(|(key, _)| key.replace('_', " "))
        .collect();
    if old.topology != new.topology {
        keys.push("the name of the topology".to_owned());
    }
    for cluster in &new.clusters {
        if !old.clusters.contains(cluster) {
            keys.push(format!("cluster {}", cluster.alias));
        }
    }
    keys.join(", ")
}
