//! How a quota is called in addresses, and its entity on the wire.

use kafka::QuotaName;
use topology::{EntityName, QuotaEntity};

use crate::label::escaped;

/// `user=<name>`, `user=<name>/client-id=<name>`, `client-id=<name>` or `ip=<name>`; a name is `<default>` where the quota
/// is for each that has none of its own.
pub(crate) fn label(entity: &QuotaEntity) -> String {
    let QuotaEntity {
        user,
        client_id,
        ip,
    } = entity;
    let parts = [("user", user), ("client-id", client_id), ("ip", ip)];
    let written = parts
        .iter()
        .filter_map(|(kind, name)| Some(format!("{kind}={}", word(name.as_ref()?))));
    written.collect::<Vec<_>>().join("/")
}

fn word(name: &EntityName) -> String {
    match name {
        EntityName::Default => "<default>".to_owned(),
        EntityName::Named(name) => escaped(name),
    }
}

/// The entity as requests carry it; nothing where it is not one of the four kinds.
pub(super) fn to_wire(entity: &QuotaEntity) -> Option<kafka::QuotaEntity> {
    let name = |name: &EntityName| match name {
        EntityName::Default => QuotaName::Default,
        EntityName::Named(name) => QuotaName::Named(name.clone()),
    };
    match (&entity.user, &entity.client_id, &entity.ip) {
        (Some(user), None, None) => Some(kafka::QuotaEntity::User(name(user))),
        (None, Some(client_id), None) => Some(kafka::QuotaEntity::ClientId(name(client_id))),
        (Some(user), Some(client_id), None) => Some(kafka::QuotaEntity::UserClientId {
            user: name(user),
            client_id: name(client_id),
        }),
        (None, None, Some(ip)) => Some(kafka::QuotaEntity::Ip(name(ip))),
        (None, None, None) | (Some(_), _, Some(_)) | (None, Some(_), Some(_)) => None,
    }
}

pub(super) fn from_wire(entity: &kafka::QuotaEntity) -> QuotaEntity {
    let name = |name: &QuotaName| match name {
        QuotaName::Default => EntityName::Default,
        QuotaName::Named(name) => EntityName::Named(name.clone()),
    };
    let nobody = QuotaEntity::default();
    match entity {
        kafka::QuotaEntity::User(user) => QuotaEntity {
            user: Some(name(user)),
            ..nobody
        },
        kafka::QuotaEntity::ClientId(client_id) => QuotaEntity {
            client_id: Some(name(client_id)),
            ..nobody
        },
        kafka::QuotaEntity::UserClientId { user, client_id } => QuotaEntity {
            user: Some(name(user)),
            client_id: Some(name(client_id)),
            ..nobody
        },
        kafka::QuotaEntity::Ip(ip) => QuotaEntity {
            ip: Some(name(ip)),
            ..nobody
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entity_has_a_label_and_survives_the_wire() {
        let named = |name: &str| Some(EntityName::Named(name.to_owned()));
        let (default, none) = (Some(EntityName::Default), None);
        for (user, client_id, ip, expected) in [
            (named("a"), none.clone(), none.clone(), "user=a"),
            (
                named("<default>"),
                none.clone(),
                none.clone(),
                "user=%3Cdefault>",
            ),
            (
                default.clone(),
                named("a/b"),
                none.clone(),
                "user=<default>/client-id=a%2Fb",
            ),
            (
                none.clone(),
                default.clone(),
                none.clone(),
                "client-id=<default>",
            ),
            (none.clone(), none.clone(), named("10.0.0.1"), "ip=10.0.0.1"),
        ] {
            let entity = QuotaEntity {
                user,
                client_id,
                ip,
            };
            assert_eq!(label(&entity), expected);
            let wire = to_wire(&entity).expect("one of the four");
            assert_eq!(from_wire(&wire), entity);
        }
        let both = QuotaEntity {
            user: named("a"),
            client_id: none,
            ip: named("10.0.0.1"),
        };
        assert_eq!(to_wire(&both), None);
        assert_eq!(to_wire(&QuotaEntity::default()), None);
    }
}
