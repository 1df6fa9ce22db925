//! How connections to a cluster are encrypted and authenticated. Secrets are here by reference only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resolved::Cluster;

/// Encryption of connections, with verification of the brokers' certificates and names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file with the certificates to trust; the system's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// What this client shows of itself, for mutual TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientCertificate>,
    /// The name that the brokers' certificates have to carry, instead of the host that is connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// A client certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// PEM file with the certificate and its chain.
    pub cert_file: PathBuf,
    /// PEM file with its key, unencrypted.
    pub key_file: PathBuf,
}

/// Authentication of connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "mechanism", rename_all = "kebab-case")]
pub enum Sasl {
    /// RFC 4616: the password itself is sent.
    Plain(Login),
    /// RFC 7677.
    #[serde(rename = "scram-sha-256")]
    ScramSha256(Login),
    /// RFC 5802 with SHA-512.
    #[serde(rename = "scram-sha-512")]
    ScramSha512(Login),
    /// RFC 7628, with tokens of the client credentials grant.
    Oauthbearer(OAuth),
    /// IAM access control of Amazon MSK.
    AwsMskIam(Aws),
}

/// A name and its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Who logs in.
    pub username: String,
    /// Where the password is.
    pub password: SecretRef,
}

/// The client credentials grant of OAuth 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// The address that gives tokens, `https://…`. Its certificate is checked against `tls.caFile` of the cluster where
    /// that is given, and the system's certificates too.
    pub token_endpoint: String,
    /// Who asks.
    pub client_id: String,
    /// Where the secret of the client is.
    pub client_secret: SecretRef,
    /// The scope to ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The audience to ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// SASL extensions sent to the broker with the token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<String, String>,
}

/// What requests to Amazon MSK are signed for. The keys come from the environment (`AWS_ACCESS_KEY_ID`,
/// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`), from the shared credentials file, or from the role of the machine or container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aws {
    /// The region of the cluster.
    pub region: String,
    /// The profile of the shared credentials file; `AWS_PROFILE` or `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// Where a secret is, never the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file, without the line end after it.
    File(PathBuf),
}

impl Cluster {
    /// Makes relative paths relative to `folder`.
    pub(crate) fn place_files(&mut self, folder: &Path) {
        self.infrastructure.place_files(folder);
        if let Some(tls) = &mut self.tls {
            let client = tls.client.iter_mut();
            let files = client.flat_map(|client| [&mut client.cert_file, &mut client.key_file]);
            for file in files.chain(&mut tls.ca_file) {
                *file = folder.join(&*file);
            }
        }
        let secret = match &mut self.sasl {
            Some(Sasl::Plain(login) | Sasl::ScramSha256(login) | Sasl::ScramSha512(login)) => {
                Some(&mut login.password)
            }
            Some(Sasl::Oauthbearer(oauth)) => Some(&mut oauth.client_secret),
            Some(Sasl::AwsMskIam(_)) | None => None,
        };
        if let Some(SecretRef::File(file)) = secret {
            *file = folder.join(&*file);
        }
    }
}
