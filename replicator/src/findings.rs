//! What is worth a word before copying begins. Nothing here stops or changes anything.

use std::collections::{BTreeMap, BTreeSet};

use kafka::{Cluster, OffsetSpec, TopicPartition};

use crate::topics::MirroredTopic;

/// Warns of target topics that have more partitions than their source: keys land elsewhere than
/// the target's own producers would put them.
pub(crate) fn warn_of_extra_partitions<'a>(topics: impl IntoIterator<Item = &'a MirroredTopic>) {
    let mut said = BTreeSet::new();
    for topic in topics {
        let (here, there) = (topic.source.partitions.len(), topic.target.partitions.len());
        if there > here && said.insert(topic.target_name.clone()) {
            tracing::warn!(topic = %topic.target_name, source = here, target = there,
                "the target topic has more partitions than the source topic; \
                 only as many as the source has are filled");
        }
    }
}

/// Warns of target partitions that hold records although no position is known for them: the
/// positions were lost, or somebody else writes there.
pub(crate) async fn warn_of_unexplained_records(
    without_position: &[(MirroredTopic, TopicPartition)],
    target: &Cluster,
) {
    let partitions: Vec<TopicPartition> = without_position
        .iter()
        .map(|(topic, source)| TopicPartition::new(topic.target.name.clone(), source.partition))
        .collect();
    if partitions.is_empty() {
        return;
    }
    let ends = match target.list_offsets(&partitions, OffsetSpec::Latest).await {
        Ok(ends) => ends,
        Err(error) => {
            tracing::debug!(%error, "whether the target holds records already is not known");
            return;
        }
    };
    let mut found: BTreeMap<&str, i64> = BTreeMap::new();
    for (partition, end) in &ends {
        if let Ok(end) = end
            && end.offset > 0
        {
            *found.entry(&partition.topic).or_default() += end.offset;
        }
    }
    for (topic, records) in found {
        tracing::warn!(
            topic,
            records,
            "no position is known, but the target topic is not empty: what it holds already may be \
             copied again (positions lost, another mirror name, or another writer)"
        );
    }
}
