//! The whole contract: every check there is to be, and how far the scenarios go.

/// How far a check is put to the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Some scenario does what would break it.
    Provoked,
    /// It is judged, and nothing is done that would break it.
    Unprovoked,
    /// It is not judged, for this reason.
    Not(&'static str),
}

use Standing::{Not, Provoked, Unprovoked};

/// A check by its id.
pub(crate) const CHECKS: [(&str, Standing); 27] = [
    ("complete", Provoked),
    ("no-phantom", Provoked),
    ("duplicates", Provoked),
    ("order", Provoked),
    ("replay-shape", Provoked),
    ("key-order", Provoked),
    ("partition-map", Provoked),
    ("payload", Provoked),
    ("timestamp", Provoked),
    ("compaction", Unprovoked),
    ("transactions", Provoked),
    ("retention-gap", Unprovoked),
    ("topic-reset", Unprovoked),
    ("offset-map", Unprovoked),
    ("group-sync", GROUPS),
    ("failover", GROUPS),
    ("loop", Unprovoked),
    ("topic-creation", Provoked),
    ("partition-growth", Provoked),
    ("config-sync", Provoked),
    ("delete-policy", Unprovoked),
    (
        "acl-scope",
        Not("access control lists are not mirrored yet"),
    ),
    ("oversize", Unprovoked),
    ("zombie", Provoked),
    ("recovery", WATCHED),
    ("resources", NOT_YET),
    ("latency", WATCHED),
];

const NOT_YET: Standing = Not("no scenario provokes it yet, and `verify` does not judge it yet");
const WATCHED: Standing =
    Not("`verify --watch` judges it; the scoreboard does not ask for that yet");
const GROUPS: Standing = Not("consumer groups are not mirrored yet");
