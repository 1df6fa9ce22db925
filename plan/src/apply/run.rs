//! The changes of one apply, in the order of what depends on what.

use std::collections::{BTreeMap, BTreeSet};

use folder::Folder;
use futures::StreamExt as _;
use futures::lock::Mutex;
use futures::stream::FuturesUnordered;
use kafka::Cluster;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::ApplyError;
use super::event::{ApplyEvent, ApplyObserver, ApplySummary, Unfinished};
use super::everywhere;
use super::execute::{ChangeError, Done, execute};
use super::recheck::{first_stale, owners};
use super::record::{note_unchanged, remember, remember_unchanged};
use super::stopping::{self, UnderWay};
use super::surroundings::Surroundings;
use super::{ApplyOptions, client};
use crate::change::{Action, Resource, ResourceChange};
use crate::difference::Difference;
use crate::document::Plan;
use crate::draft;
use crate::guard::Clients;
use crate::home::Home;
use crate::ownership::Owners;
use crate::rendered_file;
use crate::scram_user::Credentials;
use crate::topic;

/// An apply under way.
pub(super) struct Run<'a> {
    plan: &'a Plan,
    clients: &'a Clients,
    credentials: &'a Credentials,
    options: &'a ApplyOptions,
    observer: &'a dyn ApplyObserver,
    summary: ApplySummary,
    started: Instant,
    /// By cluster: taken by whoever moves replicas.
    moving: &'a BTreeMap<String, Mutex<()>>,
}

/// Where a change is made.
enum Ground<'a> {
    Cluster(Surroundings<'a>),
    Folder(Folder),
}

/// Why the apply stops at a change.
enum Stop {
    Stale(Vec<Difference>),
    Failed(String),
    Interrupted,
}

/// How one change ended.
struct Ended<'a> {
    change: &'a ResourceChange,
    elapsed_ms: u64,
    steps_done: Vec<String>,
    outcome: Result<Done, ChangeError>,
}

/// What comes before what: logins before the rules that name them, topics before what refers to
/// them, files after what they speak of, and the other way round when they go.
fn stage(change: &ResourceChange) -> u8 {
    match (&change.resource, change.action()) {
        (Resource::ScramUser(_), Action::NoOp | Action::Create | Action::Update) => 0,
        (Resource::Topic(_), Action::NoOp | Action::Create | Action::Update) => 1,
        (Resource::Acl(_), Action::NoOp | Action::Create | Action::Update) => 2,
        (Resource::ClientQuota(_), Action::NoOp | Action::Create | Action::Update) => 3,
        (Resource::Mirror(_), Action::NoOp | Action::Create | Action::Update) => 4,
        (Resource::RenderedFile(_), Action::NoOp | Action::Create | Action::Update) => 5,
        // a replicator stops before what it writes to goes
        (Resource::Mirror(_) | Resource::RenderedFile(_), Action::Delete) => 6,
        (Resource::ClientQuota(_), Action::Delete) => 7,
        (Resource::Acl(_), Action::Delete) => 8,
        (Resource::Topic(_), Action::Delete) => 9,
        (Resource::ScramUser(_), Action::Delete) => 10,
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        clients: &'a Clients,
        credentials: &'a Credentials,
        options: &'a ApplyOptions,
        observer: &'a dyn ApplyObserver,
        moving: &'a BTreeMap<String, Mutex<()>>,
    ) -> Self {
        Self {
            plan,
            clients,
            credentials,
            options,
            observer,
            summary: ApplySummary::default(),
            started: Instant::now(),
            moving,
        }
    }

    /// Makes every change. Stops between changes when `cancel` or `lost` is cancelled.
    pub(super) async fn changes(
        mut self,
        cancel: &'a CancellationToken,
        lost: &'a CancellationToken,
    ) -> Result<ApplySummary, ApplyError> {
        let mut pending: Vec<&ResourceChange> = self
            .plan
            .resource_changes
            .iter()
            .filter(|change| change.action() != Action::NoOp)
            .collect();
        // stable: within a stage the order of the plan
        pending.sort_by_key(|change| stage(change));
        self.observer.event(&ApplyEvent::ApplyStarted {
            changes: pending.len(),
        });
        let owners = owners(self.plan, self.clients).await?;
        let mut stopped = self.stale(&pending, &owners).await?;
        if stopped.is_none() {
            remember_unchanged(self.plan, self.clients, &owners).await?;
            note_unchanged(self.plan, &owners)?;
            self.clear_left_behind().await?;
        }
        let mut next = 0;
        let begun = UnderWay::default();
        let impatient = stopping::out_of_patience(
            &begun,
            self.clients,
            self.observer,
            [cancel, lost],
            self.options.silent_for,
        );
        let mut impatient = std::pin::pin!(impatient);
        let mut under_way = FuturesUnordered::new();
        let mut current_stage = 0;
        loop {
            while let Some(change) = pending.get(next)
                && stopped.is_none()
                && !cancel.is_cancelled()
                && !lost.is_cancelled()
                && under_way.len() < self.options.concurrency.max(1)
                && (under_way.is_empty() || stage(change) == current_stage)
            {
                current_stage = stage(change);
                next += 1;
                self.observer.event(&ApplyEvent::ChangeStarted {
                    address: change.address.clone(),
                    action: change.action(),
                    number: next,
                    of: pending.len(),
                });
                let ground = self.ground(&change.home, [cancel, lost])?;
                begun.begun(change);
                under_way.push(one(ground, change, self.plan.topology.as_deref()));
            }
            let ended = tokio::select! {
                biased;
                ended = under_way.next() => ended,
                () = &mut impatient => None,
            };
            let Some(ended) = ended else {
                break;
            };
            let change = ended.change;
            begun.ended(change);
            if let Err(stop) = self.ended(ended) {
                stopped.get_or_insert((change, stop));
            }
        }
        drop(under_way);
        tokio::select! {
            biased;
            () = cancel.cancelled() => {}
            () = lost.cancelled() => {}
            () = self.shown_everywhere(&pending[..next]) => {}
        }
        for change in begun.left() {
            self.summary.unfinished.push(Unfinished {
                address: change.address.clone(),
                steps_done: Vec::new(),
                in_doubt: true,
            });
        }
        self.end(&pending[next..], stopped, lost)
    }

    /// The first change that no longer fits, told to the observer.
    async fn stale(
        &self,
        pending: &[&'a ResourceChange],
        owners: &Owners,
    ) -> Result<Option<(&'a ResourceChange, Stop)>, ApplyError> {
        let found = first_stale(self.plan, pending, self.clients, owners).await?;
        Ok(found.map(|(change, differences)| {
            self.observer.event(&ApplyEvent::ChangeStale {
                address: change.address.clone(),
                differences: differences.clone(),
            });
            (change, Stop::Stale(differences))
        }))
    }

    /// Waits until every broker shows what this apply did, so that the next plan is empty whichever it asks.
    async fn shown_everywhere(&self, begun: &[&ResourceChange]) {
        let applied: BTreeSet<&String> = self.summary.applied.iter().collect();
        let applied = begun.iter().filter(|it| applied.contains(&it.address));
        for (cluster, brokers) in
            everywhere::behind(self.clients, applied.copied(), self.options).await
        {
            self.observer
                .event(&ApplyEvent::BrokersBehind { cluster, brokers });
        }
    }

    /// How it ended, given what was not begun and what stopped it.
    fn end(
        mut self,
        not_started: &[&ResourceChange],
        stopped: Option<(&ResourceChange, Stop)>,
        lost: &CancellationToken,
    ) -> Result<ApplySummary, ApplyError> {
        self.summary.not_started = not_started
            .iter()
            .map(|change| change.address.clone())
            .collect();
        if matches!(stopped, Some((_, Stop::Interrupted))) {
            self.observer.event(&ApplyEvent::Interrupted {
                not_started: not_started.len(),
            });
        }
        if let Some((change, stop)) = stopped {
            let address = change.address.clone();
            let summary = Box::new(self.finish());
            return Err(match stop {
                Stop::Stale(differences) => ApplyError::Stale {
                    address,
                    differences,
                    summary,
                },
                Stop::Failed(message) => ApplyError::Failed {
                    address,
                    message,
                    summary,
                },
                Stop::Interrupted => interrupted(lost, summary),
            });
        }
        if not_started.is_empty() && self.summary.unfinished.is_empty() {
            return Ok(self.finish());
        }
        self.observer.event(&ApplyEvent::Interrupted {
            not_started: not_started.len(),
        });
        let summary = Box::new(self.finish());
        Err(interrupted(lost, summary))
    }

    /// Tells how it ended. Waits for nothing: while this runs no change goes on, and one of them may hold what would be
    /// waited for.
    fn ended(&mut self, ended: Ended<'_>) -> Result<(), Stop> {
        let Ended {
            change,
            elapsed_ms,
            steps_done,
            outcome,
        } = ended;
        let address = change.address.clone();
        let stop = match outcome {
            Ok(done) => {
                self.done(address, done, elapsed_ms);
                return Ok(());
            }
            Err(ChangeError::Stale(differences)) => Stop::Stale(differences),
            Err(ChangeError::Interrupted) => Stop::Interrupted,
            Err(
                error @ (ChangeError::Read(_)
                | ChangeError::Request { .. }
                | ChangeError::InDoubt { .. }
                | ChangeError::TooFewInSync { .. }
                | ChangeError::TurnedBack
                | ChangeError::Gone
                | ChangeError::ThrottleLeft { .. }
                | ChangeError::OnTheirWay { .. }
                | ChangeError::NotVisible { .. }
                | ChangeError::File(_)
                | ChangeError::Misplaced
                | ChangeError::Unrecorded(_)),
            ) => Stop::Failed(error.to_string()),
        };
        match &stop {
            Stop::Stale(differences) => self.observer.event(&ApplyEvent::ChangeStale {
                address: address.clone(),
                differences: differences.clone(),
            }),
            Stop::Failed(message) => self.observer.event(&ApplyEvent::ChangeFailed {
                address: address.clone(),
                message: message.clone(),
                steps_done: steps_done.clone(),
            }),
            // told once, with what was not begun
            Stop::Interrupted => {}
        }
        self.summary.unfinished.push(Unfinished {
            address,
            steps_done,
            in_doubt: false,
        });
        Err(stop)
    }

    fn done(&mut self, address: String, done: Done, elapsed_ms: u64) {
        match done {
            Done::Applied => {
                self.observer.event(&ApplyEvent::ChangeDone {
                    address: address.clone(),
                    elapsed_ms,
                });
                self.summary.applied.push(address);
            }
            Done::Already => {
                self.observer.event(&ApplyEvent::ChangeSkipped {
                    address: address.clone(),
                });
                self.summary.already_done.push(address);
            }
        }
    }

    /// Takes away what killed applies left behind. What cannot be taken away holds nothing else up: a broker that is
    /// down may stay so.
    async fn clear_left_behind(&self) -> Result<(), ApplyError> {
        for left in &self.plan.left_behind {
            let cluster = self.cluster(&left.cluster)?;
            let prefix = draft::prefix(topic::KIND, &left.cluster);
            let name = left.address.strip_prefix(&prefix).unwrap_or(&left.address);
            let address = left.address.clone();
            match topic::clear_left(cluster, &left.address, name).await {
                Ok(true) => self
                    .observer
                    .event(&ApplyEvent::ThrottlesCleared { address }),
                Ok(false) => {}
                Err(error) => self.observer.event(&ApplyEvent::ThrottlesLeft {
                    address,
                    message: error.to_string(),
                }),
            }
        }
        Ok(())
    }

    fn ground(
        &self,
        home: &Home,
        stops: [&'a CancellationToken; 2],
    ) -> Result<Ground<'a>, ApplyError> {
        Ok(match home {
            Home::Cluster(alias) => Ground::Cluster(self.around(alias, stops)?),
            Home::Folder(path) => Ground::Folder(Folder::at(path)),
        })
    }

    fn around(
        &self,
        alias: &str,
        stops: [&'a CancellationToken; 2],
    ) -> Result<Surroundings<'a>, ApplyError> {
        Ok(Surroundings {
            cluster: self.cluster(alias)?,
            options: self.options,
            credentials: self.credentials,
            topology: self.plan.topology.as_deref(),
            moving: self
                .moving
                .get(alias)
                .ok_or_else(|| ApplyError::no_client(alias))?,
            observer: self.observer,
            stops,
        })
    }

    fn cluster(&self, alias: &str) -> Result<&'a Cluster, ApplyError> {
        client(self.clients, alias)
    }

    /// The summary, told to the observer as the last event.
    pub(super) fn finish(mut self) -> ApplySummary {
        self.summary.elapsed_ms = millis(self.started);
        self.observer
            .event(&ApplyEvent::Summary(self.summary.clone()));
        self.summary
    }
}

fn interrupted(lost: &CancellationToken, summary: Box<ApplySummary>) -> ApplyError {
    if lost.is_cancelled() {
        ApplyError::LeaseLost { summary }
    } else {
        ApplyError::Interrupted { summary }
    }
}

async fn one<'a>(
    ground: Ground<'_>,
    change: &'a ResourceChange,
    topology: Option<&str>,
) -> Ended<'a> {
    let started = Instant::now();
    let mut steps_done = Vec::new();
    let outcome = match ground {
        Ground::Cluster(around) => on_cluster(&around, change, &mut steps_done).await,
        Ground::Folder(folder) => {
            rendered_file::execute(&folder, change, topology, &mut steps_done)
                .map_err(ChangeError::from)
        }
    };
    Ended {
        change,
        elapsed_ms: millis(started),
        steps_done,
        outcome,
    }
}

async fn on_cluster(
    around: &Surroundings<'_>,
    change: &ResourceChange,
    steps_done: &mut Vec<String>,
) -> Result<Done, ChangeError> {
    let done = execute(around, change, steps_done).await?;
    match remember(around.cluster, change, around.topology).await {
        Ok(()) => Ok(done),
        Err(source) => Err(ChangeError::Unrecorded(source)),
    }
}

fn millis(since: Instant) -> u64 {
    since.elapsed().as_millis() as u64
}
