//! How Kafka's Java clients reach a cluster: properties without secrets.
//!
//! Secrets are references that Kafka resolves where the file is used (KIP-297 and KIP-887): `${env:NAME}` for variables,
//! `${directory:FOLDER:FILE}` for files.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use topology::{Cluster, Login, Mirror, Sasl, SecretRef, Tls, Topology};

use crate::quoting;
use crate::target::TargetError;

/// One setting of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Line {
    pub(crate) key: &'static str,
    /// As properties have it, to be written as it stands: it was quoted when the line was made.
    pub(crate) value: String,
    /// As Kafka sees it, for formats with quotes of their own.
    pub(crate) text: String,
}

/// What a client needs to reach a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct JavaClient {
    /// Everything but `bootstrap.servers`.
    pub(crate) lines: Vec<Line>,
    /// The environment variables that are read.
    pub(crate) variables: BTreeSet<String>,
    /// The folders whose files are read.
    pub(crate) folders: BTreeSet<String>,
    /// What has to be there besides, in words.
    pub(crate) notes: Vec<String>,
}

/// Both kinds of references of some clients, as Kafka's providers take them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Providers {
    /// The names of the providers that are needed.
    pub(crate) names: Vec<&'static str>,
    /// A regular expression of the variables.
    pub(crate) variables: String,
    /// The folders, separated by commas.
    pub(crate) folders: String,
}

impl Providers {
    pub(crate) fn of<'a>(clients: impl IntoIterator<Item = &'a JavaClient>) -> Self {
        let (mut variables, mut folders) = (BTreeSet::new(), BTreeSet::new());
        for client in clients {
            variables.extend(client.variables.iter().map(String::as_str));
            folders.extend(client.folders.iter().map(String::as_str));
        }
        let join =
            |set: &BTreeSet<&str>, with: &str| set.iter().copied().collect::<Vec<_>>().join(with);
        let mut names = Vec::new();
        if !variables.is_empty() {
            names.push("env");
        }
        if !folders.is_empty() {
            names.push("directory");
        }
        Self {
            names,
            variables: join(&variables, "|"),
            folders: join(&folders, ","),
        }
    }
}

/// The cluster that a mirror names.
pub(crate) fn cluster<'a>(
    topology: &'a Topology,
    mirror: &Mirror,
    alias: &str,
) -> Result<&'a Cluster, TargetError> {
    topology
        .cluster(alias)
        .ok_or_else(|| TargetError::UnknownCluster {
            mirror: mirror.name.clone(),
            cluster: alias.to_owned(),
        })
}

/// The addresses of a cluster, separated by commas.
pub(crate) fn bootstrap(cluster: &Cluster) -> Result<String, TargetError> {
    if cluster.bootstrap_servers.is_empty() {
        return Err(TargetError::ClusterLacks {
            cluster: cluster.alias.clone(),
            key: "bootstrapServers",
            why: "the engine has to reach it",
        });
    }
    Ok(cluster.bootstrap_servers.join(","))
}

/// The security of a cluster in the words of Java clients.
pub(crate) fn java_client(cluster: &Cluster) -> Result<JavaClient, TargetError> {
    let mut client = JavaClient::default();
    let protocol = match (&cluster.tls, &cluster.sasl) {
        (None, None) => return Ok(client),
        (Some(_), None) => "SSL",
        (None, Some(_)) => "SASL_PLAINTEXT",
        (Some(_), Some(_)) => "SASL_SSL",
    };
    client.put("security.protocol", protocol.to_owned());
    if let Some(tls) = &cluster.tls {
        client.tls(cluster, tls)?;
    }
    if let Some(sasl) = &cluster.sasl {
        client.sasl(cluster, sasl)?;
    }
    Ok(client)
}

impl JavaClient {
    /// Takes a value as Kafka sees it.
    fn put(&mut self, key: &'static str, text: String) {
        let value = quoting::properties_with_references(&text);
        self.lines.push(Line { key, value, text });
    }

    fn tls(&mut self, cluster: &Cluster, tls: &Tls) -> Result<(), TargetError> {
        if tls.server_name.is_some() {
            return Err(cannot(
                cluster,
                "tls.serverName",
                "Java clients check the name that they connect to, and no other",
            ));
        }
        if let Some(file) = &tls.ca_file {
            if file.is_relative() {
                self.notes.push(format!(
                    "{} of {} is looked for in the folder that the process is started in; better write its absolute path",
                    file.display(),
                    cluster.alias
                ));
            }
            self.put("ssl.truststore.type", "PEM".to_owned());
            let path = plain(cluster, "tls.caFile", &file.display().to_string())?;
            self.put("ssl.truststore.location", path);
        }
        if let Some(shown) = &tls.client {
            self.put("ssl.keystore.type", "PEM".to_owned());
            let chain = self.file(cluster, "tls.certFile", &shown.cert_file)?;
            self.put("ssl.keystore.certificate.chain", chain);
            let key = self.file(cluster, "tls.keyFile", &shown.key_file)?;
            self.put("ssl.keystore.key", key);
        }
        Ok(())
    }

    fn sasl(&mut self, cluster: &Cluster, sasl: &Sasl) -> Result<(), TargetError> {
        const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule";
        const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";
        const OAUTH: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule";
        match sasl {
            Sasl::Plain(login) => self.login(cluster, "PLAIN", PLAIN, login),
            Sasl::ScramSha256(login) => self.login(cluster, "SCRAM-SHA-256", SCRAM, login),
            Sasl::ScramSha512(login) => self.login(cluster, "SCRAM-SHA-512", SCRAM, login),
            Sasl::Oauthbearer(oauth) => {
                self.put("sasl.mechanism", "OAUTHBEARER".to_owned());
                let url = plain(cluster, "sasl.oauth.tokenEndpoint", &oauth.token_endpoint)?;
                self.put("sasl.oauthbearer.token.endpoint.url", url);
                self.put(
                    "sasl.login.callback.handler.class",
                    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"
                        .to_owned(),
                );
                let secret =
                    self.secret(cluster, "sasl.oauth.clientSecret", &oauth.client_secret)?;
                let id = in_jaas(cluster, "sasl.oauth.clientId", &oauth.client_id)?;
                let mut options = format!("clientId={id} clientSecret=\"{secret}\"");
                if let Some(scope) = &oauth.scope {
                    options.push_str(" scope=");
                    options.push_str(&in_jaas(cluster, "sasl.oauth.scope", scope)?);
                }
                if oauth.audience.is_some() {
                    return Err(cannot(
                        cluster,
                        "sasl.oauth.audience",
                        "Java clients do not ask for an audience",
                    ));
                }
                for (key, value) in &oauth.extensions {
                    let value = in_jaas(cluster, "sasl.oauth.extensions", value)?;
                    if !quoting::is_plain(key) {
                        return Err(cannot(
                            cluster,
                            "sasl.oauth.extensions",
                            "a key has characters that JAAS does not take",
                        ));
                    }
                    // writing to a String cannot fail
                    let _ = write!(options, " extension_{key}={value}");
                }
                self.put("sasl.jaas.config", format!("{OAUTH} required {options};"));
                self.notes.push(format!(
                    "the JVM needs -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={}",
                    oauth.token_endpoint
                ));
                Ok(())
            }
            Sasl::AwsMskIam(aws) => {
                self.put("sasl.mechanism", "AWS_MSK_IAM".to_owned());
                let profile = match &aws.profile {
                    Some(profile) => {
                        format!(
                            " awsProfileName={}",
                            in_jaas(cluster, "sasl.aws.profile", profile)?
                        )
                    }
                    None => String::new(),
                };
                self.put(
                    "sasl.jaas.config",
                    format!("software.amazon.msk.auth.iam.IAMLoginModule required{profile};"),
                );
                self.put(
                    "sasl.client.callback.handler.class",
                    "software.amazon.msk.auth.iam.IAMClientCallbackHandler".to_owned(),
                );
                self.notes
                    .push("aws-msk-iam-auth has to be on the class path".to_owned());
                Ok(())
            }
        }
    }

    fn login(
        &mut self,
        cluster: &Cluster,
        mechanism: &str,
        module: &str,
        login: &Login,
    ) -> Result<(), TargetError> {
        self.put("sasl.mechanism", mechanism.to_owned());
        let user = in_jaas(cluster, "sasl.username", &login.username)?;
        let password = self.secret(cluster, "sasl.password", &login.password)?;
        self.put(
            "sasl.jaas.config",
            format!("{module} required username={user} password=\"{password}\";"),
        );
        Ok(())
    }

    fn secret(
        &mut self,
        cluster: &Cluster,
        key: &'static str,
        secret: &SecretRef,
    ) -> Result<String, TargetError> {
        match secret {
            SecretRef::Env(name) => {
                let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if name.is_empty() || !name.chars().all(legal) {
                    return Err(cannot(
                        cluster,
                        key,
                        "the name of the variable has characters that Kafka's provider does not take",
                    ));
                }
                self.variables.insert(name.clone());
                Ok(format!("${{env:{name}}}"))
            }
            SecretRef::File(path) => {
                self.notes.push(format!(
                    "{} has to hold the secret of {} and nothing else: Kafka takes a line end for a part of it",
                    path.display(),
                    cluster.alias
                ));
                self.file(cluster, key, path)
            }
        }
    }

    /// A reference to the content of a file.
    fn file(
        &mut self,
        cluster: &Cluster,
        key: &'static str,
        path: &Path,
    ) -> Result<String, TargetError> {
        let parts = path.parent().zip(path.file_name());
        let Some((folder, name)) = parts.filter(|_| path.is_absolute()) else {
            return Err(cannot(
                cluster,
                key,
                "Kafka reads such files by their absolute path only",
            ));
        };
        let (folder, name) = (folder.display().to_string(), name.to_string_lossy());
        if !quoting::is_plain(&folder) || !quoting::is_plain(&name) {
            return Err(cannot(
                cluster,
                key,
                "the path has characters that Kafka's provider does not take",
            ));
        }
        let reference = format!("${{directory:{folder}:{name}}}");
        self.folders.insert(folder);
        Ok(reference)
    }
}

fn cannot(cluster: &Cluster, key: &'static str, problem: &'static str) -> TargetError {
    TargetError::Cluster {
        cluster: cluster.alias.clone(),
        key,
        problem: problem.to_owned(),
    }
}

/// A value that has no reference in it.
fn plain(cluster: &Cluster, key: &'static str, value: &str) -> Result<String, TargetError> {
    quoting::without_references(value)
        .map(str::to_owned)
        .map_err(|error| TargetError::Cluster {
            cluster: cluster.alias.clone(),
            key,
            problem: error.to_string(),
        })
}

/// A quoted value of JAAS.
fn in_jaas(cluster: &Cluster, key: &'static str, value: &str) -> Result<String, TargetError> {
    quoting::jaas(value).map_err(|error| TargetError::Cluster {
        cluster: cluster.alias.clone(),
        key,
        problem: error.to_string(),
    })
}
