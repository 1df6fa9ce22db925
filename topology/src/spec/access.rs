//! `users`, `acls`, `quotas` and `services`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::scalar::{Name, Secret, SizeText};
use crate::access::{AclOperation, AclPermission, PatternType, ResourceType, ScramMechanism};

/// A user that logs in with SCRAM and shall exist.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct User {
    /// The name to log in with, without `User:`.
    #[schemars(length(min = 1))]
    pub(crate) name: String,
    /// The aliases of the clusters that shall have it.
    #[schemars(length(min = 1))]
    pub(crate) clusters: Vec<String>,
    /// The mechanism. `scram-sha-512` unless written.
    #[serde(default)]
    pub(crate) mechanism: ScramMechanism,
    /// The password, by reference.
    pub(crate) password: Secret,
    /// How often the password is hashed. 8192 unless written.
    #[schemars(range(min = 4096, max = 16_384))]
    pub(crate) iterations: Option<u32>,
    /// Which password of the user it is. 1 unless written; another number makes `apply` set the password anew, because
    /// it cannot be read back to be compared.
    #[schemars(range(min = 1))]
    pub(crate) generation: Option<u32>,
}

/// An access rule that shall exist.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Acl {
    /// Whom it is about: `User:name`. `User:*` is everybody.
    #[schemars(length(min = 1))]
    pub(crate) principal: String,
    /// The aliases of the clusters that shall have it.
    #[schemars(length(min = 1))]
    pub(crate) clusters: Vec<String>,
    /// What is protected.
    pub(crate) resource: Resource,
    /// What may or may not be done.
    #[schemars(length(min = 1))]
    pub(crate) operations: Vec<AclOperation>,
    /// Whether the rule gives or takes. `allow` unless written; a `deny` wins over every `allow`.
    #[serde(default = "allow")]
    pub(crate) permission: AclPermission,
    /// The IP address that it is about. `*`, everywhere, unless written.
    #[schemars(length(min = 1))]
    pub(crate) host: Option<String>,
}

fn allow() -> AclPermission {
    AclPermission::Allow
}

/// What an access rule protects.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Resource {
    /// Its type.
    #[serde(rename = "type")]
    pub(crate) kind: ResourceType,
    /// Its name; `*` is all of the type. Not needed for `cluster`.
    #[schemars(length(min = 1))]
    pub(crate) name: Option<String>,
    /// How the name is meant. `literal` unless written.
    #[serde(default = "literal")]
    pub(crate) pattern: PatternType,
}

fn literal() -> PatternType {
    PatternType::Literal
}

/// Limits that shall hold for clients: of a user, a client id, a client id of a user, or an IP address.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Quota {
    /// The aliases of the clusters that shall have it.
    #[schemars(length(min = 1))]
    pub(crate) clusters: Vec<String>,
    /// The user, without `User:`. `<default>` (or `*`) is each user without a quota of its own.
    #[schemars(length(min = 1))]
    pub(crate) user: Option<String>,
    /// The client id. `<default>` (or `*`) is each client id without a quota of its own.
    #[schemars(length(min = 1))]
    pub(crate) client_id: Option<String>,
    /// The IP address. `<default>` (or `*`) is each address without a quota of its own.
    #[schemars(length(min = 1))]
    pub(crate) ip: Option<String>,
    /// The most bytes per second that are written, on each broker.
    pub(crate) producer_bytes_per_second: Option<SizeText>,
    /// The most bytes per second that are read, on each broker.
    pub(crate) consumer_bytes_per_second: Option<SizeText>,
    /// The most time of the brokers' network and request threads, in percent of one thread, on each broker.
    #[schemars(range(min = 0.01))]
    pub(crate) request_percentage: Option<f64>,
    /// The most partitions that are created or deleted per second.
    #[schemars(range(min = 0.01))]
    pub(crate) controller_mutations_per_second: Option<f64>,
    /// The most connections that are opened per second, on each broker. For `ip` only.
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub(crate) connections_per_second: Option<u32>,
}

/// What an application needs of the clusters: its access rules are derived from it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Service {
    /// Its name.
    pub(crate) name: Name,
    /// Who it is to Kafka: `User:name`.
    #[schemars(length(min = 1))]
    pub(crate) principal: String,
    /// The aliases of the clusters that it works with.
    #[schemars(length(min = 1))]
    pub(crate) clusters: Vec<String>,
    /// The topics that it writes to.
    #[serde(default)]
    pub(crate) produces: Vec<NameOrPrefix>,
    /// The topics that it reads from.
    #[serde(default)]
    pub(crate) consumes: Vec<NameOrPrefix>,
    /// Its consumer group. Every group that begins with the service's name, where it consumes, unless written.
    pub(crate) group: Option<NameOrPrefix>,
    /// Its transactional id, where it produces in transactions.
    pub(crate) transactional_id: Option<NameOrPrefix>,
    /// The IP address that it connects from. `*`, everywhere, unless written.
    #[schemars(length(min = 1))]
    pub(crate) host: Option<String>,
}

/// A name, or what names begin with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum NameOrPrefix {
    Name(String),
    Prefix(Prefix),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prefix {
    pub(crate) prefix: String,
}

impl JsonSchema for NameOrPrefix {
    fn schema_name() -> Cow<'static, str> {
        "NameOrPrefix".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A name, or {prefix: TEXT} for every name that begins with it",
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {
                        "prefix": {"type": "string", "minLength": 1, "description": "What the names begin with"}
                    },
                    "required": ["prefix"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
