//! Names that rules and quotas speak of: principals, hosts, users and resources.

use std::net::IpAddr;

use crate::access::{CLUSTER_RESOURCE, PatternType, ResourceType, WILDCARD};
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::resolve::scope::Scope;
use crate::resolve::topic;

/// Kafka's form (`SecurityUtils.parseKafkaPrincipal`): a type, a colon and a name.
pub(super) fn principal(scope: &mut Scope<'_>, place: &Path, written: &str) -> Option<String> {
    let Err(problem) = principal_form(written) else {
        return Some(written.to_owned());
    };
    let span = scope.span(place);
    scope.add(
        Finding::new(
            Code::InvalidPrincipal,
            span,
            format!("`{written}` is not a principal"),
            problem,
        )
        .hint("write `User:name`, or `User:*` for everybody"),
    );
    None
}

fn principal_form(written: &str) -> Result<(), &'static str> {
    let (kind, name) = written.split_once(':').ok_or("the type is missing")?;
    if kind.is_empty() {
        return Err("the type is missing");
    }
    if name.is_empty() {
        return Err("the name is missing");
    }
    if kind != "User" && kind.eq_ignore_ascii_case("user") {
        return Err("the type is `User`, with a capital letter");
    }
    if kind != "User" && name == WILDCARD {
        return Err("only `User:*` stands for everybody");
    }
    if kind.contains(char::is_whitespace) {
        return Err("a type has no spaces");
    }
    plain(name)
}

/// Nothing that is not seen: brokers compare every character.
fn plain(name: &str) -> Result<(), &'static str> {
    if name.contains(char::is_control) {
        Err("it has characters that cannot be seen")
    } else if name.trim() != name {
        Err("it begins or ends with a space")
    } else {
        Ok(())
    }
}

/// The address as brokers write it, which is what they compare with (`InetAddress.getHostAddress`), or `*`.
pub(super) fn host(scope: &mut Scope<'_>, place: &Path, written: Option<&str>) -> Option<String> {
    match written {
        None | Some(WILDCARD) => Some(WILDCARD.to_owned()),
        Some(written) => address(scope, place, written),
    }
}

/// An IP address, as brokers write it.
pub(super) fn address(scope: &mut Scope<'_>, place: &Path, written: &str) -> Option<String> {
    if let Ok(address) = written.parse::<IpAddr>() {
        return Some(in_full(address));
    }
    let span = scope.span(place);
    scope.add(
        Finding::new(
            Code::InvalidAddress,
            span,
            format!("`{written}` is not an IP address"),
            if written.contains('/') {
                "Kafka knows no networks here"
            } else {
                "brokers compare addresses, not names"
            },
        )
        .hint("write one IP address, as in `10.0.0.1`, or `\"*\"` for all"),
    );
    None
}

fn in_full(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => address.segments().map(|it| format!("{it:x}")).join(":"),
    }
}

/// The name of a user or client, as it logs in.
pub(super) fn login(scope: &mut Scope<'_>, place: &Path, written: &str) -> Option<String> {
    let problem = if written.starts_with("User:") {
        Err("`User:` belongs to principals")
    } else {
        plain(written)
    };
    let Err(problem) = problem else {
        return Some(written.to_owned());
    };
    let span = scope.span(place);
    scope.add(
        Finding::new(
            Code::InvalidName,
            span,
            format!("`{}` cannot be a name here", written.escape_debug()),
            problem,
        )
        .hint("write the name alone, as it is used to log in"),
    );
    None
}

/// The name or prefix of a resource.
pub(super) fn resource(
    scope: &mut Scope<'_>,
    place: &Path,
    kind: ResourceType,
    pattern: PatternType,
    written: &str,
) -> Option<String> {
    let Err((problem, hint)) = resource_form(kind, pattern, written) else {
        return Some(written.to_owned());
    };
    let span = scope.span(place);
    scope.add(
        Finding::new(
            Code::InvalidResource,
            span,
            match kind {
                ResourceType::Cluster => "a cluster is one resource, with one name".to_owned(),
                ResourceType::Topic
                | ResourceType::Group
                | ResourceType::TransactionalId
                | ResourceType::DelegationToken
                | ResourceType::User => format!(
                    "`{}` cannot be the name of a {} in an access rule",
                    written.escape_debug(),
                    thing(kind)
                ),
            },
            problem,
        )
        .hint(hint),
    );
    None
}

fn resource_form(
    kind: ResourceType,
    pattern: PatternType,
    written: &str,
) -> Result<(), (String, &'static str)> {
    const PLAIN: &str = "Kafka compares names character by character";
    match (kind, pattern) {
        (ResourceType::Cluster, _) => {
            if written == CLUSTER_RESOURCE && pattern == PatternType::Literal {
                return Ok(());
            }
            Err((
                format!("it is `{CLUSTER_RESOURCE}`, and no prefix"),
                "leave `name` and `pattern` out",
            ))
        }
        (_, PatternType::Prefixed) if written == WILDCARD => Err((
            "`*` is no prefix of any name".to_owned(),
            "`*` means all where it stands for the whole name: `pattern: literal`, or `\"*\"` without `prefix`",
        )),
        (_, PatternType::Literal) if written == WILDCARD => Ok(()),
        (ResourceType::Topic, PatternType::Literal) => match topic::name_problem(written) {
            None => Ok(()),
            Some(problem) => Err((problem, topic::LEGAL_NAMES)),
        },
        // `.` and `..` are no names, and prefixes of some
        (ResourceType::Topic, PatternType::Prefixed) => {
            match topic::name_problem(&format!("{written}x")) {
                None => Ok(()),
                Some(problem) => Err((problem, topic::LEGAL_NAMES)),
            }
        }
        (ResourceType::User, PatternType::Literal) => principal_form(written).map_err(|problem| {
            (
                problem.to_owned(),
                "the resource `user` is named by a principal: `User:name`",
            )
        }),
        (
            ResourceType::Group
            | ResourceType::TransactionalId
            | ResourceType::DelegationToken
            | ResourceType::User,
            PatternType::Literal | PatternType::Prefixed,
        ) => plain(written).map_err(|problem| (problem.to_owned(), PLAIN)),
    }
}

/// The resource type in a sentence.
pub(super) const fn thing(kind: ResourceType) -> &'static str {
    match kind {
        ResourceType::Topic => "topic",
        ResourceType::Group => "group",
        ResourceType::Cluster => "cluster",
        ResourceType::TransactionalId => "transactional id",
        ResourceType::DelegationToken => "delegation token",
        ResourceType::User => "user",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals() {
        for good in [
            "User:orders",
            "User:*",
            "User:CN=orders, OU=pay",
            "Group:pay",
            "User:a:b",
        ] {
            assert_eq!(principal_form(good), Ok(()), "{good}");
        }
        for bad in [
            "orders",
            ":orders",
            "User:",
            "user:orders",
            "Group:*",
            "User: orders",
            "My User:x",
            "User:a\u{7}",
        ] {
            assert!(principal_form(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_written_as_java_does() {
        for (written, in_java) in [
            ("10.0.0.1", "10.0.0.1"),
            ("::1", "0:0:0:0:0:0:0:1"),
            ("2001:DB8::a", "2001:db8:0:0:0:0:0:a"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(in_full(written.parse().unwrap()), in_java);
        }
    }

    #[test]
    fn resources() {
        use PatternType::{Literal, Prefixed};
        use ResourceType::{Cluster, Group, Topic, User};
        for (kind, pattern, name) in [
            (Topic, Literal, "pay.orders"),
            (Topic, Literal, "*"),
            (Topic, Prefixed, "."),
            (Group, Literal, "any thing/at: all"),
            (Group, Prefixed, "orders-"),
            (Cluster, Literal, "kafka-cluster"),
            (User, Literal, "User:orders"),
            (User, Prefixed, "User:or"),
        ] {
            assert_eq!(resource_form(kind, pattern, name), Ok(()), "{kind} {name}");
        }
        for (kind, pattern, name) in [
            (Topic, Literal, "."),
            (Topic, Literal, "pay*"),
            (Topic, Prefixed, "*"),
            (Topic, Prefixed, "pay/"),
            (Group, Literal, " orders"),
            (Group, Prefixed, "*"),
            (Cluster, Literal, "*"),
            (Cluster, Prefixed, "kafka-cluster"),
            (User, Literal, "orders"),
        ] {
            assert!(
                resource_form(kind, pattern, name).is_err(),
                "{kind} {pattern} {name}"
            );
        }
    }
}
