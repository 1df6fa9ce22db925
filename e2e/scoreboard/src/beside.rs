//! What is in a mirror beside the stamped topic, for promises that its records do not put to the test.

use std::time::Duration;

use e2e::{Pair, TopicAdmin, Transactions, write_mixed};
use serde::Deserialize;

use crate::cli::say;
use crate::error::Result;
use crate::scenario::Scenario;

/// A topic of its own for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Beside {
    /// Transactions of several producers, some of which abort and some of which vanish.
    Transactions,
    /// The topic gets more partitions and records in them at once, when what was there before is copied.
    Growth,
    /// The topic's settings change then.
    Settings,
}

/// Of each of these topics, at the beginning.
pub(crate) const PARTITIONS: u16 = 2;
const GROWN: u16 = 5;
const RECORDS: u64 = 5_000;
/// An engine that has not copied a few records by then is judged without them.
const COPIED: Duration = Duration::from_mins(1);

impl Beside {
    fn name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Growth => "growth",
            Self::Settings => "settings",
        }
    }

    /// Its topic.
    pub(crate) fn topic(self, scenario: &Scenario) -> String {
        format!("{}.{}", scenario.name, self.name())
    }
}

/// What goes on beside a scenario.
#[derive(Debug)]
pub(crate) struct Others<'s> {
    scenario: &'s Scenario,
    pair: &'s Pair,
    transactions: Option<Transactions>,
}

impl<'s> Others<'s> {
    /// Begins to write; the topics are there.
    pub(crate) fn begin(scenario: &'s Scenario, pair: &'s Pair, seed: u64) -> Result<Self> {
        let servers = pair.source.bootstrap_servers();
        let mut transactions = None;
        for beside in &scenario.beside {
            let topic = beside.topic(scenario);
            match beside {
                Beside::Transactions => {
                    transactions = Some(Transactions::start(&servers, &topic, PARTITIONS, seed)?);
                }
                Beside::Growth | Beside::Settings => {
                    write_mixed(&servers, &topic, PARTITIONS, RECORDS)?;
                }
            }
        }
        Ok(Self {
            scenario,
            pair,
            transactions,
        })
    }

    /// Changes what is to be changed, once it is copied as it was.
    pub(crate) fn change(&self) -> Result<()> {
        let servers = self.pair.source.bootstrap_servers();
        for beside in &self.scenario.beside {
            let topic = beside.topic(self.scenario);
            if *beside == Beside::Transactions {
                continue;
            }
            if let Err(error) = self.pair.wait_for_records(&topic, RECORDS, COPIED) {
                say(&format!("  {error}"));
            }
            let admin = TopicAdmin::new(&servers)?;
            if *beside == Beside::Growth {
                say(&format!("  {topic} gets {GROWN} partitions"));
                admin.grow(&topic, usize::from(GROWN))?;
                write_mixed(&servers, &topic, GROWN, RECORDS)?;
            } else {
                say(&format!("  {topic} gets other settings"));
                let settings = [
                    ("retention.ms", "600000000"),
                    ("max.message.bytes", "900000"),
                ];
                admin.configure(&topic, &settings)?;
            }
        }
        Ok(())
    }

    /// Ends what goes on.
    pub(crate) fn finish(self) -> Result<()> {
        if let Some(transactions) = self.transactions {
            let written = transactions.stop()?;
            let (committed, aborted) = (written.committed, written.aborted);
            say(&format!(
                "  {committed} records of committed transactions, {aborted} of aborted ones"
            ));
        }
        Ok(())
    }
}
