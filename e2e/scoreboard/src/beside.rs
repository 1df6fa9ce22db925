//! What is in a mirror beside the stamped topic, for promises that its records do not put to the test.

use std::thread::sleep;
use std::time::{Duration, Instant};

use e2e::{Pair, TopicAdmin, Transactions, write_batch, write_mixed};
use serde::Deserialize;

use crate::cli::say;
use crate::engine::Engine;
use crate::error::Result;
use crate::events::Events;
use crate::scenario::Scenario;
use crate::step::{Action, Process};

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
    /// Keys are written again and again, and a cleaner takes what is superseded.
    Compaction,
    /// Records are written and deleted while the engine does not run.
    Retention,
    /// The topic is deleted when it is copied.
    Deletion,
    /// A record is larger than the target takes.
    Oversize,
    /// While the engine does not run, the topic is deleted, created again and filled beyond where the engine was.
    Reset,
}

/// Of each of these topics, at the beginning.
pub(crate) const PARTITIONS: u16 = 2;
const GROWN: u16 = 5;
/// Of a bulk, over all partitions.
pub(crate) const RECORDS: u64 = 5_000;
/// Of the second bulk of `Retention`, in each partition, those that are gone before they could be copied.
pub(crate) const GONE: u64 = 1_500;
/// Of the topic of `Reset` that was created again, in each partition: more than there was before.
pub(crate) const NEW: usize = 3_000;
/// What is written before and beside the record that is too large.
pub(crate) const SMALL: [usize; 2] = [100; 2];
/// More than a broker takes by default.
const LARGE: usize = 3_000_000;
/// Of the value of a record of a bulk.
const SIZE: usize = 100;
/// A key for each, so often.
const KEYS: usize = 200;
const ROUNDS: usize = 5;
/// An engine that has not copied what is there by then is judged without it.
pub(crate) const COPIED: Duration = Duration::from_mins(1);
/// Between two looks at what is on its way.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Cleaners look at so small a log at once.
const COMPACTED: [(&str, &str); 3] = [
    ("cleanup.policy", "compact"),
    ("segment.ms", "1000"),
    ("min.cleanable.dirty.ratio", "0.01"),
];
const TAKES_LARGE: [(&str, &str); 1] = [("max.message.bytes", "8388608")];

impl Beside {
    fn name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Growth => "growth",
            Self::Settings => "settings",
            Self::Compaction => "compaction",
            Self::Retention => "retention",
            Self::Deletion => "deletion",
            Self::Oversize => "oversize",
            Self::Reset => "reset",
        }
    }

    /// Its topic.
    pub(crate) fn topic(self, scenario: &Scenario) -> String {
        format!("{}.{}", scenario.name, self.name())
    }

    /// Settings of its topic on the source.
    pub(crate) fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Compaction => &COMPACTED,
            Self::Oversize => &TAKES_LARGE,
            Self::Transactions
            | Self::Growth
            | Self::Settings
            | Self::Retention
            | Self::Deletion
            | Self::Reset => &[],
        }
    }

    /// Settings of its topic on the target, where somebody else than the engine creates it.
    pub(crate) fn settings_of_copy(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Oversize => &[],
            other => other.settings(),
        }
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
                Beside::Growth
                | Beside::Settings
                | Beside::Retention
                | Beside::Deletion
                | Beside::Reset => {
                    write_mixed(&servers, &topic, PARTITIONS, RECORDS)?;
                }
                Beside::Compaction => overwrite(&servers, &topic, 100)?,
                Beside::Oversize => {
                    for partition in 0..i32::from(PARTITIONS) {
                        write_batch(&servers, &topic, partition, "none", &SMALL)?;
                    }
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
    pub(crate) fn change(&self, engine: &mut Engine<'_>, events: &mut Events) -> Result<()> {
        let servers = self.pair.source.bootstrap_servers();
        let admin = TopicAdmin::new(&servers)?;
        for beside in &self.scenario.beside {
            let topic = beside.topic(self.scenario);
            match beside {
                Beside::Transactions => {}
                Beside::Growth => {
                    self.until_copied(&topic, RECORDS);
                    say(&format!("  {topic} gets {GROWN} partitions"));
                    admin.grow(&topic, usize::from(GROWN))?;
                    write_mixed(&servers, &topic, GROWN, RECORDS)?;
                }
                Beside::Settings => {
                    self.until_copied(&topic, RECORDS);
                    say(&format!("  {topic} gets other settings"));
                    let settings = [
                        ("retention.ms", "600000000"),
                        ("max.message.bytes", "900000"),
                    ];
                    admin.configure(&topic, &settings)?;
                }
                Beside::Compaction => overwrite(&servers, &topic, 200)?,
                Beside::Retention => {
                    self.until_copied(&topic, RECORDS);
                    say(&format!("  {topic} loses records before they are copied"));
                    let copied = RECORDS / u64::from(PARTITIONS);
                    while_it_is_off(engine, events, || {
                        for partition in 0..i32::from(PARTITIONS) {
                            // of today: the judge tells these from those before by their times
                            let sizes = vec![SIZE; copied as usize];
                            write_batch(&servers, &topic, partition, "lz4", &sizes)?;
                            let gone = (copied + GONE).cast_signed();
                            admin.delete_records(&topic, partition, gone)?;
                        }
                        Ok(())
                    })?;
                }
                Beside::Deletion => {
                    self.until_copied(&topic, RECORDS);
                    say(&format!("  {topic} is deleted"));
                    admin.delete(&topic)?;
                }
                Beside::Reset => {
                    self.until_copied(&topic, RECORDS);
                    say(&format!("  {topic} is created again"));
                    while_it_is_off(engine, events, || {
                        admin.delete(&topic)?;
                        create_again(&admin, &topic)?;
                        for partition in 0..i32::from(PARTITIONS) {
                            write_batch(&servers, &topic, partition, "lz4", &vec![SIZE; NEW])?;
                        }
                        Ok(())
                    })?;
                }
                Beside::Oversize => {
                    self.until_copied(&topic, (SMALL.len() * usize::from(PARTITIONS)) as u64);
                    say(&format!("  {topic} gets a record that is too large"));
                    write_batch(&servers, &topic, 0, "none", &[LARGE])?;
                    for partition in 0..i32::from(PARTITIONS) {
                        write_batch(&servers, &topic, partition, "none", &SMALL)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn until_copied(&self, topic: &str, records: u64) {
        if let Err(error) = self.pair.wait_for_records(topic, records, COPIED) {
            say(&format!("  {error}"));
        }
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

/// Does something between the engine's end and its next start, which the judge is told of.
fn while_it_is_off(
    engine: &mut Engine<'_>,
    events: &mut Events,
    change: impl FnOnce() -> Result<()>,
) -> Result<()> {
    events.begins(Action::Engine(Process::Terminate));
    engine.terminate()?;
    change()?;
    engine.start()?;
    events.done(Action::Engine(Process::Start));
    Ok(())
}

/// A topic is gone a moment after its deletion was granted.
fn create_again(admin: &TopicAdmin, topic: &str) -> Result<()> {
    let began = Instant::now();
    loop {
        match admin.create(topic, i32::from(PARTITIONS), &[]) {
            Err(_) if began.elapsed() < COPIED => sleep(LOOK_AGAIN),
            made => return Ok(made?),
        }
    }
}

/// Each key gets a value of another length each time.
fn overwrite(servers: &str, topic: &str, bytes: usize) -> Result<()> {
    for round in 0..ROUNDS {
        let sizes = vec![bytes + round; KEYS];
        for partition in 0..i32::from(PARTITIONS) {
            write_batch(servers, topic, partition, "none", &sizes)?;
        }
    }
    Ok(())
}
