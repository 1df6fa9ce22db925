use std::collections::BTreeSet;
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

    /// These mirrors, and no others, are held back on purpose.
    pub fn pause<'n>(&self, mirrors: impl IntoIterator<Item = &'n str>) {
        self.lock().paused = mirrors.into_iter().map(str::to_owned).collect();
    }

    /// Mirrors that are held back on purpose, without those that still drain.
    pub fn paused(&self) -> Vec<String> {
        let list = self.lock();
        let drains = |mirror: &str| list.runs.iter().any(|run| run.mirror == mirror);
        let paused = list.paused.iter().filter(|mirror| !drains(mirror));
        paused.cloned().collect()
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
        assert_eq!(list.paused(), ["n"], "m drains");
        list.remove("m");
        assert_eq!(list.runs().len(), 0);
        assert_eq!(list.paused(), ["m", "n"]);
        list.pause([]);
        assert_eq!(list.paused(), [""; 0]);
    }
}
