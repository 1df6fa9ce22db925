//! What was done when, in the form that the judge's reports read (`FaultEvent` of the crate `conformance`).

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::step::{Action, Lasts};

/// Faults in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct Events {
    noted: Vec<Noted>,
}

#[derive(Debug)]
struct Noted {
    event: Event,
    /// What ends it, as long as it has not ended.
    until: Option<Action>,
    ends_the_engine: bool,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Event {
    pub(crate) at_ms: i64,
    pub(crate) until_ms: Option<i64>,
    pub(crate) fault: &'static str,
    pub(crate) target: &'static str,
}

impl Events {
    /// Something is about to be done now.
    pub(crate) fn begins(&mut self, action: Action) {
        let until = match action.lasts() {
            Lasts::Until(end) => Some(end),
            Lasts::NoTime => None,
            Lasts::Ends => return,
        };
        let event = Event {
            at_ms: now_ms(),
            until_ms: None,
            fault: action.fault(),
            target: action.target(),
        };
        self.noted.push(Noted {
            event,
            until,
            ends_the_engine: action.ends_the_engine(),
        });
    }

    /// It is done: what it ends is over now.
    pub(crate) fn done(&mut self, action: Action) {
        if action.lasts() != Lasts::Ends {
            return;
        }
        for noted in &mut self.noted {
            if noted.until == Some(action) {
                noted.until = None;
                noted.event.until_ms = Some(now_ms());
            }
        }
    }

    /// How many of them leave the engine's process alone, so that its tasks may begin again by themselves.
    pub(crate) fn outages(&self) -> u64 {
        let outages = self.noted.iter().filter(|noted| !noted.ends_the_engine);
        outages.count() as u64
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Event> {
        self.noted.iter().map(|noted| noted.event.clone()).collect()
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use e2e::Api;

    use super::*;
    use crate::step::{Link, Process, Side};

    #[test]
    fn a_fault_ends_with_what_ends_it_and_one_without_duration_never() {
        let kill = Action::Engine(Process::Kill);
        let cut = Action::Link(Side::Source, Link::Cut);
        let drop = Action::Link(Side::Source, Link::DropResponse(Api::FETCH));
        let mut events = Events::default();
        for action in [kill, cut, drop, Action::Link(Side::Source, Link::Heal)] {
            events.begins(action);
            events.done(action);
        }
        let said: Vec<_> = events
            .all()
            .into_iter()
            .map(|event| (event.fault, event.target, event.until_ms.is_some()))
            .collect();
        assert_eq!(
            said,
            [
                ("kill", "engine", false),
                ("cut", "source-link", true),
                ("drop-response", "source-link", false),
            ]
        );
        assert_eq!(
            events.outages(),
            2,
            "who is killed is started again, which is counted"
        );
    }
}
