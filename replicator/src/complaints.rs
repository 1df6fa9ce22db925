//! Trouble that lasts is said by one partition for all that have the same: a broker that is away troubles each of its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::traffic::Interruption;

/// Trouble that lasts is said this often.
pub(crate) const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// What the partitions of a run have complained about, by the kind of trouble and the broker.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    said: Mutex<BTreeMap<(Interruption, Option<i32>), Said>>,
}

#[derive(Debug)]
struct Said {
    at: Instant,
    /// Complaints since then that were not said.
    others: u64,
}

impl Complaints {
    /// Where a complaint may be said now: how many of the same kind were not said since the last one.
    pub(crate) fn may_say(
        &self,
        kind: Interruption,
        broker: Option<i32>,
        now: Instant,
    ) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match said.get_mut(&(kind, broker)) {
            Some(said) if now.duration_since(said.at) < COMPLAIN_EVERY => {
                said.others += 1;
                None
            }
            Some(said) => {
                said.at = now;
                Some(std::mem::take(&mut said.others))
            }
            None => {
                let first = Said { at: now, others: 0 };
                said.insert((kind, broker), first);
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_speaks_for_those_with_the_same_trouble_at_the_same_broker() {
        let (complaints, start) = (Complaints::default(), Instant::now());
        let say = |kind, broker, seconds| {
            complaints.may_say(kind, Some(broker), start + Duration::from_secs(seconds))
        };
        assert_eq!(say(Interruption::Target, 1, 0), Some(0));
        assert_eq!(say(Interruption::Target, 1, 1), None);
        assert_eq!(say(Interruption::Target, 1, 2), None);
        assert_eq!(say(Interruption::Target, 2, 2), Some(0), "another broker");
        let refused = Interruption::TargetRefused;
        assert_eq!(say(refused, 1, 2), Some(0), "another trouble");
        assert_eq!(say(Interruption::Target, 1, 10), Some(2));
        assert_eq!(say(Interruption::Target, 1, 20), Some(0));
    }
}
