//! Carries out changes of SCRAM users.

use std::collections::{BTreeMap, BTreeSet};

use kafka::security::ScramCredential;
use kafka::{Cluster, ScramChange};
use topology::ScramMechanism;

use super::live::{Iterations, hash, read};
use super::{Credentials, ScramUserState, label};
use crate::apply::ApplyOptions;
use crate::apply::execute::{ChangeError, Done};
use crate::apply::work::{Outlook, Work, carry_out, key_by_key, only};
use crate::change::{Change, RecordChange, ResourceChange};
use crate::difference::Difference;
use crate::journal::{self, Key, Recorded};
use crate::topic::ReadError;

/// What one user logs in with.
struct User<'a> {
    cluster: &'a Cluster,
    resource: &'a ResourceChange,
    change: &'a Change<ScramUserState>,
    /// What is to be set; absent where only something is taken away.
    credential: Option<&'a ScramCredential>,
}

/// What is there of a user, and what the record says of it where that matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) iterations: Iterations,
    pub(crate) recorded: Option<Recorded>,
}

impl User<'_> {
    fn name(&self) -> &str {
        let state = self.change.after().or(self.change.before());
        state.map_or("", |state| &state.name)
    }
}

impl Work for User<'_> {
    type Live = Seen;

    async fn read(&self) -> Result<Seen, ReadError> {
        let mut users = read(self.cluster).await?;
        let mut recorded = recorded_of(self.cluster, [self.change]).await?;
        Ok(Seen {
            iterations: users.remove(self.name()).unwrap_or_default(),
            recorded: recorded.remove(&Key::of(&self.resource.address)),
        })
    }

    fn outlook(&self, live: &Seen) -> Outlook {
        outlook(self.change, self.resource.record.as_ref(), live)
    }

    fn reached(&self, live: &Seen) -> bool {
        let live = &live.iterations;
        mechanisms(self.change).all(|(mechanism, _, after)| live.get(&mechanism).copied() == after)
    }

    /// The new credential comes first, so that nobody is without one in between.
    async fn request(&self, live: &Seen) -> Result<(), kafka::Error> {
        let live = &live.iterations;
        let set = self.credential.cloned().map(ScramChange::Upsert);
        let gone = mechanisms(self.change)
            .filter(|(mechanism, _, after)| after.is_none() && live.contains_key(mechanism))
            .map(|(mechanism, ..)| ScramChange::Delete {
                user: self.name().to_owned(),
                hash: hash(mechanism),
            });
        let changes: Vec<ScramChange> = set.into_iter().chain(gone).collect();
        let outcomes = self.cluster.alter_scram_users(&changes).await?;
        only("AlterUserScramCredentials", self.name(), outcomes)
    }

    fn step(&self) -> String {
        match (self.change.after(), self.credential) {
            (Some(_), Some(_)) => "set the password".to_owned(),
            (Some(_), None) => "take the old mechanism away".to_owned(),
            (None, _) => "delete the user".to_owned(),
        }
    }
}

/// Each managed mechanism with its iterations before and after.
fn mechanisms(
    change: &Change<ScramUserState>,
) -> impl Iterator<Item = (ScramMechanism, Option<u32>, Option<u32>)> {
    let (before, after) = (change.before(), change.after());
    let states = before.into_iter().chain(after);
    let all: BTreeSet<ScramMechanism> = states
        .flat_map(|state| state.credentials.keys().copied())
        .collect();
    let iterations = |state: Option<&ScramUserState>, mechanism: &ScramMechanism| {
        state?.credentials.get(mechanism).copied()
    };
    all.into_iter().map(move |mechanism| {
        let (before, after) = (
            iterations(before, &mechanism),
            iterations(after, &mechanism),
        );
        (mechanism, before, after)
    })
}

/// What the record says of users, as soon as one of these changes sets a password.
async fn recorded_of<'a>(
    cluster: &Cluster,
    changes: impl IntoIterator<Item = &'a Change<ScramUserState>>,
) -> Result<BTreeMap<Key, Recorded>, kafka::Error> {
    if !changes.into_iter().any(sets_password) {
        return Ok(BTreeMap::new());
    }
    let recorded = journal::read(cluster).await?.recorded;
    let recorded = recorded.into_iter();
    Ok(recorded.map(|(key, owned)| (key, owned.recorded)).collect())
}

fn sets_password(change: &Change<ScramUserState>) -> bool {
    change.after().is_some_and(|it| it.password.is_some())
}

/// Each credential is as the plan read it, or as it sets it. Whether a password is the planned one cannot be seen, but the
/// record can: where it says what the plan is to write into it (`record`), this change was made. Where it speaks of a
/// password that the plan knows nothing of, somebody else set one since.
pub(crate) fn outlook(
    change: &Change<ScramUserState>,
    record: Option<&RecordChange>,
    live: &Seen,
) -> Outlook {
    let seen = key_by_key(
        mechanisms(change),
        |mechanism| live.iterations.get(mechanism).copied(),
        |iterations| format!("{iterations} iterations"),
    );
    let remembered = match record {
        Some(RecordChange::Remember(remembered)) if sets_password(change) => remembered,
        // nothing new is declared: what is there as declared is taken for it, by every plan
        Some(RecordChange::Remember(_) | RecordChange::Forget | RecordChange::Rendered(_))
        | None => return seen,
    };
    match seen {
        Outlook::Stale(_) => seen,
        Outlook::AlreadyDone | Outlook::Remaining if live.recorded.as_ref() == Some(remembered) => {
            seen
        }
        Outlook::AlreadyDone | Outlook::Remaining => match other_password(change, live) {
            Some(difference) => Outlook::Stale(vec![difference]),
            None => Outlook::Remaining,
        },
    }
}

/// The generation that the record speaks of, where it is neither the one that was read nor the one to be set.
fn other_password(change: &Change<ScramUserState>, live: &Seen) -> Option<Difference> {
    // of a user that was not there, the record may say anything
    let read = change.before()?.generation;
    let found = super::diff::generation(live.recorded.as_ref())?;
    let known = [read, change.after()?.generation];
    (!known.contains(&Some(found))).then(|| Difference {
        attribute: "generation".to_owned(),
        expected: read.map(|it| it.to_string()),
        found: Some(found.to_string()),
    })
}

/// Rechecks the change and carries it out.
pub(crate) async fn execute(
    cluster: &Cluster,
    resource: &ResourceChange,
    change: &Change<ScramUserState>,
    credentials: &Credentials,
    options: &ApplyOptions,
    steps_done: &mut Vec<String>,
) -> Result<Done, ChangeError> {
    let user = User {
        cluster,
        resource,
        change,
        credential: credentials.of(&resource.address),
    };
    carry_out(&user, options, steps_done).await
}

/// What the live users mean for each of these changes; all are read at once.
pub(crate) async fn outlooks<'a>(
    cluster: &Cluster,
    changes: &[(&'a ResourceChange, &'a Change<ScramUserState>)],
) -> Result<Vec<(&'a ResourceChange, Outlook)>, ReadError> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let users = read(cluster).await?;
    let mut live: BTreeMap<String, Iterations> = users
        .into_iter()
        .map(|(name, credentials)| (label(&name), credentials))
        .collect();
    let mut recorded = recorded_of(cluster, changes.iter().map(|(_, change)| *change)).await?;
    let changes = changes.iter();
    Ok(changes
        .map(|(resource, change)| {
            let seen = Seen {
                iterations: live.remove(&resource.name).unwrap_or_default(),
                recorded: recorded.remove(&Key::of(&resource.address)),
            };
            let outlook = outlook(change, resource.record.as_ref(), &seen);
            (*resource, outlook)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use topology::SecretRef;

    use super::*;
    use crate::journal::RecordedAccess;

    fn state(credentials: &[(ScramMechanism, u32)], generation: u32, sets: bool) -> ScramUserState {
        ScramUserState {
            name: "orders".to_owned(),
            credentials: credentials.iter().copied().collect(),
            password: sets.then(|| SecretRef::Env("PW".to_owned())),
            generation: Some(generation),
        }
    }

    fn declared(generation: u32) -> Recorded {
        Recorded {
            access: Some(RecordedAccess::User {
                name: "orders".to_owned(),
                mechanism: ScramMechanism::Sha512,
                iterations: 8192,
                generation,
            }),
            ..Recorded::default()
        }
    }

    fn seen(credentials: &[(ScramMechanism, u32)], recorded: Option<Recorded>) -> Seen {
        Seen {
            iterations: credentials.iter().copied().collect(),
            recorded,
        }
    }

    #[test]
    fn a_password_is_set_once_by_a_plan_and_rather_again_than_not_at_all() {
        use ScramMechanism::Sha512;
        let rotation = Change::Update {
            before: state(&[(Sha512, 8192)], 1, false),
            after: state(&[(Sha512, 8192)], 2, true),
        };
        let to_two = RecordChange::Remember(declared(2));
        for (recorded, expected) in [
            (Some(declared(1)), Outlook::Remaining),
            // set, and killed before that was written down
            (None, Outlook::Remaining),
            (Some(declared(2)), Outlook::AlreadyDone),
        ] {
            let live = seen(&[(Sha512, 8192)], recorded);
            assert_eq!(outlook(&rotation, Some(&to_two), &live), expected);
        }
        let third = seen(&[(Sha512, 8192)], Some(declared(3)));
        let Outlook::Stale(differences) = outlook(&rotation, Some(&to_two), &third) else {
            panic!("a third password is there");
        };
        assert_eq!(
            differences[0].to_string(),
            "generation: expected 1, found 3"
        );
        let gone = seen(&[], Some(declared(2)));
        assert!(matches!(
            outlook(&rotation, Some(&to_two), &gone),
            Outlook::Stale(_)
        ));

        let create = Change::Create {
            after: state(&[(Sha512, 8192)], 1, true),
        };
        let to_one = RecordChange::Remember(declared(1));
        let same = [(Sha512, 8192)];
        for (live, record, expected) in [
            (seen(&[], None), Some(&to_one), Outlook::Remaining),
            (seen(&same, None), Some(&to_one), Outlook::Remaining),
            (
                seen(&same, Some(declared(1))),
                Some(&to_one),
                Outlook::AlreadyDone,
            ),
            // declared before and gone: what is there as declared is taken for it
            (seen(&[], Some(declared(1))), None, Outlook::Remaining),
            (seen(&same, Some(declared(1))), None, Outlook::AlreadyDone),
        ] {
            assert_eq!(outlook(&create, record, &live), expected, "{live:?}");
        }
        for change in [&create, &rotation] {
            let other = seen(&[(Sha512, 4096)], None);
            let found = outlook(change, Some(&to_one), &other);
            assert!(matches!(found, Outlook::Stale(_)));
        }
    }

    #[test]
    fn without_a_password_the_credentials_decide() {
        use ScramMechanism::{Sha256, Sha512};
        let same = seen(&[(Sha512, 8192)], None);
        let replaced = Change::Update {
            before: state(&[(Sha256, 4096), (Sha512, 8192)], 1, false),
            after: state(&[(Sha512, 8192)], 1, false),
        };
        assert_eq!(outlook(&replaced, None, &same), Outlook::AlreadyDone);
        let delete = Change::Delete {
            before: state(&[(Sha512, 8192)], 1, false),
        };
        let forget = Some(&RecordChange::Forget);
        assert_eq!(outlook(&delete, forget, &same), Outlook::Remaining);
        let foreign = seen(&[(Sha256, 4096)], None);
        assert_eq!(outlook(&delete, forget, &foreign), Outlook::AlreadyDone);
    }
}
