//! The two phases of stamped verification.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use conformance::{
    Endpoint, FaultEvent, Journal, Report, StampedOptions, TopicSpec, WatchOptions, WorkloadSpec,
};
use serde_json::json;
use tokio::process::Command;

use crate::cli::Format;
use crate::commands::verify::arguments::VerifyArgs;
use crate::commands::verify::setting::Setting;
use crate::failure::Failure;
use crate::judge::{self, Writing};
use crate::output;
use crate::session::Session;

/// Records of a workload when nobody says how many.
const RECORDS: u64 = 10_000;

/// Writes the workload, and the journal of it where one was asked for.
pub(crate) async fn write(
    session: &Session,
    args: &VerifyArgs,
    setting: &Setting<'_>,
    target: Option<&Endpoint>,
) -> Result<Journal, Failure> {
    let seed = args.stamped.seed.unwrap_or_else(judge::fresh_seed);
    let records = args.stamped.records.unwrap_or(RECORDS);
    let mut spec = WorkloadSpec::new(&setting.source_topic, records, seed);
    spec.records_per_second = args.stamped.rate;
    spec.create = args.stamped.partitions.map(|partitions| TopicSpec {
        partitions,
        replication_factor: -1,
        config: BTreeMap::new(),
    });
    let what = match &args.stamped.workload {
        Some(path) => format!("the records of {}, stamped,", path.display()),
        None => output::counted(records as usize, "stamped record"),
    };
    let decided_by = match &args.stamped.workload {
        Some(_) => String::new(),
        None => format!(", seed {seed}"),
    };
    output::note(&format!(
        "Writing {what} to {} on {}{decided_by}.",
        spec.topic, setting.source.alias
    ));
    let watch = target.filter(|_| args.stamped.watch).map(|target| {
        let options = WatchOptions {
            target_topic: setting.target_topic.clone(),
            patience: args.timeout,
        };
        (target.clone(), options)
    });
    let writing = Writing {
        spec,
        own_records: args.stamped.workload.clone(),
        watch,
    };
    let journal = judge::write_as_asked(session, &setting.source.endpoint, writing).await?;
    if let Some(path) = &args.stamped.journal {
        journal.save(path)?;
    }
    // what was written until the signal is in the journal now
    if session.stop.is_cancelled() {
        return Err(Failure::Interrupted);
    }
    Ok(journal)
}

/// The journal that `--phase write` kept.
pub(crate) fn kept_journal(args: &VerifyArgs) -> Result<Journal, Failure> {
    Ok(Journal::load(
        args.stamped
            .journal
            .as_deref()
            .unwrap_or_else(|| Path::new("")),
    )?)
}

/// The result of `--phase write`.
pub(crate) fn say_written(
    args: &VerifyArgs,
    journal: &Journal,
    format: Format,
) -> Result<(), Failure> {
    let (acknowledged, failed, unknown) =
        (journal.acknowledged(), journal.failed(), journal.unknown());
    match format {
        Format::Json => output::json(&json!({
            "format_version": "1.0",
            "topic": journal.spec.topic,
            "partitions": journal.partitions,
            "run": journal.run.to_string(),
            "seed": journal.spec.supplied.is_none().then_some(journal.spec.seed),
            "workload": journal.spec.supplied.as_ref().map(|file| &file.path),
            "acknowledged": acknowledged,
            "failed": failed,
            "unknown": unknown,
            "journal": args.stamped.journal,
        })),
        Format::Human => {
            let origin = match &journal.spec.supplied {
                Some(file) => format!("from {}", file.path.display()),
                None => format!("seed {}", journal.spec.seed),
            };
            output::result(&format!(
                "Written to {}: {acknowledged} acknowledged, {failed} failed, {unknown} unknown; {origin}\n",
                journal.spec.topic
            ))
        }
    }
}

/// Judges the target by the journal, after copying when asked to.
pub(crate) async fn check(
    session: &Session,
    args: &VerifyArgs,
    setting: &Setting<'_>,
    target: &Endpoint,
    journal: &Journal,
) -> Result<Report, Failure> {
    let source = &setting.source;
    let events = match &args.stamped.events {
        Some(path) => events(path)?,
        None => Vec::new(),
    };
    let patience = copied(session, args).await?;
    let unsynced = session
        .until_stopped(judge::unsynced(
            setting.mirror,
            &source.alias,
            &source.cluster,
            &setting.source_topic,
        ))
        .await??;
    let options = judge::stamped_options(
        setting.mirror,
        setting.target_topic.clone(),
        judge::replay_bound(setting.mirror, args.stamped.restarts),
        unsynced,
        patience,
    );
    let options = StampedOptions {
        events,
        recovery: args.stamped.recovery,
        ..options
    };
    judge::check(session, &source.endpoint, target, journal, options).await
}

/// What was done to the mirror, as who did it wrote it down.
fn events(path: &Path) -> Result<Vec<FaultEvent>, Failure> {
    let text = std::fs::read(path).map_err(|error| Failure::FileUnread {
        path: path.to_owned(),
        error,
    })?;
    serde_json::from_slice(&text).map_err(|error| Failure::Usage {
        message: format!("{} holds no events: {error}", path.display()),
        hint: "a JSON array of {\"at_ms\", \"until_ms\", \"fault\", \"target\"}".to_owned(),
    })
}

/// Copies with `replicate --once` when asked to; returns how long to wait for records after that.
pub(crate) async fn copied(session: &Session, args: &VerifyArgs) -> Result<Duration, Failure> {
    if !args.run {
        return Ok(args.timeout);
    }
    let failed = |outcome: String| Failure::Child { outcome };
    let program =
        std::env::current_exe().map_err(|error| failed(format!("cannot be started: {error}")))?;
    // a process of its own, so that nothing of the copying is in the memory of the judge
    let mut child = Command::new(program)
        .args([
            "replicate",
            "--once",
            "--output",
            "json",
            "--mirror",
            &args.mirror,
            "--file",
        ])
        .arg(&args.file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    let status = session
        .until_stopped(child.wait())
        .await?
        .map_err(|error| failed(format!("cannot be waited for: {error}")))?;
    if status.success() {
        Ok(Duration::ZERO)
    } else {
        Err(failed(format!("failed ({status})")))
    }
}
