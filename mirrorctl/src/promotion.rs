//! The last copy of a mirror: up to the end of its sources as they are now, and then nothing any more.
//!
//! Of several replicators of a mirror one makes it. Who copied before goes on with it; who stood by waits until that one has
//! written down that it is over, has handed it on (a stop), or shows no sign of life any more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use plan::Clients;
use register::{BY_FILE, EndRecord, Entry, POSITIONS_KEPT, Standing, VERSION, is_handed_over};
use replicator::metrics::Watchlist;
use replicator::{Options, RunError, Source};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use topology::{Mirror, MirrorState};

use crate::copies::{Copies, client};
use crate::failure::Failure;
use crate::follow::Follower;
use crate::output::{RunEnd, WatchedRun};

/// What is not copied by then stays behind: applications wait for it.
const WITHIN: Duration = Duration::from_mins(10);

/// A replicator that lives takes a promotion up, or shows no sign of life any more.
const TAKEN_UP_WITHIN: Duration = Duration::from_secs(30);
/// The same for one that copies nothing, because it is held.
const HELD_LOOKS_WITHIN: Duration = Duration::from_secs(5);

/// Tries to tell whether somebody else writes to the target, and pauses between them: leaders may be away for a moment.
const TELL_TRIES: u32 = 5;
const TELL_PAUSE: Duration = Duration::from_secs(2);

/// What the end of a promotion says that no replicator took up in time, with how many records of the source are not on the
/// target, and why nobody is to copy them any more.
fn not_taken_up(behind: Option<i64>, why: &str) -> String {
    let left = match behind {
        Some(0) => "which is all that the source has, by offsets".to_owned(),
        Some(1) => "1 record of the source, by offsets, stays behind".to_owned(),
        Some(behind) => format!("{behind} records of the source, by offsets, stay behind"),
        None => "how much stays behind cannot be told".to_owned(),
    };
    format!(
        "no replicator took the promotion up in time ({why}): the target holds what was copied before; {left}"
    )
}

/// Aliases of sources.
type Sources = BTreeSet<String>;

/// One mirror that is promoted, and what its last copy needs.
#[derive(Debug)]
pub(crate) struct Promotion<'a> {
    pub(crate) mirror: &'a Mirror,
    pub(crate) clients: &'a Clients,
    pub(crate) follower: &'a mut Follower,
    pub(crate) watched: &'a watch::Sender<Vec<WatchedRun>>,
    pub(crate) runs: &'a Watchlist,
    pub(crate) stop: &'a CancellationToken,
}

/// What a wait for other replicators ended with.
enum Waited {
    /// Nobody has this source any more.
    Free(String),
    /// All that was waited for is settled.
    Over,
    /// It is told to stop.
    Stopped,
}

impl Promotion<'_> {
    /// Copies what the sources hold now, `ours` at once and the others once nobody else does, and writes down how it ended. Sources whose promotion is over already are left alone. When `stop`
    /// ends it, the next replicator goes on with it.
    pub(crate) async fn carry_out(mut self, mut ours: Sources) -> Result<Vec<RunEnd>, Failure> {
        let mut ends = Vec::new();
        let mut over = Sources::new();
        loop {
            let mut open = self.open()?;
            open.retain(|alias| !over.contains(alias));
            if open.is_empty() || self.stop.is_cancelled() {
                return Ok(ends);
            }
            ours.retain(|alias| open.contains(alias));
            if ours.is_empty() {
                match self.wait_for(&open, |end| end.ended).await? {
                    Waited::Free(alias) => ours.extend([alias]),
                    Waited::Over => {}
                    Waited::Stopped => return Ok(ends),
                }
                // the other may have ended it in order right before it fell silent
                self.follower.look_now().await;
                continue;
            }
            for end in self.copy(&ours).await? {
                // the other says how it ended, and is waited for
                if !matches!(end.result, Err(RunError::Superseded { .. })) {
                    over.extend([end.source.clone()]);
                    ends.push(end);
                }
            }
            ours.clear();
            self.follower.look_now().await;
        }
    }

    /// Takes a promotion up that no replicator has begun, as whoever comes after it was applied finds it: it is written down as
    /// begun, or as over. Does nothing where another replicator is there for it.
    ///
    /// What the source holds is copied late where it still lands behind the mirror's own records: it ran before, and nobody else
    /// has written to its topics since. Where somebody has, or nobody can tell, the promotion is over, and incomplete: the topics
    /// are released, and nobody knows where a way back begins. Where a replicator made the last copy before the promotion was
    /// applied, because its file said promoted, nothing is done.
    pub(crate) async fn take_up_late(mut self) -> Result<(), Failure> {
        for alias in self.not_begun().await? {
            if !self.is_left_alone(&alias).await? {
                continue;
            }
            match self.stranger(&alias).await {
                None => {
                    tracing::info!(
                        mirror = self.mirror.name,
                        source = alias,
                        "promoted while no replicator looked, and nobody else has written to its topics since: taken up now"
                    );
                    self.follower.look_now().await;
                    if self.end(&alias)?.is_none() {
                        self.write(&alias, Outcome::Begun).await?;
                    }
                }
                Some(why) => self.give_up(&alias, &why).await?,
            }
        }
        self.follower.look_now().await;
        Ok(())
    }

    /// The sources of an applied promotion that no replicator has begun.
    async fn not_begun(&self) -> Result<Sources, Failure> {
        if self.promoted_at_ms().is_none() {
            return Ok(Sources::new());
        }
        let mut untouched = self.open()?;
        untouched.retain(|alias| self.end(alias).is_ok_and(|end| end.is_none()));
        if untouched.is_empty() {
            return Ok(untouched);
        }
        let target = client(self.clients, &self.mirror.target)?;
        let topics = register::provenance(&target).await;
        let topics = topics.map_err(self.on_target())?;
        untouched.retain(|alias| {
            let id = self.clients.get(alias).map(kafka::Cluster::cluster_id);
            !id.is_some_and(|id| is_handed_over(&topics, &self.mirror.name, id))
        });
        Ok(untouched)
    }

    /// Why the target may hold what others wrote, in words; nothing where it does not.
    async fn stranger(&self, alias: &str) -> Option<String> {
        let clients = client(self.clients, alias).and_then(|source| {
            let target = client(self.clients, &self.mirror.target)?;
            Ok((source, target))
        });
        let (cluster, target) = match clients {
            Ok(clients) => clients,
            Err(failure) => return Some(failure.to_string()),
        };
        let source = Source {
            alias: alias.to_owned(),
            cluster,
        };
        let mut tries = 1;
        loop {
            match replicator::stranger(self.mirror, &source, &target).await {
                Ok(stranger) => return stranger,
                Err(error) if tries == TELL_TRIES => {
                    return Some(format!("whether others did cannot be told: {error}"));
                }
                Err(error) => {
                    tracing::warn!(mirror = self.mirror.name, %error,
                        "promoted: whether others write to the target by now cannot be told; trying again");
                }
            }
            tries += 1;
            tokio::time::sleep(TELL_PAUSE).await;
        }
    }

    /// Waits until nobody else copies this source; false where somebody does, or began its promotion meanwhile, or at the stop.
    async fn is_left_alone(&mut self, alias: &str) -> Result<bool, Failure> {
        let sources = Sources::from([alias.to_owned()]);
        let begun = |_: &EndRecord| true;
        match timeout(TAKEN_UP_WITHIN, self.wait_for(&sources, begun)).await {
            Ok(waited) => Ok(match waited? {
                Waited::Free(_) => true,
                Waited::Over | Waited::Stopped => false,
            }),
            Err(_) => Ok(false),
        }
    }

    /// Writes down that the promotion of a source is over and incomplete, where no other replicator takes it up meanwhile.
    async fn give_up(&mut self, alias: &str, why: &str) -> Result<(), Failure> {
        // one that is held has no run, and takes it up when it looks next
        let seen = async {
            while self.end(alias)?.is_none() {
                self.follower.look_again().await;
            }
            Ok::<(), Failure>(())
        };
        if timeout(HELD_LOOKS_WITHIN, seen).await.is_ok() {
            return Ok(());
        }
        let reason = not_taken_up(self.behind(alias).await, why);
        tracing::error!(
            mirror = self.mirror.name,
            source = alias,
            "promoted: {reason}"
        );
        // one that stands still must not go on in topics that are not the mirror's any more
        let target = client(self.clients, &self.mirror.target)?;
        let id = client(self.clients, alias)?.cluster_id().to_owned();
        let fenced = replicator::fence(&target, &self.mirror.name, &id).await;
        fenced.map_err(self.on_target())?;
        self.write(alias, Outcome::Over(Some(reason))).await?;
        self.follower.look_now().await;
        Ok(())
    }

    /// How many records of this source, by offsets, are not on the target; nothing where that cannot be told.
    async fn behind(&self, alias: &str) -> Option<i64> {
        let source = Source {
            alias: alias.to_owned(),
            cluster: client(self.clients, alias).ok()?,
        };
        let target = client(self.clients, &self.mirror.target).ok()?;
        match replicator::status(self.mirror, &source, &target).await {
            Ok(partitions) => partitions.iter().map(|it| it.lag).sum(),
            Err(error) => {
                tracing::warn!(mirror = self.mirror.name, %error, "how far it is behind cannot be read");
                None
            }
        }
    }

    /// The sources whose promotion is not over.
    fn open(&self) -> Result<Sources, Failure> {
        let mut open = Sources::new();
        for alias in &self.mirror.sources {
            if !self.end(alias)?.is_some_and(|end| end.ended) {
                open.insert(alias.clone());
            }
        }
        Ok(open)
    }

    fn end(&self, alias: &str) -> Result<Option<&EndRecord>, Failure> {
        let id = client(self.clients, alias)?.cluster_id().to_owned();
        Ok(self.follower.entry().end(&id))
    }

    /// The record that is answered; nothing where the topology file alone says that the mirror is promoted.
    fn promoted_at_ms(&self) -> Option<i64> {
        promoted_at_ms(self.follower.entry())
    }

    /// Waits until nobody else copies one of these sources, or until the promotion of all of them is `settled`.
    async fn wait_for(
        &mut self,
        sources: &Sources,
        settled: impl Fn(&EndRecord) -> bool,
    ) -> Result<Waited, Failure> {
        let target = client(self.clients, &self.mirror.target)?;
        let mut ids = BTreeMap::new();
        let mut vigils = FuturesUnordered::new();
        for alias in sources {
            let id = client(self.clients, alias)?.cluster_id().to_owned();
            ids.insert(alias.clone(), id.clone());
            let (target, alias, mirror) = (target.clone(), alias.clone(), &self.mirror.name);
            vigils.push(async move {
                let free = replicator::until_free(&target, mirror, &id).await;
                (alias, free)
            });
        }
        tracing::debug!(
            mirror = self.mirror.name,
            "waiting until nobody else promotes it"
        );
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(Waited::Stopped),
                Some((alias, free)) = vigils.next() => {
                    free.map_err(self.on_target())?;
                    return Ok(Waited::Free(alias));
                }
                () = self.follower.look_again() => {
                    let entry = self.follower.entry();
                    if ids.values().all(|id| entry.end(id).is_some_and(&settled)) {
                        return Ok(Waited::Over);
                    }
                }
            }
        }
    }

    async fn copy(&mut self, sources: &Sources) -> Result<Vec<RunEnd>, Failure> {
        let mut last = self.mirror.clone();
        last.sources.retain(|alias| sources.contains(alias));
        tracing::info!(
            mirror = last.name,
            "promoted: copying what the source holds now, then stopping for good"
        );
        for alias in &last.sources {
            if self.end(alias)?.is_none() {
                self.write(alias, Outcome::Begun).await?;
            }
        }
        let in_time = self.stop.child_token();
        let copies = Copies::start(
            &[&last],
            self.clients,
            &Options::last(),
            &in_time,
            self.runs,
        )?;
        self.watched
            .send_modify(|runs| runs.extend(copies.watched().iter().cloned()));
        let mut late = false;
        let finishing = copies.finish();
        tokio::pin!(finishing);
        let ends = tokio::select! {
            ends = &mut finishing => ends?,
            () = tokio::time::sleep(WITHIN) => {
                late = true;
                in_time.cancel();
                finishing.await?
            }
        };
        // it may have been applied meanwhile, after the file said so
        self.follower.look_now().await;
        for end in &ends {
            self.ended(end, late).await?;
        }
        Ok(ends)
    }
}

fn promoted_at_ms(entry: &Entry) -> Option<i64> {
    match &entry.standing {
        Some(Standing::Known { record, since_ms }) if record.state == MirrorState::Promoted => {
            Some(*since_ms)
        }
        // the topology file alone says so: there is no record to answer
        Some(Standing::Known { .. } | Standing::Unreadable { .. }) | None => None,
    }
}

/// How the copy of one source stands.
enum Outcome {
    /// It is under way.
    Begun,
    /// It is over; incomplete for this reason.
    Over(Option<String>),
}

/// Writes how a promotion stands.
impl Promotion<'_> {
    async fn ended(&self, end: &RunEnd, late: bool) -> Result<(), Failure> {
        let incomplete = match &end.result {
            Ok(summary) if late && summary.interrupted => {
                Some(format!("not done within {} minutes", WITHIN.as_secs() / 60))
            }
            // whoever stopped us can start it again: the next replicator goes on
            Ok(summary) if summary.interrupted && self.stop.is_cancelled() => return Ok(()),
            // another replicator has the mirror, and says how it ended
            Err(RunError::Superseded { .. }) => return Ok(()),
            Err(error) => Some(error.to_string()),
            Ok(summary) => match summary.failures.as_slice() {
                [] if self.mirror.paused_topics.is_some() => {
                    Some("what `pausedTopics` holds back was not copied".to_owned())
                }
                [] => None,
                [first, rest @ ..] => Some(format!(
                    "{}: {}{}",
                    first.topic,
                    first.reason,
                    if rest.is_empty() {
                        String::new()
                    } else {
                        format!(", and {} more stopped", rest.len())
                    }
                )),
            },
        };
        match &incomplete {
            None => tracing::info!(
                mirror = end.mirror,
                source = end.source,
                "promoted: everything up to the end of the source is on the target; nothing is copied any more"
            ),
            Some(reason) => tracing::error!(
                mirror = end.mirror,
                source = end.source,
                reason,
                "promoted: not everything is on the target, and nothing is copied any more"
            ),
        }
        self.write(&end.source, Outcome::Over(incomplete)).await
    }

    async fn write(&self, alias: &str, outcome: Outcome) -> Result<(), Failure> {
        let failed = self.on_target();
        let source = client(self.clients, alias)?;
        let target = client(self.clients, &self.mirror.target)?;
        let id = source.cluster_id();
        let (ended, reason) = match outcome {
            Outcome::Begun => (false, None),
            Outcome::Over(reason) => (true, reason),
        };
        if ended {
            // first, so that whoever reads that it is over finds the way back open. What the last copy released, as it should,
            // knows where that begins; this is for what is left
            let left = replicator::release(&target, &self.mirror.name, id).await;
            left.map_err(&failed)?;
        }
        let promoted_at_ms = match (self.promoted_at_ms(), ended) {
            (Some(at_ms), _) => at_ms,
            // for whoever applies it later, or looks at its status
            (None, true) => BY_FILE,
            (None, false) => return Ok(()),
        };
        let mut positions: BTreeMap<String, BTreeMap<i32, i64>> = BTreeMap::new();
        let mut partitions = 0;
        if ended {
            let all = replicator::positions(&target, &self.mirror.name, id);
            let all = all.await.map_err(&failed)?;
            partitions = all.len();
            for (key, position) in all.into_iter().take(POSITIONS_KEPT) {
                let of_topic = positions.entry(key.topic).or_default();
                of_topic.insert(key.partition, position.offset);
            }
        }
        let record = EndRecord {
            version: VERSION,
            promoted_at_ms,
            source: alias.to_owned(),
            ended,
            complete: ended && reason.is_none(),
            reason,
            partitions,
            positions,
        };
        let log = &self.follower.log;
        match log.end(&self.mirror.name, id, &record).await {
            Err(error) if promoted_at_ms == BY_FILE => {
                tracing::warn!(mirror = self.mirror.name, %error,
                    "how the promotion ended cannot be written down: this log alone says it");
                Ok(())
            }
            written => written.map_err(failed),
        }
    }

    fn on_target(&self) -> impl Fn(kafka::Error) -> Failure + use<> {
        let alias = self.mirror.target.clone();
        move |error| Failure::Cluster {
            alias: alias.clone(),
            error,
        }
    }
}
