//! `clusters[].tls` and `clusters[].sasl`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::Secret;

/// Encryption of connections. `{}` trusts the certificates that the system trusts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tls {
    /// PEM file with the certificates to trust; the system's when absent.
    #[schemars(length(min = 1))]
    pub(crate) ca_file: Option<String>,
    /// PEM file with the client certificate and its chain.
    #[schemars(length(min = 1))]
    pub(crate) cert_file: Option<String>,
    /// PEM file with the unencrypted key of the client certificate.
    #[schemars(length(min = 1))]
    pub(crate) key_file: Option<String>,
    /// The name that the brokers' certificates have to carry, instead of the host that is connected to.
    #[schemars(length(min = 1))]
    pub(crate) server_name: Option<String>,
}

/// Authentication of connections.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Sasl {
    /// The SASL mechanism.
    pub(crate) mechanism: Mechanism,
    /// Who logs in: `plain` and `scram-…`.
    #[schemars(length(min = 1))]
    pub(crate) username: Option<String>,
    /// The password, by reference: `plain` and `scram-…`.
    pub(crate) password: Option<Secret>,
    /// Where tokens come from: `oauthbearer`.
    pub(crate) oauth: Option<OAuth>,
    /// What is signed: `aws-msk-iam`.
    pub(crate) aws: Option<Aws>,
}

/// The SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mechanism {
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    #[serde(rename = "scram-sha-512")]
    ScramSha512,
    Plain,
    Oauthbearer,
    AwsMskIam,
}

/// The client credentials grant of OAuth 2.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OAuth {
    /// The address that gives tokens.
    #[schemars(length(min = 1))]
    pub(crate) token_endpoint: String,
    /// Who asks.
    #[schemars(length(min = 1))]
    pub(crate) client_id: String,
    /// The secret of the client, by reference.
    pub(crate) client_secret: Secret,
    /// The scope to ask for.
    #[schemars(length(min = 1))]
    pub(crate) scope: Option<String>,
    /// The audience to ask for.
    #[schemars(length(min = 1))]
    pub(crate) audience: Option<String>,
    /// SASL extensions sent to the broker with the token.
    #[serde(default)]
    pub(crate) extensions: BTreeMap<String, String>,
}

/// IAM access control of Amazon MSK. The credentials are those of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Aws {
    /// The region of the cluster; the cluster's `region` when absent.
    #[schemars(length(min = 1))]
    pub(crate) region: Option<String>,
    /// The profile of the shared credentials file, where the environment holds no keys.
    #[schemars(length(min = 1))]
    pub(crate) profile: Option<String>,
}
