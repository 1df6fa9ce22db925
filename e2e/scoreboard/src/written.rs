//! Steps and outages as scenario files write them, and what they mean. Mistakes are named with their place.

use std::time::Duration;

use e2e::Api;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::step::{Action, Disk, FailPoint, Lasts, Link, Process, Side, Step, Whose};

/// Each is a JVM, or as good as one, on a machine of few cores.
const MOST_PROCESSES: u16 = 4;

/// What is done, in a file: a step at its time, or what begins an outage, which the seed gives a time.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Written {
    /// Of a step: seconds after the first write.
    at: Option<Spanned<f64>>,
    fault: Spanned<Fault>,
    target: Spanned<Victim>,
    broker: Option<Spanned<u16>>,
    api: Option<Spanned<String>>,
    milliseconds: Option<Spanned<u64>>,
    bytes_per_second: Option<Spanned<u64>>,
    point: Option<Spanned<FailPoint>>,
    pass: Option<Spanned<u32>>,
    processes: Option<Spanned<u16>>,
    seconds: Option<Spanned<i64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    Kill,
    Terminate,
    Start,
    Freeze,
    Thaw,
    FailPoint,
    Scale,
    FillDisk,
    FreeDisk,
    StepClock,
    Cut,
    HalfOpen,
    Delay,
    Throttle,
    DropResponse,
    CorruptResponse,
    Heal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Victim {
    Engine,
    Source,
    Target,
    SourceLink,
    TargetLink,
}

impl Written {
    /// A step, in clusters of so many brokers.
    pub(crate) fn step(mut self, brokers: u16) -> Result<Step, String> {
        let time = self.at.take();
        let time = time.ok_or_else(|| at(&self.fault, "a step needs `at`".to_owned()))?;
        if !(0.0..=3_600.0).contains(&time.value) {
            let wrong = format!("{} s: times are from 0 to 3600 s", time.value);
            return Err(at(&time, wrong));
        }
        Ok(Step {
            at: time.value,
            action: self.meaning(brokers)?,
        })
    }

    /// What begins an outage, in clusters of so many brokers.
    pub(crate) fn outage(self, brokers: u16) -> Result<Action, String> {
        if let Some(time) = &self.at {
            let wrong = "the seed gives an outage its time".to_owned();
            return Err(at(time, wrong));
        }
        let fault = self.fault.clone();
        let action = self.meaning(brokers)?;
        if action.lasts() == Lasts::Ends {
            let wrong = format!(
                "{} begins no outage: what ends one follows from it",
                action.fault()
            );
            return Err(at(&fault, wrong));
        }
        Ok(action)
    }

    /// In clusters of so many brokers.
    fn meaning(mut self, brokers: u16) -> Result<Action, String> {
        if let Some(broker) = &self.broker
            && !(1..=brokers).contains(&broker.value)
        {
            let wrong = format!(
                "there is no broker {}: `brokers` is {brokers}",
                broker.value
            );
            return Err(at(broker, wrong));
        }
        let action = match (self.fault.value, self.target.value) {
            (Fault::FailPoint, Victim::Engine) => Action::FailPoint {
                point: required(self.point.take(), "point", &self.fault)?,
                pass: self.pass.take().map_or(1, |pass| pass.value.max(1)),
            },
            (Fault::Scale, Victim::Engine) => Action::Scale(self.processes()?),
            (Fault::StepClock, Victim::Engine) => self.clock(Whose::Engine)?,
            (Fault::StepClock, Victim::Source) => self.clock(Whose::Brokers(Side::Source))?,
            (Fault::StepClock, Victim::Target) => self.clock(Whose::Brokers(Side::Target))?,
            (fault, Victim::Engine) => Action::Engine(self.process(fault)?),
            (fault, Victim::Source) => self.broker(Side::Source, fault)?,
            (fault, Victim::Target) => self.broker(Side::Target, fault)?,
            (fault, Victim::SourceLink) => Action::Link(Side::Source, self.link(fault)?),
            (fault, Victim::TargetLink) => Action::Link(Side::Target, self.link(fault)?),
        };
        self.nothing_left(action)?;
        Ok(action)
    }

    fn broker(&mut self, side: Side, fault: Fault) -> Result<Action, String> {
        let id = self.broker.take().map_or(1, |broker| broker.value);
        Ok(match fault {
            Fault::FillDisk => Action::Disk(side, id, Disk::Fill),
            Fault::FreeDisk => Action::Disk(side, id, Disk::Free),
            other => Action::Broker(side, id, self.process(other)?),
        })
    }

    fn clock(&mut self, whose: Whose) -> Result<Action, String> {
        let seconds = required(self.seconds.take(), "seconds", &self.fault)?;
        Ok(Action::Clock(whose, seconds))
    }

    fn processes(&mut self) -> Result<u16, String> {
        let Some(processes) = self.processes.take() else {
            return Err(at(&self.fault, "it needs `processes`".to_owned()));
        };
        if !(1..=MOST_PROCESSES).contains(&processes.value) {
            let wrong = format!("an engine has from 1 to {MOST_PROCESSES} processes here");
            return Err(at(&processes, wrong));
        }
        Ok(processes.value)
    }

    fn process(&self, fault: Fault) -> Result<Process, String> {
        Ok(match fault {
            Fault::Kill => Process::Kill,
            Fault::Terminate => Process::Terminate,
            Fault::Start => Process::Start,
            Fault::Freeze => Process::Freeze,
            Fault::Thaw => Process::Thaw,
            Fault::FailPoint => {
                let wrong = "only the engine has fail points".to_owned();
                return Err(at(&self.target, wrong));
            }
            Fault::Scale => {
                let wrong = "only the engine is scaled".to_owned();
                return Err(at(&self.target, wrong));
            }
            Fault::FillDisk | Fault::FreeDisk => {
                let wrong = "only brokers (`source`, `target`) have disks here".to_owned();
                return Err(at(&self.target, wrong));
            }
            Fault::StepClock
            | Fault::Cut
            | Fault::HalfOpen
            | Fault::Delay
            | Fault::Throttle
            | Fault::DropResponse
            | Fault::CorruptResponse
            | Fault::Heal => {
                let wrong = "a process is killed, terminated, started, frozen and thawed; links (`source-link`, \
                             `target-link`) are cut, half-open, delayed, throttled and healed, and lose or corrupt \
                             responses";
                return Err(at(&self.fault, wrong.to_owned()));
            }
        })
    }

    fn link(&mut self, fault: Fault) -> Result<Link, String> {
        Ok(match fault {
            Fault::Cut => Link::Cut,
            Fault::HalfOpen => Link::HalfOpen,
            Fault::Heal => Link::Heal,
            Fault::Delay => {
                let by = required(self.milliseconds.take(), "milliseconds", &self.fault)?;
                Link::Delay(Duration::from_millis(by))
            }
            Fault::Throttle => Link::Throttle(required(
                self.bytes_per_second.take(),
                "bytesPerSecond",
                &self.fault,
            )?),
            Fault::DropResponse => Link::DropResponse(self.api()?),
            Fault::CorruptResponse => Link::CorruptResponse(self.api()?),
            Fault::Kill
            | Fault::Terminate
            | Fault::Start
            | Fault::Freeze
            | Fault::Thaw
            | Fault::FailPoint
            | Fault::Scale
            | Fault::FillDisk
            | Fault::FreeDisk
            | Fault::StepClock => {
                let wrong = "a link is no process: it is cut, half-open, delayed, throttled and healed, and loses or \
                             corrupts responses";
                return Err(at(&self.fault, wrong.to_owned()));
            }
        })
    }

    fn api(&mut self) -> Result<Api, String> {
        let Some(api) = self.api.take() else {
            return Err(at(&self.fault, "it needs `api`".to_owned()));
        };
        Api::named(&api.value).ok_or_else(|| {
            let known: Vec<String> = Api::ALL.iter().map(ToString::to_string).collect();
            let known = known.join(", ");
            at(&api, format!("no request is called {}: {known}", api.value))
        })
    }

    /// Whoever writes a key that its fault does not heed meant another fault.
    fn nothing_left(&self, action: Action) -> Result<(), String> {
        let fault = action.fault();
        let left = |place, key| Err(in_place(place, format!("{fault} does not heed `{key}`")));
        if let Some(broker) = &self.broker {
            return left(place(broker), "broker");
        }
        if let Some(api) = &self.api {
            return left(place(api), "api");
        }
        if let Some(milliseconds) = &self.milliseconds {
            return left(place(milliseconds), "milliseconds");
        }
        if let Some(bytes) = &self.bytes_per_second {
            return left(place(bytes), "bytesPerSecond");
        }
        if let Some(point) = &self.point {
            return left(place(point), "point");
        }
        if let Some(pass) = &self.pass {
            return left(place(pass), "pass");
        }
        if let Some(processes) = &self.processes {
            return left(place(processes), "processes");
        }
        if let Some(seconds) = &self.seconds {
            return left(place(seconds), "seconds");
        }
        Ok(())
    }
}

fn required<T>(value: Option<Spanned<T>>, key: &str, fault: &Spanned<Fault>) -> Result<T, String> {
    let value = value.map(|value| value.value);
    value.ok_or_else(|| at(fault, format!("it needs `{key}`")))
}

fn place<T>(of: &Spanned<T>) -> (u64, u64) {
    (of.referenced.line(), of.referenced.column())
}

/// A complaint about this value.
pub(crate) fn at<T>(value: &Spanned<T>, complaint: String) -> String {
    in_place(place(value), complaint)
}

fn in_place((line, column): (u64, u64), mut complaint: String) -> String {
    complaint.insert_str(0, &format!("line {line}, column {column}: "));
    complaint
}
