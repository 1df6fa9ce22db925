//! What came of each scenario on each engine, kept from one run of this program to the next: a whole board takes an hour, and
//! one cell of it a minute.

use std::fs::{self, File};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::run::{Broken, Outcome};

/// One of each scenario, engine and seed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) broken: Vec<Broken>,
}

/// What a scenario on an engine came to.
#[derive(Debug)]
pub(crate) enum Came {
    /// To verdicts.
    To(Outcome),
    /// To nothing.
    ToNothing(Broken),
}

impl Results {
    /// Adds it, in the place of what the same came to before.
    pub(crate) fn add(&mut self, came: Came) {
        let (scenario, engine, seed) = match &came {
            Came::To(it) => (it.scenario.clone(), it.engine, it.seed),
            Came::ToNothing(it) => (it.scenario.clone(), it.engine, it.seed),
        };
        let others = |theirs: (&str, _, u64)| theirs != (scenario.as_str(), engine, seed);
        self.outcomes
            .retain(|it| others((&it.scenario, it.engine, it.seed)));
        self.broken
            .retain(|it| others((&it.scenario, it.engine, it.seed)));
        match came {
            Came::To(outcome) => self.outcomes.push(outcome),
            Came::ToNothing(broken) => self.broken.push(broken),
        }
    }

    /// Adds it to what the file holds, where there is one, and returns all of that. Several processes may do so at once.
    pub(crate) fn keep(path: &Path, came: Came) -> Result<Self> {
        let lock = path.with_extension("lock");
        let held = File::create(&lock).map_err(Error::file(&lock))?;
        held.lock().map_err(Error::file(&lock))?;
        let mut all = Self::read(path)?;
        all.add(came);
        let unwritten = |error: serde_json::Error| Error::Results {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let text = serde_json::to_vec_pretty(&all).map_err(unwritten)?;
        let beside = path.with_extension("partial");
        fs::write(&beside, text).map_err(Error::file(&beside))?;
        fs::rename(&beside, path).map_err(Error::file(path))?;
        Ok(all)
    }

    /// What the file holds; nothing where there is none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Error::file(path)(error)),
        };
        serde_json::from_slice(&text).map_err(|error| Error::Results {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Kind;

    fn nothing(scenario: &str, engine: Kind, reason: &str) -> Came {
        Came::ToNothing(Broken {
            scenario: scenario.to_owned(),
            engine,
            seed: 1,
            reason: reason.to_owned(),
        })
    }

    #[test]
    fn what_was_run_again_takes_the_place_of_what_it_came_to_before() {
        let path = std::env::temp_dir().join(format!("scoreboard-{}.json", std::process::id()));
        for came in [
            nothing("crash", Kind::Builtin, "first"),
            nothing("crash", Kind::Mirus, "other"),
            nothing("crash", Kind::Builtin, "again"),
        ] {
            Results::keep(&path, came).expect("kept");
        }
        let read = Results::read(&path).expect("read");
        let reasons: Vec<&str> = read.broken.iter().map(|it| it.reason.as_str()).collect();
        assert_eq!(reasons, ["other", "again"]);
        for ending in ["json", "lock"] {
            fs::remove_file(path.with_extension(ending)).expect("removed");
        }
        assert!(Results::read(&path).expect("nothing").broken.is_empty());
    }
}
