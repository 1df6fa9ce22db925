//! The report as `JUnit` XML: a suite a subject, a test case a check.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::Error;
use crate::report::Report;
use crate::verdict::{CheckResult, Verdict};

impl Report {
    /// `JUnit` XML: a failure holds the counterexample, an inconclusive check is skipped with its
    /// reason, evidence and figures go to `system-out`.
    pub fn to_junit(&self) -> Result<String, Error> {
        let mut junit = quick_junit::Report::new("mirrorctl verify");
        junit.set_time(self.duration());
        let suites = self.by_subject().into_iter().map(|(subject, checks)| {
            let mut suite = TestSuite::new(subject);
            if let Some(seed) = self.seed {
                suite.add_property(("seed", seed.to_string().as_str()));
            }
            for limit in &self.limits {
                suite.add_property(("limit", limit.as_str()));
            }
            suite.add_test_cases(checks.into_iter().map(test_case));
            suite
        });
        junit.add_test_suites(suites);
        junit
            .to_string()
            .map_err(|error| Error::Report(error.to_string()))
    }
}

fn test_case(check: &CheckResult) -> TestCase {
    let mut out = check.title.clone();
    let status = match &check.verdict {
        Verdict::Pass { evidence } => {
            out.push('\n');
            out.push_str(evidence);
            TestCaseStatus::success()
        }
        Verdict::Fail {
            failures,
            counterexample,
        } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(check.id.as_str());
            status.set_message(counterexample.to_string());
            status.set_description(format!("{counterexample}\n{failures} in all"));
            status
        }
        Verdict::Inconclusive { reason } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.as_str());
            status
        }
    };
    for (name, value) in &check.figures {
        let _ = write!(out, "\n{name}: {value}");
    }
    let mut case = TestCase::new(check.id.as_str(), status);
    case.set_classname("mirrorctl.conformance");
    case.set_system_out(out);
    case
}
