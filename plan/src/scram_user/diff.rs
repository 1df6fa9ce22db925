//! Declared SCRAM users against live ones.

use std::collections::BTreeMap;

use topology::{ScramMechanism, SecretRef};

use super::live::Iterations;
use super::rails as user_rails;
use super::{KIND, ScramUserState};
use crate::change::{Change, Detail, RecordChange, Resource, ResourceChange, Risk};
use crate::desired::{DesiredCluster, DesiredUser};
use crate::draft::{self, DECLARED_NO_LONGER, Draft, Place, detail};
use crate::journal::{Recorded, RecordedAccess};
use crate::kind::{Kind, Site};
use crate::observed::ObservedCluster;
use crate::rails;

/// SCRAM users.
pub(crate) struct Users;

impl Kind for Users {
    const WORD: &'static str = KIND;
    type Desired = DesiredUser;

    fn wanted(cluster: &DesiredCluster) -> &BTreeMap<String, DesiredUser> {
        &cluster.users
    }

    fn declared(site: &Site<'_>, place: Place<'_>, desired: &DesiredUser) -> ResourceChange {
        let Site { cluster, live, .. } = *site;
        let recorded = live.and_then(|live| live.recorded.get(&place.address()));
        let nothing = Iterations::new();
        let found = live.and_then(|live| live.users.get(place.label));
        let mut draft = compare(
            desired,
            found.unwrap_or(&nothing),
            remembered(recorded),
            cluster,
        );
        if !matches!(draft.change, Change::NoOp { .. }) {
            draft.blocked.splice(0..0, rails::cluster(cluster, live));
        }
        let remember = Recorded {
            access: Some(RecordedAccess::User {
                name: desired.name.clone(),
                mechanism: desired.mechanism,
                iterations: desired.iterations,
                generation: desired.generation,
            }),
            ..Recorded::default()
        };
        let record = draft.remember(recorded, remember);
        draft.at(place, Resource::ScramUser, record)
    }

    fn as_recorded(desired: &DesiredUser, recorded: &Recorded) -> Option<DesiredUser> {
        let recorded = remembered(Some(recorded))?;
        Some(DesiredUser {
            mechanism: recorded.mechanism,
            iterations: recorded.iterations,
            generation: recorded.generation,
            ..desired.clone()
        })
    }

    fn dropped(
        site: &Site<'_>,
        live: &ObservedCluster,
        place: Place<'_>,
        recorded: &Recorded,
    ) -> Option<ResourceChange> {
        let before = ours(live, place.label, recorded)?;
        let Site {
            cluster, allowed, ..
        } = *site;
        if !cluster.allow.delete_users {
            let mut draft = Draft::new(Change::NoOp { current: before }, DECLARED_NO_LONGER);
            draft.notes.push(draft::left(place, "deleteUsers"));
            return Some(draft.at(place, Resource::ScramUser, None));
        }
        let details = before.credentials.iter();
        let details = details.map(|(mechanism, iterations)| removal(*mechanism, *iterations));
        let details = details.collect();
        let own = user_rails::removal(&before.name, cluster);
        let mut draft = Draft::new(Change::Delete { before }, DECLARED_NO_LONGER);
        draft.details = details;
        draft.blocked = rails::cluster(cluster, Some(live));
        draft
            .blocked
            .extend(rails::asked_for(&place.address(), allowed));
        draft.blocked.extend(own);
        Some(draft.at(place, Resource::ScramUser, Some(RecordChange::Forget)))
    }

    fn is_gone(live: &ObservedCluster, label: &str, recorded: &Recorded) -> bool {
        ours(live, label, recorded).is_none()
    }
}

/// What the record says of a user.
struct Remembered<'a> {
    name: &'a str,
    mechanism: ScramMechanism,
    iterations: u32,
    generation: u32,
}

fn remembered(recorded: Option<&Recorded>) -> Option<Remembered<'_>> {
    match recorded?.access.as_ref()? {
        RecordedAccess::User {
            name,
            mechanism,
            iterations,
            generation,
        } => Some(Remembered {
            name,
            mechanism: *mechanism,
            iterations: *iterations,
            generation: *generation,
        }),
        RecordedAccess::Acl(_) | RecordedAccess::Quota { .. } | RecordedAccess::Mirror { .. } => {
            None
        }
    }
}

/// Which password the record speaks of.
pub(super) fn generation(recorded: Option<&Recorded>) -> Option<u32> {
    remembered(recorded).map(|it| it.generation)
}

/// The recorded credential of a user, where it is there.
fn ours(live: &ObservedCluster, label: &str, recorded: &Recorded) -> Option<ScramUserState> {
    let recorded = remembered(Some(recorded))?;
    let iterations = live.users.get(label)?.get(&recorded.mechanism)?;
    Some(ScramUserState {
        name: recorded.name.to_owned(),
        credentials: [(recorded.mechanism, *iterations)].into(),
        password: None,
        generation: Some(recorded.generation),
    })
}

fn compare(
    desired: &DesiredUser,
    found: &Iterations,
    recorded: Option<Remembered<'_>>,
    cluster: &DesiredCluster,
) -> Draft<ScramUserState> {
    let (mechanism, iterations) = (desired.mechanism, desired.iterations);
    let live = found.get(&mechanism).copied();
    let generation = recorded.as_ref().map(|it| it.generation);
    let rotated = generation.filter(|it| *it != desired.generation);
    let sets_password = live != Some(iterations) || rotated.is_some();
    let replaced = recorded
        .map(|it| it.mechanism)
        .filter(|it| *it != mechanism);
    let replaced = replaced.and_then(|it| Some((it, *found.get(&it)?)));
    let before = ScramUserState {
        name: desired.name.clone(),
        credentials: live
            .map(|live| (mechanism, live))
            .into_iter()
            .chain(replaced)
            .collect(),
        password: None,
        generation,
    };
    let after = ScramUserState {
        name: desired.name.clone(),
        credentials: [(mechanism, iterations)].into(),
        password: sets_password.then(|| desired.password.clone()),
        generation: Some(desired.generation),
    };
    let mut details = Vec::new();
    if live != Some(iterations) {
        details.push(detail(
            mechanism.to_string(),
            live.map(hashed),
            Some(hashed(iterations)),
            None,
        ));
    }
    if sets_password {
        details.push(password(desired, live.is_some(), rotated));
    }
    if let Some((replaced, iterations)) = replaced {
        details.push(removal(replaced, iterations));
    }
    let mut draft = if found.is_empty() {
        let reason = format!("not on the cluster, for {}", desired.origin);
        Draft::new(Change::Create { after }, reason)
    } else if details.is_empty() {
        Draft::new(Change::NoOp { current: before }, "as declared")
    } else {
        let names: Vec<&str> = details.iter().map(|it| it.attribute.as_str()).collect();
        let reason = format!("differs in {}", names.join(", "));
        Draft::new(Change::Update { before, after }, reason)
    };
    draft.details = details;
    if replaced.is_some() {
        draft
            .blocked
            .extend(user_rails::removal(&desired.name, cluster));
    }
    if !sets_password && generation.is_none() {
        draft.notes.push(
            "it was there before: its password cannot be read back, and is taken to be as declared; another `generation` \
             sets it"
                .to_owned(),
        );
    }
    let others = found.iter().filter(|(other, _)| {
        **other != mechanism && replaced.is_none_or(|(replaced, _)| replaced != **other)
    });
    draft.unmanaged = others
        .map(|(other, iterations)| (other.to_string(), hashed(*iterations)))
        .collect();
    draft
}

fn hashed(iterations: u32) -> String {
    format!("{iterations} iterations")
}

fn password(desired: &DesiredUser, exists: bool, rotated: Option<u32>) -> Detail {
    let place = match &desired.password {
        SecretRef::Env(name) => format!("from the environment variable {name}"),
        SecretRef::File(path) => format!("from the file {}", path.display()),
    };
    let risk = exists.then(|| {
        let reason = "who logs in with another one is refused from then on";
        (Risk::CutsOffClients, reason.to_owned())
    });
    let before = rotated.map(|generation| format!("generation {generation}"));
    let after = match rotated {
        Some(_) => format!("generation {}, {place}", desired.generation),
        None => place,
    };
    detail("password", before, Some(after), risk)
}

fn removal(mechanism: ScramMechanism, iterations: u32) -> Detail {
    let reason = "who logs in with it is refused from then on";
    let risk = (Risk::CutsOffClients, reason.to_owned());
    detail(
        mechanism.to_string(),
        Some(hashed(iterations)),
        Some("gone".to_owned()),
        Some(risk),
    )
}
