//! `clusters`.

use super::scope::Scope;
use super::{infrastructure, security};
use crate::choices::Platform;
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolved::{Allow, Cluster, TopicGuard};
use crate::spec::{self, OneOrMany};

/// Azure `HDInsight` deploys Kafka with at least this many worker nodes.
const HDINSIGHT_BROKERS: u32 = 3;

pub(super) fn resolve(scope: &mut Scope<'_>, path: &Path, spec: spec::Cluster) -> Option<Cluster> {
    let servers = bootstrap_servers(scope, path, &spec);
    let managed = guard(scope, path, "managed", spec.topics.managed.as_deref());
    let protected = guard(scope, path, "protected", spec.topics.protected.as_deref());
    let brokers = brokers(scope, path, &spec);
    let security = security::resolve(scope, path, &spec);
    let infrastructure = infrastructure::resolve(scope, path, &spec);
    let spec::Allow {
        delete_topics,
        delete_acls,
        delete_quotas,
        delete_users,
        delete_mirrors,
        replace_infrastructure,
    } = spec.allow;
    Some(Cluster {
        alias: spec.alias.0,
        platform: spec.platform,
        bootstrap_servers: servers?,
        cluster_id: spec.cluster_id,
        region: spec.region,
        brokers,
        topics: TopicGuard {
            managed: managed.ok()?,
            protected: protected.ok()?,
        },
        allow: Allow {
            delete_topics,
            delete_acls,
            delete_quotas,
            delete_users,
            delete_mirrors,
            replace_infrastructure,
        },
        tls: security.tls,
        sasl: security.sasl,
        infrastructure,
    })
}

/// A guard that cannot be read.
struct BrokenGuard;

/// An empty text is no guard.
fn guard(
    scope: &mut Scope<'_>,
    path: &Path,
    key: &str,
    written: Option<&str>,
) -> Result<Option<crate::pattern::Pattern>, BrokenGuard> {
    match written {
        None | Some("") => Ok(None),
        Some(written) => scope
            .pattern(&path.key("topics").key(key), written)
            .map(Some)
            .ok_or(BrokenGuard),
    }
}

fn bootstrap_servers(
    scope: &mut Scope<'_>,
    path: &Path,
    spec: &spec::Cluster,
) -> Option<Vec<String>> {
    let key = path.key("bootstrapServers");
    let servers: Vec<(Path, String)> = match &spec.bootstrap_servers {
        None => {
            // a platform that was taken out as wrong says nothing about what the cluster needs
            let existing =
                spec.platform == Platform::Existing && !scope.was_removed(&path.key("platform"));
            if existing && !scope.is_written(&key) {
                let span = scope.span(&path.key("alias"));
                scope.add(
                    Finding::new(
                        Code::MissingBootstrapServers,
                        span,
                        format!("the existing cluster `{}` cannot be reached", spec.alias.0),
                        "this cluster needs `bootstrapServers`",
                    )
                    .hint("add `bootstrapServers: [host:9092]`, or `platform: embedded` for one in memory"),
                );
                return None;
            }
            return Some(Vec::new());
        }
        Some(OneOrMany::One(text)) => text
            .split(',')
            .map(|server| (key.clone(), server.trim().to_owned()))
            .collect(),
        Some(OneOrMany::Many(list)) => list
            .iter()
            .enumerate()
            .map(|(at, server)| (key.index(at), server.trim().to_owned()))
            .collect(),
    };
    if spec.platform == Platform::Embedded {
        let span = scope.key_span(&key);
        scope.add(
            Finding::new(
                Code::UnusedKey,
                span,
                "an embedded cluster chooses its own addresses",
                "not used",
            )
            .hint("leave `bootstrapServers` out, or make the cluster `platform: existing`"),
        );
        return Some(Vec::new());
    }
    let mut good = true;
    for (path, server) in &servers {
        if let Err(problem) = host_port(server) {
            good = false;
            let span = scope.span(path);
            scope.add(
                Finding::new(
                    Code::InvalidHostPort,
                    span,
                    format!("`{server}` is not an address"),
                    problem,
                )
                .hint("write `host:port`, as in `kafka1.dc:9092` or `[::1]:9092`"),
            );
        }
    }
    good.then(|| servers.into_iter().map(|(_, server)| server).collect())
}

/// What is wrong with an address.
fn host_port(server: &str) -> Result<(), &'static str> {
    if server.contains("://") {
        return Err("a scheme does not belong here");
    }
    let (host, port) = server.rsplit_once(':').ok_or("the port is missing")?;
    let bare = match host.strip_prefix('[') {
        Some(rest) => {
            let address = rest.strip_suffix(']').ok_or("the bracket is not closed")?;
            return match address.parse::<std::net::Ipv6Addr>() {
                Ok(_) => check_port(port),
                Err(_) => Err("not an IPv6 address between the brackets"),
            };
        }
        None => host,
    };
    if bare.contains(':') {
        return Err("an IPv6 address needs brackets");
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if bare.is_empty() || !bare.chars().all(legal) {
        return Err("the host has letters, digits, `.`, `-` and `_` only");
    }
    check_port(port)
}

fn check_port(port: &str) -> Result<(), &'static str> {
    match port.parse::<u16>() {
        Ok(1..) if port.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
        Ok(_) | Err(_) => Err("the port is a number between 1 and 65535"),
    }
}

fn brokers(scope: &mut Scope<'_>, path: &Path, spec: &spec::Cluster) -> Option<u32> {
    let count = spec.brokers.as_ref().map(|brokers| brokers.count);
    match spec.platform {
        Platform::Embedded => Some(count.unwrap_or(1)),
        Platform::AzureHdinsight => {
            if let Some(count) = count.filter(|count| *count < HDINSIGHT_BROKERS) {
                let span = scope.span(&path.key("brokers").key("count"));
                scope.add(
                    Finding::new(
                        Code::TooFewBrokers,
                        span,
                        format!(
                            "HDInsight deploys Kafka with {HDINSIGHT_BROKERS} worker nodes or more"
                        ),
                        format!("this asks for {count}"),
                    )
                    .hint(format!("write `count: {HDINSIGHT_BROKERS}`")),
                );
            }
            count
        }
        Platform::Existing
        | Platform::Ansible
        | Platform::AwsMsk
        | Platform::AwsEc2
        | Platform::Strimzi => count,
    }
}

#[cfg(test)]
mod tests {
    use super::host_port;

    #[test]
    fn reads_addresses() {
        for good in [
            "localhost:9092",
            "kafka-1.dc_2:1",
            "10.0.0.1:65535",
            "[::1]:9092",
        ] {
            assert_eq!(host_port(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "localhost",
            "localhost:",
            ":9092",
            "a:0",
            "a:65536",
            "a:+1",
            "::1:9092",
            "[::1:9092",
            "[x]:1",
            "http://a:1",
            "a b:1",
        ] {
            assert!(host_port(bad).is_err(), "{bad}");
        }
    }
}
