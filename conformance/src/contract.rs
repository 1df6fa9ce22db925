//! The whole contract: every promise there is a check for, and why the others are not judged.

use crate::Mode;

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

/// Why a report of what was looked at in these ways says nothing about a promise.
pub fn unjudged(id: &str, modes: &[Mode]) -> String {
    let (stamped, compared) = (
        modes.contains(&Mode::Stamped),
        modes.contains(&Mode::Compare),
    );
    let promise = CONTRACT.iter().find(|promise| promise.id == id);
    match promise.map(|promise| promise.judged) {
        None => "this version does not judge it".to_owned(),
        Some(Judged::Not(reason)) => format!("not judged: {reason}"),
        Some(Judged::Stamped) if !stamped => {
            "judged by records that carry stamps: --mode stamped".to_owned()
        }
        Some(Judged::Watched) if !stamped => {
            "judged by records that are watched on their way: --mode stamped --watch".to_owned()
        }
        Some(Judged::Watched) => {
            "nobody looked at the target while the records were written: --watch".to_owned()
        }
        Some(Judged::Compared) if !compared => {
            "judged by comparing what both clusters hold: --mode compare".to_owned()
        }
        Some(Judged::Stamped | Judged::Compared | Judged::Both) => {
            "nothing here to judge it by".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_judged_says_why() {
        let ids: std::collections::BTreeSet<&str> = CONTRACT.iter().map(|it| it.id).collect();
        assert_eq!(ids.len(), CONTRACT.len());
        let (stamped, compared) = ([Mode::Stamped], [Mode::Compare]);
        assert!(unjudged("group-sync", &compared).contains("not mirrored yet"));
        assert!(unjudged("latency", &stamped).contains("--watch"));
        assert!(unjudged("compaction", &stamped).contains("--mode compare"));
        assert!(unjudged("complete", &compared).contains("--mode stamped"));
        let both = [Mode::Stamped, Mode::Compare];
        assert!(unjudged("compaction", &both).contains("nothing here"));
        assert!(unjudged("latency", &both).contains("nobody looked"));
    }
}
