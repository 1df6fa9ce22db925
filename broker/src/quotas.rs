//! The cluster's client quotas. They are checked and kept as a real controller does; nothing is slowed down.

use std::collections::BTreeMap;

use thiserror::Error;

pub(crate) const USER: &str = "user";
pub(crate) const CLIENT_ID: &str = "client-id";
pub(crate) const IP: &str = "ip";

/// Type to name; no name is the default of the type.
pub(crate) type Entity = BTreeMap<String, Option<String>>;

/// Quotas by entity and key.
pub(crate) type Quotas = BTreeMap<Entity, BTreeMap<String, f64>>;

/// Why an entity's quotas stay as they were; the texts are those of `ClientQuotaControlManager`.
#[derive(Debug, Error, PartialEq)]
pub(crate) enum QuotaError {
    #[error("Invalid empty client quota entity")]
    NoEntity,
    #[error("Unhandled client quota entity type: {0}")]
    Kind(String),
    #[error("Empty {0} not supported")]
    EmptyName(String),
    #[error("Invalid quota entity combination")]
    Combination,
    #[error("{0} is not a valid IP or resolvable host.")]
    Address(String),
    #[error("Invalid configuration key {0}")]
    Key(String),
    #[error("Quota {0} must be greater than 0")]
    NotPositive(String),
    #[error("{0} cannot be a fractional value.")]
    Fraction(String),
    #[error("Proposed value for {0} is too large for {1}.")]
    TooLarge(String, &'static str),
}

/// How a value is kept.
#[derive(Clone, Copy)]
enum Width {
    Long,
    Int,
    Double,
}

const USER_AND_CLIENT_KEYS: &[(&str, Width)] = &[
    ("producer_byte_rate", Width::Long),
    ("consumer_byte_rate", Width::Long),
    ("request_percentage", Width::Double),
    ("controller_mutation_rate", Width::Double),
];
const IP_KEYS: &[(&str, Width)] = &[("connection_creation_rate", Width::Int)];

/// Checks an entity, and returns the keys it may have.
pub(crate) fn keys_of(entity: &Entity) -> Result<Keys, QuotaError> {
    if entity.is_empty() {
        return Err(QuotaError::NoEntity);
    }
    for (kind, name) in entity {
        if ![USER, CLIENT_ID, IP].contains(&kind.as_str()) {
            return Err(QuotaError::Kind(kind.clone()));
        }
        if name.as_deref() == Some("") {
            return Err(QuotaError::EmptyName(kind.clone()));
        }
    }
    let Some(ip) = entity.get(IP) else {
        return Ok(Keys(USER_AND_CLIENT_KEYS));
    };
    if entity.len() > 1 {
        return Err(QuotaError::Combination);
    }
    match ip {
        // names are not resolved here
        Some(ip) if ip.parse::<std::net::IpAddr>().is_err() && ip != "localhost" => {
            Err(QuotaError::Address(ip.clone()))
        }
        Some(_) | None => Ok(Keys(IP_KEYS)),
    }
}

/// The keys that an entity may have.
pub(crate) struct Keys(&'static [(&'static str, Width)]);

impl Keys {
    /// Checks one key and its new value.
    pub(crate) fn check(&self, key: &str, value: f64) -> Result<(), QuotaError> {
        let Some((_, width)) = self.0.iter().find(|(known, _)| *known == key) else {
            return Err(QuotaError::Key(key.to_owned()));
        };
        if value <= 0.0 {
            return Err(QuotaError::NotPositive(key.to_owned()));
        }
        let (max, word) = match width {
            Width::Double => return Ok(()),
            Width::Int => (f64::from(i32::MAX), "an INT"),
            Width::Long => (i64::MAX as f64, "a LONG"),
        };
        if value > max {
            return Err(QuotaError::TooLarge(key.to_owned(), word));
        }
        if (value % 1.0).abs() > 1e-6 {
            return Err(QuotaError::Fraction(key.to_owned()));
        }
        Ok(())
    }
}
