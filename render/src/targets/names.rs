//! Names of the topology as Kubernetes and machines take them. What is there once for each topology is called after it, where
//! it has a name, so that several can share a namespace or a machine.

use folder::sha256;

/// The longest name of a service, and the longest value of a label.
const LONGEST: usize = 63;
const DIGEST: usize = 8;
/// Of a topology's name, in that of a user: Linux takes 32, `mirrorctl-` included.
const LONGEST_IN_USERS: usize = 22;
/// Of a topology's name, in those of machines and roles.
const LONGEST_ON_CLOUDS: usize = 40;

/// What everything of a replicator is called after.
const OURS: &str = "mirrorctl";

/// What units and folders of the topology of this name are called on machines. Names hold letters, digits, `.`, `_` and `-`.
pub(super) fn on_machines(topology: Option<&str>) -> String {
    topology.map_or_else(|| OURS.to_owned(), |name| format!("{OURS}-{name}"))
}

/// Who runs the mirrors of the topology of this name on machines, so that none reads the keys of another one.
pub(super) fn user(topology: Option<&str>) -> String {
    on_kubernetes(topology, LONGEST_IN_USERS)
}

/// What objects of the topology of this name are called on Kubernetes, and how the names of those begin of which there are more.
pub(super) fn on_kubernetes(topology: Option<&str>, longest: usize) -> String {
    topology.map_or_else(
        || OURS.to_owned(),
        |name| format!("{OURS}-{}", kubernetes_name(name, longest)),
    )
}

/// What the machines, roles and groups of the replicator of the topology of this name are called on clouds.
pub(super) fn on_clouds(topology: Option<&str>) -> String {
    on_kubernetes(topology, LONGEST_ON_CLOUDS)
}

/// What is said of a topology without a name, where what is rendered is called after it.
pub(super) fn remark(topology: Option<&str>) -> Option<String> {
    topology.is_none().then(|| {
        "the topology has no name, so what runs its mirrors (units, objects, machines, roles) is called as for every other \
         topology without one: `metadata: {name: …}` keeps them apart"
            .to_owned()
    })
}

/// What a mirror is called among those of all topologies.
pub(super) fn of_mirror(topology: Option<&str>, mirror: &str, longest: usize) -> String {
    match topology {
        None => kubernetes_name(mirror, longest),
        // a character that no name has, so that the digest tells `a-b` of `c` from `b` of `c-a`
        Some(topology) => kubernetes_name(&format!("{topology}/{mirror}"), longest),
    }
}

/// A consumer group, and what names of topics begin with, of a mirror among those of all topologies.
pub(super) fn of_group(beginning: &str, topology: Option<&str>, mirror: &str) -> String {
    match topology {
        None => format!("{beginning}-{mirror}"),
        Some(_) => format!("{beginning}-{}", of_mirror(topology, mirror, LONGEST)),
    }
}

/// The name itself where Kubernetes takes it (RFC 1123, at most `longest` bytes), and otherwise one that resembles it, with
/// a digest that keeps different names apart.
pub(super) fn kubernetes_name(name: &str, longest: usize) -> String {
    let resembling: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let longest = longest.min(LONGEST);
    if resembling == name
        && name.len() <= longest
        && !name.is_empty()
        && !name.starts_with('-')
        && !name.ends_with('-')
    {
        return resembling;
    }
    let digest = sha256(name.as_bytes());
    let kept: String = resembling
        .chars()
        .take(longest.saturating_sub(DIGEST + 1))
        .collect();
    let kept = kept.trim_matches('-');
    let digest = &digest[..DIGEST];
    if kept.is_empty() {
        format!("x-{digest}")
    } else {
        format!("{kept}-{digest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_fit_stay() {
        for name in ["a", "europe-to-us", "x1"] {
            assert_eq!(kubernetes_name(name, 63), name);
        }
    }

    #[test]
    fn topologies_with_names_share_nothing() {
        assert_eq!(on_machines(None), "mirrorctl");
        assert_eq!(on_machines(Some("pay")), "mirrorctl-pay");
        assert_eq!(on_kubernetes(None, 40), "mirrorctl");
        assert_eq!(on_kubernetes(Some("pay"), 40), "mirrorctl-pay");
        assert_eq!(user(None), "mirrorctl");
        assert_eq!(user(Some("pay")), "mirrorctl-pay");
        let long = user(Some(&"a".repeat(60)));
        assert!(
            long.len() <= 32 && long.starts_with("mirrorctl-aaa"),
            "{long}"
        );
        assert_eq!(on_clouds(Some("pay.eu")), on_kubernetes(Some("pay.eu"), 40));
        assert_ne!(on_clouds(Some("pay.eu")), on_clouds(Some("pay-eu")));
        assert!(remark(None).is_some() && remark(Some("pay")).is_none());
        assert_eq!(of_mirror(None, "orders", 40), "orders");
        let one = of_mirror(Some("a"), "b-c", 40);
        assert_ne!(one, of_mirror(Some("a-b"), "c", 40));
        assert!(one.starts_with("a-b-c-"), "{one}");
        assert_eq!(of_group("connect", None, "Pay_to.b"), "connect-Pay_to.b");
        let one = of_group("connect", Some("a"), "b-c");
        assert_ne!(one, of_group("connect", Some("a-b"), "c"));
        assert!(one.starts_with("connect-a-b-c-"), "{one}");
    }

    #[test]
    fn others_resemble_and_differ() {
        let long = "a".repeat(249);
        let names = [
            "pay.orders",
            "pay-orders",
            "pay_orders",
            "PAY.orders",
            "__x",
            "___",
            "a-",
            &long,
        ];
        let mut seen = std::collections::BTreeSet::new();
        for name in names {
            let ours = kubernetes_name(name, 50);
            assert!(ours.len() <= 50, "{ours}");
            assert!(!ours.starts_with('-') && !ours.ends_with('-'), "{ours}");
            assert!(
                ours.chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
                "{ours}"
            );
            assert!(seen.insert(ours), "{name}");
        }
    }
}
