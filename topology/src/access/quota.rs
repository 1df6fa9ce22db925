//! Client quotas (KIP-546, KIP-599, KIP-612).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Limits that shall hold for clients of a cluster.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// The alias of the cluster.
    pub cluster: String,
    /// Which clients.
    pub entity: QuotaEntity,
    /// The limits by Kafka's keys, never empty: `producer_byte_rate`, `consumer_byte_rate` (bytes per second on each
    /// broker), `request_percentage` (of one thread), `controller_mutation_rate` (partitions per second),
    /// `connection_creation_rate` (connections per second on each broker).
    pub limits: BTreeMap<String, QuotaValue>,
    /// Where the file asks for it: `quotas[0]`.
    pub origin: String,
}

/// Whom a quota is for: a user, a client id, a client id of a user, or an IP address. At least one is given, and `ip` stands
/// alone.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct QuotaEntity {
    /// The user, without `User:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<EntityName>,
    /// The client id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<EntityName>,
    /// The IP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<EntityName>,
}

/// `user orders, client-id <default>`.
impl fmt::Display for QuotaEntity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("user", &self.user),
            ("client-id", &self.client_id),
            ("ip", &self.ip),
        ];
        let written = parts
            .into_iter()
            .filter_map(|(kind, name)| name.as_ref().map(|name| (kind, name)));
        for (at, (kind, name)) in written.enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{kind} {name}")?;
        }
        Ok(())
    }
}

/// One of them, or each that has no quota of its own.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum EntityName {
    /// Each that has no quota of its own.
    Default,
    /// This one.
    Named(String),
}

impl fmt::Display for EntityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "<default>",
            Self::Named(name) => name,
        })
    }
}

/// A limit as Kafka carries it: a 64-bit float, here never negative and never without a value, so that it compares exactly.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct QuotaValue(f64);

impl JsonSchema for QuotaValue {
    fn schema_name() -> Cow<'static, str> {
        "QuotaValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": 0})
    }
}

/// A number that is no limit.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{0} is not a limit: a number from 0 on is")]
pub struct NoQuotaValue(f64);

impl QuotaValue {
    /// The number; nothing when it is negative, infinite or no number.
    pub fn new(value: f64) -> Option<Self> {
        // adding zero makes negative zero positive
        (value.is_finite() && value >= 0.0).then_some(Self(value + 0.0))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for QuotaValue {
    type Error = NoQuotaValue;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value).ok_or(NoQuotaValue(value))
    }
}

impl From<u32> for QuotaValue {
    fn from(value: u32) -> Self {
        Self(value.into())
    }
}

impl From<QuotaValue> for f64 {
    fn from(value: QuotaValue) -> Self {
        value.0
    }
}

impl PartialEq for QuotaValue {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for QuotaValue {}

impl PartialOrd for QuotaValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for QuotaValue {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for QuotaValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for QuotaValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_compare_exactly() {
        assert_eq!(QuotaValue::new(10e6), Some(QuotaValue::from(10_000_000)));
        assert_eq!(QuotaValue::new(-0.0), Some(QuotaValue::from(0)));
        assert!(QuotaValue::new(0.1).unwrap() < QuotaValue::new(0.25).unwrap());
        for bad in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(QuotaValue::new(bad), None, "{bad}");
        }
        assert_eq!(QuotaValue::from(20_000_000).to_string(), "20000000");
    }

    #[test]
    fn json_keeps_the_number_and_refuses_what_is_none() {
        let value = QuotaValue::new(12.5).unwrap();
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(json, "12.5");
        assert_eq!(serde_json::from_str::<QuotaValue>(&json).unwrap(), value);
        assert!(serde_json::from_str::<QuotaValue>("-1").is_err());
    }

    #[test]
    fn entities_read_well() {
        let entity = QuotaEntity {
            user: Some(EntityName::Named("orders".to_owned())),
            client_id: Some(EntityName::Default),
            ip: None,
        };
        assert_eq!(entity.to_string(), "user orders, client-id <default>");
        let json = serde_json::to_value(&entity).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"user": {"named": "orders"}, "client_id": "default"})
        );
        assert_eq!(serde_json::from_value::<QuotaEntity>(json).unwrap(), entity);
    }
}
