//! Where the way back after a promotion begins: a pure function of what the last copy noted and how the old source stands.
//!
//! The replicator begins by it, and the plan says before what the replicator will refuse.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};

use crate::provenance::{HandedOver, Released};

/// Where a partition without a position begins on the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// At this offset of the source: what lies before is on the target.
    At(i64),
    /// As `startOffset` says, whenever the partition is found.
    AsDeclared,
}

/// Why nobody can say where the way back begins.
#[derive(Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Nobody saw how the promotion ended.
    Unseen,
    /// Somebody else wrote to the partition while it was promoted.
    Disturbed {
        /// Its number.
        partition: i32,
    },
    /// The old source was written to after that.
    Diverged {
        /// Its number.
        partition: i32,
        /// Where it was copied to.
        from: i64,
        /// Where it ends now.
        to: i64,
    },
    /// It lost records that were copied.
    Shortened {
        /// Its number.
        partition: i32,
        /// Where it was copied to.
        from: i64,
        /// Where it ends now.
        to: i64,
    },
    /// It is another topic, which holds something.
    Recreated,
    /// The end of the partition was not told.
    Untold {
        /// Its number.
        partition: i32,
    },
}

impl Doubt {
    /// In words; `topic` is the one on the target, which was the old source.
    pub fn words(&self, topic: &str, source: &str, target: &str) -> String {
        match self {
            Self::Unseen => format!(
                "no replicator saw where `{source}` ended when it was promoted, so what applications wrote since cannot be told \
                 from what came from `{target}`"
            ),
            Self::Disturbed { partition } => format!(
                "somebody else wrote to partition {partition} of it on `{source}` before the promotion was complete"
            ),
            Self::Diverged {
                partition,
                from,
                to,
            } => format!(
                "`{topic}` on `{target}` was written to since: partition {partition} was copied to offset {from} and ends at {to}, \
                 so it holds what `{source}` does not have"
            ),
            Self::Shortened {
                partition,
                from,
                to,
            } => format!(
                "`{topic}` on `{target}` has lost records that were copied: partition {partition} ended at offset {from}, and \
                 ends at {to} now"
            ),
            Self::Recreated => format!(
                "`{topic}` on `{target}` is not the topic that was copied: it was recreated, and is not empty"
            ),
            Self::Untold { partition } => format!(
                "where partition {partition} of `{topic}` on `{target}` ends was not told; it is tried again"
            ),
        }
    }

    /// What goes on then, and what each way costs.
    pub fn advice(&self, released: &Released, topic: &str, source: &str, target: &str) -> String {
        let since = match self {
            Self::Diverged { .. } | Self::Shortened { .. } | Self::Recreated => format!(
                "`startOffset: {{timestamp: \"{}\"}}`, when the promotion was over,",
                time(released.at_ms)
            ),
            // when that was is not known, or was not waited for
            Self::Unseen | Self::Disturbed { .. } => format!(
                "`startOffset: {{timestamp: …}}`, with the time at which applications began to write to `{source}`,"
            ),
            Self::Untold { .. } => return "Nothing has to be done where that passes".to_owned(),
        };
        format!(
            "Declare {since} to copy what `{source}` got from then on, by the time of its records, beside what `{target}` has: \
             what only `{target}` has stays there alone. `latest` leaves out what `{source}` got until copying begins. Or delete \
             `{topic}` on `{target}` to fill it anew with all that `{source}` holds: what only `{target}` has is lost then"
        )
    }
}

/// Where each of these partitions begins; `ends` are those of the old source, `same` is whether its topic is still the one
/// that was copied.
///
/// # Errors
/// Where that cannot be known without a guess.
pub fn begins(
    released: &Released,
    same: bool,
    ends: &BTreeMap<i32, Option<i64>>,
) -> Result<Vec<(i32, Begin)>, Doubt> {
    // with nothing there, nothing can be there twice
    if ends.values().all(|end| *end == Some(0)) {
        let all = ends.keys();
        return Ok(all.map(|it| (*it, Begin::AsDeclared)).collect());
    }
    let handed = released.partitions.as_ref().ok_or(Doubt::Unseen)?;
    if !same {
        return Err(Doubt::Recreated);
    }
    let mut begins = Vec::with_capacity(ends.len());
    for (&partition, end) in ends {
        let to = end.ok_or(Doubt::Untold { partition })?;
        let (from, target_offset) = match handed.get(&partition) {
            Some(handed) => (handed.source_offset, handed.target_offset),
            // added since: all of it was written on the other side
            None => (0, Some(0)),
        };
        if to > from {
            return Err(Doubt::Diverged {
                partition,
                from,
                to,
            });
        }
        if to < from {
            return Err(Doubt::Shortened {
                partition,
                from,
                to,
            });
        }
        let begin = target_offset.ok_or(Doubt::Disturbed { partition })?;
        begins.push((partition, Begin::At(begin)));
    }
    Ok(begins)
}

/// Partitions that held more when they were handed over than the old source can have given, one record an offset: others
/// wrote to them before, or records were repeated after a crash. A source with holes gives less than its offsets, so some go
/// unnoticed.
pub fn unexplained(released: &Released) -> Vec<(i32, HandedOver)> {
    let handed = released.partitions.iter().flatten();
    let more = handed.filter(|(_, handed)| {
        handed
            .target_offset
            .is_some_and(|there| there > handed.source_offset)
    });
    more.map(|(partition, handed)| (*partition, *handed))
        .collect()
}

impl HandedOver {
    /// What [`unexplained`] found of a partition, in words; `source` and `target` are those of the way back.
    pub fn unexplained_words(&self, by: &str, source: &str, target: &str) -> String {
        let there = self.target_offset.unwrap_or_default();
        format!(
            "It ended at offset {there} on `{source}` when mirror `{by}` was promoted, and at {} on `{target}`: {} or more records \
             were written there by others before that, or repeated after a crash.",
            self.source_offset,
            there - self.source_offset,
        )
    }
}

/// As `startOffset` takes it: whole seconds, rounded down.
fn time(ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn released(partitions: &[(i32, i64, Option<i64>)]) -> Released {
        let partitions = partitions.iter().map(|&(partition, from, to)| {
            let handed = HandedOver {
                source_offset: from,
                target_offset: to,
            };
            (partition, handed)
        });
        Released {
            at_ms: 1,
            source_topic_id: "s".to_owned(),
            partitions: Some(partitions.collect()),
        }
    }

    #[test]
    fn the_way_back_begins_where_the_promotion_ended_and_nowhere_on_a_guess() {
        let ended = released(&[(0, 100, Some(90)), (1, 0, Some(0))]);
        let disturbed = released(&[(0, 100, None)]);
        let unseen = Released {
            partitions: None,
            ..released(&[])
        };
        let both = |a, b| BTreeMap::from([(0, Some(a)), (1, Some(b))]);
        let one = |end| BTreeMap::from([(0, end)]);
        let at = |a, b| Ok(vec![(0, Begin::At(a)), (1, Begin::At(b))]);
        assert_eq!(begins(&ended, true, &both(100, 0)), at(90, 0));
        let (partition, from) = (0, 100);
        for (released, same, ends, doubt) in [
            (
                &ended,
                true,
                both(101, 0),
                Doubt::Diverged {
                    partition,
                    from,
                    to: 101,
                },
            ),
            (
                &ended,
                true,
                both(99, 0),
                Doubt::Shortened {
                    partition,
                    from,
                    to: 99,
                },
            ),
            (
                &ended,
                true,
                both(100, 7),
                Doubt::Diverged {
                    partition: 1,
                    from: 0,
                    to: 7,
                },
            ),
            (&ended, false, both(100, 0), Doubt::Recreated),
            (&ended, true, one(None), Doubt::Untold { partition }),
            (
                &disturbed,
                true,
                one(Some(100)),
                Doubt::Disturbed { partition },
            ),
            (&unseen, true, one(Some(100)), Doubt::Unseen),
        ] {
            assert_eq!(begins(released, same, &ends), Err(doubt));
        }
        // an empty topic is filled anew, whatever is known
        for (released, same) in [(&ended, false), (&unseen, true), (&disturbed, true)] {
            let anew = Ok(vec![(0, Begin::AsDeclared)]);
            assert_eq!(begins(released, same, &one(Some(0))), anew);
        }
        // a partition that was added since
        let added = BTreeMap::from([(0, Some(100)), (2, Some(0))]);
        let expected = Ok(vec![(0, Begin::At(90)), (2, Begin::At(0))]);
        assert_eq!(begins(&ended, true, &added), expected);
    }

    #[test]
    fn what_the_old_source_cannot_have_given_is_noticed() {
        let ended = released(&[
            (0, 100, Some(105)),
            (1, 100, Some(100)),
            (2, 100, Some(7)),
            (3, 100, None),
        ]);
        let found = unexplained(&ended);
        assert_eq!(found.len(), 1, "{found:?}");
        let (partition, handed) = found[0];
        let words = handed.unexplained_words("there", "b", "a");
        assert!(
            partition == 0 && words.contains(": 5 or more records"),
            "{words}"
        );
    }

    #[test]
    fn advice_names_the_time_of_the_promotion_and_what_each_way_costs() {
        let mut ended = released(&[]);
        ended.at_ms = 1_763_740_800_999;
        let advice = Doubt::Recreated.advice(&ended, "t", "b", "a");
        for words in [
            "startOffset: {timestamp: \"2025-11-21T16:00:00Z\"}",
            "`latest` leaves out what `b` got",
            "what only `a` has is lost",
        ] {
            assert!(advice.contains(words), "{words} in {advice}");
        }
        // when that was written down says nothing about when applications began
        for doubt in [Doubt::Unseen, Doubt::Disturbed { partition: 0 }] {
            let advice = doubt.advice(&ended, "t", "b", "a");
            assert!(
                advice.contains("began to write") && !advice.contains("2025"),
                "{advice}"
            );
        }
    }
}
