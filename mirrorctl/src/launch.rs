//! From the arguments to the exit code: parse, start what a command needs, run it, report.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser};
use clap_complete::CompleteEnv;
use replicator::metrics::Watchlist;
use std::future::Future;

use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::cli::{Cli, Command};
use crate::exit::Code;
use crate::failure::Failure;
use crate::output::{self, Terminal};
use crate::session::{Ended, Session};
use crate::{commands, complete, signals, telemetry};

/// The whole program.
pub(crate) fn launch() -> ExitCode {
    // ends the process where a shell asks for completions
    CompleteEnv::with_factory(Cli::command)
        .var(complete::VARIABLE)
        .complete();
    match Cli::try_parse() {
        Ok(cli) => report(run(cli)).into(),
        Err(answer) => answered(&answer).into(),
    }
}

/// Help and version are answers; everything else that clap has to say is wrong usage, for which
/// its own exit code, 2, means something else here.
fn answered(answer: &clap::Error) -> Code {
    // nobody is left to tell when stderr is closed
    let _ = answer.print();
    match answer.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Code::Done,
        _ => Code::WrongUsage,
    }
}

fn run(cli: Cli) -> Ended {
    telemetry::install(&cli.global, &cli.command).map_err(|error| Failure::Usage {
        message: format!("MIRRORCTL_LOG is no log filter: {error}"),
        hint: "for example MIRRORCTL_LOG=warn,replicator=debug".to_owned(),
    })?;
    let session = Session {
        terminal: Terminal::new(cli.global.output),
        stop: CancellationToken::new(),
        runs: Watchlist::new(),
    };
    let session = &session;
    match cli.command {
        Command::Validate(args) => commands::validate(session, &args),
        Command::Schema(args) => commands::schema(&args),
        Command::Completions(args) => commands::completions(&args),
        Command::Plan(args) => on_runtime(session, commands::plan(session, &args)),
        Command::Apply(args) => on_runtime(session, commands::apply(session, &args)),
        Command::History(args) => on_runtime(session, commands::history(session, &args)),
        Command::Import(args) => on_runtime(session, commands::import(session, &args)),
        Command::Destroy(args) => on_runtime(session, commands::destroy(session, &args)),
        Command::Forget(args) => on_runtime(session, commands::forget(session, &args)),
        Command::Render(args) => on_runtime(session, commands::render(session, &args)),
        Command::Replicate(args) => on_runtime(session, commands::replicate(session, &args)),
        Command::Verify(args) => on_runtime(session, commands::verify(session, &args)),
        Command::Status(args) => on_runtime(session, commands::status(session, &args)),
        Command::Lag(args) => on_runtime(session, commands::lag(session, &args)),
        Command::Demo(args) => on_runtime(session, commands::demo(session, &args)),
    }
}

fn on_runtime(session: &Session, command: impl Future<Output = Ended>) -> Ended {
    let runtime: Runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let ended = runtime.block_on(async {
        let _watcher = signals::watch(session.stop.clone()).map_err(Failure::Runtime)?;
        command.await
    });
    // a question on stdin that nobody answers must not keep the process
    runtime.shutdown_background();
    ended
}

fn report(ended: Ended) -> Code {
    match ended {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            output::failure(&failure);
            Code::from(&failure)
        }
    }
}
