//! What the keys of MirrorMaker 2 mean here, wherever they are written: in its own file, in connectors, in resources.

use super::settings::{Scope, items, variable};
use super::{ImportedMirror, ImportedNaming, ImportedSasl, ImportedTls, jaas};

/// How a cluster is reached: the keys of Kafka's Java clients.
pub(super) fn connection(
    scope: &mut Scope<'_>,
    alias: &str,
    servers: &[String],
    remarks: &mut Vec<String>,
) -> (Option<ImportedTls>, Option<ImportedSasl>) {
    let protocol = scope
        .take("security.protocol")
        .unwrap_or_default()
        .to_ascii_uppercase();
    scope.take_if("ssl.endpoint.identification.algorithm", |it| it == "https");
    let tls = protocol.ends_with("SSL").then(|| {
        let pem = |scope: &mut Scope<'_>, kind, location| {
            scope.take_if(kind, |it| it.eq_ignore_ascii_case("PEM"))?;
            scope.take(location)
        };
        let keys = pem(scope, "ssl.keystore.type", "ssl.keystore.location");
        let trusted = pem(scope, "ssl.truststore.type", "ssl.truststore.location");
        for (found, location, key) in [
            (&trusted, "ssl.truststore.location", "caFile"),
            (&keys, "ssl.keystore.location", "certFile` and `keyFile"),
        ] {
            if found.is_none() && scope.has(location) {
                remarks.push(format!(
                    "{alias} has a Java key store (`{location}`): export it as PEM, and name it in `{key}` of its `tls`"
                ));
            }
        }
        ImportedTls {
            ca_file: trusted,
            cert_file: keys.clone(),
            key_file: keys,
        }
    });
    let sasl = protocol.starts_with("SASL").then(|| {
        let found = sasl(scope, alias, servers, remarks);
        if found.is_none() {
            remarks.push(format!(
                "how {alias} logs in could not be taken over: write its `sasl` by hand"
            ));
        }
        found
    });
    (tls, sasl.flatten())
}

fn sasl(
    scope: &mut Scope<'_>,
    alias: &str,
    servers: &[String],
    remarks: &mut Vec<String>,
) -> Option<ImportedSasl> {
    let mechanism = scope.take_if("sasl.mechanism", |it| {
        [
            "PLAIN",
            "SCRAM-SHA-256",
            "SCRAM-SHA-512",
            "OAUTHBEARER",
            "AWS_MSK_IAM",
        ]
        .contains(&it)
    })?;
    if mechanism == "AWS_MSK_IAM" {
        let region = servers.iter().find_map(|server| region(server))?;
        for key in ["sasl.jaas.config", "sasl.client.callback.handler.class"] {
            scope.take_if(key, |it| it.starts_with("software.amazon.msk."));
        }
        return Some(ImportedSasl::AwsMskIam { region });
    }
    let jaas = scope.take("sasl.jaas.config")?;
    let variable = variable(alias);
    let found = if mechanism == "OAUTHBEARER" {
        let endpoint = scope.take("sasl.oauthbearer.token.endpoint.url")?;
        scope.take_if("sasl.login.callback.handler.class", |it| {
            it.ends_with(".OAuthBearerLoginCallbackHandler")
        });
        ImportedSasl::OAuth {
            token_endpoint: endpoint,
            client_id: jaas::option(&jaas, "clientId")?,
            secret_variable: variable.clone(),
            scope: jaas::option(&jaas, "scope"),
        }
    } else {
        ImportedSasl::Password {
            mechanism: match mechanism.as_str() {
                "PLAIN" => "plain",
                "SCRAM-SHA-256" => "scram-sha-256",
                _ => "scram-sha-512",
            },
            username: jaas::option(&jaas, "username")?,
            password_variable: variable.clone(),
        }
    };
    remarks.push(format!(
        "the password of {alias} is not in this file: put it into the variable {variable}"
    ));
    Some(found)
}

/// The region in the name of a broker of Amazon MSK.
fn region(server: &str) -> Option<String> {
    let (host, _) = server.rsplit_once(':')?;
    let host = host.strip_suffix(".amazonaws.com")?;
    let (before, region) = host.rsplit_once('.')?;
    before.contains(".kafka").then(|| region.to_owned())
}

/// The address of a flow's two ends.
pub(super) struct Ends<'a> {
    /// What remarks call the flow.
    pub(super) label: &'a str,
    /// The alias of the source.
    pub(super) source: &'a str,
    /// The alias of the target.
    pub(super) target: &'a str,
}

/// What `MirrorSourceConnector` does.
pub(super) fn mirror(
    scope: &mut Scope<'_>,
    ends: &Ends<'_>,
    remarks: &mut Vec<String>,
) -> ImportedMirror {
    let label = ends.label;
    let policy = scope.take("replication.policy.class").unwrap_or_default();
    let identity = policy.ends_with("IdentityReplicationPolicy");
    if !policy.is_empty() && !identity && !policy.ends_with(".DefaultReplicationPolicy") {
        remarks.push(format!(
            "{label}: the replication policy {policy} is not known here; names follow MirrorMaker 2's default"
        ));
    }
    let separator = scope.take("replication.policy.separator");
    if scope.take("sync.topic.acls.enabled").as_deref() == Some("true") {
        remarks.push(format!("{label}: ACLs do not follow yet"));
    }
    let seconds = |value: Option<String>| value.map(|seconds| format!("{seconds}s"));
    let whole = |text: &str| text.len() < 9 && text.bytes().all(|b| b.is_ascii_digit());
    let interval = |scope: &mut Scope<'_>, key| {
        seconds(scope.take_if(key, |it| whole(it) && it.bytes().any(|b| b != b'0')))
    };
    let excluded = either(
        scope,
        "config.properties.exclude",
        "config.properties.blacklist",
    );
    let reset = "auto.offset.reset";
    let reset = either(
        scope,
        &format!("source.consumer.{reset}"),
        &format!("consumer.{reset}"),
    );
    // -1 is the target's default, which is ours
    let factor = scope.take_if("replication.factor", |it| {
        it == "-1" || it.parse::<u16>().is_ok_and(|factor| factor > 0)
    });
    let mut mirror = ImportedMirror {
        name: format!("{}-to-{}", ends.source, ends.target),
        source: ends.source.to_owned(),
        target: ends.target.to_owned(),
        topics: scope.take("topics"),
        topics_exclude: either(scope, "topics.exclude", "topics.blacklist"),
        naming: if identity {
            ImportedNaming::Identity
        } else {
            ImportedNaming::Default { separator }
        },
        from_latest: reset.as_deref() == Some("latest"),
        replication_factor: factor.and_then(|factor| factor.parse().ok()),
        without_configs: scope.take("sync.topic.configs.enabled").as_deref() == Some("false"),
        interval: interval(scope, "refresh.topics.interval.seconds"),
        config_interval: interval(scope, "sync.topic.configs.interval.seconds"),
        config_exclude: excluded.map(|list| items(&list)),
        ..ImportedMirror::default()
    };
    groups(scope, label, &mut mirror, remarks);
    mirror
}

/// What `MirrorCheckpointConnector` does.
pub(super) fn groups(
    scope: &mut Scope<'_>,
    label: &str,
    mirror: &mut ImportedMirror,
    remarks: &mut Vec<String>,
) {
    if scope.take("sync.group.offsets.enabled").as_deref() == Some("true") {
        remarks.push(format!("{label}: committed offsets do not follow yet"));
    }
    let chosen = scope.take("groups");
    let excluded = either(scope, "groups.exclude", "groups.blacklist");
    mirror.groups = mirror.groups.take().or(chosen);
    mirror.groups_exclude = mirror.groups_exclude.take().or(excluded);
}

/// The value of a key that has an older name, too.
fn either(scope: &mut Scope<'_>, key: &str, older: &str) -> Option<String> {
    let old = scope.take(older);
    scope.take(key).or(old)
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn the_region_is_in_the_name_of_a_broker() {
        for (server, found) in [
            (
                "b-1.x.abc.c2.kafka.eu-west-1.amazonaws.com:9098",
                Some("eu-west-1"),
            ),
            (
                "boot-1.kafka-serverless.us-east-2.amazonaws.com:9098",
                Some("us-east-2"),
            ),
            ("kafka1.dc:9098", None),
            ("s3.eu-west-1.amazonaws.com:443", None),
        ] {
            assert_eq!(region(server).as_deref(), found, "{server}");
        }
    }
}
