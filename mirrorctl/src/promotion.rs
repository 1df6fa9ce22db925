//! The last copy of a mirror: up to the end of its sources as they are now, and then nothing any more.

use std::collections::BTreeMap;
use std::time::Duration;

use plan::Clients;
use register::{EndRecord, POSITIONS_KEPT, RegisterLog, Standing, VERSION};
use replicator::metrics::Watchlist;
use replicator::{Options, RunError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use topology::{Mirror, MirrorState};

use crate::copies::{Copies, client};
use crate::failure::Failure;
use crate::follow::Follower;
use crate::output::{RunEnd, WatchedRun};

/// What is not copied by then stays behind: applications wait for it.
const WITHIN: Duration = Duration::from_mins(10);

/// Copies what the sources hold now, and writes down how it ended where the target keeps a record of the promotion.
/// Sources whose promotion is over already are left alone. When `stop` ends it, the next replicator goes on with it.
pub(crate) async fn promote(
    mirror: &Mirror,
    clients: &Clients,
    follower: &Follower,
    watched: &watch::Sender<Vec<WatchedRun>>,
    runs: &Watchlist,
    stop: &CancellationToken,
) -> Result<Vec<RunEnd>, Failure> {
    let mut last = mirror.clone();
    // once more, also where the file says promoted by now
    last.state = MirrorState::Running;
    let mut over = Vec::new();
    for alias in &mirror.sources {
        let id = client(clients, alias)?.cluster_id().to_owned();
        if follower.entry().end(&id).is_some_and(|end| end.ended) {
            over.push(alias.clone());
        }
    }
    last.sources.retain(|alias| !over.contains(alias));
    if last.sources.is_empty() {
        return Ok(Vec::new());
    }
    tracing::info!(
        mirror = mirror.name,
        "promoted: copying what the source holds now, then stopping for good"
    );
    let promoted_at_ms = match &follower.entry().standing {
        Some(Standing::Known { record, since_ms }) if record.state == MirrorState::Promoted => {
            Some(*since_ms)
        }
        // the topology file alone says so: there is no record to answer
        Some(Standing::Known { .. } | Standing::Unreadable { .. }) | None => None,
    };
    let report = Report {
        mirror: &last,
        clients,
        log: &follower.log,
        promoted_at_ms,
    };
    for alias in &last.sources {
        report.write(alias, Outcome::Begun).await?;
    }
    let in_time = stop.child_token();
    let copies = Copies::start(&[&last], clients, &Options::once(), &in_time, runs)?;
    watched.send_modify(|runs| runs.extend(copies.watched().iter().cloned()));
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
    for end in &ends {
        report.ended(end, late, stop).await?;
    }
    Ok(ends)
}

/// How the copy of one source stands.
enum Outcome {
    /// It is under way.
    Begun,
    /// It is over; incomplete for this reason.
    Over(Option<String>),
}

/// Writes how a promotion stands.
struct Report<'a> {
    mirror: &'a Mirror,
    clients: &'a Clients,
    log: &'a RegisterLog,
    /// The record that it answers; nothing is written where there is none.
    promoted_at_ms: Option<i64>,
}

impl Report<'_> {
    async fn ended(
        &self,
        end: &RunEnd,
        late: bool,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        let incomplete = match &end.result {
            Ok(summary) if late && summary.interrupted => {
                Some(format!("not done within {} minutes", WITHIN.as_secs() / 60))
            }
            // whoever stopped us can start it again: the next replicator goes on
            Ok(summary) if summary.interrupted && stop.is_cancelled() => return Ok(()),
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
        let Some(promoted_at_ms) = self.promoted_at_ms else {
            return Ok(());
        };
        let failed = |error| Failure::Cluster {
            alias: self.mirror.target.clone(),
            error,
        };
        let source = client(self.clients, alias)?;
        let id = source.cluster_id();
        let (ended, reason) = match outcome {
            Outcome::Begun => (false, None),
            Outcome::Over(reason) => (true, reason),
        };
        let mut positions: BTreeMap<String, BTreeMap<i32, i64>> = BTreeMap::new();
        let mut partitions = 0;
        if ended {
            let target = client(self.clients, &self.mirror.target)?;
            let all = replicator::positions(&target, &self.mirror.name, id);
            let all = all.await.map_err(failed)?;
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
        let written = self.log.end(&self.mirror.name, id, &record).await;
        written.map_err(failed)
    }
}
