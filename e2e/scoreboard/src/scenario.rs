//! Scenario files: what is written, what goes wrong when, and on which engines.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::beside::{self, Beside};
use crate::engine::Kind;
use crate::error::{Error, Result};
use crate::random::Random;
use crate::ready;
use crate::step::{Action, Step, Whose};
use crate::written::{Written, at};

/// Late is not lost: a producer may try for two minutes, and something arrives in between.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// What one file of `scenarios/` means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scenario {
    /// Short, of letters, digits and dashes: also part of topics' names.
    pub(crate) name: String,
    /// What it is about, in a sentence.
    pub(crate) says: String,
    /// The engines that it is for; all where none is named.
    pub(crate) engines: Vec<Kind>,
    /// Of each cluster: one or three. Where there are three, each has a replica of every partition.
    pub(crate) brokers: u16,
    /// Whether a second mirror leads back, so that what has arrived could travel on.
    pub(crate) both_ways: bool,
    /// What else is mirrored.
    pub(crate) beside: Vec<Beside>,
    pub(crate) workload: Workload,
    /// Nothing arriving for so long means that what is missing is lost.
    pub(crate) patience: Duration,
    /// Steps at their times.
    pub(crate) steps: Vec<Step>,
    /// Outages that the seed decides, besides.
    pub(crate) random: Option<Random>,
}

/// A topic that is there before the engine is started.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) partitions: u16,
    pub(crate) settings: &'static [(&'static str, &'static str)],
    /// Of its copy, where the engine creates none.
    pub(crate) settings_of_copy: &'static [(&'static str, &'static str)],
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenScenario {
    name: Spanned<String>,
    says: String,
    #[serde(default)]
    engines: Vec<Kind>,
    brokers: Option<Spanned<u16>>,
    #[serde(default)]
    both_ways: bool,
    #[serde(default)]
    beside: Vec<Beside>,
    workload: Spanned<Workload>,
    /// Seconds.
    patience: Option<u32>,
    #[serde(default)]
    steps: Vec<Written>,
    random: Option<WrittenRandom>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenRandom {
    outages: u32,
    pause: Spanned<(f64, f64)>,
    lasts: Spanned<(f64, f64)>,
    faults: Spanned<Vec<Written>>,
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

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let written: WrittenScenario =
            serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let name = &written.name.value;
        if name.is_empty() || !name.chars().all(plain) {
            let wrong = format!("{name:?}: lower-case letters, digits and dashes make a name");
            return Err(at(&written.name, wrong));
        }
        if written.workload.value.records == 0 || written.workload.value.partitions == 0 {
            let wrong = "a workload has at least one record and one partition".to_owned();
            return Err(at(&written.workload, wrong));
        }
        let brokers = written.brokers.as_ref().map_or(1, |brokers| brokers.value);
        if let Some(wrong) = written
            .brokers
            .as_ref()
            .filter(|_| ![1, 3].contains(&brokers))
        {
            return Err(at(wrong, "a cluster has one broker or three".to_owned()));
        }
        let steps = written.steps.into_iter().map(|step| step.step(brokers));
        let random = written.random.map(|random| random.meaning(brokers));
        Ok(Self {
            steps: steps.collect::<Result<_, _>>()?,
            random: random.transpose()?,
            brokers,
            both_ways: written.both_ways,
            beside: written.beside,
            name: written.name.value,
            says: written.says,
            engines: written.engines,
            workload: written.workload.value,
            patience: written
                .patience
                .map_or(PATIENCE, |seconds| Duration::from_secs(u64::from(seconds))),
        })
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

    /// The topic that is written to.
    pub(crate) fn topic(&self) -> String {
        format!("{}.records", self.name)
    }

    /// Every topic of the mirror as it begins.
    pub(crate) fn topics(&self) -> Vec<Topic> {
        let plain = |name: String, partitions| Topic {
            name,
            partitions,
            settings: &[],
            settings_of_copy: &[],
        };
        let own = [
            plain(self.topic(), self.workload.partitions),
            plain(ready::topic(self), 1),
        ];
        let others = self.beside.iter().map(|other| Topic {
            name: other.topic(self),
            partitions: beside::PARTITIONS,
            settings: other.settings(),
            settings_of_copy: other.settings_of_copy(),
        });
        own.into_iter().chain(others).collect()
    }

    /// All that may be done, at whatever time.
    fn actions(&self) -> impl Iterator<Item = Action> {
        let random = self.random.iter().flat_map(|random| &random.faults);
        let all = self.steps.iter().map(|step| &step.action).chain(random);
        all.copied()
    }

    /// Whether something happens to connections, so that somebody has to stand between.
    pub(crate) fn needs_links(&self) -> bool {
        self.actions().any(|it| matches!(it, Action::Link(..)))
    }

    /// Whether something happens to a broker's disk, so that it needs one of its own.
    pub(crate) fn needs_disks(&self) -> bool {
        self.actions().any(|it| matches!(it, Action::Disk(..)))
    }

    /// Whether somebody's clock is set, so that it needs one of its own.
    pub(crate) fn sets_the_clock_of(&self, whose: Whose) -> bool {
        self.actions()
            .any(|it| matches!(it, Action::Clock(other, _) if other == whose))
    }

    /// What this topic is called on the target.
    pub(crate) fn copy(&self, topic: &str) -> String {
        if self.both_ways {
            format!("source.{topic}")
        } else {
            topic.to_owned()
        }
    }

    /// Whether nothing is done but to write stamped records.
    pub(crate) fn is_quiet(&self) -> bool {
        self.steps.is_empty() && self.random.is_none() && self.beside.is_empty() && !self.both_ways
    }

    /// Whether it is for this engine.
    pub(crate) fn is_for(&self, kind: Kind) -> bool {
        self.engines.is_empty() || self.engines.contains(&kind)
    }
}

impl WrittenRandom {
    fn meaning(self, brokers: u16) -> Result<Random, String> {
        for range in [&self.pause, &self.lasts] {
            let (from, to) = range.value;
            if !(0.0..=3_600.0).contains(&from) || !(from..=3_600.0).contains(&to) {
                let wrong =
                    format!("{from} to {to} s: times are from 0 to 3600 s, and ranges rise");
                return Err(at(range, wrong));
            }
        }
        if self.faults.value.is_empty() {
            return Err(at(&self.faults, "name at least one fault".to_owned()));
        }
        let faults = self.faults.value.into_iter();
        let faults = faults.map(|written| written.outage(brokers));
        Ok(Random {
            outages: self.outages,
            pause: self.pause.value,
            lasts: self.lasts.value,
            faults: faults.collect::<Result<_, _>>()?,
        })
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
    use crate::step::Side;

    const STORM: &str = "
name: storm
says: anything may end
engines: [builtin]
workload: {records: 10, partitions: 2}
steps:
- {at: 1.5, fault: freeze, target: target}
- {at: 0.5, fault: kill, target: engine}
- {at: 2, fault: drop-response, target: target-link, api: Produce}
- {at: 3, fault: throttle, target: source-link, bytesPerSecond: 1000}
- {at: 4, fault: fail-point, target: engine, point: before-commit, pass: 3}
random:
  outages: 3
  pause: [2, 4]
  lasts: [1, 1.5]
  faults:
  - {fault: kill, target: engine}
  - {fault: delay, target: source-link, milliseconds: 40}
";

    #[test]
    fn what_comes_with_the_scoreboard_can_be_read() {
        let kept = kept().expect("scenarios");
        assert!(kept.iter().any(|it| it.name == "steady"), "{kept:?}");
    }

    #[test]
    fn steps_of_the_file_and_of_the_seed_are_in_the_order_of_time() {
        let storm = Scenario::parse(STORM).expect("a scenario");
        let steps = storm.steps(7);
        assert_eq!(steps, storm.steps(7));
        assert_eq!(steps.len(), 5 + 2 * 3);
        assert!(
            steps.is_sorted_by(|one, other| one.at <= other.at),
            "{steps:?}"
        );
        assert!(storm.needs_links());
        assert!(storm.is_for(Kind::Builtin) && !storm.is_for(Kind::Mirus));
    }

    #[test]
    fn steps_say_what_they_do() {
        let steps = Scenario::parse(STORM).expect("a scenario").steps;
        let said: Vec<String> = steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "1.5 s: freeze broker 1 of the target",
                "0.5 s: kill the engine",
                "2.0 s: lose the next Produce response on the link to the target",
                "3.0 s: throttle the link to the source to 1000 bytes a second",
                "4.0 s: kill the engine at `before-commit`, pass 3",
            ]
        );
    }

    #[test]
    fn disks_clocks_and_numbers_of_processes_are_asked_for_by_the_steps_that_need_them() {
        let steps = "- {at: 1, fault: fill-disk, target: target}
- {at: 2, fault: free-disk, target: target}
- {at: 3, fault: step-clock, target: source, seconds: -60}
- {at: 4, fault: scale, target: engine, processes: 2}
random:";
        let text = STORM.replacen("random:", steps, 1);
        let storm = Scenario::parse(&text).expect("a scenario");
        assert!(storm.needs_disks());
        assert!(storm.sets_the_clock_of(Whose::Brokers(Side::Source)));
        assert!(!storm.sets_the_clock_of(Whose::Engine));
        let said: Vec<String> = storm.steps[5..].iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "1.0 s: fill the disk of broker 1 of the target",
                "2.0 s: free the disk of broker 1 of the target",
                "3.0 s: set the clock of the source 60 s back",
                "4.0 s: scale the engine to 2 processes",
            ]
        );
        let plain = Scenario::parse(STORM).expect("a scenario");
        assert!(!plain.needs_disks() && !plain.both_ways);
        for (from, to, wrong) in [
            ("seconds: -60", "pass: 3", "it needs `seconds`"),
            ("processes: 2", "processes: 9", "from 1 to 4 processes"),
            (
                "scale, target: engine",
                "scale, target: source",
                "only the engine is scaled",
            ),
            (
                "free-disk, target: target",
                "free-disk, target: engine",
                "only brokers",
            ),
            (
                "fault: scale",
                "fault: kill",
                "kill does not heed `processes`",
            ),
        ] {
            let text = text.replacen(from, to, 1);
            let error = Scenario::parse(&text).expect_err(wrong);
            assert!(error.contains(wrong), "{wrong} in {error}");
        }
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, said) in [
            (
                "name: storm",
                "name: A storm",
                "line 2, column 7: \"A storm\"",
            ),
            (
                "records: 10",
                "records: 0",
                "line 5, column 11: a workload has at least one record",
            ),
            ("at: 1.5", "at: -1", "line 7, column 8: -1 s"),
            (
                "pause: [2, 4]",
                "pause: [4, 2]",
                "line 14, column 10: 4 to 2 s",
            ),
            (
                "fault: kill, target: engine}\n- ",
                "fault: stab, target: engine}\n- ",
                "stab",
            ),
            ("at: 1.5", "when: 1.5", "when"),
            ("at: 1.5, ", "", "line 7, column 11: a step needs `at`"),
            (
                "- {fault: kill, target: engine}",
                "- {at: 1, fault: kill, target: engine}",
                "the seed gives an outage its time",
            ),
            (
                "- {fault: kill, target: engine}",
                "- {fault: thaw, target: engine}",
                "line 17, column 13: thaw begins no outage",
            ),
            (
                "api: Produce",
                "api: Producer",
                "line 9, column 59: no request is called Producer",
            ),
            (", api: Produce", "", "line 9, column 18: it needs `api`"),
            (
                "fault: freeze, target: target",
                "fault: cut, target: target",
                "line 7, column 20: a process is",
            ),
            (
                "bytesPerSecond: 1000",
                "milliseconds: 10",
                "line 10, column 18: it needs `bytesPerSecond`",
            ),
            (
                "fault: drop-response",
                "fault: cut",
                "line 9, column 49: cut does not heed `api`",
            ),
            ("point: before-commit", "point: after-all", "after-all"),
            (
                "target: target}",
                "target: target, broker: 2}",
                "line 7, column 52: there is no broker 2: `brokers` is 1",
            ),
            (
                "says: anything",
                "brokers: 2\nsays: anything",
                "line 3, column 10: a cluster has",
            ),
            (
                "fault: fail-point, target: engine",
                "fault: fail-point, target: source",
                "only the engine",
            ),
        ] {
            let text = STORM.replacen(from, to, 1);
            assert_ne!(text, STORM, "{from}");
            let error = Scenario::parse(&text).expect_err(to);
            assert!(error.contains(said), "{said} in {error}");
        }
    }
}
