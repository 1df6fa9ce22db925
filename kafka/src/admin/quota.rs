//! Whom a client quota is for (KIP-546).

use std::fmt;

/// A name, or everybody who has no quota of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaName {
    /// `<default>`.
    Default,
    /// This one.
    Named(String),
}

/// `<default>` as Kafka's tools show it, or the name.
impl fmt::Display for QuotaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("<default>"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// Whom a quota is for: a user, a client id, both together, or an IP address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuotaEntity {
    /// A user (principal without its type).
    User(QuotaName),
    /// A client id.
    ClientId(QuotaName),
    /// A client id of a user.
    UserClientId {
        /// The user.
        user: QuotaName,
        /// The client id.
        client_id: QuotaName,
    },
    /// Connections from an address.
    Ip(QuotaName),
}

const USER_AND_CLIENT_KEYS: &[&str] = &[
    "consumer_byte_rate",
    "controller_mutation_rate",
    "producer_byte_rate",
    "request_percentage",
];
const IP_KEYS: &[&str] = &["connection_creation_rate"];

const USER: &str = "user";
const CLIENT_ID: &str = "client-id";
const IP: &str = "ip";

impl QuotaEntity {
    /// The keys that Kafka knows for it: `producer_byte_rate` and `consumer_byte_rate` in bytes/s of each broker,
    /// `request_percentage` of one thread's time, `controller_mutation_rate` in partitions/s,
    /// `connection_creation_rate` in connections/s of each broker.
    pub fn keys(&self) -> &'static [&'static str] {
        match self {
            Self::User(_) | Self::ClientId(_) | Self::UserClientId { .. } => USER_AND_CLIENT_KEYS,
            Self::Ip(_) => IP_KEYS,
        }
    }

    /// Type and name of each part, as messages carry them; no name is the default.
    pub(super) fn parts(&self) -> Vec<(&'static str, Option<&str>)> {
        fn part<'a>(kind: &'static str, name: &'a QuotaName) -> (&'static str, Option<&'a str>) {
            match name {
                QuotaName::Default => (kind, None),
                QuotaName::Named(name) => (kind, Some(name)),
            }
        }
        match self {
            Self::User(name) => vec![part(USER, name)],
            Self::ClientId(name) => vec![part(CLIENT_ID, name)],
            Self::UserClientId { user, client_id } => {
                vec![part(USER, user), part(CLIENT_ID, client_id)]
            }
            Self::Ip(name) => vec![part(IP, name)],
        }
    }

    /// The entity that these parts name; `None` where it is of a kind newer than this build.
    pub(super) fn from_parts<'a>(
        parts: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Option<Self> {
        let (mut user, mut client_id, mut ip) = (None, None, None);
        for (kind, name) in parts {
            let name = name.map_or(QuotaName::Default, |name| QuotaName::Named(name.to_owned()));
            match kind {
                USER => user = Some(name),
                CLIENT_ID => client_id = Some(name),
                IP => ip = Some(name),
                _ => return None,
            }
        }
        match (user, client_id, ip) {
            (Some(user), None, None) => Some(Self::User(user)),
            (None, Some(client_id), None) => Some(Self::ClientId(client_id)),
            (Some(user), Some(client_id), None) => Some(Self::UserClientId { user, client_id }),
            (None, None, Some(ip)) => Some(Self::Ip(ip)),
            _ => None,
        }
    }
}

/// `user=orders, client-id=<default>`.
impl fmt::Display for QuotaEntity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "{USER}={user}"),
            Self::ClientId(client_id) => write!(f, "{CLIENT_ID}={client_id}"),
            Self::UserClientId { user, client_id } => {
                write!(f, "{USER}={user}, {CLIENT_ID}={client_id}")
            }
            Self::Ip(ip) => write!(f, "{IP}={ip}"),
        }
    }
}

/// One change of an entity's quotas.
#[derive(Debug, Clone, PartialEq)]
pub enum QuotaChange {
    /// Set `key` to `value`.
    Set {
        /// One of [`QuotaEntity::keys`].
        key: String,
        /// Larger than 0; whole, where the key counts bytes or connections.
        value: f64,
    },
    /// No quota of its own any more.
    Remove {
        /// One of [`QuotaEntity::keys`].
        key: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_survive_the_wire() {
        let named = || QuotaName::Named("a".to_owned());
        for (entity, shown) in [
            (QuotaEntity::User(named()), "user=a"),
            (
                QuotaEntity::ClientId(QuotaName::Default),
                "client-id=<default>",
            ),
            (
                QuotaEntity::UserClientId {
                    user: QuotaName::Default,
                    client_id: named(),
                },
                "user=<default>, client-id=a",
            ),
            (QuotaEntity::Ip(QuotaName::Default), "ip=<default>"),
        ] {
            assert_eq!(entity.to_string(), shown);
            let parts = entity.parts();
            assert_eq!(QuotaEntity::from_parts(parts), Some(entity.clone()));
        }
        assert_eq!(QuotaEntity::from_parts([("group", Some("a"))]), None);
        assert_eq!(
            QuotaEntity::from_parts([("ip", None), ("user", None)]),
            None
        );
    }
}
