//! Where a topic's records come from, and whether copying it on would close a ring. Pure.
//!
//! A mirror says on its target, before the first record, where the topic's records come from: the
//! source cluster, and what the source's own mirrors say about it there. A topic whose way leads
//! over the target is not copied to it. Where mirrors began at the same moment and all of them find
//! a ring, the youngest gives way: all of them see the same times and come to the same answer.

use std::collections::BTreeMap;

use register::{Origin, TopicKey, TopicRecord};

/// Longer ways end here: a way is as long as clusters are in a row.
const LONGEST: usize = 32;

/// What to do with a topic that is selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its way does not lead over the target.
    Clear,
    /// It would come back to where it has been, over these clusters.
    LeaveOut { ring: Vec<String> },
    /// The same, but another mirror of the ring is younger and has to give way.
    Wait { ring: Vec<String> },
}

/// The way of a topic's records to the cluster whose log is given, the nearest cluster first.
pub(crate) fn way(
    log: &BTreeMap<TopicKey, TopicRecord>,
    topic: &str,
    topic_id: &str,
) -> Vec<Origin> {
    let mut way: Vec<Origin> = Vec::new();
    for record in log.values() {
        let fills = record.target_topic == topic && record.target_topic_id == topic_id;
        // what was handed over by a promotion is the applications' own by now
        if fills && record.released.is_none() {
            way.extend(record.origins.iter().cloned());
        }
    }
    way.truncate(LONGEST);
    way
}

/// Judges a hop from `source` to `target`; `own` is what the hop has said about itself so far.
pub(crate) fn judge(way: &[Origin], source: &str, target: &str, own: Option<&Origin>) -> Verdict {
    let Some(at) = way.iter().position(|hop| hop.cluster_id == target) else {
        return Verdict::Clear;
    };
    let others = &way[..=at];
    let mut ring: Vec<String> = vec![target.to_owned(), source.to_owned()];
    ring.extend(others.iter().map(|hop| hop.cluster_id.clone()));
    let youngest = others.iter().max();
    match own {
        Some(own) if youngest.is_some_and(|youngest| youngest > own) => Verdict::Wait { ring },
        Some(_) | None => Verdict::LeaveOut { ring },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(cluster: &str, since_ms: i64) -> Origin {
        Origin {
            since_ms,
            cluster_id: cluster.to_owned(),
        }
    }

    #[test]
    fn a_newcomer_always_gives_way() {
        assert_eq!(judge(&[], "b", "a", None), Verdict::Clear);
        assert_eq!(judge(&[hop("x", 1)], "b", "a", None), Verdict::Clear);
        let ring = ["a", "b", "a"].map(str::to_owned).to_vec();
        let verdict = judge(&[hop("a", 99)], "b", "a", None);
        assert_eq!(verdict, Verdict::LeaveOut { ring });
    }

    #[test]
    fn of_mirrors_that_began_together_exactly_one_gives_way() {
        for since in [[1, 2, 3], [3, 1, 2], [5, 5, 5], [7, 7, 1]] {
            // a → b → c → a; each hop sees the others on its source, the nearest first
            let hops = [hop("a", since[0]), hop("b", since[1]), hop("c", since[2])];
            let names = ["a", "b", "c"];
            let left_out = (0..3).filter(|&at| {
                let way = [hops[(at + 2) % 3].clone(), hops[(at + 1) % 3].clone()];
                let target = names[(at + 1) % 3];
                let verdict = judge(&way, names[at], target, Some(&hops[at]));
                matches!(verdict, Verdict::LeaveOut { .. })
            });
            assert_eq!(left_out.count(), 1, "{since:?}");
        }
    }

    #[test]
    fn a_topic_that_was_recreated_or_released_has_no_history() {
        let key = TopicKey {
            mirror: "m".into(),
            source_cluster_id: "a".into(),
            topic: "t".into(),
        };
        let record = TopicRecord {
            version: 1,
            target_topic: "t".into(),
            target_topic_id: "1".into(),
            origins: vec![hop("a", 1)],
            synced_configs: std::collections::BTreeSet::new(),
            released: None,
        };
        let mut log = BTreeMap::from([(key.clone(), record.clone())]);
        assert_eq!(way(&log, "t", "1"), [hop("a", 1)]);
        assert_eq!(way(&log, "t", "2"), []);
        assert_eq!(way(&log, "u", "1"), []);
        let released = register::Released {
            at_ms: 2,
            source_topic_id: String::new(),
            partitions: None,
        };
        let released = TopicRecord {
            released: Some(released),
            ..record
        };
        log.insert(key, released);
        assert_eq!(way(&log, "t", "1"), [], "nor has one that was handed over");
    }
}
