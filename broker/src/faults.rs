//! Faults injected per request.
//!
//! A rule says which requests it matches (API, broker, topic, partition), which of the matching
//! requests it strikes (after the first `n`, at most `m` times, with a probability from a seed)
//! and what happens to them. Delays use Tokio's clock, so they follow a paused one.

use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::ApiKey;
use parking_lot::Mutex;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultAction {
    /// The request is handled after this time; requests behind it on the connection wait too.
    Delay(Duration),
    /// The request is handled, its response is never sent, the connection stays open.
    DropResponse,
    /// The connection is closed and the request is not handled.
    CloseBefore,
    /// The request is handled, then the connection is closed without a response.
    CloseAfter,
    /// The matching partitions (or topics, or the whole request, whatever the API reports errors
    /// for) answer with this error and are not handled.
    Error(ResponseError),
    /// The response asks the client to pause for this time, and the broker reads nothing from the
    /// connection meanwhile (KIP-219).
    Throttle(Duration),
}

/// Which requests are struck, and how.
#[derive(Debug, Clone)]
pub struct FaultRule {
    action: FaultAction,
    api: Option<ApiKey>,
    broker: Option<i32>,
    topic: Option<String>,
    partition: Option<i32>,
    after: u64,
    times: Option<u64>,
    probability: Option<(f64, u64)>,
}

impl FaultRule {
    /// A rule that strikes every request, until narrowed.
    pub fn new(action: FaultAction) -> Self {
        Self {
            action,
            api: None,
            broker: None,
            topic: None,
            partition: None,
            after: 0,
            times: None,
            probability: None,
        }
    }

    /// Only requests of this API.
    #[must_use]
    pub fn api(mut self, api: ApiKey) -> Self {
        self.api = Some(api);
        self
    }

    /// Only requests that arrive at this broker.
    #[must_use]
    pub fn broker(mut self, id: i32) -> Self {
        self.broker = Some(id);
        self
    }

    /// Only requests that name this topic.
    #[must_use]
    pub fn topic(mut self, name: impl Into<String>) -> Self {
        self.topic = Some(name.into());
        self
    }

    /// Only requests that name this partition.
    #[must_use]
    pub fn partition(mut self, index: i32) -> Self {
        self.partition = Some(index);
        self
    }

    /// Lets the first `count` matching requests pass.
    #[must_use]
    pub fn after(mut self, count: u64) -> Self {
        self.after = count;
        self
    }

    /// Strikes at most `count` times.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.times = Some(count);
        self
    }

    /// Strikes each matching request with this probability (0 to 1), drawn from the seed.
    #[must_use]
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.probability = Some((probability, seed));
        self
    }

    fn matches_target(&self, target: &Target) -> bool {
        self.topic
            .as_ref()
            .is_none_or(|topic| *topic == target.topic)
            && self
                .partition
                .is_none_or(|index| target.partition == Some(index))
    }
}

/// A topic, or a partition of it, that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) topic: String,
    pub(crate) partition: Option<i32>,
}

/// A rule in force. Dropping the handle leaves the rule in place.
#[derive(Debug, Clone)]
pub struct FaultHandle {
    id: u64,
    hits: watch::Receiver<u64>,
    rules: Arc<Mutex<Rules>>,
}

impl FaultHandle {
    /// How often the rule has struck.
    pub fn hits(&self) -> u64 {
        *self.hits.borrow()
    }

    /// Waits until the rule has struck `count` times.
    ///
    /// Cancellation safe. Returns early, with the hits so far, when the rule is removed.
    pub async fn wait_for(&mut self, count: u64) -> u64 {
        // an error means that the rule is gone: then the count is final
        let _ = self.hits.wait_for(|hits| *hits >= count).await;
        self.hits()
    }

    /// Takes the rule away.
    pub fn remove(&self) {
        self.rules.lock().active.retain(|rule| rule.id != self.id);
    }
}

#[derive(Debug)]
struct Active {
    id: u64,
    rule: FaultRule,
    seen: u64,
    random: Option<ChaCha8Rng>,
    hits: watch::Sender<u64>,
}

impl Active {
    /// Whether a matching request is struck; counts it either way.
    fn strikes(&mut self) -> bool {
        self.seen += 1;
        if self.seen <= self.rule.after {
            return false;
        }
        if self
            .rule
            .times
            .is_some_and(|times| *self.hits.borrow() >= times)
        {
            return false;
        }
        if let (Some((probability, _)), Some(random)) = (self.rule.probability, &mut self.random)
            && !random.random_bool(probability.clamp(0.0, 1.0))
        {
            return false;
        }
        self.hits.send_modify(|hits| *hits += 1);
        true
    }
}

#[derive(Debug, Default)]
struct Rules {
    next_id: u64,
    active: Vec<Active>,
}

/// The faults of one cluster.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Arc<Mutex<Rules>>,
}

impl Faults {
    /// Puts a rule in force. Rules are asked in the order they were added; each that strikes acts.
    pub fn inject(&self, rule: FaultRule) -> FaultHandle {
        let (hits, watched) = watch::channel(0);
        let mut rules = self.rules.lock();
        let id = rules.next_id;
        rules.next_id += 1;
        let random = rule
            .probability
            .map(|(_, seed)| ChaCha8Rng::seed_from_u64(seed));
        rules.active.push(Active {
            id,
            rule,
            seen: 0,
            random,
            hits,
        });
        FaultHandle {
            id,
            hits: watched,
            rules: Arc::clone(&self.rules),
        }
    }

    /// Takes all rules away.
    pub fn clear(&self) {
        self.rules.lock().active.clear();
    }

    /// Whether any rule is in force; without one nobody needs to list a request's targets.
    pub(crate) fn any(&self) -> bool {
        !self.rules.lock().active.is_empty()
    }

    /// What happens to this request.
    pub(crate) fn strike(&self, api: ApiKey, broker: i32, targets: &[Target]) -> Strike {
        let mut strike = Strike::default();
        for active in &mut self.rules.lock().active {
            let rule = &active.rule;
            let narrow = rule.topic.is_some() || rule.partition.is_some();
            if rule.api.is_some_and(|wanted| wanted != api)
                || rule.broker.is_some_and(|wanted| wanted != broker)
                || (narrow && !targets.iter().any(|target| rule.matches_target(target)))
            {
                continue;
            }
            if active.strikes() {
                strike.add(&active.rule, targets);
            }
        }
        strike
    }
}

/// How a connection ends because of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before the request is handled.
    Before,
    /// After it.
    After,
}

/// Everything that happens to one request.
#[derive(Debug, Default)]
pub(crate) struct Strike {
    pub(crate) delay: Duration,
    pub(crate) throttle: Duration,
    pub(crate) drop_response: bool,
    pub(crate) cut: Option<Cut>,
    whole: Option<ResponseError>,
    parts: Vec<(Target, ResponseError)>,
}

impl Strike {
    fn add(&mut self, rule: &FaultRule, targets: &[Target]) {
        match rule.action {
            FaultAction::Delay(time) => self.delay += time,
            FaultAction::Throttle(time) => self.throttle = self.throttle.max(time),
            FaultAction::DropResponse => self.drop_response = true,
            FaultAction::CloseBefore => self.cut = Some(Cut::Before),
            FaultAction::CloseAfter => {
                self.cut.get_or_insert(Cut::After);
            }
            FaultAction::Error(error) => {
                if rule.topic.is_none() && rule.partition.is_none() {
                    self.whole.get_or_insert(error);
                } else {
                    let struck = targets.iter().filter(|target| rule.matches_target(target));
                    self.parts
                        .extend(struck.map(|target| (target.clone(), error)));
                }
            }
        }
    }

    /// The error to answer with for a topic or partition.
    pub(crate) fn error_for(&self, topic: &str, partition: Option<i32>) -> Option<ResponseError> {
        self.whole.or_else(|| {
            let found = self
                .parts
                .iter()
                .find(|(target, _)| target.topic == topic && target.partition == partition);
            found.map(|(_, error)| *error)
        })
    }

    /// The error that strikes the request as a whole, where an API reports such and others for its parts.
    pub(crate) fn error_for_all(&self) -> Option<ResponseError> {
        self.whole
    }

    /// The error to answer with where an API reports errors for the whole request only.
    pub(crate) fn error_for_request(&self) -> Option<ResponseError> {
        self.whole
            .or_else(|| self.parts.first().map(|(_, error)| *error))
    }

    /// The throttle time for the response, in milliseconds.
    pub(crate) fn throttle_ms(&self) -> i32 {
        i32::try_from(self.throttle.as_millis()).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(topic: &str, partition: i32) -> Target {
        Target {
            topic: topic.to_owned(),
            partition: Some(partition),
        }
    }

    #[test]
    fn a_rule_counts_and_stops() {
        let faults = Faults::default();
        let rule = FaultRule::new(FaultAction::DropResponse)
            .api(ApiKey::Produce)
            .after(1)
            .times(2);
        let handle = faults.inject(rule);
        let struck: Vec<bool> = (0..5)
            .map(|_| faults.strike(ApiKey::Produce, 1, &[]).drop_response)
            .collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(!faults.strike(ApiKey::Fetch, 1, &[]).drop_response);
        assert_eq!(handle.hits(), 2);
    }

    #[test]
    fn an_error_strikes_only_the_matching_partition() {
        let faults = Faults::default();
        let error = ResponseError::NotLeaderOrFollower;
        faults.inject(
            FaultRule::new(FaultAction::Error(error))
                .topic("a")
                .partition(1),
        );
        let strike = faults.strike(ApiKey::Produce, 1, &[on("a", 0), on("a", 1), on("b", 1)]);
        assert_eq!(strike.error_for("a", Some(0)), None);
        assert_eq!(strike.error_for("a", Some(1)), Some(error));
        assert_eq!(strike.error_for("b", Some(1)), None);
    }

    #[test]
    fn the_same_seed_strikes_the_same_requests() {
        let draw = |seed| {
            let faults = Faults::default();
            faults.inject(FaultRule::new(FaultAction::DropResponse).probability(0.5, seed));
            (0..64)
                .map(|_| faults.strike(ApiKey::Fetch, 1, &[]).drop_response)
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
        let hits = draw(3).into_iter().filter(|struck| *struck).count();
        assert!((16..48).contains(&hits), "{hits} of 64 at one half");
    }
}
