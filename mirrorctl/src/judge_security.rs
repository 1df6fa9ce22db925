//! The tls and sasl blocks of a cluster as the judge's librdkafka takes them: the same blocks that the replicator
//! connects by.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use conformance::{
    ClientCertificate, NameCheck, PasswordMechanism, Sasl, Secret, Security, Tls, Token,
    TokenSource,
};
use kafka::security::{Login, ScramHash};
use tokio::runtime::Handle;
use topology::Cluster;

use crate::failure::Failure;
use crate::wire;

/// Where OpenSSL and rustls look first for the certificates to trust; librdkafka has to be told.
const SYSTEM_CERTIFICATES: &str = "SSL_CERT_FILE";

/// Reads the secrets, and prepares tokens where the mechanism needs them. Call it on the asynchronous runtime, which
/// the tokens are then asked for on.
pub(crate) fn security(cluster: &Cluster) -> Result<Security, Failure> {
    let alias = &cluster.alias;
    let ours = wire::transport(cluster.tls.as_ref(), cluster.sasl.as_ref())
        .map_err(|error| unable(alias, &error.to_string()))?;
    Ok(Security {
        tls: cluster
            .tls
            .as_ref()
            .map(|declared| tls(alias, declared))
            .transpose()?,
        sasl: ours.sasl.map(|ours| sasl(alias, ours)).transpose()?,
    })
}

fn tls(alias: &str, declared: &topology::Tls) -> Result<Tls, Failure> {
    let name_check = match (&declared.server_name, &declared.ca_file) {
        (None, _) => NameCheck::Host,
        (Some(name), Some(_)) => {
            tracing::warn!(
                "cluster {alias}: librdkafka, which the judge uses, cannot check certificates for the name {name}; \
                 it checks only that tls.caFile has signed them"
            );
            NameCheck::Nothing
        }
        (Some(name), None) => {
            return Err(unable(
                alias,
                &format!(
                    "librdkafka cannot check certificates for the name {name}; give tls.caFile, or connect by that name"
                ),
            ));
        }
    };
    let system = || std::env::var_os(SYSTEM_CERTIFICATES).map(PathBuf::from);
    Ok(Tls {
        ca_file: declared.ca_file.clone().or_else(system),
        client: declared.client.as_ref().map(|client| ClientCertificate {
            cert_file: client.cert_file.clone(),
            key_file: client.key_file.clone(),
        }),
        name_check,
    })
}

fn sasl(alias: &str, ours: Arc<kafka::security::Sasl>) -> Result<Sasl, Failure> {
    let password = |mechanism, login: &Login| {
        let secret = login
            .password
            .read("sasl.password")
            .map_err(|error| unable(alias, &error.to_string()))?;
        Ok(Sasl::Password {
            mechanism,
            username: login.username.clone(),
            password: Secret::new(secret.reveal()),
        })
    };
    match &*ours {
        kafka::security::Sasl::Plain(login) => password(PasswordMechanism::Plain, login),
        kafka::security::Sasl::Scram(ScramHash::Sha256, login) => {
            password(PasswordMechanism::ScramSha256, login)
        }
        kafka::security::Sasl::Scram(ScramHash::Sha512, login) => {
            password(PasswordMechanism::ScramSha512, login)
        }
        kafka::security::Sasl::OAuthBearer(oauth) if oauth.has_extensions() => Err(unable(
            alias,
            "librdkafka's binding sends no SASL extensions",
        )),
        kafka::security::Sasl::OAuthBearer(_) => Ok(Sasl::Bearer(Arc::new(ClientCredentials {
            sasl: ours,
            runtime: Handle::current(),
        }))),
        kafka::security::Sasl::MskIam(_) => Err(unable(
            alias,
            "librdkafka has no mechanism AWS_MSK_IAM; declare a SCRAM or TLS listener of the cluster for the judge",
        )),
    }
}

fn unable(alias: &str, reason: &str) -> Failure {
    let reason = format!("the judge cannot connect to cluster {alias}: {reason}");
    Failure::Judge(conformance::Error::Invalid(reason))
}

/// The client credentials grant, for threads that wait.
#[derive(Debug)]
struct ClientCredentials {
    sasl: Arc<kafka::security::Sasl>,
    runtime: Handle,
}

impl TokenSource for ClientCredentials {
    fn token(&self) -> Result<Token, String> {
        let kafka::security::Sasl::OAuthBearer(oauth) = &*self.sasl else {
            return Err(format!("{} has no tokens", self.sasl.mechanism()));
        };
        let asked = SystemTime::now();
        let (token, lifetime) = self
            .runtime
            .block_on(oauth.ask())
            .map_err(|error| error.to_string())?;
        let expires = (asked + lifetime)
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Ok(Token {
            value: Secret::new(token.reveal()),
            // brokers read it from the token; librdkafka wants some name
            principal: "mirrorctl".to_owned(),
            expires_at_ms: expires.as_millis() as i64,
        })
    }
}
