//! The whole contract: every check there is to be, and why some are not judged yet.

/// A check by its id, and why no scenario judges it; `None` where one does.
pub(crate) const CHECKS: [(&str, Option<&str>); 27] = [
    ("complete", None),
    ("no-phantom", None),
    ("duplicates", None),
    ("order", None),
    ("replay-shape", None),
    ("key-order", None),
    ("partition-map", None),
    ("payload", None),
    ("timestamp", None),
    ("compaction", NO_SCENARIO),
    ("transactions", NO_SCENARIO),
    ("retention-gap", NO_SCENARIO),
    ("topic-reset", NO_SCENARIO),
    ("offset-map", GROUPS),
    ("group-sync", GROUPS),
    ("failover", GROUPS),
    ("loop", NO_SCENARIO),
    ("topic-creation", None),
    ("partition-growth", NO_SCENARIO),
    ("config-sync", NO_SCENARIO),
    ("delete-policy", NO_SCENARIO),
    (
        "acl-scope",
        Some("access control lists are not mirrored yet"),
    ),
    ("oversize", NO_SCENARIO),
    ("zombie", NO_SCENARIO),
    ("recovery", NO_SCENARIO),
    ("resources", NO_SCENARIO),
    ("latency", NO_SCENARIO),
];

const NO_SCENARIO: Option<&str> =
    Some("no scenario provokes it yet, and `verify` does not judge it yet");
const GROUPS: Option<&str> = Some("consumer groups are not mirrored yet");
