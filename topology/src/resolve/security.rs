//! `clusters[].tls` and `clusters[].sasl`: what fits together and what does not.

use std::path::PathBuf;

use super::scope::Scope;
use crate::choices::Platform;
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::security::{Aws, ClientCertificate, Login, OAuth, Sasl, SecretRef, Tls};
use crate::spec::{self, Mechanism};

/// What the checks leave of both blocks. A block that is wrong is absent here; the finding that says so keeps the file
/// from being used.
pub(super) struct Security {
    pub(super) tls: Option<Tls>,
    pub(super) sasl: Option<Sasl>,
}

pub(super) fn resolve(scope: &mut Scope<'_>, cluster: &Path, spec: &spec::Cluster) -> Security {
    let tls_path = cluster.key("tls");
    let sasl_path = cluster.key("sasl");
    if spec.platform == Platform::Embedded {
        for path in [&tls_path, &sasl_path] {
            if scope.is_written(path) {
                refuse_embedded(scope, path);
            }
        }
        return Security {
            tls: None,
            sasl: None,
        };
    }
    empty_block(scope, &tls_path, spec.tls.is_some(), "tls: {}");
    empty_block(
        scope,
        &sasl_path,
        spec.sasl.is_some(),
        "sasl: {mechanism: …}",
    );
    let encrypted = scope.is_written(&tls_path);
    let tls = spec
        .tls
        .as_ref()
        .and_then(|written| tls(scope, &tls_path, written));
    let sasl = spec.sasl.as_ref().and_then(|written| {
        without_encryption(scope, &sasl_path, written.mechanism, encrypted);
        of_other_platform(scope, &sasl_path, spec.platform, written.mechanism);
        sasl(scope, &sasl_path, written, spec.region.as_deref())
    });
    Security { tls, sasl }
}

/// MSK takes some logins, and nobody else takes its own.
fn of_other_platform(scope: &mut Scope<'_>, path: &Path, platform: Platform, mechanism: Mechanism) {
    let (message, hint) = match (platform, mechanism) {
        (Platform::AwsMsk, Mechanism::Plain | Mechanism::ScramSha256 | Mechanism::Oauthbearer) => (
            "brokers of MSK take no such login",
            "write `aws-msk-iam` or `scram-sha-512`, or leave `sasl` out and show a certificate (`tls: {certFile, keyFile}`)",
        ),
        (
            Platform::AwsEc2 | Platform::AzureHdinsight | Platform::Ansible | Platform::Strimzi,
            Mechanism::AwsMskIam,
        ) => (
            "no brokers but those of MSK take this login",
            "write `scram-sha-512`, or make the cluster `platform: aws-msk`",
        ),
        (
            Platform::AwsMsk
            | Platform::AwsEc2
            | Platform::AzureHdinsight
            | Platform::Ansible
            | Platform::Strimzi
            | Platform::Existing
            | Platform::Embedded,
            Mechanism::Plain
            | Mechanism::ScramSha256
            | Mechanism::ScramSha512
            | Mechanism::Oauthbearer
            | Mechanism::AwsMskIam,
        ) => return,
    };
    let span = scope.span(&path.key("mechanism"));
    scope.add(
        Finding::new(
            Code::MechanismOfOtherPlatform,
            span,
            message,
            "a login of another platform",
        )
        .hint(hint),
    );
}

fn refuse_embedded(scope: &mut Scope<'_>, path: &Path) {
    let span = scope.key_span(path);
    scope.add(
        Finding::new(
            Code::SecurityOfEmbedded,
            span,
            "an embedded cluster has neither TLS nor SASL",
            "cannot be had here",
        )
        .hint("leave it out: an embedded cluster listens on the loopback interface only"),
    );
}

/// A key without a value says neither yes nor no, and must not become a plain connection.
fn empty_block(scope: &mut Scope<'_>, path: &Path, has_value: bool, meant: &str) {
    if has_value || !scope.is_written(path) || scope.was_removed(path) {
        return;
    }
    let span = scope.key_span(path);
    scope.add(
        Finding::new(
            Code::InvalidValue,
            span,
            "a block without a value says neither yes nor no",
            "nothing is written here",
        )
        .hint(format!("write `{meant}`, or leave the key out")),
    );
}

fn tls(scope: &mut Scope<'_>, path: &Path, written: &spec::Tls) -> Option<Tls> {
    let client = match (&written.cert_file, &written.key_file) {
        (Some(cert_file), Some(key_file)) => Some(ClientCertificate {
            cert_file: PathBuf::from(cert_file),
            key_file: PathBuf::from(key_file),
        }),
        (Some(_), None) => {
            missing(scope, &path.key("certFile"), path, "keyFile", "certFile");
            None
        }
        (None, Some(_)) => {
            missing(scope, &path.key("keyFile"), path, "certFile", "keyFile");
            None
        }
        (None, None) => None,
    };
    let server_name = match &written.server_name {
        Some(name) if !is_host(name) => {
            let span = scope.span(&path.key("serverName"));
            scope.add(
                Finding::new(
                    Code::InvalidName,
                    span,
                    format!("`{name}` is not the name of a host"),
                    "neither a host name nor an IP address",
                )
                .hint("write the name in the brokers' certificates, without a port"),
            );
            return None;
        }
        name => name.clone(),
    };
    Some(Tls {
        ca_file: written.ca_file.as_ref().map(PathBuf::from),
        client,
        server_name,
    })
}

fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.parse::<std::net::IpAddr>().is_ok() || (name.len() <= 253 && name.split('.').all(label))
}

/// Says that `key` of the block at `block` is needed because of what stands at `because`.
fn missing(scope: &mut Scope<'_>, because: &Path, block: &Path, key: &str, reason: &str) {
    if scope.was_removed(&block.key(key)) {
        return;
    }
    let span = scope.key_span(because);
    scope.add(
        Finding::new(
            Code::MissingKey,
            span,
            format!("`{reason}` needs `{key}`"),
            format!("`{key}` is missing"),
        )
        .hint(match key {
            "password" | "clientSecret" => {
                format!("add `{key}: {{env: NAME}}` or `{key}: {{file: PATH}}`")
            }
            "oauth" => {
                "add `oauth: {tokenEndpoint: https://…, clientId: …, clientSecret: {env: NAME}}`"
                    .to_owned()
            }
            "region" => "add `aws: {region: …}`, or `region` to the cluster".to_owned(),
            _ => format!("add `{key}`"),
        }),
    );
}

fn without_encryption(scope: &mut Scope<'_>, path: &Path, mechanism: Mechanism, encrypted: bool) {
    if encrypted {
        return;
    }
    let span = scope.span(&path.key("mechanism"));
    let finding = match mechanism {
        Mechanism::Plain => Finding::new(
            Code::SecretInClear,
            span,
            "the password is sent unencrypted",
            "`plain` without `tls`",
        ),
        Mechanism::Oauthbearer => Finding::new(
            Code::SecretInClear,
            span,
            "the token is sent unencrypted",
            "`oauthbearer` without `tls`",
        ),
        Mechanism::AwsMskIam => Finding::new(
            Code::TlsRequired,
            span,
            "`aws-msk-iam` works over TLS only",
            "`aws-msk-iam` without `tls`",
        ),
        // neither the password nor anything that logs in a second time is sent
        Mechanism::ScramSha256 | Mechanism::ScramSha512 => return,
    };
    scope.add(
        finding.hint("add `tls: {}` to trust the system's certificates, or `tls: {caFile: …}`"),
    );
}

fn sasl(
    scope: &mut Scope<'_>,
    path: &Path,
    written: &spec::Sasl,
    region: Option<&str>,
) -> Option<Sasl> {
    unused_keys(scope, path, written);
    match written.mechanism {
        Mechanism::Plain => login(scope, path, written).map(Sasl::Plain),
        Mechanism::ScramSha256 => login(scope, path, written).map(Sasl::ScramSha256),
        Mechanism::ScramSha512 => login(scope, path, written).map(Sasl::ScramSha512),
        Mechanism::Oauthbearer => {
            if written.oauth.is_none() {
                missing(scope, &path.key("mechanism"), path, "oauth", "oauthbearer");
            }
            oauth(scope, &path.key("oauth"), written.oauth.as_ref()?).map(Sasl::Oauthbearer)
        }
        Mechanism::AwsMskIam => aws(scope, path, written.aws.as_ref(), region).map(Sasl::AwsMskIam),
    }
}

fn unused_keys(scope: &mut Scope<'_>, path: &Path, written: &spec::Sasl) {
    let (login, oauth, aws) = match written.mechanism {
        Mechanism::Plain | Mechanism::ScramSha256 | Mechanism::ScramSha512 => (true, false, false),
        Mechanism::Oauthbearer => (false, true, false),
        Mechanism::AwsMskIam => (false, false, true),
    };
    for (key, is_written, is_used) in [
        ("username", written.username.is_some(), login),
        ("password", written.password.is_some(), login),
        ("oauth", written.oauth.is_some(), oauth),
        ("aws", written.aws.is_some(), aws),
    ] {
        if is_written && !is_used {
            let span = scope.key_span(&path.key(key));
            scope.add(
                Finding::new(
                    Code::UnusedKey,
                    span,
                    format!("`{key}` has no meaning with this mechanism"),
                    "not used",
                )
                .hint("leave it out, or choose the mechanism that it belongs to"),
            );
        }
    }
}

fn login(scope: &mut Scope<'_>, path: &Path, written: &spec::Sasl) -> Option<Login> {
    let mechanism = path.key("mechanism");
    if written.username.is_none() {
        missing(scope, &mechanism, path, "username", "sasl");
    }
    if written.password.is_none() {
        missing(scope, &mechanism, path, "password", "sasl");
    }
    Some(Login {
        username: written.username.clone()?,
        password: secret(written.password.as_ref()?)?,
    })
}

/// The schema lets exactly one of both be written.
pub(super) fn secret(written: &spec::Secret) -> Option<SecretRef> {
    match (&written.env, &written.file) {
        (Some(name), _) => Some(SecretRef::Env(name.clone())),
        (None, Some(file)) => Some(SecretRef::File(PathBuf::from(file))),
        (None, None) => None,
    }
}

fn oauth(scope: &mut Scope<'_>, path: &Path, written: &spec::OAuth) -> Option<OAuth> {
    let endpoint = path.key("tokenEndpoint");
    let span = scope.span(&endpoint);
    let url = &written.token_endpoint;
    let address = ["https://", "http://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let has_host =
        address.is_some_and(|it| !it.is_empty() && !it.starts_with(['/', '?', '#', ':']));
    // a name and password in the address would be shown wherever the address is
    let has_login = address.is_some_and(|it| it.split('/').next().unwrap_or(it).contains('@'));
    let good = has_host && !has_login && !url.contains(char::is_whitespace);
    if !good {
        scope.add(
            Finding::new(
                Code::InvalidUrl,
                span,
                "the token endpoint is not a usable address",
                if has_login {
                    "a login does not belong here"
                } else {
                    "not an `https://` address"
                },
            )
            .hint("write `https://host/path`"),
        );
    } else if url.starts_with("http://") {
        scope.add(
            Finding::new(
                Code::SecretInClear,
                span,
                "the client secret is sent unencrypted",
                "without TLS",
            )
            .hint("use the `https://` address of the token endpoint"),
        );
    }
    for (key, value) in &written.extensions {
        extension(scope, &path.key("extensions").key(key), key, value);
    }
    Some(OAuth {
        token_endpoint: written.token_endpoint.clone(),
        client_id: written.client_id.clone(),
        client_secret: secret(&written.client_secret)?,
        scope: written.scope.clone(),
        audience: written.audience.clone(),
        extensions: written.extensions.clone(),
    })
}

/// RFC 7628, section 3.1: keys are letters, values are printable; `auth` is the token's own.
fn extension(scope: &mut Scope<'_>, path: &Path, key: &str, value: &str) {
    let good_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic());
    let good_value = value
        .bytes()
        .all(|byte| matches!(byte, 0x20..=0x7e | b'\t' | b'\r' | b'\n'));
    if good_key && good_value && key != "auth" {
        return;
    }
    let span = scope.key_span(path);
    scope.add(
        Finding::new(
            Code::InvalidName,
            span,
            format!("`{key}` is not a usable SASL extension"),
            "cannot be sent",
        )
        .hint("keys are letters and not `auth`; values are printable ASCII"),
    );
}

fn aws(
    scope: &mut Scope<'_>,
    path: &Path,
    written: Option<&spec::Aws>,
    of_cluster: Option<&str>,
) -> Option<Aws> {
    let region = written
        .and_then(|aws| aws.region.as_deref())
        .or(of_cluster)
        .map(str::to_owned);
    if region.is_none() {
        let block = path.key("aws");
        missing(
            scope,
            &path.key("mechanism"),
            &block,
            "region",
            "aws-msk-iam",
        );
    }
    Some(Aws {
        region: region?,
        profile: written.and_then(|aws| aws.profile.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn names_of_hosts() {
        for good in ["kafka", "kafka-1.dc_2.example", "10.0.0.1", "::1"] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            "a b",
            "kafka:9092",
            "-a",
            "a-",
            "a..b",
            "https://a",
            "*.a",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
