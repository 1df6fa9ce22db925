//! The judge, and the workload whose journal it reads: `mirrorctl verify` as a process of its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{Guarded, Workspace, start_mirrorctl};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::events::Event;
use crate::run::{Judged, Verdict};
use crate::scenario::Scenario;

/// The topology as the judge and the workload see it.
pub(crate) const JUDGED: &str = "judge.yaml";
/// After that everything has arrived that will.
const PATIENCE_WITHOUT_STAMPS: &str = "20s";
const JOURNAL: &str = "journal.json";
const EVENTS: &str = "events.json";
/// No workload here takes longer.
const WRITING: Duration = Duration::from_mins(10);
const JUDGING: Duration = Duration::from_mins(15);

/// Judges one mirror.
#[derive(Debug)]
pub(crate) struct Judge<'w> {
    workspace: &'w Workspace,
    topology: String,
    mirror: String,
    /// How long the judge waits for the next record.
    patience: String,
}

/// What the judge has found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) checks: Vec<Judged>,
    /// Why both clusters were not compared.
    pub(crate) not_compared: Option<String>,
}

/// The workload on its way.
#[derive(Debug)]
pub(crate) struct Writing {
    process: Guarded,
    command: String,
}

impl<'w> Judge<'w> {
    /// Of this mirror of this topology; journal and report are in the workspace.
    pub(crate) fn of(
        workspace: &'w Workspace,
        topology: &str,
        mirror: &str,
        patience: Duration,
    ) -> Self {
        Self {
            workspace,
            topology: topology.to_owned(),
            mirror: mirror.to_owned(),
            patience: format!("{}s", patience.as_secs()),
        }
    }

    /// Begins to write the workload, and to look at the target meanwhile; the topic is created where it is missing.
    pub(crate) fn write(&self, scenario: &Scenario, topic: &str, seed: u64) -> Result<Writing> {
        let workload = &scenario.workload;
        let mut arguments = self.stamped("write");
        arguments.extend(["--watch", "--timeout", &self.patience].map(str::to_owned));
        arguments.extend(["--topic".to_owned(), topic.to_owned()]);
        arguments.extend(["--records".to_owned(), workload.records.to_string()]);
        arguments.extend(["--partitions".to_owned(), workload.partitions.to_string()]);
        arguments.extend(["--seed".to_owned(), seed.to_string()]);
        if let Some(rate) = workload.rate {
            arguments.extend(["--rate".to_owned(), rate.to_string()]);
        }
        Ok(Writing {
            process: self.start("writer", &arguments)?,
            command: arguments.join(" "),
        })
    }

    /// Judges what is on the target, where the engine may have repeated records so often and this was done: by stamps, and
    /// what they do not show by comparing all that both clusters hold. Where that comes to nothing, what the stamps show is kept.
    pub(crate) fn check(&self, repeats: u64, events: &[Event]) -> Result<Found> {
        let events = serde_json::to_string(events).map_err(|error| Error::Report {
            reason: error.to_string(),
        })?;
        self.workspace.write(EVENTS, events)?;
        let mut by_stamps = self.stamped("check");
        by_stamps.extend(["--restarts".to_owned(), repeats.to_string()]);
        by_stamps.extend(["--events", EVENTS].map(str::to_owned));
        let checks = self.report("judge", by_stamps, &self.patience)?;
        let compared = self.report("compare", self.verify("compare"), PATIENCE_WITHOUT_STAMPS);
        Ok(joined(checks, compared))
    }

    /// From the last write to now, by what the writer has noted.
    pub(crate) fn since_last_write(&self) -> Result<Duration> {
        let path = self.workspace.path().join(JOURNAL);
        let text = std::fs::read(&path).map_err(Error::file(&path))?;
        let journal: Written = serde_json::from_slice(&text).map_err(|error| Error::Report {
            reason: error.to_string(),
        })?;
        let finished = UNIX_EPOCH + Duration::from_millis(journal.finished_ms);
        Ok(SystemTime::now()
            .duration_since(finished)
            .unwrap_or_default())
    }

    fn report(&self, name: &str, mut arguments: Vec<String>, timeout: &str) -> Result<Vec<Judged>> {
        let file = format!("{name}.json");
        arguments.extend(["--timeout", timeout, "--report-json", &file].map(str::to_owned));
        let mut process = self.start(name, &arguments)?;
        let status = process.wait(JUDGING)?;
        // 5: a check failed, which is a result
        if !matches!(status.code(), Some(0 | 5)) {
            return Err(Error::Judge {
                command: arguments.join(" "),
                code: status.code(),
                printed: process.stderr(),
            });
        }
        let path = self.workspace.path().join(&file);
        let text = std::fs::read(&path).map_err(Error::file(&path))?;
        let report: Report = serde_json::from_slice(&text).map_err(|error| Error::Report {
            reason: error.to_string(),
        })?;
        let by_comparison = report.mode == "compare";
        let checks = report.checks.into_iter();
        Ok(checks
            .map(|check| Judged {
                by_comparison,
                ..check
            })
            .collect())
    }

    fn verify(&self, mode: &str) -> Vec<String> {
        let mirror = ["-f", &self.topology, "--mirror", &self.mirror];
        let verify = ["verify", "--mode", mode].into_iter().chain(mirror);
        verify.map(str::to_owned).collect()
    }

    fn stamped(&self, phase: &str) -> Vec<String> {
        let mut arguments = self.verify("stamped");
        arguments.extend(["--journal", JOURNAL, "--phase", phase].map(str::to_owned));
        arguments
    }

    fn start(&self, name: &str, arguments: &[String]) -> Result<Guarded> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Ok(start_mirrorctl(self.workspace, name, &arguments)?)
    }
}

impl Writing {
    /// Waits until all is written.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let status = self.process.wait(WRITING)?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Judge {
            command: self.command.clone(),
            code: status.code(),
            printed: self.process.stderr(),
        })
    }
}

/// What stamps show, and what a comparison shows besides.
fn joined(mut checks: Vec<Judged>, compared: Result<Vec<Judged>>) -> Found {
    let compared = match compared {
        Ok(compared) => compared,
        Err(error) => {
            let not_compared = Some(error.to_string());
            return Found {
                checks,
                not_compared,
            };
        }
    };
    for judged in compared {
        match checks.iter_mut().find(|it| it.id == judged.id) {
            None => checks.push(judged),
            // of several subjects one verdict; a stamp tells more than a comparison
            Some(known) if known.by_comparison && tells_more(&judged, known) => *known = judged,
            Some(_) => {}
        }
    }
    Found {
        checks,
        not_compared: None,
    }
}

/// A failure is worse than no verdict, and that is worse than a pass; of two that are alike, who counted more tells more.
fn tells_more(one: &Judged, other: &Judged) -> bool {
    let rank = |judged: &Judged| {
        let verdict = match judged.verdict {
            Verdict::Pass { .. } => 0,
            Verdict::Inconclusive { .. } => 1,
            Verdict::Fail { .. } => 2,
        };
        (verdict, judged.figures.values().sum::<u64>())
    };
    rank(one) > rank(other)
}

/// The one line of a journal that is asked for here.
#[derive(Deserialize)]
struct Written {
    finished_ms: u64,
}

#[derive(Deserialize)]
struct Report {
    mode: String,
    checks: Vec<Judged>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn judged(verdict: Verdict, counted: u64) -> Judged {
        Judged {
            id: "retention-gap".to_owned(),
            by_comparison: true,
            verdict,
            figures: BTreeMap::from([("gaps".to_owned(), counted)]),
        }
    }

    #[test]
    fn what_stamps_show_outlives_a_comparison_that_came_to_nothing() {
        let by_stamps = || {
            let evidence = "all seen".to_owned();
            let mut judged = judged(Verdict::Pass { evidence }, 1);
            judged.by_comparison = false;
            vec![judged]
        };
        let error = Error::Report {
            reason: "cut off".to_owned(),
        };
        let found = joined(by_stamps(), Err(error));
        assert_eq!(found.checks.len(), 1);
        let why = found.not_compared.expect("a reason");
        assert!(why.contains("cut off"), "{why}");

        let reason = "of a comparison".to_owned();
        let compared = judged(Verdict::Inconclusive { reason }, 2);
        let found = joined(by_stamps(), Ok(vec![compared]));
        assert!(matches!(found.checks[0].verdict, Verdict::Pass { .. }));
        assert_eq!(found.not_compared, None);
    }

    #[test]
    fn the_worst_verdict_is_told_and_of_equal_ones_the_one_that_counted_more() {
        let pass = |counted| {
            let evidence = String::new();
            judged(Verdict::Pass { evidence }, counted)
        };
        let open = |counted| {
            let reason = String::new();
            judged(Verdict::Inconclusive { reason }, counted)
        };
        assert!(tells_more(&open(0), &pass(9)));
        assert!(!tells_more(&pass(9), &open(0)));
        assert!(tells_more(&pass(2), &pass(1)));
        assert!(!tells_more(&pass(1), &pass(1)));
    }
}
