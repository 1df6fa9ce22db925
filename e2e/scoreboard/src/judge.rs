//! The judge, and the workload whose journal it reads: `mirrorctl verify` as a process of its own.

use std::time::Duration;

use e2e::{Guarded, Workspace, start_mirrorctl};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::events::Event;
use crate::run::{Judged, Verdict};
use crate::scenario::Scenario;

/// The topology as the judge and the workload see it.
pub(crate) const JUDGED: &str = "judge.yaml";
/// The judge waits this long for the next record. Late is not lost.
const PATIENCE: &str = "150s";
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
}

/// The workload on its way.
#[derive(Debug)]
pub(crate) struct Writing {
    process: Guarded,
    command: String,
}

impl<'w> Judge<'w> {
    /// Of this mirror of this topology; journal and report are in the workspace.
    pub(crate) fn of(workspace: &'w Workspace, topology: &str, mirror: &str) -> Self {
        Self {
            workspace,
            topology: topology.to_owned(),
            mirror: mirror.to_owned(),
        }
    }

    /// Begins to write the workload; the topic is created where it is missing.
    pub(crate) fn write(&self, scenario: &Scenario, topic: &str, seed: u64) -> Result<Writing> {
        let workload = &scenario.workload;
        let mut arguments = self.stamped("write");
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

    /// Judges what is on the target, where the engine was started anew so often and this was done: by stamps, and what they
    /// do not show by comparing all that both clusters hold.
    pub(crate) fn check(&self, restarts: u64, events: &[Event]) -> Result<Vec<Judged>> {
        let events = serde_json::to_string(events).map_err(|error| Error::Report {
            reason: error.to_string(),
        })?;
        self.workspace.write(EVENTS, events)?;
        let mut by_stamps = self.stamped("check");
        by_stamps.extend(["--restarts".to_owned(), restarts.to_string()]);
        let mut checks = self.report("judge", by_stamps, PATIENCE)?;
        let compared = self.report("compare", self.verify("compare"), PATIENCE_WITHOUT_STAMPS)?;
        for judged in compared {
            match checks.iter_mut().find(|it| it.id == judged.id) {
                None => checks.push(judged),
                // of several subjects the worst verdict; a stamp tells more than a comparison
                Some(known) if known.by_comparison && worse(&judged, known) => *known = judged,
                Some(_) => {}
            }
        }
        Ok(checks)
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

/// A failure is worse than no verdict, and that is worse than a pass.
fn worse(one: &Judged, other: &Judged) -> bool {
    let rank = |judged: &Judged| match judged.verdict {
        Verdict::Pass { .. } => 0,
        Verdict::Inconclusive { .. } => 1,
        Verdict::Fail { .. } => 2,
    };
    rank(one) > rank(other)
}

#[derive(Deserialize)]
struct Report {
    mode: String,
    checks: Vec<Judged>,
}
