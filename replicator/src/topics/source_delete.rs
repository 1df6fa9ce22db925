//! What becomes of a target topic whose source topic is gone.

use std::collections::BTreeMap;

use kafka::{Cluster, Error};
use register::{TopicKey, TopicRecord};
use topology::{Mirror, OnSourceDelete};

/// As many discoveries in a row have to find a topic gone.
const TIMES: u32 = 2;

/// Source topics that seem to be gone, with the number of discoveries in a row that found them so.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    times: BTreeMap<String, u32>,
}

impl Missing {
    /// Takes in what one discovery found of the topics that it did not see in the list of all;
    /// returns those that are gone for certain, each once.
    ///
    /// Only the broker's answer to the question by name counts: a topic that we may no longer
    /// describe is not in the list either, and nor is anything while a broker starts.
    pub(crate) async fn take_in(
        &mut self,
        source: &Cluster,
        unseen: &[String],
    ) -> Result<Vec<String>, Error> {
        if unseen.is_empty() {
            self.times.clear();
            return Ok(Vec::new());
        }
        let metadata = source.metadata_of(unseen).await?;
        let gone: Vec<String> = unseen
            .iter()
            .filter(|topic| {
                let error = metadata.failed.get(*topic);
                error.is_some_and(|error| error.name() == "UNKNOWN_TOPIC_OR_PARTITION")
            })
            .cloned()
            .collect();
        Ok(self.count(gone))
    }

    fn count(&mut self, gone: Vec<String>) -> Vec<String> {
        self.times.retain(|topic, _| gone.contains(topic));
        let mut certain = Vec::new();
        for topic in gone {
            let times = self.times.entry(topic.clone()).or_default();
            *times = times.saturating_add(1);
            if *times == TIMES {
                certain.push(topic);
            }
        }
        certain
    }
}

/// Why a target topic must stay although the policy says `delete`; `None` where it may go.
pub(crate) fn obstacle(
    mirror: &Mirror,
    own: (&TopicKey, &TopicRecord),
    log: &BTreeMap<TopicKey, TopicRecord>,
    target_topic_id: &str,
) -> Option<String> {
    let (own_key, record) = own;
    let topic = &record.target_topic;
    match mirror.topic_sync.on_source_delete {
        OnSourceDelete::Keep => return Some("topicSync.onSourceDelete is keep".to_owned()),
        OnSourceDelete::Delete => {}
    }
    if !mirror.rails.delete_topics {
        return Some(format!(
            "allow.deleteTopics of `{}` is not true",
            mirror.target
        ));
    }
    if !mirror.rails.topics.permits(topic) {
        return Some("it is protected, or not among the managed topics".to_owned());
    }
    if mirror.rails.declared.contains_key(topic) {
        return Some("the topology declares it on the target".to_owned());
    }
    if record.target_topic_id != target_topic_id {
        return Some("it was recreated and is not the topic that this mirror filled".to_owned());
    }
    let other = log
        .iter()
        .find(|(key, other)| *key != own_key && other.target_topic == *topic);
    other.map(|(key, _)| format!("mirror `{}` fills it too", key.mirror))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_discoveries_in_a_row_have_to_agree_and_it_is_said_once() {
        let mut missing = Missing::default();
        let t = || vec!["t".to_owned()];
        assert!(missing.count(t()).is_empty());
        assert!(missing.count(Vec::new()).is_empty(), "it is back");
        assert!(missing.count(t()).is_empty());
        assert_eq!(missing.count(t()), t());
        assert!(missing.count(t()).is_empty(), "once");
    }
}
