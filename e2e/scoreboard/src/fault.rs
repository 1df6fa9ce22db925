//! Carries out the steps of a scenario.

use std::time::{Duration, Instant};

use e2e::{Clock, Harm, KafkaCluster, KafkaProxy, Pair, Workspace};

use crate::cli::say;
use crate::engine::Engine;
use crate::error::Result;
use crate::events::Events;
use crate::scenario::Scenario;
use crate::step::{Action, Disk, Link, Process, Side, Step, Whose};

/// What stands between the engine and the clusters.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) source: KafkaProxy,
    pub(crate) target: KafkaProxy,
}

impl Links {
    /// In front of both clusters.
    pub(crate) fn before(pair: &Pair) -> Result<Self> {
        Ok(Self {
            source: KafkaProxy::before(&pair.source)?,
            target: KafkaProxy::before(&pair.target)?,
        })
    }

    fn of(&self, side: Side) -> &KafkaProxy {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }
}

/// What somebody goes by whose clock is set to another time.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    engine: Option<Clock>,
    source: Option<Clock>,
    target: Option<Clock>,
}

impl Clocks {
    /// One for each of those whose clock a step of the scenario sets, in this workspace.
    pub(crate) fn of(scenario: &Scenario, workspace: &Workspace) -> Result<Self> {
        let clock = |whose, name| {
            let is_set = scenario.sets_the_clock_of(whose);
            let clock = is_set.then(|| Clock::right(workspace, name));
            clock.transpose()
        };
        Ok(Self {
            engine: clock(Whose::Engine, "engine")?,
            source: clock(Whose::Brokers(Side::Source), "source")?,
            target: clock(Whose::Brokers(Side::Target), "target")?,
        })
    }

    fn clock(&self, whose: Whose) -> Option<&Clock> {
        match whose {
            Whose::Engine => self.engine.as_ref(),
            Whose::Brokers(Side::Source) => self.source.as_ref(),
            Whose::Brokers(Side::Target) => self.target.as_ref(),
        }
    }

    /// What makes the processes of `whose` go by it; nothing where it is the machine's.
    pub(crate) fn environment(&self, whose: Whose) -> Vec<(String, String)> {
        self.clock(whose)
            .map(Clock::environment)
            .unwrap_or_default()
    }
}

/// Whom steps are for.
#[derive(Debug)]
pub(crate) struct Victims<'a, 'w> {
    pub(crate) engine: &'a mut Engine<'w>,
    pub(crate) pair: &'a Pair,
    pub(crate) links: Option<&'a Links>,
    pub(crate) clocks: &'a Clocks,
}

impl Victims<'_, '_> {
    fn cluster(&self, side: Side) -> &KafkaCluster {
        match side {
            Side::Source => &self.pair.source,
            Side::Target => &self.pair.target,
        }
    }
}

/// Takes each step at its time after `began`, and leaves everything running.
pub(crate) fn carry_out(
    steps: &[Step],
    began: Instant,
    victims: &mut Victims<'_, '_>,
    events: &mut Events,
) -> Result<()> {
    for step in steps {
        let due = Duration::from_secs_f64(step.at);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        say(&format!("  {step}"));
        // a fault has begun when it was asked for, and is over when what ends it is done
        events.begins(step.action);
        match step.action {
            Action::Engine(process) => to_engine(process, victims.engine)?,
            Action::FailPoint { point, pass } => victims.engine.die_at(point, pass)?,
            Action::Scale(processes) => victims.engine.scale(usize::from(processes))?,
            Action::Broker(side, id, process) => to_broker(process, victims.cluster(side), id)?,
            Action::Disk(side, id, Disk::Fill) => victims.cluster(side).fill_disk(id)?,
            Action::Disk(side, id, Disk::Free) => victims.cluster(side).free_disk(id)?,
            Action::Clock(whose, seconds) => {
                if let Some(clock) = victims.clocks.clock(whose) {
                    clock.set(seconds)?;
                }
            }
            Action::Link(side, link) => {
                if let Some(links) = victims.links {
                    to_link(link, links.of(side));
                }
            }
        }
        events.done(step.action);
    }
    Ok(())
}

fn to_engine(process: Process, engine: &mut Engine<'_>) -> Result<()> {
    match process {
        Process::Kill => engine.kill(),
        Process::Terminate => engine.terminate(),
        Process::Start => engine.start(),
        Process::Freeze => engine.freeze(),
        Process::Thaw => engine.thaw(),
    }
}

fn to_broker(process: Process, cluster: &KafkaCluster, id: u16) -> Result<()> {
    match process {
        Process::Kill => cluster.kill_broker(id)?,
        Process::Terminate => cluster.stop_broker(id)?,
        Process::Start => cluster.restart_broker(id)?,
        Process::Freeze => cluster.pause_broker(id)?,
        Process::Thaw => cluster.resume_broker(id)?,
    }
    Ok(())
}

fn to_link(link: Link, proxy: &KafkaProxy) {
    match link {
        Link::Cut => proxy.cut(),
        Link::HalfOpen => proxy.half_open(),
        Link::Delay(by) => proxy.delay(by),
        Link::Throttle(bytes_per_second) => proxy.throttle(bytes_per_second),
        Link::DropResponse(api) => proxy.strike(api, Harm::Lose),
        Link::CorruptResponse(api) => proxy.strike(api, Harm::Corrupt),
        Link::Heal => proxy.heal(),
    }
}
