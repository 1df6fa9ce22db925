//! Which way to verify, and what comes of it.

use crate::cli::{Phase, VerifyArgs, VerifyMode};
use crate::commands::verify::{compare, report, setting, stamped};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::judge;
use crate::load::load;
use crate::select;
use crate::session::{Ended, Session};

/// Judges a mirror and prints the verdicts.
pub(crate) async fn verify(session: &Session, args: &VerifyArgs) -> Ended {
    consistent(args)?;
    let topology = load(&args.file)?;
    let mirror = select::one(&topology, &args.mirror)?;
    match args.mode {
        VerifyMode::Compare => {
            let found = compare::compare(session, args, &topology, mirror).await?;
            report::publish(session, args, &found)?;
            judge::outcome(&[found])
        }
        VerifyMode::Stamped => {
            let setting = setting::stamped(session, args, &topology, mirror).await?;
            // `write` does without the target, which may be down: that is what phases are for.
            // The others look at it before anything is written.
            let found = match args.stamped.phase {
                Phase::Write => {
                    let journal = stamped::write(session, args, &setting).await?;
                    stamped::say_written(args, &journal, session.terminal.format())?;
                    return Ok(Outcome::Done);
                }
                Phase::Check => {
                    let target = setting::target(session, &topology, mirror).await?;
                    let journal = stamped::kept_journal(args)?;
                    stamped::check(session, args, &setting, &target, &journal).await?
                }
                Phase::All => {
                    let target = setting::target(session, &topology, mirror).await?;
                    let journal = stamped::write(session, args, &setting).await?;
                    stamped::check(session, args, &setting, &target, &journal).await?
                }
            };
            let found = judge::keep_declared(found, &topology.verify.checks);
            report::publish(session, args, &found)?;
            judge::outcome(&[found])
        }
    }
}

fn consistent(args: &VerifyArgs) -> Result<(), Failure> {
    let usage = |message: &str, hint: &str| {
        Err(Failure::Usage {
            message: message.to_owned(),
            hint: hint.to_owned(),
        })
    };
    match (args.mode, args.stamped.phase) {
        (VerifyMode::Compare, Phase::Write | Phase::Check) => usage(
            "--phase belongs to --mode stamped",
            "a comparison has one phase",
        ),
        (VerifyMode::Stamped, Phase::Write | Phase::Check) if args.stamped.journal.is_none() => {
            usage(
                "--phase write and --phase check need --journal",
                "name the file that carries the journal from one to the other",
            )
        }
        (VerifyMode::Stamped, Phase::Write) if args.run => usage(
            "--run copies before judging, and --phase write does not judge",
            "give --run to --phase check or all",
        ),
        (VerifyMode::Stamped, Phase::Write)
            if args.junit.is_some() || args.report_json.is_some() || args.html.is_some() =>
        {
            usage(
                "--phase write gives no report",
                "ask for the report with --phase check",
            )
        }
        (VerifyMode::Stamped, Phase::Write | Phase::Check | Phase::All) if args.topic.len() > 1 => {
            usage("a stamped workload goes to one topic", "give --topic once")
        }
        (VerifyMode::Stamped, Phase::Write | Phase::Check | Phase::All)
        | (VerifyMode::Compare, Phase::All) => Ok(()),
    }
}
