//! How far away a cluster is, and what that asks for.
//!
//! On a link, what is under way at a time is the throughput times the round trip. On a LAN that is little, and more
//! in flight only fills queues; on a long link it is the throughput's limit, so connections, requests and batches in
//! flight, the size of batches and the byte budget grow with the round trip.

use std::time::{Duration, Instant};

use kafka::{Cluster, Error};

use crate::flow::{MAX_IN_FLIGHT, MAX_IN_FLIGHT_FAR};

/// Shorter round trips are a LAN's, or a busy broker's.
const LONG: Duration = Duration::from_millis(5);
/// The shortest of so many counts: a broker may be busy, a link is never shorter than it is.
const TRIES: usize = 3;
/// What one mirror is expected to move at most, bytes per second: sizes the byte budget to the round trip.
const THROUGHPUT: u64 = 1 << 30;
/// The automatic byte budget, on a LAN and at most.
const NEAR_BUDGET: u64 = 12 << 20;
const LARGEST_BUDGET: u64 = 192 << 20;
/// A request a millisecond of round trip keeps the link full at the sizes below.
const MOST_REQUESTS: usize = 64;

/// The way to one cluster, measured when a mirror starts, and again for the window ([`crate::window`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    round_trip: Duration,
}

/// Produce connections a broker, near or far, unless one is better ([`crate::lane_choice`]). It handles one request of a
/// connection at a time, so fewer leave its cores idle: on four cores, with warm brokers and compressed records, eight
/// brought a sixth to a fifth more than four. How many requests of each: [`crate::request_slots`]. On a long link each
/// one is limited by the broker's socket buffer (`socket.receive.buffer.bytes`, 100 KiB by default).
pub(crate) const PRODUCE_LANES: u64 = 8;

impl Link {
    /// Asks a broker for something small. Ends early where the first answers show that it is near.
    pub(crate) async fn measure(cluster: &Cluster) -> Result<Self, Error> {
        let mut round_trip = Duration::MAX;
        for _ in 0..TRIES {
            let asked = Instant::now();
            cluster.metadata_of(&[]).await?;
            round_trip = round_trip.min(asked.elapsed());
            if round_trip < LONG {
                break;
            }
        }
        Ok(Self { round_trip })
    }

    pub(crate) fn round_trip(self) -> Duration {
        self.round_trip
    }

    pub(crate) fn is_long(self) -> bool {
        self.round_trip >= LONG
    }

    /// Fetch connections a broker. Each has one answer under way. Reading is cheaper for a broker than writing: two
    /// keep the lanes of the target busy.
    pub(crate) fn fetch_lanes(self) -> u64 {
        if self.is_long() { 8 } else { 2 }
    }

    /// Bytes of one answer to a fetch; it is also the unit of memory that a slow partition can hold on to.
    pub(crate) fn fetch_bytes(self) -> usize {
        if self.is_long() { 8 << 20 } else { 2 << 20 }
    }

    /// The part of it that may be one partition's.
    pub(crate) fn partition_fetch_bytes(self) -> usize {
        if self.is_long() {
            self.fetch_bytes()
        } else {
            1 << 20
        }
    }

    /// Produce requests of one connection that may be unanswered.
    pub(crate) fn requests_in_flight(self) -> usize {
        if self.is_long() {
            (self.round_trip.as_millis() as usize).clamp(MAX_IN_FLIGHT, MOST_REQUESTS)
        } else {
            MAX_IN_FLIGHT
        }
    }

    /// Produce requests that may be unanswered beyond one a connection, all connections to a broker together: enough for
    /// one connection that is busy alone. A long link is full only when all connections are.
    pub(crate) fn shared_requests(self) -> usize {
        if self.is_long() {
            self.requests_in_flight() * PRODUCE_LANES as usize
        } else {
            MAX_IN_FLIGHT / 2
        }
    }

    /// Batches of one partition that may be unacknowledged; see [`crate::flow`] for what five of them are about.
    pub(crate) fn batches_in_flight(self) -> usize {
        if self.is_long() {
            (self.round_trip.as_millis() as usize).clamp(MAX_IN_FLIGHT, MAX_IN_FLIGHT_FAR)
        } else {
            MAX_IN_FLIGHT
        }
    }

    /// Small batches are merged up to this size, in bytes. On a LAN more brings nothing. On a long link it stays
    /// below the default of `max.message.bytes`.
    pub(crate) fn merge_bytes(self) -> usize {
        if self.is_long() { 900 << 10 } else { 64 << 10 }
    }
}

/// The byte budget where none is declared: enough to keep both links full, one after the other.
pub(crate) fn automatic_budget(source: Link, target: Link) -> u64 {
    let under_way = |link: Link| {
        if link.is_long() {
            link.round_trip.as_millis() as u64 * THROUGHPUT / 1000
        } else {
            0
        }
    };
    (NEAR_BUDGET + under_way(source) * 2 + under_way(target)).min(LARGEST_BUDGET)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(milliseconds: u64) -> Link {
        Link {
            round_trip: Duration::from_millis(milliseconds),
        }
    }

    #[test]
    fn a_lan_keeps_to_what_the_broker_remembers_and_a_long_link_is_filled() {
        let near = link(1);
        assert_eq!(near.batches_in_flight(), 5);
        assert_eq!(near.requests_in_flight(), 5);
        assert_eq!(automatic_budget(near, near), 12 << 20);
        let far = link(50);
        assert_eq!(far.batches_in_flight(), 50);
        assert!(far.requests_in_flight() * 2 * PRODUCE_LANES as usize >= 500);
        let under_way = 50 * (1 << 30) / 1000;
        assert!(automatic_budget(near, far) >= under_way);
    }

    #[test]
    fn nothing_grows_without_bound() {
        let moon = link(2_600);
        assert_eq!(moon.requests_in_flight(), MOST_REQUESTS);
        assert_eq!(moon.batches_in_flight(), MAX_IN_FLIGHT_FAR);
        assert_eq!(automatic_budget(moon, moon), LARGEST_BUDGET);
    }
}
