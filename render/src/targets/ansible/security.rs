//! How brokers of one's own encrypt and whom they let in, in the words of the role `kafka`.

use serde::Serialize;
use topology::{Cluster, Login, Sasl, SecretRef};

use super::literal;
use crate::target::TargetError;
use crate::targets::replicator::is_variable;

/// What the role needs for TLS.
#[derive(Debug, Serialize)]
pub(super) struct BrokerTls {
    /// Where the certificates of the authorities are: below the folder `files`, or an absolute path.
    ca: String,
    absolute: bool,
    client_auth: &'static str,
}

/// What the role needs for logins: the topology's own, which is the first user of the cluster.
#[derive(Debug, Serialize)]
pub(super) struct BrokerLogin {
    mechanism: &'static str,
    username: String,
    /// The environment variable that holds the password.
    variable: Option<String>,
    /// The file that holds it, below the folder `files` or by an absolute path.
    file: Option<String>,
    absolute: bool,
}

pub(super) fn tls(cluster: &Cluster) -> Result<Option<BrokerTls>, TargetError> {
    let Some(tls) = &cluster.tls else {
        return Ok(None);
    };
    let ca = match &tls.ca_file {
        Some(file) => path(cluster, "tls.caFile", &file.display().to_string())?,
        None => "ca.pem".to_owned(),
    };
    Ok(Some(BrokerTls {
        absolute: ca.starts_with('/'),
        ca,
        client_auth: if tls.client.is_some() {
            "required"
        } else {
            "none"
        },
    }))
}

pub(super) fn login(cluster: &Cluster) -> Result<Option<BrokerLogin>, TargetError> {
    let (mechanism, login) = match &cluster.sasl {
        None => return Ok(None),
        Some(Sasl::Plain(login)) => ("PLAIN", login),
        Some(Sasl::ScramSha256(login)) => ("SCRAM-SHA-256", login),
        Some(Sasl::ScramSha512(login)) => ("SCRAM-SHA-512", login),
        Some(Sasl::Oauthbearer(_) | Sasl::AwsMskIam(_)) => {
            return Err(refused(
                cluster,
                "sasl.mechanism",
                "the role sets up brokers that take `scram-sha-512`, `scram-sha-256` or `plain`",
            ));
        }
    };
    let Login { username, password } = login;
    literal(cluster, username)?;
    let (variable, file) = match password {
        SecretRef::Env(name) if is_variable(name) => (Some(name.clone()), None),
        SecretRef::Env(_) => {
            return Err(refused(
                cluster,
                "sasl.password",
                "the name of the variable has characters that shells do not take",
            ));
        }
        SecretRef::File(file) => {
            let file = path(cluster, "sasl.password", &file.display().to_string())?;
            (None, Some(file))
        }
    };
    Ok(Some(BrokerLogin {
        mechanism,
        username: username.clone(),
        variable,
        absolute: file.as_ref().is_some_and(|it| it.starts_with('/')),
        file,
    }))
}

/// A path that stands for itself in YAML and for Ansible.
fn path(cluster: &Cluster, key: &'static str, written: &str) -> Result<String, TargetError> {
    let plain = written.strip_prefix("./").unwrap_or(written);
    let leads_out = plain.split('/').any(|part| part == "..");
    if leads_out || !crate::quoting::is_plain(plain) {
        return Err(refused(
            cluster,
            key,
            "the plays take files beside the topology or below, with letters, digits, `.`, `_` and `-` in their paths",
        ));
    }
    Ok(plain.to_owned())
}

fn refused(cluster: &Cluster, key: &'static str, problem: &str) -> TargetError {
    TargetError::Cluster {
        cluster: cluster.alias.clone(),
        key,
        problem: problem.to_owned(),
    }
}
