//! The story the demo tells: numbered chapters on stdout.

use std::time::Duration;

use conformance::{Journal, Mode, Report, WorkloadSpec};
use serde::Serialize;
use serde_json::{Value, json};

use crate::connect::Address;
use crate::failure::Failure;
use crate::output::figures::{bytes, count, counted, elapsed};
use crate::output::progress::WatchedRun;
use crate::output::replication::{RunEnd, replication_json};
use crate::output::style::{BAD, DIM, GOOD, HEAD};
use crate::output::terminal::Terminal;
use crate::output::verdicts::{verdicts_brief, verdicts_human, verdicts_in_a_line, widest_id};

const INDENT: &str = "   ";

/// A cluster of the story.
#[derive(Debug, Serialize)]
pub(crate) struct StoryCluster {
    alias: String,
    cluster_id: String,
    bootstrap: String,
}

impl From<&Address> for StoryCluster {
    fn from(address: &Address) -> Self {
        Self {
            alias: address.alias.clone(),
            cluster_id: address.cluster_id.clone().unwrap_or_default(),
            bootstrap: address.bootstrap.join(","),
        }
    }
}

/// Tells what happens, chapter by chapter.
#[derive(Debug)]
pub(crate) struct Story {
    terminal: Terminal,
    chapter: usize,
}

impl Story {
    /// Nothing told yet.
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self {
            terminal,
            chapter: 0,
        }
    }

    /// Opens a chapter.
    pub(crate) fn chapter(&mut self, title: &str) -> Result<(), Failure> {
        self.chapter += 1;
        let gap = if self.chapter > 1 { "\n" } else { "" };
        self.terminal
            .aside(&format!("{gap}{HEAD}{}. {title}{HEAD:#}\n", self.chapter))
    }

    /// Tells something, indented under the chapter.
    pub(crate) fn tell(&self, text: &str) -> Result<(), Failure> {
        let mut indented = String::with_capacity(text.len() + 64);
        for line in text.lines() {
            if !line.is_empty() {
                indented.push_str(INDENT);
                indented.push_str(line);
            }
            indented.push('\n');
        }
        self.terminal.aside(&indented)
    }

    /// Where the clusters are.
    pub(crate) fn clusters(&self, clusters: &[StoryCluster]) -> Result<(), Failure> {
        let widest = clusters
            .iter()
            .map(|cluster| cluster.alias.len())
            .max()
            .unwrap_or(0);
        for StoryCluster {
            alias,
            cluster_id,
            bootstrap,
        } in clusters
        {
            self.tell(&format!(
                "{alias:widest$}  {bootstrap}  {DIM}{cluster_id}{DIM:#}"
            ))?;
        }
        Ok(())
    }

    /// What will be written where.
    pub(crate) fn writing(&self, from: &str, to: &str, spec: &WorkloadSpec) -> Result<(), Failure> {
        let codecs: Vec<&str> = spec.codecs.iter().map(|codec| codec.name()).collect();
        self.tell(&format!(
            "{from} → {to}: {} into {}, codecs {}, seed {}",
            counted(spec.records as usize, "record"),
            spec.topic,
            codecs.join("/"),
            spec.seed,
        ))
    }

    /// What was written and what was copied.
    pub(crate) fn copied(&self, journal: &Journal, runs: &[WatchedRun]) -> Result<(), Failure> {
        let written = Duration::from_millis(
            u64::try_from(journal.finished_ms - journal.started_ms).unwrap_or(0),
        );
        self.tell(&format!(
            "written: {} acknowledged in {}",
            counted(journal.acknowledged() as usize, "record"),
            elapsed(written)
        ))?;
        for run in runs {
            let snapshot = run.progress.snapshot();
            self.tell(&format!(
                "copied:  {}, {}, on {}; lag {}",
                counted(snapshot.records as usize, "record"),
                bytes(snapshot.bytes as f64),
                counted(snapshot.partitions, "partition"),
                count(snapshot.remaining),
            ))?;
        }
        Ok(())
    }

    /// A line a check by stamps, one line for the comparison; all that is known where it failed.
    pub(crate) fn verdicts(&self, reports: &[Report]) -> Result<(), Failure> {
        let width = self.terminal.width().saturating_sub(INDENT.len());
        let room = self.terminal.line_room().saturating_sub(INDENT.len());
        let widest = reports.first().map_or(0, widest_id);
        for report in reports {
            let brief = match report.mode {
                Mode::Stamped => verdicts_brief(report, room),
                Mode::Compare => verdicts_in_a_line(report, "compare", widest),
            };
            let whole = report.passed() && report.conclusive();
            self.tell(&if whole {
                brief
            } else {
                verdicts_human(report, width)
            })?;
        }
        Ok(())
    }

    /// What can be done while the clusters stay.
    pub(crate) fn hold(&self, clusters: &[StoryCluster]) -> Result<(), Failure> {
        self.terminal
            .aside("\nThe clusters stay up and the mirror keeps running until Ctrl-C:\n")?;
        self.clusters(clusters)
    }

    /// The end.
    pub(crate) fn end(&self, passed: bool, time: Duration) -> Result<(), Failure> {
        let (style, word) = if passed {
            (GOOD, "It works")
        } else {
            (BAD, "It does not work")
        };
        let next = if passed {
            format!(
                "{DIM}Next: write a topology (`mirrorctl schema topology` describes it), then\n\
                 `mirrorctl validate`, `plan`, `apply`, `replicate` and `verify` with it.{DIM:#}\n"
            )
        } else {
            String::new()
        };
        self.terminal.aside(&format!(
            "\n{style}{word}{style:#}, in {}.\n{next}",
            elapsed(time)
        ))
    }
}

/// The whole demo as one value.
pub(crate) fn demo_json(
    clusters: &[StoryCluster],
    plan: &plan::Plan,
    ends: &[RunEnd],
    reports: &[Report],
    time: Duration,
) -> Value {
    json!({
        "format_version": "1.0",
        "passed": reports.iter().all(Report::passed),
        "elapsed_ms": time.as_millis() as u64,
        "clusters": clusters,
        "plan": plan,
        "replication": replication_json(ends, &[]),
        "verification": reports,
    })
}
