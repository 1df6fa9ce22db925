//! Names of the topology as Kubernetes takes them.

use folder::sha256;

/// The longest name of a service, and the longest value of a label.
const LONGEST: usize = 63;
const DIGEST: usize = 8;

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
