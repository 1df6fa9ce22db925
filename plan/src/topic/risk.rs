//! What a change may cost. Where the brokers' reaction depends on things that are not known here,
//! the graver risk is taken.

use super::config_value::{items, same};
use crate::change::Risk;

/// A risk and, unless it is safe, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assessment {
    pub(crate) risk: Risk,
    pub(crate) reason: Option<String>,
}

impl Assessment {
    pub(crate) fn safe() -> Self {
        Self {
            risk: Risk::Safe,
            reason: None,
        }
    }

    fn because(risk: Risk, reason: &str) -> Self {
        Self {
            risk,
            reason: Some(reason.to_owned()),
        }
    }
}

/// The risk of adding partitions.
pub(crate) fn partition_growth(compacted: bool) -> Assessment {
    Assessment::because(
        Risk::Irreversible,
        if compacted {
            "partitions cannot be taken away again; a key may move to another partition, where \
             compaction no longer sees its older values"
        } else {
            "partitions cannot be taken away again; a key may move to another partition, so its \
             order is not kept across the growth"
        },
    )
}

/// The risk of another replication factor.
pub(crate) fn replication_change(copies: bool) -> Assessment {
    Assessment::because(
        Risk::MovesData,
        if copies {
            "partitions are copied to other brokers, a few at a time and throttled"
        } else {
            "partitions are dropped from brokers: fewer copies are left when one fails"
        },
    )
}

/// The risk of changing the configuration `key` of a live topic from `before` (`None`: unknown) to
/// `after`; `policy` is the `cleanup.policy` that will be in force.
pub(crate) fn config_change(
    key: &str,
    before: Option<&str>,
    after: &str,
    policy: Option<&str>,
) -> Assessment {
    let deletes = policy.is_none_or(|policy| items(policy).contains("delete"));
    match key {
        "retention.ms" | "retention.bytes" if deletes && is_cut(before, after) => {
            Assessment::because(
                Risk::DestroysData,
                "brokers delete records beyond the new limit",
            )
        }
        "delete.retention.ms" if is_cut(before, after) => Assessment::because(
            Risk::DestroysData,
            "tombstones are removed sooner; a consumer that lags may never see a deletion",
        ),
        "cleanup.policy" => cleanup_policy(before, after),
        "unclean.leader.election.enable" if same(key, after, "true") => Assessment::because(
            Risk::DestroysData,
            "a replica that lags may become leader, and acknowledged records are lost",
        ),
        "remote.storage.enable" if same(key, after, "false") => Assessment::because(
            Risk::DestroysData,
            "records that are only in remote storage may be deleted",
        ),
        "remote.log.delete.on.disable" if same(key, after, "true") => Assessment::because(
            Risk::DestroysData,
            "records in remote storage are deleted when remote storage is switched off",
        ),
        // every other key changes what happens to records written from now on
        _ => Assessment::safe(),
    }
}

fn cleanup_policy(before: Option<&str>, after: &str) -> Assessment {
    let before = before.map(items).unwrap_or_default();
    let after = items(after);
    let starts = |policy| after.contains(policy) && !before.contains(policy);
    match (starts("compact"), starts("delete")) {
        (true, true) => Assessment::because(
            Risk::DestroysData,
            "compaction removes all but the newest record of a key, and retention limits apply",
        ),
        (true, false) => Assessment::because(
            Risk::DestroysData,
            "compaction removes all but the newest record of a key",
        ),
        (false, true) => Assessment::because(
            Risk::DestroysData,
            "retention limits apply to records that were kept so far",
        ),
        (false, false) => Assessment::safe(),
    }
}

/// Whether a limit becomes tighter; `-1` is no limit, and what is not a number counts as tighter.
fn is_cut(before: Option<&str>, after: &str) -> bool {
    let limit = |text: &str| {
        text.trim()
            .parse::<i64>()
            .ok()
            .map(|limit| if limit < 0 { i64::MAX } else { limit })
    };
    match (before.and_then(limit), limit(after)) {
        (Some(before), Some(after)) => after < before,
        (None, after) => after != Some(i64::MAX),
        (Some(_), None) => true,
    }
}

/// The risk of taking the configuration `key` of a live topic back to the brokers' default, whatever that is.
pub(crate) fn config_reset(key: &str) -> Assessment {
    if key.starts_with("retention.") || key == "cleanup.policy" || key == "delete.retention.ms" {
        Assessment::because(
            Risk::DestroysData,
            "the brokers' default may keep records for a shorter time",
        )
    } else {
        Assessment::safe()
    }
}

#[cfg(test)]
mod tests {
    use super::config_change;
    use crate::change::Risk::{self, DestroysData, Safe};

    #[test]
    fn configuration_risks() {
        type Case = (
            &'static str,
            Option<&'static str>,
            &'static str,
            Option<&'static str>,
            Risk,
        );
        let cases: [Case; 24] = [
            (
                "retention.ms",
                Some("1000"),
                "999",
                Some("delete"),
                DestroysData,
            ),
            (
                "retention.ms",
                Some("-1"),
                "999",
                Some("delete"),
                DestroysData,
            ),
            ("retention.ms", None, "999", Some("delete"), DestroysData),
            ("retention.ms", None, "-1", Some("delete"), Safe),
            ("retention.ms", Some("1000"), "1001", Some("delete"), Safe),
            ("retention.ms", Some("1000"), "-1", Some("delete"), Safe),
            ("retention.ms", Some("1000"), "999", Some("compact"), Safe),
            (
                "retention.ms",
                Some("1000"),
                "999",
                Some("compact,delete"),
                DestroysData,
            ),
            ("retention.ms", Some("1000"), "999", None, DestroysData),
            (
                "retention.ms",
                Some("1000"),
                "soon",
                Some("delete"),
                DestroysData,
            ),
            (
                "retention.bytes",
                Some("-1"),
                "1048576",
                Some("delete"),
                DestroysData,
            ),
            (
                "delete.retention.ms",
                Some("1000"),
                "10",
                Some("compact"),
                DestroysData,
            ),
            (
                "delete.retention.ms",
                Some("10"),
                "1000",
                Some("compact"),
                Safe,
            ),
            (
                "cleanup.policy",
                Some("delete"),
                "compact",
                Some("compact"),
                DestroysData,
            ),
            (
                "cleanup.policy",
                Some("compact"),
                "delete",
                Some("delete"),
                DestroysData,
            ),
            (
                "cleanup.policy",
                Some("delete"),
                "compact,delete",
                None,
                DestroysData,
            ),
            (
                "cleanup.policy",
                Some("compact,delete"),
                "compact",
                None,
                Safe,
            ),
            (
                "cleanup.policy",
                Some("compact,delete"),
                "delete",
                None,
                Safe,
            ),
            ("cleanup.policy", None, "delete", None, DestroysData),
            (
                "unclean.leader.election.enable",
                Some("false"),
                "true",
                None,
                DestroysData,
            ),
            (
                "unclean.leader.election.enable",
                Some("true"),
                "false",
                None,
                Safe,
            ),
            (
                "remote.storage.enable",
                Some("true"),
                "false",
                None,
                DestroysData,
            ),
            (
                "remote.log.delete.on.disable",
                Some("false"),
                "true",
                None,
                DestroysData,
            ),
            ("max.message.bytes", Some("2000000"), "1000", None, Safe),
        ];
        for (key, before, after, policy, risk) in cases {
            let found = config_change(key, before, after, policy);
            assert_eq!(
                found.risk, risk,
                "{key}: {before:?} → {after} under {policy:?}"
            );
            assert_eq!(
                found.reason.is_none(),
                risk == Safe,
                "{key}: a reason goes with a risk"
            );
        }
    }
}
