//! The report as one HTML page that needs nothing but itself.

use chrono::DateTime;
use serde::Serialize;
use tera::{Context, Tera};

use crate::Error;
use crate::plot::Plot;
use crate::report::Report;
use crate::verdict::{CheckResult, Verdict};
use crate::words::{count, counted};

/// The name ends in `.html`, so that Tera escapes what is filled in.
const NAME: &str = "report.html";
const TEMPLATE: &str = include_str!("../templates/report.html");

#[derive(Serialize)]
struct Subject<'r> {
    name: &'r str,
    checks: Vec<&'r CheckResult>,
}

/// A check over all subjects.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Row<'r> {
    id: &'r str,
    pass: u64,
    fail: u64,
    inconclusive: u64,
}

impl Report {
    /// What became of each check, in the order in which they come first.
    fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for check in &self.checks {
            let at = rows.iter().position(|row| row.id == check.id);
            let at = at.unwrap_or_else(|| {
                rows.push(Row {
                    id: &check.id,
                    ..Row::default()
                });
                rows.len() - 1
            });
            match &check.verdict {
                Verdict::Pass { .. } => rows[at].pass += 1,
                Verdict::Fail { .. } => rows[at].fail += 1,
                Verdict::Inconclusive { .. } => rows[at].inconclusive += 1,
            }
        }
        rows
    }

    /// One page with every verdict, what is behind it, and each first counterexample. For light and dark, wide and narrow.
    pub fn to_html(&self) -> Result<String, Error> {
        let wrong = |error: tera::Error| {
            let reason = std::error::Error::source(&error).map(ToString::to_string);
            Error::Report(reason.unwrap_or_else(|| error.to_string()))
        };
        let mut engine = Tera::default();
        engine.add_raw_template(NAME, TEMPLATE).map_err(wrong)?;
        engine.render(NAME, &self.values()).map_err(wrong)
    }

    fn values(&self) -> Context {
        let subjects = self.by_subject().into_iter();
        let subjects: Vec<Subject<'_>> = subjects
            .map(|(name, checks)| Subject { name, checks })
            .collect();
        let (failed, all) = (self.failures().count() as u64, self.checks.len() as u64);
        let (result, verdict) = if failed > 0 {
            (
                "fail",
                format!("{failed} of {} failed", counted(all, "check")),
            )
        } else if self.conclusive() {
            ("pass", format!("{} passed", counted(all, "check")))
        } else {
            (
                "inconclusive",
                "no check failed, not all could be judged".to_owned(),
            )
        };
        let began = DateTime::from_timestamp_millis(self.started_ms)
            .map(|at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
            .unwrap_or_default();
        let mut values = Context::new();
        values.insert("report", self);
        values.insert("subjects", &subjects);
        values.insert("rows", &self.rows());
        values.insert("plot", &self.timeline.as_ref().and_then(Plot::of));
        values.insert("result", result);
        values.insert("verdict", &verdict);
        values.insert("began", &began);
        values.insert("took", &format!("{:.1} s", self.duration().as_secs_f64()));
        values.insert("records_read", &count(self.records_read));
        values
    }
}

#[cfg(test)]
mod tests {
    use crate::events::FaultEvent;
    use crate::report::{Mode, REPORT_FORMAT_VERSION, Report, Timeline};
    use crate::verdict::{CheckResult, Counterexample, Figures, TopicPartitionOffset, Verdict};
    use crate::watched::LagSample;

    fn report(verdicts: Vec<Verdict>) -> Report {
        let checks = verdicts.into_iter().map(|verdict| CheckResult {
            id: "payload".to_owned(),
            subject: "orders → us.orders".to_owned(),
            title: "nothing is altered".to_owned(),
            verdict,
            figures: Figures::from([("records".to_owned(), 7)]),
        });
        Report {
            format_version: REPORT_FORMAT_VERSION.to_owned(),
            mode: Mode::Stamped,
            run: Some("77".to_owned()),
            seed: Some(4_711),
            started_ms: 1_760_000_000_000,
            finished_ms: 1_760_000_001_500,
            records_read: 12_345,
            limits: Vec::new(),
            timeline: None,
            checks: checks.collect(),
        }
    }

    fn fail() -> Verdict {
        Verdict::Fail {
            failures: 3,
            counterexample: Counterexample {
                source: None,
                target: Some(TopicPartitionOffset {
                    topic: "us.orders".to_owned(),
                    partition: 2,
                    offset: 41,
                }),
                record: None,
                expected: "a value of <b>1</b> byte & more".to_owned(),
                found: "\"none\"".to_owned(),
            },
        }
    }

    #[test]
    fn the_page_holds_verdict_seed_and_counterexample_and_escapes_them() {
        let page = report(vec![fail()]).to_html().expect("a page");
        for part in [
            "1 of 1 check failed",
            "4711",
            "2025-10-09 08:53:20 UTC",
            "1.5 s",
            "12,345",
            "us.orders-2@41",
            "&lt;b&gt;1&lt;/b&gt; byte &amp; more",
            "&quot;none&quot;",
        ] {
            assert!(page.contains(part), "{part} in\n{page}");
        }
        assert!(!page.contains("<b>1"), "{page}");
    }

    fn eventful() -> Report {
        let event = FaultEvent {
            at_ms: 2_000,
            until_ms: Some(3_500),
            fault: "freeze".to_owned(),
            target: "<engine>".to_owned(),
        };
        let look = |at_ms, late_ms| LagSample {
            at_ms,
            records: late_ms,
            late_ms,
        };
        Report {
            timeline: Some(Timeline {
                events: vec![event],
                lag: vec![look(0, 0), look(3_000, 1_000), look(4_000, 20)],
            }),
            ..report(vec![fail()])
        }
    }

    #[test]
    fn lag_and_faults_are_drawn_where_they_are_known() {
        let page = eventful().to_html().expect("a page");
        for part in [
            "<svg",
            "M0.0 160.0L750.0 6.0",
            "<rect",
            "freeze",
            "&lt;engine&gt;",
            "at 2.0 s, for 1.5 s",
            "at most 1.0 s",
        ] {
            assert!(page.contains(part), "{part} in\n{page}");
        }
        let page = report(vec![fail()]).to_html().expect("a page");
        assert!(!page.contains("<svg"), "{page}");
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let page = eventful().to_html().expect("a page");
        for outside in ["http:", "https:", "src=", "<link", "<script", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn each_check_has_one_row_however_many_subjects_it_has() {
        let mut whole = report(vec![fail(), fail()]);
        let pass = Verdict::Pass {
            evidence: String::new(),
        };
        whole.checks.extend(report(vec![pass]).checks);
        whole.checks[1].id = "order".to_owned();
        let rows = whole.rows();
        let counts: Vec<_> = rows.iter().map(|it| (it.id, it.pass, it.fail)).collect();
        assert_eq!(counts, [("payload", 1, 1), ("order", 0, 1)]);
        let page = whole.to_html().expect("a page");
        assert!(page.contains("<td>order</td>"), "{page}");
    }

    #[test]
    fn the_schema_fits_what_is_written() {
        let open = Verdict::Inconclusive {
            reason: "nothing seen".to_owned(),
        };
        let whole = Report {
            timeline: eventful().timeline,
            ..report(vec![fail(), open])
        };
        let written = serde_json::to_value(&whole).expect("JSON");
        let schema = crate::report_schema();
        jsonschema::validate(&schema, &written).expect("valid");
        let mut other = written;
        other["checks"][0]["result"] = "maybe".into();
        assert!(jsonschema::validate(&schema, &other).is_err());
    }

    #[test]
    fn what_could_not_be_judged_is_no_pass() {
        let pass = Verdict::Pass {
            evidence: "7 equal".to_owned(),
        };
        let open = Verdict::Inconclusive {
            reason: "nothing seen".to_owned(),
        };
        let page = |verdicts| report(verdicts).to_html().expect("a page");
        assert!(page(vec![pass.clone()]).contains("1 check passed"));
        assert!(page(vec![pass, open]).contains("no check failed, not all could be judged"));
    }
}
