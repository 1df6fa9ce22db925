//! Whose a mirror is, as far as the log of positions was read.

use std::collections::BTreeMap;

use crate::position::{Owner, Position, PositionKey};
use crate::task::Task;

/// The runs that a mirror belongs to: one, or one a task.
///
/// The last record decides into how many tasks the mirror is split. Those of an earlier split may still stand in the log,
/// and mean nothing.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    tasks: u32,
    /// With the offsets of their records.
    by_task: BTreeMap<u32, (i64, Owner)>,
}

impl Owners {
    /// Takes in the next record of the log.
    pub(crate) fn keep(&mut self, task: u32, offset: i64, owner: Owner) {
        let tasks = owner.tasks.unwrap_or(Task::WHOLE.of);
        if tasks != self.tasks {
            self.by_task.clear();
            self.tasks = tasks;
        }
        self.by_task.insert(task, (offset, owner));
    }

    /// Who has this task, or any part of it where the mirror is split otherwise; by number of their own tasks.
    pub(crate) fn of(&self, task: Task) -> impl Iterator<Item = (u32, &Owner)> {
        let alike = self.tasks == task.of;
        self.by_task
            .iter()
            .filter(move |(number, _)| !alike || **number == task.number)
            .map(|(number, (_, owner))| (*number, owner))
    }

    /// All of them, by number of their tasks.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u32, &Owner)> {
        let owners = self.by_task.iter();
        owners.map(|(number, (_, owner))| (*number, owner))
    }

    /// Where the record stands by which this run has its task; `None` where it has none any more.
    pub(crate) fn term_of(&self, instance: &str) -> Option<i64> {
        let mut owners = self.by_task.values();
        let (offset, _) = owners.find(|(_, owner)| owner.instance == instance)?;
        Some(*offset)
    }

    /// Whether a run wrote this that had lost the partition by then, and did not know it yet.
    pub(crate) fn is_late(&self, key: &PositionKey, position: &Position) -> bool {
        let task = Task::with(&key.topic, key.partition, self.tasks);
        let (Some((offset, owner)), Some(writer)) =
            (self.by_task.get(&task.number), &position.owner)
        else {
            return false;
        };
        // Whoever came after this owner may have left no owner record: compaction keeps the last one of each task, and
        // the mirror may have been split otherwise meanwhile.
        let is_later = position.term.is_some_and(|term| term > *offset);
        owner.instance != *writer && !is_later
    }
}
