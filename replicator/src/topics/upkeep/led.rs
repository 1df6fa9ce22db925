//! What the tasks of a mirror copy that do not see to the target's topics themselves.

use std::collections::BTreeSet;

use super::{Selected, Upkeep};
use crate::error::RunError;

impl Upkeep {
    /// The topics that the first task has made ready on the target, and has said so there. The others are not its to judge;
    /// those of them that are copied are so no longer where nothing is said of them any more.
    pub(super) async fn led(
        &mut self,
        selected: Selected,
        running: &BTreeSet<&str>,
        over: &mut Vec<String>,
    ) -> Result<Selected, RunError> {
        let (mut led, others): (Selected, Selected) =
            selected.into_iter().partition(|(topic, target)| {
                let own = self.own(&topic.name);
                own.is_some_and(|it| it.released.is_none() && it.target_topic == *target)
            });
        let others = others.into_iter().map(|(topic, _)| topic.name);
        over.extend(others.filter(|it| running.contains(it.as_str())));
        let names: Vec<String> = led.iter().map(|(_, target)| target.clone()).collect();
        let there = self.target.metadata_of(&names).await;
        let there = there.map_err(self.on_target())?.topics;
        led.retain(|(topic, target)| {
            let target = there.get(target);
            target.is_some_and(|it| it.partitions.len() >= topic.partitions.len())
        });
        Ok(led)
    }
}
