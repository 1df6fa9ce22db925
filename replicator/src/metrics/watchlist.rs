use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::progress::Progress;

/// A run with its names.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Name of the mirror.
    pub mirror: String,
    /// Alias of the source cluster.
    pub source: String,
    /// Alias of the target cluster.
    pub target: String,
    /// The declared lag objective.
    pub lag_objective: Option<Duration>,
    /// The live figures.
    pub progress: Arc<Progress>,
}

/// The runs of a process. Clones share them; runs may come and go while others look.
#[derive(Debug, Clone, Default)]
pub struct Watchlist {
    list: Arc<Mutex<List>>,
}

#[derive(Debug, Default)]
struct List {
    runs: Vec<Watched>,
    paused: BTreeSet<String>,
    /// By mirror: why its record holds it.
    held: BTreeMap<String, String>,
}

/// Why a mirror is held back on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// The topology file says paused.
    ByTopology,
    /// Its record on the target says so, in these words.
    ByRecord(String),
    /// Both do; the record in these words.
    ByBoth(String),
}

impl Held {
    /// Which of the two, in one word.
    pub fn by(&self) -> &'static str {
        match self {
            Self::ByTopology => "topology",
            Self::ByRecord(_) => "record",
            Self::ByBoth(_) => "both",
        }
    }

    /// In words.
    pub fn why(&self) -> String {
        match self {
            Self::ByTopology => "the topology file says paused".to_owned(),
            Self::ByRecord(why) => why.clone(),
            Self::ByBoth(why) => format!("the topology file says paused, and {why}"),
        }
    }
}

impl Watchlist {
    /// No runs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows a run from now on, in place of an earlier one of the same mirror from the same source.
    pub fn add(&self, run: Watched) {
        let runs = &mut self.lock().runs;
        match runs
            .iter_mut()
            .find(|known| (&known.mirror, &known.source) == (&run.mirror, &run.source))
        {
            Some(known) => *known = run,
            None => runs.push(run),
        }
    }

    /// Shows the runs of a mirror no longer.
    pub fn remove(&self, mirror: &str) {
        self.lock().runs.retain(|run| run.mirror != mirror);
    }

    /// All of them, in the order they came.
    pub fn runs(&self) -> Vec<Watched> {
        self.lock().runs.clone()
    }

    /// The topology file pauses these mirrors, and no others.
    pub fn pause<'n>(&self, mirrors: impl IntoIterator<Item = &'n str>) {
        self.lock().paused = mirrors.into_iter().map(str::to_owned).collect();
    }

    /// The mirror's record holds it back, whatever the topology file says, for this reason.
    pub fn hold(&self, mirror: &str, why: &str) {
        let held = &mut self.lock().held;
        held.insert(mirror.to_owned(), why.to_owned());
    }

    /// Nothing but the topology file holds the mirror back.
    pub fn release(&self, mirror: &str) {
        self.lock().held.remove(mirror);
    }

    /// The mirror is over: nothing holds it back any more, whatever the topology file said.
    pub fn end(&self, mirror: &str) {
        let mut list = self.lock();
        list.held.remove(mirror);
        list.paused.remove(mirror);
    }

    /// Mirrors that are held back on purpose, each with the reason; without those that still drain.
    pub fn paused(&self) -> BTreeMap<String, Held> {
        let list = self.lock();
        let by_file = list.paused.iter().map(|it| (it.clone(), Held::ByTopology));
        let by_record = list.held.iter().map(|(it, why)| {
            let held = if list.paused.contains(it) {
                Held::ByBoth(why.clone())
            } else {
                Held::ByRecord(why.clone())
            };
            (it.clone(), held)
        });
        let mut all: BTreeMap<String, Held> = by_file.chain(by_record).collect();
        all.retain(|mirror, _| list.runs.iter().all(|run| run.mirror != *mirror));
        all
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_comes_again_takes_its_own_place() {
        let list = Watchlist::new();
        let run = |mirror: &str, source: &str| Watched {
            mirror: mirror.to_owned(),
            source: source.to_owned(),
            target: "t".to_owned(),
            lag_objective: None,
            progress: Progress::new(),
        };
        list.add(run("m", "a"));
        list.add(run("m", "b"));
        let again = run("m", "a");
        list.add(again.clone());
        let runs = list.runs();
        assert_eq!(runs.len(), 2);
        assert!(Arc::ptr_eq(&runs[0].progress, &again.progress));
        list.remove("other");
        assert_eq!(list.runs().len(), 2);
        list.pause(["m", "n"]);
        let paused = |list: &Watchlist| list.paused().into_keys().collect::<Vec<_>>();
        assert_eq!(paused(&list), ["n"], "m drains");
        list.remove("m");
        assert_eq!(list.runs().len(), 0);
        assert_eq!(paused(&list), ["m", "n"]);
        assert_eq!(list.paused()["n"].by(), "topology");
        list.hold("n", "its record says so");
        assert_eq!(list.paused()["n"].by(), "both");
        let both = "the topology file says paused, and its record says so";
        assert_eq!(list.paused()["n"].why(), both);
        list.pause([]);
        assert_eq!(list.paused()["n"].by(), "record");
        assert_eq!(list.paused()["n"].why(), "its record says so");
        list.release("n");
        assert_eq!(paused(&list), [""; 0]);
        list.pause(["m", "n"]);
        list.hold("m", "its record says so");
        list.end("m");
        assert_eq!(paused(&list), ["n"], "m is over");
    }
}
