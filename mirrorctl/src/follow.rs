//! What a mirror's topology file and its record on the target say together, the record looked at again and again while the
//! mirror is replicated.
//!
//! Nothing here needs a record: where there is none, the topology file alone decides.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::DateTime;
use kafka::{Error, Mark, RetryClass};
use plan::{Clients, MirrorOwner, Owner};
use register::{Entry, RegisterLog, Standing, TopicKey, TopicRecord, is_handed_over};
use replicator::Moment;
use replicator::metrics::Held;
use serde::Serialize;
use topology::{Mirror, MirrorState};

use crate::copies::client;
use crate::failure::Failure;

/// Between two looks, unless new topics are looked for more often.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The same for whose the mirror is, unless its record changes.
const OWNER_EVERY: Duration = Duration::from_secs(10);
/// Who did not look for so long does not know what became of the mirror meanwhile: as long as a run sends without looking.
const AWAY_AFTER: Duration = Duration::from_secs(8);

/// What file and record say to whoever replicates the mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// Nothing holds it back.
    Run,
    /// It copies nothing for now, because one of them or both say so.
    Hold(Held),
    /// It copies to the end of now, and then nothing any more.
    Promote,
}

/// What the record alone says.
#[derive(Debug)]
enum Said {
    Run,
    Hold(String),
    Promote,
}

/// The more cautious of the two counts: promoted, then paused, then running.
fn together(file: MirrorState, record: Said) -> Word {
    match (file, record) {
        (MirrorState::Promoted, _) | (_, Said::Promote) => Word::Promote,
        (MirrorState::Paused, Said::Run) => Word::Hold(Held::ByTopology),
        (MirrorState::Paused, Said::Hold(why)) => Word::Hold(Held::ByBoth(why)),
        (MirrorState::Running, Said::Hold(why)) => Word::Hold(Held::ByRecord(why)),
        (MirrorState::Running, Said::Run) => Word::Run,
    }
}

/// Follows one mirror's record.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) log: RegisterLog,
    mirror: String,
    target: String,
    /// What the topology file says.
    file: MirrorState,
    /// The name of the topology, where it has one.
    topology: Option<String>,
    every: Duration,
    mark: Option<Mark>,
    entry: Entry,
    owner: MirrorOwner,
    /// When whose it is was read last.
    owner_read: Option<Moment>,
    /// When the last look began that read everything.
    looked: Moment,
    /// How long before that one there was none.
    away: Duration,
    /// There was a record while we looked: if it is gone, somebody deleted it.
    seen: bool,
    /// It was said that the record cannot be read.
    complained: bool,
}

impl Follower {
    /// Of this mirror of the topology called `topology`; `clients` must hold its target.
    pub(crate) fn new(
        mirror: &Mirror,
        topology: Option<&str>,
        clients: &Clients,
    ) -> Result<Self, Failure> {
        let target = client(clients, &mirror.target)?;
        Ok(Self {
            log: RegisterLog::new(target.clone()),
            mirror: mirror.name.clone(),
            target: mirror.target.clone(),
            file: mirror.state,
            topology: topology.map(str::to_owned),
            every: LOOK_EVERY.min(mirror.topic_sync.interval),
            mark: None,
            entry: Entry::default(),
            owner: MirrorOwner::new(target, &mirror.name),
            owner_read: None,
            looked: Moment::now(),
            away: Duration::ZERO,
            seen: false,
            complained: false,
        })
    }

    /// Reads the record; tries again for as long as that may help, because whoever begins without it might copy what is
    /// paused. Where it must not be read, the topology file alone decides. Cancel safe.
    pub(crate) async fn first(&mut self) -> Word {
        loop {
            match self.look().await {
                Ok(()) => return self.word(),
                Err(error) if error.class() == RetryClass::Fatal => {
                    self.complain(&error, "the topology file alone decides");
                    return self.word();
                }
                Err(error) => self.complain(&error, "trying again"),
            }
            tokio::time::sleep(self.every).await;
        }
    }

    /// Waits until both say something else than `now`. What cannot be read changes nothing. Cancel safe.
    pub(crate) async fn other_than(&mut self, now: &Word) -> Word {
        loop {
            self.look_again().await;
            let word = self.word();
            if word != *now {
                return word;
            }
        }
    }

    /// Waits as long as between two looks, then looks. What cannot be read changes nothing. Cancel safe.
    pub(crate) async fn look_again(&mut self) {
        tokio::time::sleep(self.every).await;
        self.look_now().await;
    }

    /// Looks at once; the same else.
    pub(crate) async fn look_now(&mut self) {
        if let Err(error) = self.look().await {
            self.complain(&error, "what it said last counts");
        }
    }

    /// What the file says, and the record as it was read last. What is another topology's is held, whatever they say.
    pub(crate) fn word(&self) -> Word {
        let Some(owner) = self.another() else {
            return together(self.file, self.recorded());
        };
        let why = of_another(owner, &self.target);
        Word::Hold(match self.file {
            MirrorState::Paused => Held::ByBoth(why),
            MirrorState::Running | MirrorState::Promoted => Held::ByRecord(why),
        })
    }

    /// The name of the topology whose mirror this is, where that is another one.
    pub(crate) fn another(&self) -> Option<&str> {
        let owner: Option<&Owner> = self.owner.owner();
        owner?.another_than(self.topology.as_deref())
    }

    /// Whether nobody here looked for so long, before the last look, that others may have acted on what it found.
    pub(crate) fn was_away(&self) -> bool {
        self.away >= AWAY_AFTER
    }

    fn recorded(&self) -> Said {
        match &self.entry.standing {
            Some(Standing::Known { record, since_ms }) => match record.state {
                MirrorState::Running => Said::Run,
                MirrorState::Paused => Said::Hold(format!(
                    "its record on {} says paused {}",
                    self.target,
                    since_and_by(*since_ms, &record.by)
                )),
                MirrorState::Promoted => Said::Promote,
            },
            Some(Standing::Unreadable { reason, .. }) => Said::Hold(format!(
                "its record on {} cannot be understood: {reason}",
                self.target
            )),
            None if self.seen => Said::Hold(format!("its record on {} was deleted", self.target)),
            None => Said::Run,
        }
    }

    /// Whether the record says promoted, as read last.
    pub(crate) fn says_promoted(&self) -> bool {
        matches!(self.recorded(), Said::Promote)
    }

    /// The record and what is said of its promotion, as read last.
    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Reads it again where anything was written. Whose the mirror is comes after that, and before any of it counts: who takes
    /// it over says so before its record says anything else.
    async fn look(&mut self) -> Result<(), Error> {
        let now = Moment::now();
        let mark = self.log.mark().await?;
        let entry = if self.mark == Some(mark) {
            None
        } else {
            Some(self.log.read().await?.entry(&self.mirror))
        };
        let due = |at| now.since(at) >= OWNER_EVERY;
        if entry.is_some() || self.owner_read.is_none_or(due) {
            look_at(&mut self.owner, &self.mirror).await?;
            self.owner_read = Some(now);
        }
        if let Some(entry) = entry {
            self.entry = entry;
            self.mark = Some(mark);
            self.seen |= self.entry.standing.is_some();
        }
        self.away = now.since(self.looked);
        self.looked = now;
        self.complained = false;
        Ok(())
    }

    fn complain(&mut self, error: &Error, what_now: &str) {
        if !std::mem::replace(&mut self.complained, true) {
            tracing::warn!(mirror = self.mirror, %error, "the mirror's record cannot be read: {what_now}");
        }
    }
}

/// Reads whose the mirror is; where nobody lets us know, it is taken for ours. Cancel safe.
async fn look_at(owner: &mut MirrorOwner, mirror: &str) -> Result<(), Error> {
    match owner.look().await {
        Err(error) if error.class() == RetryClass::Fatal => {
            tracing::debug!(mirror, %error, "whose the mirror is cannot be read");
            Ok(())
        }
        looked => looked,
    }
}

/// Why a mirror is held that another topology has.
fn of_another(owner: &str, target: &str) -> String {
    format!("the topology `{owner}` has a mirror of this name on {target}")
}

/// `since 2026-11-21 15:04:05 UTC, set by alice@host`.
pub(crate) fn since_and_by(since_ms: i64, by: &str) -> String {
    let since = DateTime::from_timestamp_millis(since_ms).map_or_else(
        || "since an unknown time".to_owned(),
        |at| format!("since {}", at.format("%Y-%m-%d %H:%M:%S UTC")),
    );
    if by.is_empty() {
        since
    } else {
        format!("{since}, set by {by}")
    }
}

/// The state of a mirror, and who says so.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Shown {
    /// What counts: the more cautious of the two.
    pub(crate) state: MirrorState,
    /// Who says so.
    pub(crate) by: By,
    /// What the record says, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<String>,
    /// Whether there was a record and somebody deleted it: whoever has seen it holds the mirror.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deleted: bool,
    /// Why replicators hold it, whatever file and record say: it is another topology's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<String>,
    /// How the promotion ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) promotion: Option<String>,
    /// Whether that is over: nothing is copied any more.
    #[serde(skip)]
    pub(crate) over: bool,
}

/// Where a state comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum By {
    /// The topology file.
    Topology,
    /// The record on the target, as applied.
    Record,
    /// Both.
    Both,
}

/// What the target keeps about a mirror, as `status` reads it.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Its record, and how promotions ended.
    pub(crate) entry: Entry,
    /// What the mirrors into the target say of their topics; nothing where neither file nor record say promoted.
    pub(crate) topics: BTreeMap<TopicKey, TopicRecord>,
    /// The name of the topology that has the mirror, where that was asked and is another one.
    pub(crate) another: Option<String>,
}

impl Kept {
    /// Reads it. Cancel safe: nothing but reads.
    pub(crate) async fn of(mirror: &Mirror, target: &kafka::Cluster) -> Result<Self, Error> {
        let register = RegisterLog::new(target.clone()).read().await?;
        let entry = register.entry(&mirror.name);
        let recorded = match &entry.standing {
            Some(Standing::Known { record, .. }) => record.state == MirrorState::Promoted,
            Some(Standing::Unreadable { .. }) | None => false,
        };
        let topics = if recorded || mirror.state == MirrorState::Promoted {
            register::provenance(target).await?
        } else {
            BTreeMap::new()
        };
        Ok(Self {
            entry,
            topics,
            another: None,
        })
    }

    /// And whose the mirror is, for the topology called `topology`. Cancel safe: nothing but reads.
    pub(crate) async fn asking_whose(
        mut self,
        mirror: &Mirror,
        topology: Option<&str>,
        target: &kafka::Cluster,
    ) -> Result<Self, Error> {
        let mut owner = MirrorOwner::new(target.clone(), &mirror.name);
        look_at(&mut owner, &mirror.name).await?;
        let another = owner.owner().and_then(|it| it.another_than(topology));
        self.another = another.map(str::to_owned);
        Ok(self)
    }
}

/// What the file and the record, where it was read, say together.
pub(crate) fn state(mirror: &Mirror, kept: Option<&Kept>, source_cluster_id: &str) -> Shown {
    let recorded = kept.map(|kept| &kept.entry);
    let standing = recorded.and_then(|entry| entry.standing.as_ref());
    let (says, record) = match standing {
        Some(Standing::Known { record, since_ms }) => (
            Some(record.state),
            Some(format!(
                "{} {}",
                record.state.word(),
                since_and_by(*since_ms, &record.by)
            )),
        ),
        // a replicator holds it until somebody repairs the record
        Some(Standing::Unreadable { reason, .. }) => (
            Some(MirrorState::Paused),
            Some(format!("cannot be understood: {reason}")),
        ),
        None => (None, None),
    };
    let state = says.map_or(mirror.state, |says| says.more_cautious(mirror.state));
    let by = match (mirror.state == state, says == Some(state)) {
        // that nothing holds it back is for the file to say
        (true, true) if state != MirrorState::Running => By::Both,
        (true, _) => By::Topology,
        (false, _) => By::Record,
    };
    let promotion = match (says, mirror.state) {
        (Some(MirrorState::Promoted), _) => {
            kept.map(|kept| applied(kept, &mirror.name, source_cluster_id))
        }
        (_, MirrorState::Promoted) => {
            kept.and_then(|kept| by_file(kept, &mirror.name, source_cluster_id))
        }
        (_, MirrorState::Running | MirrorState::Paused) => None,
    };
    let over = kept.is_some_and(|kept| match kept.entry.end(source_cluster_id) {
        Some(end) => end.ended,
        None => is_handed_over(&kept.topics, &mirror.name, source_cluster_id),
    });
    Shown {
        state,
        by,
        record,
        deleted: recorded.is_some_and(|entry| entry.deleted),
        held: kept
            .and_then(|kept| kept.another.as_deref())
            .map(|owner| of_another(owner, &mirror.target)),
        over: over && promotion.is_some(),
        promotion,
    }
}

const COMPLETE: &str = "complete: everything up to the end of the source is on the target";

/// How a promotion stands that was applied.
fn applied(kept: &Kept, mirror: &str, source_cluster_id: &str) -> String {
    match kept.entry.end(source_cluster_id) {
        Some(end) if !end.ended => "not finished: a replicator copies what the source held when it was promoted; where none \
                                    runs any more, `mirrorctl replicate` goes on with it"
            .to_owned(),
        Some(end) => match &end.reason {
            None => COMPLETE.to_owned(),
            Some(reason) => format!("over, and incomplete: {reason}"),
        },
        None => by_file(kept, mirror, source_cluster_id).unwrap_or_else(|| {
            "no replicator has taken the promotion up: the target holds what was copied before; `mirrorctl replicate` copies the \
             rest, where one ran before and nobody else has written to its topics"
                .to_owned()
        }),
    }
}

/// How a promotion ended that a replicator carried out because its topology file said so, before it was applied or without.
fn by_file(kept: &Kept, mirror: &str, source_cluster_id: &str) -> Option<String> {
    if !is_handed_over(&kept.topics, mirror, source_cluster_id) {
        return None;
    }
    let when = "when the replicator's topology file said promoted";
    Some(match kept.entry.end_by_file(source_cluster_id) {
        // an earlier version left nothing else behind
        None => format!(
            "over: a replicator copied what the source held {when}; its log says whether anything was left behind"
        ),
        Some(end) => match &end.reason {
            None => format!("{COMPLETE}, as it was {when}"),
            Some(reason) => format!("over, and incomplete, {when}: {reason}"),
        },
    })
}

/// Whether a promotion was begun by a replicator and not brought to its end, for any of these source clusters.
pub(crate) fn is_half_promoted(entry: &Entry, clients: &Clients, mirror: &Mirror) -> bool {
    let ids = mirror.sources.iter().filter_map(|alias| clients.get(alias));
    ids.filter_map(|source| entry.end(source.cluster_id()))
        .any(|end| !end.ended)
}
