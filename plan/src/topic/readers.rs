//! Which consumer groups read which topics just now.

use std::collections::{BTreeMap, BTreeSet};

use kafka::{Cluster, DescribedGroup};

use super::live::ReadError;

/// Groups that exist and nobody is in.
const EMPTY: [&str; 2] = ["Empty", "Dead"];

/// The groups of a cluster that have members, and what each of them reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Readers {
    by_group: BTreeMap<String, BTreeSet<String>>,
}

impl Readers {
    /// Reads them; a topic is a group's when a member asks for it or has it assigned, or when offsets are committed for
    /// it. Groups that this client may not see are not there.
    pub(crate) async fn of(cluster: &Cluster) -> Result<Self, ReadError> {
        let listed = cluster.list_groups().await?;
        let peopled: Vec<String> = listed
            .iter()
            .filter(|(_, group)| !EMPTY.contains(&group.state.as_str()))
            .map(|(group, _)| group.clone())
            .collect();
        if peopled.is_empty() {
            return Ok(Self::default());
        }
        let described = cluster.describe_groups(&peopled).await?;
        let mut by_group: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (group, outcome) in described {
            match outcome {
                Ok(found) if found.members.is_empty() => {}
                Ok(found) => {
                    by_group.insert(group, read_by(&found));
                }
                // it is listed with members, and of a kind whose members are not shown: its offsets tell
                Err(_) => {
                    by_group.insert(group, BTreeSet::new());
                }
            }
        }
        let groups: Vec<String> = by_group.keys().cloned().collect();
        for (group, outcome) in cluster.committed_offsets(&groups).await? {
            // share groups commit none of these
            let committed = outcome.unwrap_or_default();
            let topics = committed.into_keys().map(|partition| partition.topic);
            by_group.entry(group).or_default().extend(topics);
        }
        Ok(Self { by_group })
    }

    /// Those that read the topic, by name.
    pub(crate) fn on(&self, topic: &str) -> Vec<String> {
        self.by_group
            .iter()
            .filter(|(_, topics)| topics.contains(topic))
            .map(|(group, _)| group.clone())
            .collect()
    }
}

fn read_by(group: &DescribedGroup) -> BTreeSet<String> {
    let members = group.members.iter();
    members
        .flat_map(|member| {
            let assigned = member.assigned.iter().map(|it| it.topic.clone());
            member.subscribed.iter().cloned().chain(assigned)
        })
        .collect()
}
