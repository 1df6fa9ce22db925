//! After an apply that promoted mirrors: whether a replicator hears of it.

use std::time::Duration;

use kafka::Cluster;
use plan::{ApplySummary, Change, Clients, MirrorRecord, Plan, Resource, ResourceChange};
use register::{BY_FILE, Entry, RegisterLog, Standing};
use tokio::time::{Instant, sleep};
use topology::MirrorState;

use crate::output;

/// A replicator that runs looks every two seconds, and says then that it has begun.
const WITHIN: Duration = Duration::from_secs(6);
const EVERY: Duration = Duration::from_millis(250);

/// Names the mirrors that this apply promoted and no replicator takes up, with what becomes of them. Waits some seconds where
/// there are such. Cancel safe: nothing but reads.
pub(crate) async fn say_what_nobody_takes_up(
    plan: &Plan,
    summary: &ApplySummary,
    clients: &Clients,
) {
    let applied = plan
        .resource_changes
        .iter()
        .filter(|change| summary.applied.contains(&change.address));
    let deadline = Instant::now() + WITHIN;
    for change in applied.filter(|change| promotes(change)) {
        let cluster = change.home.cluster().and_then(|alias| clients.get(alias));
        let Some(cluster) = cluster else {
            continue;
        };
        if !is_taken_up(cluster, &change.name, deadline).await {
            output::warning(&format!(
                "{}: no replicator has taken the promotion up within {} s: the target holds what was copied before. `mirrorctl \
                 replicate` copies the rest, where one ran before and nobody else has written to its topics: start it before you let \
                 applications write, and wait for `promotion … complete` in `mirrorctl status`",
                change.address,
                WITHIN.as_secs()
            ));
        }
    }
}

fn promotes(change: &ResourceChange) -> bool {
    let Resource::Mirror(mirror) = &change.resource else {
        return false;
    };
    let promoted = |record: Option<&MirrorRecord>| {
        record.is_some_and(|record| record.state == Some(MirrorState::Promoted))
    };
    let change: &Change<MirrorRecord> = mirror;
    promoted(change.after()) && !promoted(change.before())
}

/// Looks until a replicator has begun, or until the deadline. Where the record cannot be read nothing is claimed.
async fn is_taken_up(cluster: &Cluster, mirror: &str, deadline: Instant) -> bool {
    let log = RegisterLog::new(cluster.clone());
    loop {
        match log.read().await {
            Ok(register) if is_begun(&register.entry(mirror)) => return true,
            Ok(_) if Instant::now() >= deadline => return false,
            Ok(_) => sleep(EVERY).await,
            Err(error) => {
                tracing::debug!(mirror, %error, "whether its promotion is taken up cannot be read");
                return true;
            }
        }
    }
}

/// By a replicator that answers the record, or by one that had made the last copy before because its file said so.
fn is_begun(entry: &Entry) -> bool {
    let promoted = match &entry.standing {
        Some(Standing::Known { since_ms, .. }) => *since_ms,
        Some(Standing::Unreadable { .. }) | None => return false,
    };
    let mut ends = entry.ends.values();
    ends.any(|end| end.promoted_at_ms == promoted || (end.ended && end.promoted_at_ms == BY_FILE))
}

#[cfg(test)]
mod tests {
    use register::{EndRecord, StateRecord, VERSION};

    use super::*;

    #[test]
    fn it_is_begun_by_an_answer_to_this_record_or_by_a_file_before() {
        let entry = |at: i64, ended: bool| {
            let record = StateRecord {
                version: VERSION,
                state: MirrorState::Promoted,
                sources: [].into(),
                by: String::new(),
            };
            let end = EndRecord {
                version: VERSION,
                promoted_at_ms: at,
                source: "a".to_owned(),
                ended,
                complete: ended,
                reason: None,
                partitions: 0,
                positions: [].into(),
            };
            Entry {
                standing: Some(Standing::Known {
                    record,
                    since_ms: 7,
                }),
                deleted: false,
                ends: [("abc".to_owned(), end)].into(),
            }
        };
        assert!(is_begun(&entry(7, false)));
        assert!(is_begun(&entry(BY_FILE, true)));
        assert!(!is_begun(&entry(BY_FILE, false)));
        assert!(!is_begun(&entry(3, true)), "it answers an earlier one");
        assert!(!is_begun(&Entry::default()));
    }
}
