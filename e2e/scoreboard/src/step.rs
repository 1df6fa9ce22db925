//! What is done to whom, and what ends it.

use std::fmt;
use std::time::Duration;

use e2e::Api;

/// One thing that is done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    /// Seconds after the first write.
    pub(crate) at: f64,
    pub(crate) action: Action,
}

/// A side of the mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Target,
}

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// To what copies.
    Engine(Process),
    /// The engine dies at this step of its own, as often as it has passed it then. Engines that have no such steps are killed.
    FailPoint { point: FailPoint, pass: u32 },
    /// From then on so many processes of the engine share the work: more are started, or the youngest are asked to end.
    Scale(u16),
    /// To a broker of one side, by its id: the first has 1.
    Broker(Side, u16, Process),
    /// To what a broker writes its data to.
    Disk(Side, u16, Disk),
    /// From then on somebody's clock is so many seconds ahead of this machine's, or behind where they are negative.
    Clock(Whose, i64),
    /// To the connections between the engine and one side.
    Link(Side, Link),
}

/// What may be done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// SIGKILL.
    Kill,
    /// SIGTERM, and wait for the end.
    Terminate,
    /// Start what was ended.
    Start,
    /// SIGSTOP: connections stay open, nothing is answered.
    Freeze,
    /// SIGCONT.
    Thaw,
}

/// What may be done to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    /// Nothing more can be written to it.
    Fill,
    /// There is room again, and the broker is started anew.
    Free,
}

/// Who goes by a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// All processes of the engine.
    Engine,
    /// All brokers of one side.
    Brokers(Side),
}

/// What may be done to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// They end, and new ones are closed.
    Cut,
    /// Nothing passes any more, without a word to either side.
    HalfOpen,
    /// Everything takes so much longer, each way.
    Delay(Duration),
    /// No more than so many bytes a second pass, each way.
    Throttle(u64),
    /// The next response to this request is lost.
    DropResponse(Api),
    /// One bit of the next response to this request is another one.
    CorruptResponse(Api),
    /// What was done is over.
    Heal,
}

/// Steps of the built-in replicator between fetch and committed position, in their order (`replicator/src/fail_point.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FailPoint {
    Fetched,
    BeforeProduce,
    Answered,
    Acknowledged,
    BeforeCommit,
    Committed,
}

impl FailPoint {
    pub(crate) const ALL: [Self; 6] = [
        Self::Fetched,
        Self::BeforeProduce,
        Self::Answered,
        Self::Acknowledged,
        Self::BeforeCommit,
        Self::Committed,
    ];

    /// As the replicator knows it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fetched => "fetched",
            Self::BeforeProduce => "before-produce",
            Self::Answered => "answered",
            Self::Acknowledged => "acknowledged",
            Self::BeforeCommit => "before-commit",
            Self::Committed => "committed",
        }
    }
}

/// How long a fault lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// Until this is done.
    Until(Action),
    /// It is over at once.
    NoTime,
    /// It is the end of another one.
    Ends,
}

impl Action {
    pub(crate) fn lasts(self) -> Lasts {
        match self {
            Self::Engine(process) => process.lasts(Self::Engine),
            Self::Broker(side, id, process) => process.lasts(|end| Self::Broker(side, id, end)),
            Self::FailPoint { .. } => Lasts::Until(Self::Engine(Process::Start)),
            Self::Scale(_) | Self::Clock(..) => Lasts::NoTime,
            Self::Disk(side, id, Disk::Fill) => Lasts::Until(Self::Disk(side, id, Disk::Free)),
            Self::Disk(_, _, Disk::Free) => Lasts::Ends,
            Self::Link(side, link) => match link {
                Link::Cut | Link::HalfOpen | Link::Delay(_) | Link::Throttle(_) => {
                    Lasts::Until(Self::Link(side, Link::Heal))
                }
                Link::DropResponse(_) | Link::CorruptResponse(_) => Lasts::NoTime,
                Link::Heal => Lasts::Ends,
            },
        }
    }

    /// Whether the engine's process is gone after it, until it is started.
    pub(crate) fn ends_the_engine(self) -> bool {
        matches!(
            self,
            Self::FailPoint { .. } | Self::Engine(Process::Kill | Process::Terminate)
        )
    }

    /// What is done, as scenarios write it.
    pub(crate) fn fault(self) -> &'static str {
        match self {
            Self::FailPoint { .. } => "fail-point",
            Self::Scale(_) => "scale",
            Self::Clock(..) => "step-clock",
            Self::Disk(_, _, Disk::Fill) => "fill-disk",
            Self::Disk(_, _, Disk::Free) => "free-disk",
            Self::Engine(process) | Self::Broker(_, _, process) => match process {
                Process::Kill => "kill",
                Process::Terminate => "terminate",
                Process::Start => "start",
                Process::Freeze => "freeze",
                Process::Thaw => "thaw",
            },
            Self::Link(_, link) => match link {
                Link::Cut => "cut",
                Link::HalfOpen => "half-open",
                Link::Delay(_) => "delay",
                Link::Throttle(_) => "throttle",
                Link::DropResponse(_) => "drop-response",
                Link::CorruptResponse(_) => "corrupt-response",
                Link::Heal => "heal",
            },
        }
    }

    /// To whom, as scenarios write it.
    pub(crate) fn target(self) -> &'static str {
        match self {
            Self::Engine(_)
            | Self::FailPoint { .. }
            | Self::Scale(_)
            | Self::Clock(Whose::Engine, _) => "engine",
            Self::Broker(Side::Source, ..)
            | Self::Disk(Side::Source, ..)
            | Self::Clock(Whose::Brokers(Side::Source), _) => "source",
            Self::Broker(Side::Target, ..)
            | Self::Disk(Side::Target, ..)
            | Self::Clock(Whose::Brokers(Side::Target), _) => "target",
            Self::Link(Side::Source, _) => "source-link",
            Self::Link(Side::Target, _) => "target-link",
        }
    }
}

impl Process {
    fn lasts(self, action: impl Fn(Self) -> Action) -> Lasts {
        match self {
            Self::Kill | Self::Terminate => Lasts::Until(action(Self::Start)),
            Self::Freeze => Lasts::Until(action(Self::Thaw)),
            Self::Start | Self::Thaw => Lasts::Ends,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = self.fault();
        let whom = match self.target() {
            "engine" => "the engine",
            "source" => "the source",
            "target" => "the target",
            "source-link" => "the link to the source",
            _ => "the link to the target",
        };
        match self {
            Self::Engine(_) => write!(f, "{fault} {whom}"),
            Self::Broker(_, id, _) => write!(f, "{fault} broker {id} of {whom}"),
            Self::Disk(_, id, disk) => {
                let verb = match disk {
                    Disk::Fill => "fill",
                    Disk::Free => "free",
                };
                write!(f, "{verb} the disk of broker {id} of {whom}")
            }
            Self::Scale(1) => write!(f, "scale {whom} to 1 process"),
            Self::Scale(processes) => write!(f, "scale {whom} to {processes} processes"),
            Self::Clock(_, 0) => write!(f, "set the clock of {whom} right"),
            Self::Clock(_, seconds) => {
                let way = if *seconds > 0 { "ahead" } else { "back" };
                let seconds = seconds.unsigned_abs();
                write!(f, "set the clock of {whom} {seconds} s {way}")
            }
            Self::FailPoint { point, pass } => {
                write!(f, "kill {whom} at `{}`, pass {pass}", point.name())
            }
            Self::Link(_, link) => match link {
                Link::Cut | Link::HalfOpen | Link::Heal => write!(f, "{fault} {whom}"),
                Link::Delay(by) => write!(f, "delay {whom} by {} ms each way", by.as_millis()),
                Link::Throttle(rate) => write!(f, "throttle {whom} to {rate} bytes a second"),
                Link::DropResponse(api) => write!(f, "lose the next {api} response on {whom}"),
                Link::CorruptResponse(api) => {
                    write!(f, "flip a bit of the next {api} response on {whom}")
                }
            },
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s: {}", self.at, self.action)
    }
}
