//! What goes wrong on the way, as all connections of a proxy see it.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::api::Api;

/// A response to Fetch that is smaller has no records.
const WITH_RECORDS: usize = 512;
/// A throttled link carries so much at once.
pub(super) const PIECE: usize = 16 << 10;

/// What is done to one response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// It never arrives: the broker has done what was asked, and the connection ends instead of the answer. (TCP loses no
    /// response and goes on with the next one.)
    Lose,
    /// One bit of it is another one, in its middle. Of Fetch, a response that has records is chosen.
    Corrupt,
}

/// Whether bytes pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    Open,
    /// Nothing passes, and nobody is told.
    Silent,
    /// Connections are ended.
    Cut,
}

#[derive(Debug)]
struct State {
    passage: Passage,
    delay: Duration,
    bytes_per_second: Option<u64>,
    /// When the link is free again, there and back.
    free_at: [Option<Instant>; 2],
    strikes: VecDeque<(Api, Harm)>,
    struck: u64,
}

/// Shared by all connections of a proxy.
#[derive(Debug)]
pub(super) struct Faults {
    state: Mutex<State>,
    passage_changed: Condvar,
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    ToBroker = 0,
    ToClient = 1,
}

impl Faults {
    pub(super) fn none() -> Self {
        Self {
            state: Mutex::new(State {
                passage: Passage::Open,
                delay: Duration::ZERO,
                bytes_per_second: None,
                free_at: [None, None],
                strikes: VecDeque::new(),
                struck: 0,
            }),
            passage_changed: Condvar::new(),
        }
    }

    /// Everything as it should be, but for strikes that still wait for their response.
    pub(super) fn heal(&self) {
        let mut state = self.state();
        state.passage = Passage::Open;
        state.delay = Duration::ZERO;
        state.bytes_per_second = None;
        state.free_at = [None, None];
        drop(state);
        self.passage_changed.notify_all();
    }

    pub(super) fn set_passage(&self, passage: Passage) {
        self.state().passage = passage;
        self.passage_changed.notify_all();
    }

    pub(super) fn passage(&self) -> Passage {
        self.state().passage
    }

    pub(super) fn set_delay(&self, delay: Duration) {
        self.state().delay = delay;
    }

    pub(super) fn delay(&self) -> Duration {
        self.state().delay
    }

    pub(super) fn set_rate(&self, bytes_per_second: u64) {
        self.state().bytes_per_second = Some(bytes_per_second.max(1));
    }

    pub(super) fn strike(&self, api: Api, harm: Harm) {
        self.state().strikes.push_back((api, harm));
    }

    /// How many strikes have met their response.
    pub(super) fn struck(&self) -> u64 {
        self.state().struck
    }

    /// What is to be done to this response, once.
    pub(super) fn harm(&self, api: Api, length: usize) -> Option<Harm> {
        let mut state = self.state();
        let position = state.strikes.iter().position(|(struck, harm)| {
            *struck == api && (*harm == Harm::Lose || api != Api::FETCH || length >= WITH_RECORDS)
        })?;
        let (_, harm) = state.strikes.remove(position)?;
        state.struck += 1;
        Some(harm)
    }

    /// Waits until `bytes` may be sent; false where the connection is to end instead.
    pub(super) fn pass(&self, way: Way, bytes: usize) -> bool {
        let mut state = self.state();
        while state.passage == Passage::Silent {
            state = self
                .passage_changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.passage == Passage::Cut {
            return false;
        }
        let Some(rate) = state.bytes_per_second else {
            return true;
        };
        let now = Instant::now();
        let takes = Duration::from_secs_f64(bytes as f64 / rate as f64);
        let free = state.free_at[way as usize].map_or(now, |at| at.max(now)) + takes;
        state.free_at[way as usize] = Some(free);
        drop(state);
        thread::sleep(free - now);
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
