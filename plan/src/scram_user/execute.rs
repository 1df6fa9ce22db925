//! Carries out changes of SCRAM users.

use std::collections::BTreeSet;

use kafka::security::ScramCredential;
use kafka::{Cluster, ScramChange};
use topology::ScramMechanism;

use super::live::{Iterations, hash, read};
use super::{Credentials, ScramUserState, label};
use crate::apply::ApplyOptions;
use crate::apply::execute::{ChangeError, Done};
use crate::apply::work::{Outlook, Work, carry_out, key_by_key, only};
use crate::change::{Change, ResourceChange};
use crate::difference::Difference;
use crate::topic::ReadError;

/// What one user logs in with.
struct User<'a> {
    cluster: &'a Cluster,
    change: &'a Change<ScramUserState>,
    /// What is to be set; absent where only something is taken away.
    credential: Option<&'a ScramCredential>,
}

impl User<'_> {
    fn name(&self) -> &str {
        let state = self.change.after().or(self.change.before());
        state.map_or("", |state| &state.name)
    }
}

impl Work for User<'_> {
    type Live = Iterations;

    async fn read(&self) -> Result<Iterations, ReadError> {
        let mut users = read(self.cluster).await?;
        Ok(users.remove(self.name()).unwrap_or_default())
    }

    fn outlook(&self, live: &Iterations) -> Outlook {
        outlook(self.change, live)
    }

    fn reached(&self, live: &Iterations) -> bool {
        mechanisms(self.change).all(|(mechanism, _, after)| live.get(&mechanism).copied() == after)
    }

    /// The new credential comes first, so that nobody is without one in between.
    async fn request(&self, live: &Iterations) -> Result<(), kafka::Error> {
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

/// Each credential is as the plan read it, or as it sets it. Whether a password is the planned one cannot be seen: one
/// that shall be set is set, also again.
pub(crate) fn outlook(change: &Change<ScramUserState>, live: &Iterations) -> Outlook {
    let seen = key_by_key(
        mechanisms(change),
        |mechanism| live.get(mechanism).copied(),
        |iterations| format!("{iterations} iterations"),
    );
    let sets_password = change.after().is_some_and(|it| it.password.is_some());
    match seen {
        Outlook::AlreadyDone if sets_password => Outlook::Remaining,
        seen @ (Outlook::AlreadyDone | Outlook::Remaining | Outlook::Stale(_)) => seen,
    }
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
        change,
        credential: credentials.of(&resource.address),
    };
    carry_out(&user, options, steps_done).await
}

/// The first of these changes that neither fits what is live nor is done already; all are read at once.
pub(crate) async fn precheck<'a>(
    cluster: &Cluster,
    changes: &[(&'a ResourceChange, &'a Change<ScramUserState>)],
) -> Result<Option<(&'a ResourceChange, Vec<Difference>)>, ReadError> {
    if changes.is_empty() {
        return Ok(None);
    }
    let users = read(cluster).await?;
    let live: std::collections::BTreeMap<String, Iterations> = users
        .into_iter()
        .map(|(name, credentials)| (label(&name), credentials))
        .collect();
    let nothing = Iterations::new();
    Ok(changes.iter().find_map(|(resource, change)| {
        match outlook(change, live.get(&resource.name).unwrap_or(&nothing)) {
            Outlook::Stale(differences) => Some((*resource, differences)),
            Outlook::AlreadyDone | Outlook::Remaining => None,
        }
    }))
}

#[cfg(test)]
mod tests {
    use topology::SecretRef;

    use super::*;

    fn state(credentials: &[(ScramMechanism, u32)], generation: u32, sets: bool) -> ScramUserState {
        ScramUserState {
            name: "orders".to_owned(),
            credentials: credentials.iter().copied().collect(),
            password: sets.then(|| SecretRef::Env("PW".to_owned())),
            generation: Some(generation),
        }
    }

    #[test]
    fn a_password_is_set_again_rather_than_not_at_all() {
        use ScramMechanism::{Sha256, Sha512};
        let rotation = Change::Update {
            before: state(&[(Sha512, 8192)], 1, false),
            after: state(&[(Sha512, 8192)], 2, true),
        };
        let same = Iterations::from([(Sha512, 8192)]);
        assert_eq!(outlook(&rotation, &same), Outlook::Remaining);
        let create = Change::Create {
            after: state(&[(Sha512, 8192)], 1, true),
        };
        assert_eq!(outlook(&create, &Iterations::new()), Outlook::Remaining);
        assert_eq!(outlook(&create, &same), Outlook::Remaining);
        let other = Iterations::from([(Sha512, 4096)]);
        assert!(matches!(outlook(&create, &other), Outlook::Stale(_)));
        assert!(matches!(outlook(&rotation, &other), Outlook::Stale(_)));

        let replaced = Change::Update {
            before: state(&[(Sha256, 4096), (Sha512, 8192)], 1, false),
            after: state(&[(Sha512, 8192)], 1, false),
        };
        assert_eq!(outlook(&replaced, &same), Outlook::AlreadyDone);
        let delete = Change::Delete {
            before: state(&[(Sha512, 8192)], 1, false),
        };
        assert_eq!(outlook(&delete, &same), Outlook::Remaining);
        let foreign = Iterations::from([(Sha256, 4096)]);
        assert_eq!(outlook(&delete, &foreign), Outlook::AlreadyDone);
    }
}
