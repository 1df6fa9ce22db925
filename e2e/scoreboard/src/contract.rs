//! The whole contract: every check there is to be, and how far the scenarios go.

use crate::engine::Kind;

/// How far a check is put to the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Some scenario does what would break it.
    Provoked,
    /// It is not judged, for this reason.
    Not(&'static str),
}

use Standing::{Not, Provoked};

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
    ("compaction", Provoked),
    ("transactions", Provoked),
    ("retention-gap", Provoked),
    ("topic-reset", Provoked),
    ("offset-map", Provoked),
    ("group-sync", GROUPS),
    ("failover", GROUPS),
    ("loop", Provoked),
    ("topic-creation", Provoked),
    ("partition-growth", Provoked),
    ("config-sync", Provoked),
    ("delete-policy", Provoked),
    (
        "acl-scope",
        Not("access control lists are not mirrored yet"),
    ),
    ("oversize", Provoked),
    ("zombie", Provoked),
    ("recovery", Provoked),
    ("resources", Provoked),
    ("latency", Provoked),
];

const GROUPS: Standing = Not("consumer groups are not mirrored yet");

/// Why an engine that was judged has no verdict on a check that others have one on.
pub(crate) fn unjudged(check: &str, kind: Kind) -> &'static str {
    match (check, kind) {
        ("retention-gap", Kind::Builtin) => "it has noted nothing of these topics",
        ("retention-gap", _) => "it keeps no record of what was gone, and nothing was deleted here",
        ("topic-reset", Kind::Builtin) => "it has noted no position",
        ("topic-reset", _) => "it keeps no ids of topics, and none was created again here",
        ("offset-map", Kind::Mirus) => "it keeps no record of which offsets belong together",
        ("offset-map", Kind::Mirrormaker2 | Kind::Connect) => {
            "it has written no offset sync of these topics"
        }
        ("loop", Kind::Mirus) => "it has no scenario here in which two mirrors lead both ways",
        ("loop", _) => "no two mirrors led both ways",
        ("resources", _) => "its process had ended",
        ("delete-policy", _) => "no topic was deleted here",
        ("oversize", _) => "no record here was too large",
        _ => "there was nothing to judge it by",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_keeps_no_notes_is_said_to_keep_none() {
        for kind in [Kind::Mirrormaker2, Kind::Connect, Kind::Mirus] {
            assert!(unjudged("retention-gap", kind).contains("no record"));
            assert!(unjudged("topic-reset", kind).contains("ids of topics"));
        }
        assert!(unjudged("offset-map", Kind::Connect).contains("offset sync"));
    }
}
