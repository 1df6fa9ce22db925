//! Reads and writes [`GAPS_TOPIC`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka::record::Record;
use kafka::{Cluster, Error, RetryClass};
use register::json_key;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::appender::{Appender, RETRY_PAUSE, json_record};
use crate::compacted_topic;
use crate::error::RunError;
use crate::gap::{GAPS_TOPIC, Gap, GapKey};
use crate::leaders::Leaders;

/// A write that lasts is said after this long and then this often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// Every gap that mirrors noted on a target, the newest entry a gap, sorted by key. Empty where
/// no mirror ever noted one.
pub async fn gaps(target_alias: &str, target: &Cluster) -> Result<BTreeMap<GapKey, Gap>, RunError> {
    load(target).await.map_err(|error| RunError::Gaps {
        alias: target_alias.to_owned(),
        topic: GAPS_TOPIC,
        reason: error.to_string(),
    })
}

pub(crate) async fn load(target: &Cluster) -> Result<BTreeMap<GapKey, Gap>, Error> {
    let mut gaps = BTreeMap::new();
    compacted_topic::read(target, GAPS_TOPIC, |record| keep(&mut gaps, record)).await?;
    Ok(gaps)
}

/// A record from a newer version that is not ours to understand is left alone; a tombstone removes.
fn keep(gaps: &mut BTreeMap<GapKey, Gap>, record: &Record) {
    let Some(key) = record.key.as_ref().and_then(|key| json_key::<GapKey>(key)) else {
        return;
    };
    match record
        .value
        .as_ref()
        .map(|value| serde_json::from_slice::<Gap>(value))
    {
        Some(Ok(gap)) => {
            gaps.insert(key, gap);
        }
        Some(Err(error)) => {
            tracing::warn!(mirror = key.mirror, topic = key.topic, partition = key.partition,
                from = key.from, kind = key.kind.name(), %error, "gap is not readable; ignored");
        }
        None => {
            gaps.remove(&key);
        }
    }
}

/// Writes gaps, one after the other.
#[derive(Debug)]
pub(crate) struct GapLedger {
    leaders: Arc<Leaders>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The topic was seen on the target.
    ready: bool,
    appender: Appender,
}

impl GapLedger {
    pub(crate) fn new(leaders: Arc<Leaders>) -> Self {
        let state = State {
            ready: false,
            appender: Appender::new(leaders.clone(), GAPS_TOPIC),
        };
        Self {
            leaders,
            state: Mutex::new(state),
        }
    }

    /// Durable once this returns `Ok`. Tries again for as long as that may help, so the caller
    /// decides when to drop the future; an entry may then be there or not.
    pub(crate) async fn note(&self, key: &GapKey, gap: &Gap) -> Result<(), Error> {
        let record = json_record(key, gap, gap.at_ms)?;
        let mut complained = Instant::now();
        loop {
            match self.write(&record).await {
                Ok(()) => return Ok(()),
                Err(error) if error.class() == RetryClass::Fatal => return Err(error),
                Err(error) => {
                    if complained.elapsed() >= COMPLAIN_EVERY {
                        complained = Instant::now();
                        tracing::warn!(%error, "a gap could not be noted; trying again");
                    }
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    async fn write(&self, record: &Record) -> Result<(), Error> {
        let mut state = self.state.lock().await;
        let State { ready, appender } = &mut *state;
        let written = async {
            if !*ready {
                compacted_topic::ensure(self.leaders.cluster(), GAPS_TOPIC).await?;
                self.leaders.track([GAPS_TOPIC.to_owned()]).await;
                *ready = true;
            }
            appender.append(std::slice::from_ref(record)).await
        };
        let written = written.await;
        if written.is_err() {
            *ready = false;
        }
        written
    }
}
