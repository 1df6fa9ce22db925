//! How many produce requests may be under way at a broker.
//!
//! A broker handles one request of a connection at a time and leaves the next one in the socket. Where the round trip
//! is short, more under way only makes it hold more memory at a time: with eight busy connections and records that are
//! not compressed, one request each brought three to ten percent more than five each. A connection that is busy alone, however, would
//! wait for every answer.
//!
//! So a lane always has one slot of its own, and further ones out of a few that all lanes to a broker share. Nobody waits
//! for a shared slot: a lane that gets none has a request under way, and asks again when that is answered.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::link::Link;

/// The slots that lanes to one broker share.
#[derive(Debug)]
pub(crate) struct SharedSlots {
    shared: Arc<Semaphore>,
    a_lane: usize,
}

impl SharedSlots {
    pub(crate) fn new(link: Link) -> Self {
        Self {
            shared: Arc::new(Semaphore::new(link.shared_requests())),
            a_lane: link.requests_in_flight(),
        }
    }

    /// For one more lane.
    pub(crate) fn lane(&self) -> RequestSlots {
        RequestSlots {
            own: Arc::new(Semaphore::new(1)),
            of_the_lane: Arc::new(Semaphore::new(self.a_lane - 1)),
            shared: self.shared.clone(),
        }
    }
}

/// The slots that one lane may take.
#[derive(Debug)]
pub(crate) struct RequestSlots {
    own: Arc<Semaphore>,
    /// How many shared ones it may hold.
    of_the_lane: Arc<Semaphore>,
    shared: Arc<Semaphore>,
}

/// A request under way; dropped when it is answered.
#[derive(Debug)]
pub(crate) enum RequestSlot {
    Own(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit),
    Shared(#[expect(dead_code, reason = "held")] [OwnedSemaphorePermit; 2]),
}

impl RequestSlots {
    /// `None` only while another slot of this lane is taken.
    pub(crate) fn take(&self) -> Option<RequestSlot> {
        let of = |slots: &Arc<Semaphore>| slots.clone().try_acquire_owned().ok();
        if let Some(own) = of(&self.own) {
            return Some(RequestSlot::Own(own));
        }
        Some(RequestSlot::Shared([
            of(&self.of_the_lane)?,
            of(&self.shared)?,
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(a_lane: usize, shared: usize) -> SharedSlots {
        SharedSlots {
            shared: Arc::new(Semaphore::new(shared)),
            a_lane,
        }
    }

    fn take_all(lane: &RequestSlots) -> Vec<RequestSlot> {
        std::iter::from_fn(|| lane.take()).collect()
    }

    #[test]
    fn a_lane_alone_gets_as_many_as_a_lane_may_have() {
        assert_eq!(take_all(&slots(5, 4).lane()).len(), 5);
        assert_eq!(take_all(&slots(3, 40).lane()).len(), 3);
    }

    #[test]
    fn a_greedy_lane_leaves_every_other_one_slot() {
        let shared = slots(5, 4);
        let _greedy = take_all(&shared.lane());
        assert_eq!(take_all(&shared.lane()).len(), 1);
        assert_eq!(take_all(&shared.lane()).len(), 1);
    }

    #[test]
    fn an_answered_request_gives_back_what_it_held() {
        let shared = slots(5, 4);
        let (one, other) = (shared.lane(), shared.lane());
        let mut taken = take_all(&one);
        taken.truncate(2);
        assert_eq!(take_all(&other).len(), 4);
        drop(taken);
        assert_eq!(take_all(&one).len(), 5);
    }
}
