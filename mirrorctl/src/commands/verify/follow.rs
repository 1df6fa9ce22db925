//! Continuous audit: compares again and again, and shows the verdicts to scrapers.

use std::time::Instant;

use conformance::Report;
use topology::{Mirror, Topology};

use crate::audit::{Audit, listen};
use crate::commands::verify::arguments::VerifyArgs;
use crate::commands::verify::compare;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Compares until it is told to stop; the last whole report. What fails in a later round, such as a cluster that is away, is
/// said and counted, and the next round looks again; in the first one it ends the audit.
pub(crate) async fn follow(
    session: &Session,
    args: &VerifyArgs,
    topology: &Topology,
    mirror: &Mirror,
) -> Result<Report, Failure> {
    let audit = Audit::new(&mirror.name);
    let listening = match &args.follow.listen {
        Some(address) => Some(listen(address, audit.clone()).await?),
        None => None,
    };
    let last = rounds(session, args, topology, mirror, &audit).await;
    if let Some(listening) = listening {
        listening.end().await;
    }
    last
}

async fn rounds(
    session: &Session,
    args: &VerifyArgs,
    topology: &Topology,
    mirror: &Mirror,
    audit: &Audit,
) -> Result<Report, Failure> {
    let mut last: Option<Report> = None;
    loop {
        let began = Instant::now();
        match compare::declared(session, args, topology, mirror).await {
            Ok(report) => {
                let round = audit.judged(&report, began.elapsed());
                output::note(&said(round, &report));
                last = Some(report);
            }
            Err(failure) if session.stop.is_cancelled() => return last.ok_or(failure),
            Err(failure) if last.is_none() => return Err(failure),
            Err(failure) => {
                let round = audit.failed();
                output::note(&format!("round {round}: not judged: {failure}"));
            }
        }
        let pause = tokio::time::sleep(args.follow.every);
        if session.stop.run_until_cancelled(pause).await.is_none() {
            return last.ok_or(Failure::Interrupted);
        }
    }
}

fn said(round: u64, report: &Report) -> String {
    let failed = report.failures().count();
    let verdict = if failed == 0 {
        "PASS".to_owned()
    } else {
        format!("FAIL, {failed}")
    };
    let seconds = report.duration().as_secs_f64();
    let first = report.failures().next();
    let first = first.map(|first| format!("; first: {} of {}", first.id, first.subject));
    format!(
        "round {round}: {verdict} of {}; {} read in {seconds:.1} s{}",
        output::counted(report.checks.len(), "check"),
        output::counted(report.records_read as usize, "record"),
        first.unwrap_or_default()
    )
}
