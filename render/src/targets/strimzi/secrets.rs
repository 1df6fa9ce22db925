//! Secrets of the topology as keys of Kubernetes Secrets. What is in them is nobody's business here; how they come to be is
//! said in a README beside the resources.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use topology::{Cluster, Login, Platform, Sasl, SecretRef, Topology};

use super::{LONGEST_NAME, namespace};
use crate::target::TargetError;
use crate::targets::names::{kubernetes_name, on_kubernetes};

/// What the Secrets are called.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SecretNames {
    /// Of the one whose keys are the passwords that the topology names.
    pub(super) passwords: String,
    /// Of the one whose keys are the certificates and keys that it names.
    pub(super) certificates: String,
}

impl SecretNames {
    pub(super) fn of(topology: &Topology) -> Self {
        let ours = on_kubernetes(topology.name.as_deref(), LONGEST_NAME);
        Self {
            passwords: format!("{ours}-passwords"),
            certificates: format!("{ours}-certificates"),
        }
    }
}

/// The key of a password: the name of the variable, or the path of the file.
pub(super) fn password_key(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Env(name) => key(name),
        SecretRef::File(path) => file_key(path),
    }
}

/// The key of a file.
pub(super) fn file_key(path: &Path) -> String {
    key(path.display().to_string().trim_start_matches(['/', '.']))
}

fn key(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
                c
            } else {
                '-'
            }
        })
        .collect()
}

/// What an operator keeps of a cluster that reads and writes by TLS: the certificates of its authority.
pub(super) fn authority_of(cluster: &Cluster) -> String {
    let name = kubernetes_name(&cluster.alias, LONGEST_NAME);
    format!("{name}-cluster-ca-cert")
}

/// What the resources need, by namespace.
#[derive(Debug, Serialize)]
pub(super) struct Guide {
    names: SecretNames,
    namespaces: Vec<Needed>,
}

/// What resources in one namespace need.
#[derive(Debug, Serialize)]
struct Needed {
    namespace: Option<String>,
    passwords: Vec<Entry>,
    certificates: Vec<Entry>,
    /// Secrets that an operator keeps in another namespace.
    copies: Vec<Copied>,
}

/// A key of a Secret, and what is in it.
#[derive(Debug, Serialize)]
struct Entry {
    key: String,
    /// The file; none where the topology names a variable, whose name is the key.
    file: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Copied {
    secret: String,
    from: String,
}

/// What was found to be needed so far.
#[derive(Debug, Default)]
pub(super) struct Gathered(BTreeMap<Option<String>, Keys>);

#[derive(Debug, Default)]
struct Keys {
    passwords: BTreeMap<String, SecretRef>,
    certificates: BTreeMap<String, String>,
    copies: Vec<Copied>,
}

impl Gathered {
    /// The password of a user of a cluster.
    pub(super) fn user(
        &mut self,
        cluster: &Cluster,
        password: &SecretRef,
    ) -> Result<(), TargetError> {
        let keys = self.0.entry(namespace(cluster)).or_default();
        keys.password(cluster, password)
    }

    /// What workers in a namespace connect to a cluster by.
    pub(super) fn reached(
        &mut self,
        place: Option<String>,
        cluster: &Cluster,
    ) -> Result<(), TargetError> {
        let home = namespace(cluster);
        let keys = self.0.entry(place.clone()).or_default();
        if let Some(
            Sasl::Plain(Login { password, .. })
            | Sasl::ScramSha256(Login { password, .. })
            | Sasl::ScramSha512(Login { password, .. }),
        ) = &cluster.sasl
        {
            keys.password(cluster, password)?;
        }
        let Some(tls) = &cluster.tls else {
            return Ok(());
        };
        if let Some(client) = &tls.client {
            keys.certificate(cluster, &client.cert_file)?;
            keys.certificate(cluster, &client.key_file)?;
        }
        if cluster.platform != Platform::Strimzi {
            return match &tls.ca_file {
                Some(file) => keys.certificate(cluster, file),
                None => Ok(()),
            };
        }
        if let (Some(from), Some(place)) = (home, place)
            && from != place
        {
            let secret = authority_of(cluster);
            keys.copies.push(Copied { secret, from });
        }
        Ok(())
    }

    /// What is to be said of it; nothing where nothing is needed.
    pub(super) fn guide(self, names: SecretNames) -> Option<Guide> {
        let namespaces: Vec<Needed> = self
            .0
            .into_iter()
            .filter_map(|(namespace, keys)| keys.needed(namespace))
            .collect();
        (!namespaces.is_empty()).then_some(Guide { names, namespaces })
    }
}

impl Keys {
    fn password(&mut self, cluster: &Cluster, password: &SecretRef) -> Result<(), TargetError> {
        let key = password_key(password);
        match self.passwords.insert(key.clone(), password.clone()) {
            Some(other) if other != *password => Err(twice(cluster, "sasl.password", &key)),
            Some(_) | None => Ok(()),
        }
    }

    fn certificate(&mut self, cluster: &Cluster, file: &Path) -> Result<(), TargetError> {
        let (key, path) = (file_key(file), file.display().to_string());
        match self.certificates.insert(key.clone(), path.clone()) {
            Some(other) if other != path => Err(twice(cluster, "tls", &key)),
            Some(_) | None => Ok(()),
        }
    }

    fn needed(mut self, namespace: Option<String>) -> Option<Needed> {
        if self.passwords.is_empty() && self.certificates.is_empty() && self.copies.is_empty() {
            return None;
        }
        self.copies.sort();
        self.copies.dedup();
        let passwords = self.passwords.into_iter().map(|(key, password)| Entry {
            key,
            file: match password {
                SecretRef::Env(_) => None,
                SecretRef::File(path) => Some(path.display().to_string()),
            },
        });
        let certificates = self.certificates.into_iter().map(|(key, path)| Entry {
            key,
            file: Some(path),
        });
        Some(Needed {
            namespace,
            passwords: passwords.collect(),
            certificates: certificates.collect(),
            copies: self.copies,
        })
    }
}

fn twice(cluster: &Cluster, key: &'static str, name: &str) -> TargetError {
    TargetError::Cluster {
        cluster: cluster.alias.clone(),
        key,
        problem: format!(
            "two of its secrets would have the key `{name}` in one Secret: rename one"
        ),
    }
}
