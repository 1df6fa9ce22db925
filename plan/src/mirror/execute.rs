//! Carries out changes of mirrors' records.

use std::collections::BTreeSet;

use kafka::Cluster;
use kafka::record::Record;
use register::{Entry, RegisterLog, StateRecord, VERSION};
use topology::MirrorState;

use super::live::{observed, read};
use super::{MirrorRecord, ObservedMirror};
use crate::apply::execute::{ChangeError, Done};
use crate::apply::surroundings::Surroundings;
use crate::apply::work::{Outlook, Work, carry_out, key_by_key};
use crate::change::{Change, RecordChange, ResourceChange};
use crate::journal::{self, Owned};
use crate::topic::ReadError;

/// The record of one mirror.
struct Mirror<'a> {
    cluster: &'a Cluster,
    name: &'a str,
    change: &'a Change<MirrorRecord>,
    /// Who sets it.
    by: &'a str,
    /// Makes it this topology's, where it is another's.
    claim: Option<Record>,
}

/// What is read of a mirror.
#[derive(Debug, PartialEq)]
struct Live {
    mirror: Option<ObservedMirror>,
    entry: Entry,
}

impl Work for Mirror<'_> {
    type Live = Live;

    async fn read(&self) -> Result<Live, ReadError> {
        let register = read(self.cluster).await?;
        Ok(Live {
            mirror: observed(&register, self.name),
            entry: register.entry(self.name),
        })
    }

    fn outlook(&self, live: &Live) -> Outlook {
        outlook(self.change, live.mirror.as_ref())
    }

    async fn request(&self, live: &Live) -> Result<(), kafka::Error> {
        // first: the replicators of the other topology stand by before the record tells them anything
        if let Some(claim) = &self.claim {
            let claim = std::slice::from_ref(claim);
            journal::log(self.cluster).append(claim).await?;
        }
        let log = RegisterLog::new(self.cluster.clone());
        match self.change.after() {
            Some(MirrorRecord {
                state: Some(state),
                sources,
            }) => {
                let record = StateRecord {
                    version: VERSION,
                    state: *state,
                    sources: sources.clone(),
                    by: self.by.to_owned(),
                };
                log.set(self.name, &record).await
            }
            // no plan of ours asks for a record that cannot be understood
            Some(MirrorRecord { state: None, .. }) => Ok(()),
            None => log.delete(self.name, live.entry.ends.keys()).await,
        }
    }

    fn step(&self) -> String {
        match self.change.after().and_then(|after| after.state) {
            Some(state) => format!("say that the mirror is {}", state.word()),
            None => "delete the mirror's record".to_owned(),
        }
    }
}

/// The state and each source are as the plan read them, or as it sets them; anything else is somebody else's doing.
pub(crate) fn outlook(change: &Change<MirrorRecord>, live: Option<&ObservedMirror>) -> Outlook {
    let live = live.map(|live| &live.record);
    let (before, after) = (change.before(), change.after());
    let states = [before, after, live].into_iter().flatten();
    let aliases: BTreeSet<&String> = states.flat_map(|record| record.sources.keys()).collect();
    let keys = aliases.iter().map(|alias| format!("source.{alias}"));
    let keys = ["state".to_owned()].into_iter().chain(keys);
    key_by_key(
        keys.map(|key| {
            let (before, after) = (value(before, &key), value(after, &key));
            (key, before, after)
        }),
        |key| value(live, key),
        Clone::clone,
    )
}

/// What a record says of one attribute, in words.
fn value(record: Option<&MirrorRecord>, key: &str) -> Option<String> {
    let record = record?;
    match key.strip_prefix("source.") {
        None => {
            let word = record.state.map_or("unreadable", MirrorState::word);
            Some(word.to_owned())
        }
        Some(alias) => {
            let id = record.sources.get(alias)?;
            Some(id.clone().unwrap_or_else(|| "unknown".to_owned()))
        }
    }
}

/// Rechecks the change and carries it out.
pub(crate) async fn execute(
    around: &Surroundings<'_>,
    change: &ResourceChange,
    record: &Change<MirrorRecord>,
    steps_done: &mut Vec<String>,
) -> Result<Done, ChangeError> {
    let mirror = Mirror {
        cluster: around.cluster,
        name: &change.name,
        change: record,
        by: &around.options.applicant.who,
        claim: claim(change, around.topology),
    };
    carry_out(&mirror, around.options, steps_done).await
}

/// What makes the mirror that of the topology with this name; nothing where it is not another's.
fn claim(change: &ResourceChange, topology: Option<&str>) -> Option<Record> {
    let owner = change.owner.as_ref()?;
    if owner.topology.as_deref() == topology {
        return None;
    }
    match change.record.as_ref()? {
        RecordChange::Remember(recorded) => {
            let ours = Owned {
                topology: topology.map(str::to_owned),
                recorded: recorded.clone(),
            };
            Some(journal::entry(&change.address, Some(&ours)))
        }
        RecordChange::Forget | RecordChange::Rendered(_) => None,
    }
}

/// What the live records mean for each of these changes; all are read at once.
pub(crate) async fn outlooks<'a>(
    cluster: &Cluster,
    changes: &[(&'a ResourceChange, &'a Change<MirrorRecord>)],
) -> Result<Vec<(&'a ResourceChange, Outlook)>, ReadError> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let register = read(cluster).await?;
    let changes = changes.iter();
    Ok(changes
        .map(|(resource, change)| {
            let live = observed(&register, &resource.name);
            (*resource, outlook(change, live.as_ref()))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(state: MirrorState) -> MirrorRecord {
        MirrorRecord {
            state: Some(state),
            sources: [("a".to_owned(), Some("abc".to_owned()))].into(),
        }
    }

    fn live(record: MirrorRecord) -> ObservedMirror {
        ObservedMirror {
            record,
            ..ObservedMirror::default()
        }
    }

    #[test]
    fn a_record_is_as_read_or_as_planned() {
        use MirrorState::{Paused, Promoted, Running};
        let update = Change::Update {
            before: record(Running),
            after: record(Paused),
        };
        let of = |record: MirrorRecord| outlook(&update, Some(&live(record)));
        assert_eq!(of(record(Running)), Outlook::Remaining);
        assert_eq!(of(record(Paused)), Outlook::AlreadyDone);
        let Outlook::Stale(differences) = of(record(Promoted)) else {
            panic!("somebody promoted it");
        };
        assert_eq!(
            differences[0].to_string(),
            "state: expected running, found promoted"
        );
        assert!(matches!(of(MirrorRecord::default()), Outlook::Stale(_)));
        assert!(matches!(outlook(&update, None), Outlook::Stale(_)));
        let mut other = record(Running);
        other.sources.insert("b".to_owned(), None);
        assert!(matches!(of(other), Outlook::Stale(_)));

        let create = Change::Create {
            after: record(Running),
        };
        assert_eq!(outlook(&create, None), Outlook::Remaining);
        let paused = live(record(Paused));
        assert!(matches!(outlook(&create, Some(&paused)), Outlook::Stale(_)));
        let delete = Change::Delete {
            before: record(Paused),
        };
        assert_eq!(outlook(&delete, Some(&paused)), Outlook::Remaining);
        assert_eq!(outlook(&delete, None), Outlook::AlreadyDone);
    }
}
