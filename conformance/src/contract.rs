//! The whole contract: every promise there is a check for, and why the others are not judged.

/// Where a promise is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// By [`crate::check_stamped`] alone.
    Stamped,
    /// By [`crate::compare()`] alone, where it applies.
    Compared,
    /// By both.
    Both,
    /// By [`crate::check_stamped`], where the target was looked at while the records were written.
    Watched,
    /// Not at all, for this reason.
    Not(&'static str),
}

/// A promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// Its id, as in SPEC.md and in the topology's `verify.checks`.
    pub id: &'static str,
    /// Where it is judged.
    pub judged: Judged,
}

const fn promise(id: &'static str, judged: Judged) -> Promise {
    Promise { id, judged }
}

const GROUPS: Judged = Judged::Not("committed offsets of consumer groups are not mirrored yet");

/// All promises, in the order of SPEC.md.
pub const CONTRACT: [Promise; 27] = [
    promise("complete", Judged::Stamped),
    promise("no-phantom", Judged::Stamped),
    promise("duplicates", Judged::Both),
    promise("order", Judged::Both),
    promise("replay-shape", Judged::Stamped),
    promise("key-order", Judged::Stamped),
    promise("partition-map", Judged::Stamped),
    promise("payload", Judged::Both),
    promise("timestamp", Judged::Both),
    promise("compaction", Judged::Compared),
    promise("transactions", Judged::Compared),
    promise("retention-gap", Judged::Both),
    promise("topic-reset", Judged::Compared),
    promise("offset-map", Judged::Compared),
    promise("group-sync", GROUPS),
    promise("failover", GROUPS),
    promise("loop", Judged::Compared),
    promise("topic-creation", Judged::Stamped),
    promise("partition-growth", Judged::Compared),
    promise("config-sync", Judged::Compared),
    promise("delete-policy", Judged::Compared),
    promise(
        "acl-scope",
        Judged::Not("access control lists are not mirrored yet"),
    ),
    promise("oversize", Judged::Compared),
    promise(
        "zombie",
        Judged::Not(
            "it takes a run that is frozen and replaced, which a judge of two clusters does not see",
        ),
    ),
    promise("recovery", Judged::Watched),
    promise(
        "resources",
        Judged::Not(
            "it takes the memory and the rate of the engine, which a judge of two clusters does not see",
        ),
    ),
    promise("latency", Judged::Watched),
];

/// Why a report of this mode says nothing about a promise.
pub fn unjudged(id: &str, mode: crate::Mode) -> String {
    let promise = CONTRACT.iter().find(|promise| promise.id == id);
    match (promise.map(|promise| promise.judged), mode) {
        (None, _) => "this version does not judge it".to_owned(),
        (Some(Judged::Not(reason)), _) => format!("not judged: {reason}"),
        (Some(Judged::Stamped), crate::Mode::Compare) => {
            "judged by records that carry stamps: --mode stamped".to_owned()
        }
        (Some(Judged::Watched), crate::Mode::Compare) => {
            "judged by records that are watched on their way: --mode stamped --watch".to_owned()
        }
        (Some(Judged::Watched), crate::Mode::Stamped) => {
            "nobody looked at the target while the records were written: --watch".to_owned()
        }
        (Some(Judged::Compared), crate::Mode::Stamped) => {
            "judged by comparing what both clusters hold: --mode compare".to_owned()
        }
        (Some(Judged::Stamped | Judged::Compared | Judged::Both), _) => {
            "nothing here to judge it by".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;

    #[test]
    fn what_is_not_judged_says_why() {
        let ids: std::collections::BTreeSet<&str> = CONTRACT.iter().map(|it| it.id).collect();
        assert_eq!(ids.len(), CONTRACT.len());
        assert!(unjudged("group-sync", Mode::Compare).contains("not mirrored yet"));
        assert!(unjudged("latency", Mode::Stamped).contains("--watch"));
        assert!(unjudged("compaction", Mode::Stamped).contains("--mode compare"));
        assert!(unjudged("complete", Mode::Compare).contains("--mode stamped"));
    }
}
