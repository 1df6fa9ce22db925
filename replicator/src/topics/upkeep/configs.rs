//! The configuration of target topics, compared from time to time and made as on the source.

use std::collections::BTreeMap;

use kafka::{BrokerError, ConfigEntry, Error};
use register::TopicRecord;
use tokio::time::Instant;

use super::{Changes, Upkeep};
use crate::topics::{MirroredTopic, config_sync};

type Described = BTreeMap<String, Result<BTreeMap<String, ConfigEntry>, BrokerError>>;

impl Upkeep {
    /// Compares configuration where it is time; what fails is said and tried again the next time.
    pub(super) async fn sync_configs(&mut self, ready: &[MirroredTopic]) {
        let due = self
            .configs_compared
            .is_none_or(|at| at.elapsed() >= self.mirror.topic_sync.config_interval);
        if !self.mirror.topic_sync.config || !due || ready.is_empty() {
            return;
        }
        self.configs_compared = Some(Instant::now());
        if let Err(error) = self.compare_configs(ready).await {
            tracing::warn!(%error, "topic configuration could not be compared; trying again");
        }
    }

    async fn compare_configs(&mut self, ready: &[MirroredTopic]) -> Result<(), Error> {
        let topics = config_sync::touchable(&self.mirror, ready);
        let names = |name: fn(&MirroredTopic) -> &str| -> Vec<String> {
            topics.iter().map(|it| name(it).to_owned()).collect()
        };
        let mut here: Described = self
            .source
            .describe_topic_configs(&names(|it| &it.source.name))
            .await?;
        let mut there: Described = self
            .target
            .describe_topic_configs(&names(|it| &it.target.name))
            .await?;
        let mut records = Changes::new();
        for topic in topics {
            let (source, target) = (&topic.source.name, &topic.target.name);
            let (here, there) = match (here.remove(source), there.remove(target)) {
                (Some(Ok(here)), Some(Ok(there))) => (here, there),
                (Some(Err(error)), _) | (_, Some(Err(error))) => {
                    if self.say(format!("configs of {source}: {error}")) {
                        tracing::warn!(topic = source, %error,
                            "its configuration cannot be read and does not follow");
                    }
                    continue;
                }
                (None, _) | (_, None) => continue,
            };
            let Some(own) = self.own(source).cloned() else {
                continue;
            };
            let mut found =
                config_sync::difference(&self.mirror, target, &here, &there, &own.synced_configs);
            if !found.changes.is_empty() {
                let refused = config_sync::apply(&self.target, target, &found.changes).await?;
                for (key, reason) in refused {
                    found.synced.remove(&key);
                    if self.say(format!("config {key} of {target}: {reason}")) {
                        tracing::warn!(
                            topic = target,
                            key,
                            reason,
                            "the target refuses a configuration value of the source"
                        );
                    }
                }
            }
            if found.synced != own.synced_configs {
                let record = TopicRecord {
                    synced_configs: found.synced,
                    ..own
                };
                records.push((self.key(source), Some(record)));
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        self.target_log.write(&records).await
    }
}
