//! Scenario files: what is written, what goes wrong when, and which promises are judged.

use std::fmt;
use std::path::{Path, PathBuf};

use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::error::{Error, Result};

/// One file of `scenarios/`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Scenario {
    /// Short, of letters, digits and dashes: also part of topics' names.
    pub(crate) name: String,
    /// What it is about, in a sentence.
    pub(crate) says: String,
    pub(crate) workload: Workload,
    /// Steps at their times.
    #[serde(default)]
    pub(crate) steps: Vec<Step>,
    /// Outages that the seed decides, besides.
    pub(crate) random: Option<Random>,
}

/// A stamped workload.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Workload {
    pub(crate) records: u64,
    pub(crate) partitions: u16,
    /// Records a second; as fast as they are acknowledged when absent.
    pub(crate) rate: Option<u32>,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Step {
    /// Seconds after the first write.
    pub(crate) at: f64,
    pub(crate) fault: Fault,
    pub(crate) target: Victim,
}

/// Outages at times that the seed decides: each begins with one of the faults and is over after a while.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Random {
    pub(crate) outages: u32,
    /// Seconds from the first write to the first outage, and between the end of one and the next.
    pub(crate) pause: (f64, f64),
    /// Seconds that one lasts.
    pub(crate) lasts: (f64, f64),
    pub(crate) faults: Vec<Outage>,
}

/// What an outage may be.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Outage {
    pub(crate) fault: Fault,
    pub(crate) target: Victim,
}

/// What is done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
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

impl Fault {
    /// What is over with it.
    fn end(self) -> Option<Self> {
        match self {
            Self::Kill | Self::Terminate => Some(Self::Start),
            Self::Freeze => Some(Self::Thaw),
            Self::Start | Self::Thaw => None,
        }
    }
}

/// To which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Victim {
    /// What copies.
    Engine,
    /// The source's broker.
    Source,
    /// The target's broker.
    Target,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::Kill => "kill",
            Fault::Terminate => "terminate",
            Fault::Start => "start",
            Fault::Freeze => "freeze",
            Fault::Thaw => "thaw",
        };
        let target = match self.target {
            Victim::Engine => "the engine",
            Victim::Source => "the source's broker",
            Victim::Target => "the target's broker",
        };
        write!(f, "{:.1} s: {fault} {target}", self.at)
    }
}

impl Scenario {
    /// Reads a scenario file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path))?;
        Self::parse(&text).map_err(|reason| Error::Scenario {
            path: path.to_owned(),
            reason,
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let scenario: Self = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        scenario.sound()?;
        Ok(scenario)
    }

    /// Every step in the order of time, those of the seed included: the same seed gives the same steps.
    pub(crate) fn steps(&self, seed: u64) -> Vec<Step> {
        let mut steps = self.steps.clone();
        if let Some(random) = &self.random {
            steps.extend(random.steps(seed));
        }
        steps.sort_by(|one, other| one.at.total_cmp(&other.at));
        steps
    }

    fn sound(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || !self.name.chars().all(plain) {
            return Err(format!(
                "name {:?}: lower-case letters, digits and dashes make a name",
                self.name
            ));
        }
        if self.workload.records == 0 || self.workload.partitions == 0 {
            return Err("a workload has at least one record and one partition".to_owned());
        }
        let times = self.steps.iter().map(|step| step.at);
        let times = times.chain(self.random.iter().flat_map(|random| {
            let (pause, lasts) = (random.pause, random.lasts);
            [pause.0, pause.1 - pause.0, lasts.0, lasts.1 - lasts.0]
        }));
        if let Some(time) = times
            .into_iter()
            .find(|time| !(0.0..=3_600.0).contains(time))
        {
            return Err(format!(
                "{time} s: times are from 0 to 3600 s, and ranges rise"
            ));
        }
        let Some(random) = &self.random else {
            return Ok(());
        };
        if random.faults.is_empty() || random.faults.iter().any(|it| it.fault.end().is_none()) {
            return Err(
                "random.faults: name at least one of kill, terminate and freeze; what ends an outage follows from it"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

impl Random {
    fn steps(&self, seed: u64) -> Vec<Step> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut between = |range: (f64, f64)| random.random_range(range.0..=range.1);
        let times: Vec<(f64, f64)> = (0..self.outages)
            .map(|_| (between(self.pause), between(self.lasts)))
            .collect();
        let mut steps = Vec::new();
        let mut now = 0.0;
        for (pause, lasts) in times {
            let Some(outage) = self.faults.choose(&mut random) else {
                return steps;
            };
            let Some(end) = outage.fault.end() else {
                continue;
            };
            let (at, over) = (now + pause, now + pause + lasts);
            let step = |at, fault| Step {
                at,
                fault,
                target: outage.target,
            };
            steps.extend([step(at, outage.fault), step(over, end)]);
            now = over;
        }
        steps
    }
}

/// The scenarios that come with the scoreboard, by name.
pub(crate) fn kept() -> Result<Vec<Scenario>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .map_err(Error::file(&folder))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| Scenario::read(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: &str = "
name: storm
says: anything may end
workload: {records: 10, partitions: 2}
steps:
- {at: 1.5, fault: freeze, target: target}
- {at: 0.5, fault: kill, target: engine}
random:
  outages: 3
  pause: [2, 4]
  lasts: [1, 1.5]
  faults:
  - {fault: kill, target: engine}
  - {fault: freeze, target: source}
";

    #[test]
    fn what_comes_with_the_scoreboard_can_be_read() {
        let kept = kept().expect("scenarios");
        assert!(kept.iter().any(|it| it.name == "steady"), "{kept:?}");
    }

    #[test]
    fn a_seed_gives_the_same_steps_again_and_another_seed_others() {
        let storm = Scenario::parse(RANDOM).expect("a scenario");
        let steps = storm.steps(7);
        assert_eq!(steps, storm.steps(7));
        assert_ne!(steps, storm.steps(8));
        assert_eq!(steps.len(), 8);
        assert!(
            steps.is_sorted_by(|one, other| one.at <= other.at),
            "{steps:?}"
        );
    }

    #[test]
    fn every_outage_ends_before_the_next_begins() {
        let storm = Scenario::parse(RANDOM).expect("a scenario");
        for seed in 0..200 {
            let mut down = false;
            for step in storm.random.as_ref().expect("random").steps(seed) {
                let ends = step.fault.end().is_none();
                assert_eq!(ends, down, "seed {seed}");
                down = !ends;
            }
            assert!(!down, "seed {seed}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, said) in [
            ("name: storm", "name: A storm", "A storm"),
            ("records: 10", "records: 0", "at least one record"),
            ("at: 1.5", "at: -1", "-1 s"),
            ("pause: [2, 4]", "pause: [4, 2]", "ranges rise"),
            ("fault: kill", "fault: stab", "stab"),
            ("at: 1.5", "when: 1.5", "when"),
            (
                "- {fault: kill, target: engine}",
                "- {fault: thaw, target: engine}",
                "random.faults",
            ),
        ] {
            let text = RANDOM.replace(from, to);
            let error = Scenario::parse(&text).expect_err(to);
            assert!(error.contains(said), "{said} in {error}");
        }
    }
}
