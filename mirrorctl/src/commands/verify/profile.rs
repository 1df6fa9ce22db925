//! Both ways of judging, one after the other, as one report.

use std::time::Duration;

use conformance::{CheckResult, Report};
use topology::{Mirror, Topology};

use crate::commands::verify::arguments::{VerifyArgs, VerifyProfile};
use crate::commands::verify::{compare, setting, stamped};
use crate::failure::Failure;
use crate::session::Session;

/// Partitions of a workload's topic that is created.
const PARTITIONS: i32 = 4;

/// How much is done.
struct Extent {
    records: u64,
    /// Within which time; however long it takes when absent.
    limit: Option<Duration>,
}

impl From<VerifyProfile> for Extent {
    fn from(profile: VerifyProfile) -> Self {
        match profile {
            VerifyProfile::Ci => Self {
                records: 20_000,
                limit: Some(Duration::from_mins(10)),
            },
            VerifyProfile::Full => Self {
                records: 1_000_000,
                limit: None,
            },
        }
    }
}

/// Writes stamped records, judges them, and compares what both clusters hold.
pub(crate) async fn verify(
    session: &Session,
    args: VerifyArgs,
    topology: &Topology,
    mirror: &Mirror,
    profile: VerifyProfile,
) -> Result<Report, Failure> {
    let extent = Extent::from(profile);
    let args = extended(args, &extent);
    let Some(limit) = extent.limit else {
        return both(session, &args, topology, mirror).await;
    };
    // the judge works on threads of its own, which have to hear that the time is over
    let within = Session {
        stop: session.stop.child_token(),
        ..session.clone()
    };
    let work = both(&within, &args, topology, mirror);
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(limit) => {}
    }
    within.stop.cancel();
    match work.await {
        Ok(report) => Ok(report),
        Err(_) => Err(Failure::OverTime { limit }),
    }
}

fn extended(mut args: VerifyArgs, extent: &Extent) -> VerifyArgs {
    args.stamped.records.get_or_insert(extent.records);
    args.stamped.partitions.get_or_insert(PARTITIONS);
    args
}

async fn both(
    session: &Session,
    args: &VerifyArgs,
    topology: &Topology,
    mirror: &Mirror,
) -> Result<Report, Failure> {
    let setting = setting::stamped(session, args, topology, mirror).await?;
    let target = setting::target_of(session, topology, &setting).await?;
    let journal = stamped::write(session, args, &setting, Some(&target)).await?;
    let mut report = stamped::check(session, args, &setting, &target, &journal).await?;
    let compared = compare::compare(session, &compared(args), topology, mirror).await?;
    report.finished_ms = compared.finished_ms;
    report.records_read += compared.records_read;
    report.limits.extend(compared.limits);
    report
        .checks
        .extend(compared.checks.into_iter().map(told_apart));
    Ok(report)
}

/// `--topic` says where the workload goes; everything that is selected is compared, and was copied before.
fn compared(args: &VerifyArgs) -> VerifyArgs {
    VerifyArgs {
        topic: Vec::new(),
        run: false,
        timeout: if args.run {
            Duration::ZERO
        } else {
            args.timeout
        },
        ..args.clone()
    }
}

/// The topic of the workload is judged twice, and a suite has each check once.
fn told_apart(check: CheckResult) -> CheckResult {
    CheckResult {
        subject: format!("{} (compared)", check.subject),
        ..check
    }
}
