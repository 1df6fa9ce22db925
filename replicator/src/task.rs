//! Parts of a mirror that several processes share.

use kafka::TopicPartition;

/// One of the parts that the partitions of a mirror fall into (`tasks`). One process at a time copies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Task {
    /// Its number, from 0.
    pub(crate) number: u32,
    /// Into how many parts the mirror is split.
    pub(crate) of: u32,
}

impl Task {
    /// A mirror that is not split.
    pub(crate) const WHOLE: Self = Self { number: 0, of: 1 };

    /// All tasks of a mirror that is split into so many.
    pub(crate) fn all(of: u32) -> impl Iterator<Item = Self> {
        (0..of).map(move |number| Self { number, of })
    }

    /// Which of so many a partition falls into. The partitions of one topic are dealt out in turn. Every process has to come to
    /// the same answer, whatever its version: this never changes.
    pub(crate) fn with(topic: &str, partition: i32, of: u32) -> Self {
        let first = crc32c::crc32c(topic.as_bytes());
        Self {
            number: first.wrapping_add(partition.cast_unsigned()) % of.max(1),
            of,
        }
    }

    /// Whether the partition is one of its.
    pub(crate) fn has(self, partition: &TopicPartition) -> bool {
        Self::with(&partition.topic, partition.partition, self.of) == self
    }

    /// The one that sees to the target's topics, for all tasks: two that did would get in each other's way.
    pub(crate) fn leads(self) -> bool {
        self.number == 0
    }

    /// As records name it; the whole mirror has no number.
    pub(crate) fn key(self) -> Option<u32> {
        (self.of > 1).then_some(self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_one_task_and_a_topic_s_are_dealt_out_evenly() {
        for of in 1..=7 {
            for topic in ["orders", "pay.ments", "x"] {
                let mut counts = vec![0; of as usize];
                for partition in 0..70 {
                    let place = TopicPartition::new(topic, partition);
                    let its: Vec<Task> = Task::all(of).filter(|it| it.has(&place)).collect();
                    assert_eq!(its.len(), 1, "{place} of {of}");
                    counts[its[0].number as usize] += 1;
                }
                let (least, most) = (counts.iter().min(), counts.iter().max());
                assert!(most <= least.map(|it| it + 1).as_ref(), "{counts:?}");
            }
        }
    }

    #[test]
    fn what_falls_where_is_the_same_in_every_version() {
        let of_four = |topic, partition| Task::with(topic, partition, 4).number;
        let found: Vec<u32> = (0..4).map(|it| of_four("orders", it)).collect();
        assert_eq!((found, of_four("payments", 0)), (vec![2, 3, 0, 1], 2));
    }
}
