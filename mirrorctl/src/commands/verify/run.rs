//! Which way to verify, and what comes of it.

use conformance::{Mode, Report};
use topology::{Mirror, Topology};

use crate::commands::verify::arguments::{Phase, VerifyArgs, VerifyMode, VerifyProfile};
use crate::commands::verify::{compare, follow, profile, report, setting, stamped};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::judge;
use crate::load::load;
use crate::select;
use crate::session::{Ended, Session};

/// Judges a mirror and prints the verdicts.
pub(crate) async fn verify(session: &Session, args: &VerifyArgs) -> Ended {
    let topology = load(&args.file)?;
    let args = &as_declared(args, &topology);
    consistent(args)?;
    let mirror = select::one(&topology, &args.mirror)?;
    let found = match (args.profile, args.mode) {
        (Some(profile), _) => {
            let found = profile::verify(session, args.clone(), &topology, mirror, profile).await?;
            let both = [Mode::Stamped, Mode::Compare];
            judge::keep_declared(found, &topology.verify.checks, &both)
        }
        (None, Some(VerifyMode::Compare) | None) if args.follow.follow => {
            follow::follow(session, args, &topology, mirror).await?
        }
        (None, Some(VerifyMode::Compare) | None) => {
            compare::declared(session, args, &topology, mirror).await?
        }
        (None, Some(VerifyMode::Stamped)) => {
            match stamped(session, args, &topology, mirror).await? {
                Some(found) => {
                    judge::keep_declared(found, &topology.verify.checks, &[Mode::Stamped])
                }
                None => return Ok(Outcome::Done),
            }
        }
    };
    report::publish(session, args, &found)?;
    judge::outcome(&[found])
}

/// The command line, and what the topology says where that leaves open what to do.
fn as_declared(args: &VerifyArgs, topology: &Topology) -> VerifyArgs {
    let declared = topology.verify.profile.filter(|_| args.mode.is_none());
    VerifyArgs {
        profile: args.profile.or(declared.map(VerifyProfile::from)),
        ..args.clone()
    }
}

/// `None` where only the workload was to be written.
async fn stamped(
    session: &Session,
    args: &VerifyArgs,
    topology: &Topology,
    mirror: &Mirror,
) -> Result<Option<Report>, Failure> {
    let setting = setting::stamped(session, args, topology, mirror).await?;
    // `write` does without the target, which may be down, unless it is to be watched: that is what phases are for.
    // The others look at it before anything is written.
    let target = match (args.stamped.phase, args.stamped.watch) {
        (Phase::Write, false) => None,
        (Phase::Write, true) | (Phase::Check | Phase::All, _) => {
            Some(setting::target_of(session, topology, &setting).await?)
        }
    };
    let journal = match args.stamped.phase {
        Phase::Write | Phase::All => {
            stamped::write(session, args, &setting, target.as_ref()).await?
        }
        Phase::Check => stamped::kept_journal(args)?,
    };
    let (Phase::Check | Phase::All, Some(target)) = (args.stamped.phase, target) else {
        stamped::say_written(args, &journal, session.terminal.format())?;
        return Ok(None);
    };
    let found = stamped::check(session, args, &setting, &target, &journal).await?;
    Ok(Some(found))
}

fn consistent(args: &VerifyArgs) -> Result<(), Failure> {
    let usage = |message: &str, hint: &str| {
        Err(Failure::Usage {
            message: message.to_owned(),
            hint: hint.to_owned(),
        })
    };
    if args.profile.is_none() && args.mode.is_none() {
        return usage(
            "nothing says how to judge",
            "give --mode or --profile, or declare `verify: {profile: ci}` in the topology",
        );
    }
    let compares = args.profile.is_some() || args.mode == Some(VerifyMode::Compare);
    let narrowed = args.compare.topics.is_some()
        || args.compare.since.is_some()
        || args.compare.sample.is_some();
    if args.follow.follow && args.mode != Some(VerifyMode::Compare) {
        return usage(
            "--follow belongs to --mode compare",
            "a stamped workload has an end; give --mode compare",
        );
    }
    if args.follow.follow && args.run {
        return usage(
            "--follow judges a mirror that runs, and --run copies once",
            "start `mirrorctl replicate` beside it",
        );
    }
    if narrowed && !compares {
        return usage(
            "--topics, --since and --sample say what is compared",
            "give them with --mode compare or --profile",
        );
    }
    let stamps = args.profile.is_some() || args.mode == Some(VerifyMode::Stamped);
    let written = args.stamped.workload.is_some() || args.stamped.watch;
    if (written || args.stamped.events.is_some()) && !stamps {
        return usage(
            "--workload, --watch and --events belong to records that are written",
            "give them with --mode stamped or --profile",
        );
    }
    if written && args.stamped.phase == Phase::Check {
        return usage(
            "--workload and --watch say how records are written, and --phase check writes none",
            "the journal holds what was watched and which file it was",
        );
    }
    if args.stamped.watch && args.run {
        return usage(
            "--watch looks at a mirror that runs, and --run copies when everything is written",
            "start `mirrorctl replicate` beside it",
        );
    }
    if args.profile.is_some() && args.stamped.phase != Phase::All {
        return usage(
            "a profile has one phase",
            "give --mode stamped for --phase write and --phase check",
        );
    }
    let Some(mode) = args.mode else {
        return match args.topic.len() {
            0 | 1 => Ok(()),
            _ => usage(
                "a stamped workload goes to one topic",
                "give --topic once, and --topics for what is compared",
            ),
        };
    };
    match (mode, args.stamped.phase) {
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
