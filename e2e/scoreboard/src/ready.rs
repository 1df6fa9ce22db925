//! Waits until an engine copies: what is timed, and what goes wrong, comes after its start.

use std::time::Duration;

use e2e::{Pair, write_mixed};

use crate::error::Result;
use crate::scenario::Scenario;

/// Enough to see that something arrives.
const RECORDS: u64 = 100;
/// A JVM on a slow machine starts for a long time.
const LIMIT: Duration = Duration::from_mins(3);

/// The topic that shows it.
pub(crate) fn topic(scenario: &Scenario) -> String {
    format!("{}.first", scenario.name)
}

/// Writes what is to be copied first; the topic is there.
pub(crate) fn write(scenario: &Scenario, pair: &Pair) -> Result<()> {
    write_mixed(
        &pair.source.bootstrap_servers(),
        &topic(scenario),
        1,
        RECORDS,
    )?;
    Ok(())
}

/// Waits until it is copied.
pub(crate) fn wait(scenario: &Scenario, pair: &Pair) -> Result<()> {
    Ok(pair.wait_for_records(&scenario.copy(&topic(scenario)), RECORDS, LIMIT)?)
}
