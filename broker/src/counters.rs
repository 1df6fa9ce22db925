//! How often each API was called.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// Requests received, by API key.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: Mutex<BTreeMap<i16, u64>>,
}

impl Counters {
    pub(crate) fn count(&self, api_key: i16) {
        *self.requests.lock().entry(api_key).or_default() += 1;
    }

    pub(crate) fn get(&self, api_key: i16) -> u64 {
        self.requests.lock().get(&api_key).copied().unwrap_or(0)
    }
}
