//! `mirrorctl render`.

use std::path::Path;

use render::{Comparison, Request, Settings, Templates, Written};

use crate::cli::{Format, RenderArgs};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::load::load_as_written;
use crate::output::{self, RenderReport, render_human, render_json, targets_human, targets_json};
use crate::session::{Ended, Session};

/// Renders a topology into a folder, or shows what would change there.
pub(crate) fn render(session: &Session, args: &RenderArgs) -> Ended {
    let (Some(file), Some(out)) = (&args.file, &args.out) else {
        return list(session);
    };
    let comparison = compare(args, file, out)?;
    let report = |written: Option<Written>| RenderReport {
        comparison: &comparison,
        out,
        written,
    };
    if args.check {
        print(session, &report(None))?;
        return Ok(if comparison.is_current() {
            Outcome::Done
        } else {
            Outcome::ChangesPending
        });
    }
    if !args.force
        && let Err(refused) = comparison.refuse_edited()
    {
        print(session, &report(None))?;
        return Err(refused.into());
    }
    let written = comparison.apply(out)?;
    print(session, &report(Some(written)))?;
    Ok(Outcome::Done)
}

fn compare(args: &RenderArgs, file: &Path, out: &Path) -> Result<Comparison, Failure> {
    let (topology, source) = load_as_written(file)?;
    let settings = Settings::parse(&args.set).map_err(|error| Failure::Usage {
        message: error.to_string(),
        hint: "`mirrorctl render --list` shows the settings of each target".to_owned(),
    })?;
    let templates = match &args.templates {
        Some(folder) => Templates::with_overrides(folder),
        None => Templates::embedded(),
    }
    .map_err(render::RenderError::from)?;
    let request = Request {
        topology: &topology,
        source: &source,
        settings: &settings,
    };
    let rendering = match render::render(&request, &args.target, &templates) {
        Err(error @ render::RenderError::UnknownTarget { .. }) => {
            return Err(Failure::Usage {
                message: error.to_string(),
                hint: "`mirrorctl render --list` shows what each is for".to_owned(),
            });
        }
        other => other?,
    };
    Ok(render::compare(&rendering, out)?)
}

fn print(session: &Session, report: &RenderReport<'_>) -> Result<(), Failure> {
    match session.terminal.format() {
        Format::Human => output::result(&render_human(report)),
        Format::Json => output::json(&render_json(report)),
    }
}

fn list(session: &Session) -> Ended {
    let templates = Templates::embedded().map_err(render::RenderError::from)?;
    match session.terminal.format() {
        Format::Human => output::result(&targets_human(&templates))?,
        Format::Json => output::json(&targets_json(&templates))?,
    }
    Ok(Outcome::Done)
}
