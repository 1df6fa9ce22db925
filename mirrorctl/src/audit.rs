//! What a continuous audit has found so far, for scrapers and probes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use conformance::{Report, Verdict};
use replicator::metrics::PROMETHEUS_TEXT;
use serde_json::json;

use crate::failure::Failure;
use crate::serve::{Listening, answer, serve};

/// The rounds of one mirror. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    mirror: Arc<str>,
    state: Arc<Mutex<Found>>,
}

#[derive(Debug, Default)]
struct Found {
    passed: u64,
    failed: u64,
    not_judged: u64,
    records: u64,
    last: Option<Last>,
    /// The last round could not be judged, so that the last verdicts are old.
    is_stale: bool,
}

#[derive(Debug)]
struct Last {
    report: Report,
    took: Duration,
}

impl Audit {
    pub(crate) fn new(mirror: &str) -> Self {
        Self {
            mirror: mirror.into(),
            state: Arc::default(),
        }
    }

    /// A round has ended with verdicts; which one it was.
    pub(crate) fn judged(&self, report: &Report, took: Duration) -> u64 {
        let mut found = self.found();
        if report.passed() {
            found.passed += 1;
        } else {
            found.failed += 1;
        }
        found.records += report.records_read;
        found.is_stale = false;
        found.last = Some(Last {
            report: report.clone(),
            took,
        });
        found.rounds()
    }

    /// A round has ended without verdicts.
    pub(crate) fn failed(&self) -> u64 {
        let mut found = self.found();
        found.not_judged += 1;
        found.is_stale = true;
        found.rounds()
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In the Prometheus text format.
    fn metrics(&self) -> String {
        let found = self.found();
        let mirror = format!("mirror=\"{}\"", escaped(&self.mirror));
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, String)]| {
            // writing to a String cannot fail
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, value) in samples {
                let _ = writeln!(text, "{name}{{{labels}}} {value}");
            }
        };
        let rounds = [
            ("passed", found.passed),
            ("failed", found.failed),
            ("not-judged", found.not_judged),
        ];
        let rounds = rounds
            .map(|(result, count)| (format!("{mirror},result=\"{result}\""), count.to_string()));
        family(
            "mirrorctl_verify_rounds_total",
            "counter",
            "Rounds of the audit by how they ended",
            &rounds,
        );
        family(
            "mirrorctl_verify_records_read_total",
            "counter",
            "Records that were read from both clusters",
            &[(mirror.clone(), found.records.to_string())],
        );
        let Some(last) = &found.last else {
            return text;
        };
        family(
            "mirrorctl_verify_passed",
            "gauge",
            "Whether no check failed in the last round that was judged",
            &[(mirror.clone(), u8::from(last.report.passed()).to_string())],
        );
        let finished = last.report.finished_ms as f64 / 1_000.0;
        family(
            "mirrorctl_verify_last_round_timestamp_seconds",
            "gauge",
            "When the last round that was judged ended, in seconds since the epoch",
            &[(mirror.clone(), finished.to_string())],
        );
        family(
            "mirrorctl_verify_last_round_duration_seconds",
            "gauge",
            "How long it took",
            &[(mirror.clone(), last.took.as_secs_f64().to_string())],
        );
        let mut verdicts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for check in &last.report.checks {
            *verdicts
                .entry((&check.id, word(&check.verdict)))
                .or_default() += 1;
        }
        let verdicts: Vec<_> = verdicts
            .into_iter()
            .map(|((check, verdict), count)| {
                let labels = format!(
                    "{mirror},check=\"{}\",verdict=\"{verdict}\"",
                    escaped(check)
                );
                (labels, count.to_string())
            })
            .collect();
        family(
            "mirrorctl_verify_checks",
            "gauge",
            "Verdicts of the last round that was judged, by check: how many topics have which",
            &verdicts,
        );
        text
    }
}

impl Found {
    fn rounds(&self) -> u64 {
        self.passed + self.failed + self.not_judged
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass { .. } => "pass",
        Verdict::Fail { .. } => "fail",
        Verdict::Inconclusive { .. } => "inconclusive",
    }
}

fn escaped(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// Serves the audit at this address, `host:port`. Cancel safe.
pub(crate) async fn listen(address: &str, audit: Audit) -> Result<Listening, Failure> {
    let routes = Router::new()
        .route("/metrics", get(metrics))
        .route("/readyz", get(readyz))
        .route("/status", get(status))
        .with_state(audit);
    serve(address, routes).await
}

async fn metrics(State(audit): State<Audit>) -> Response {
    ([(CONTENT_TYPE, PROMETHEUS_TEXT)], audit.metrics()).into_response()
}

/// Ready is an audit whose verdicts are there, and of the last round: good or bad, they can be looked at.
async fn readyz(State(audit): State<Audit>) -> Response {
    let found = audit.found();
    let ready = found.last.is_some() && !found.is_stale;
    let body = json!({ "ready": ready, "mirror": *audit.mirror, "rounds": found.rounds() });
    answer(ready, &body)
}

async fn status(State(audit): State<Audit>) -> Response {
    let found = audit.found();
    let body = json!({
        "format_version": "1.0",
        "mirror": *audit.mirror,
        "rounds": { "passed": found.passed, "failed": found.failed, "not_judged": found.not_judged },
        "last": found.last.as_ref().map(|last| &last.report),
    });
    answer(true, &body)
}

#[cfg(test)]
mod tests {
    use conformance::{CheckResult, Figures, Mode, REPORT_FORMAT_VERSION};

    use super::*;

    fn report(verdicts: &[(&str, bool)]) -> Report {
        let check = |(id, passes): &(&str, bool)| CheckResult {
            id: (*id).to_owned(),
            subject: "a → b".to_owned(),
            title: String::new(),
            verdict: if *passes {
                Verdict::Pass {
                    evidence: String::new(),
                }
            } else {
                Verdict::Inconclusive {
                    reason: String::new(),
                }
            },
            figures: Figures::new(),
        };
        Report {
            format_version: REPORT_FORMAT_VERSION.to_owned(),
            mode: Mode::Compare,
            run: None,
            seed: None,
            started_ms: 0,
            finished_ms: 1_500,
            records_read: 7,
            limits: Vec::new(),
            timeline: None,
            checks: verdicts.iter().map(check).collect(),
        }
    }

    #[test]
    fn rounds_and_verdicts_are_counted() {
        let audit = Audit::new("a\"b");
        assert!(!audit.metrics().contains("mirrorctl_verify_passed"));
        audit.judged(
            &report(&[("count", true), ("order", true)]),
            Duration::from_secs(1),
        );
        audit.failed();
        let round = audit.judged(
            &report(&[("count", true), ("count", false), ("count", true)]),
            Duration::from_secs(2),
        );
        assert_eq!(round, 3);
        let text = audit.metrics();
        for line in [
            r#"mirrorctl_verify_rounds_total{mirror="a\"b",result="passed"} 2"#,
            r#"mirrorctl_verify_rounds_total{mirror="a\"b",result="not-judged"} 1"#,
            r#"mirrorctl_verify_records_read_total{mirror="a\"b"} 14"#,
            r#"mirrorctl_verify_passed{mirror="a\"b"} 1"#,
            r#"mirrorctl_verify_last_round_timestamp_seconds{mirror="a\"b"} 1.5"#,
            r#"mirrorctl_verify_checks{mirror="a\"b",check="count",verdict="pass"} 2"#,
            r#"mirrorctl_verify_checks{mirror="a\"b",check="count",verdict="inconclusive"} 1"#,
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
        }
        assert!(!text.contains("order"), "of the round before");
    }

    #[test]
    fn it_is_ready_while_its_verdicts_are_of_the_last_round() {
        let audit = Audit::new("m");
        let stale = || {
            let found = audit.found();
            found.last.is_none() || found.is_stale
        };
        assert!(stale());
        audit.judged(&report(&[]), Duration::ZERO);
        assert!(!stale());
        audit.failed();
        assert!(stale());
    }

    /// `METRICS.md` explains what is served, as it is served, and nothing else.
    #[test]
    fn the_documentation_lists_every_family_and_no_other() {
        let audit = Audit::new("m");
        audit.judged(&report(&[("count", true)]), Duration::ZERO);
        let text = audit.metrics();
        let served: BTreeMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
            .collect();
        let rows = include_str!("../../METRICS.md").lines();
        let documented: BTreeMap<&str, &str> = rows
            .filter(|row| row.starts_with("| `mirrorctl_verify_"))
            .map(|row| {
                let mut cells = row.split('|').map(str::trim).skip(1);
                let name = cells.next().unwrap_or_default().trim_matches('`');
                (name, cells.next().unwrap_or_default())
            })
            .collect();
        assert_eq!(served, documented);
    }
}
