//! Failures and warnings on stderr: what is wrong, then what to do about it.

use topology::{Diagnostic, Diagnostics, LoadError, Severity, Style};

use crate::connect::ConnectError;
use crate::failure::{Failure, unreached};
use crate::output::figures::{count, counted};
use crate::output::json_log;
use crate::output::stream::to_stderr;
use crate::output::style::{BAD, DIM, WARN};

/// Refused changes that are named on stderr.
const REFUSED_SHOWN: usize = 5;

/// Prints why a command failed.
pub(crate) fn failure(failure: &Failure) {
    if json_log::speaks_json() {
        to_stderr(&json_lines(failure));
    } else {
        to_stderr(&text(failure));
    }
}

/// One line a reason, as the text has them.
fn json_lines(failure: &Failure) -> String {
    let error = |message: &str, hint: Option<String>| {
        let hint = hint.map(|hint| ("hint", hint.into()));
        json_log::line("ERROR", message, hint.as_slice())
    };
    match failure {
        Failure::Topology(LoadError::Invalid(diagnostics)) => diagnostics
            .into_iter()
            .map(|found| found_line(diagnostics.name(), found))
            .collect(),
        Failure::Connect(errors) => errors
            .iter()
            .map(|it| error(&it.to_string(), Some(it.hint())))
            .collect(),
        Failure::Unreached { mirrors, errors } => errors
            .iter()
            .map(|it| error(&it.to_string(), Some(it.hint())))
            .chain([error(&unreached(mirrors), None)])
            .collect(),
        Failure::Apply(plan::ApplyError::Blocked { blocked }) => {
            error(&refused(blocked), hint(failure))
        }
        other => error(&other.to_string(), hint(other)),
    }
}

fn found_line(file: &str, found: &Diagnostic) -> String {
    let level = match found.severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARN",
    };
    let mut fields = vec![
        ("file", file.into()),
        ("line", found.line.into()),
        ("column", found.column.into()),
        ("code", found.code.into()),
    ];
    let hint = found
        .hint
        .as_ref()
        .map(|hint| ("hint", hint.clone().into()));
    fields.extend(hint);
    json_log::line(level, &found.message, &fields)
}

/// Prints what a topology's reader should know, one line each.
pub(crate) fn warnings(warnings: &Diagnostics) {
    let name = warnings.name();
    for found in warnings {
        if json_log::speaks_json() {
            to_stderr(&found_line(name, found));
            continue;
        }
        to_stderr(&format!(
            "{WARN}warning{WARN:#}: {} {DIM}({name}:{}:{}){DIM:#}\n",
            found.message, found.line, found.column
        ));
    }
}

/// Prints what a reader of the result should know, one line each.
pub(crate) fn remarks(remarks: &[String]) {
    for remark in remarks {
        if json_log::speaks_json() {
            to_stderr(&json_log::line("WARN", remark, &[]));
        } else {
            to_stderr(&format!("{WARN}warning{WARN:#}: {remark}\n"));
        }
    }
}

fn text(failure: &Failure) -> String {
    if let Failure::Topology(LoadError::Invalid(diagnostics)) = failure {
        return diagnostics.to_human(Style {
            color: true,
            ..Style::default()
        });
    }
    let lines = |errors: &[ConnectError]| -> String {
        let lines = errors
            .iter()
            .map(|it| line(&it.to_string(), Some(&it.hint())));
        lines.collect()
    };
    if let Failure::Connect(errors) = failure {
        return lines(errors);
    }
    if let Failure::Unreached { mirrors, errors } = failure {
        return lines(errors) + &line(&unreached(mirrors), None);
    }
    if let Failure::Apply(plan::ApplyError::Blocked { blocked }) = failure {
        return line(&refused(blocked), hint(failure).as_deref());
    }
    line(&failure.to_string(), hint(failure).as_deref())
}

/// What is refused; why stands with the plan, or with the event, on stdout.
fn refused(blocked: &[(String, plan::Block)]) -> String {
    let mut addresses: Vec<&str> = blocked
        .iter()
        .map(|(address, _)| address.as_str())
        .collect();
    addresses.dedup();
    let mut text = format!(
        "{} refused by safety rails, nothing was changed: {}",
        counted(addresses.len(), "change"),
        addresses[..addresses.len().min(REFUSED_SHOWN)].join(", ")
    );
    if addresses.len() > REFUSED_SHOWN {
        let more = (addresses.len() - REFUSED_SHOWN) as i128;
        text.push_str(&format!(" and {} more", count(more)));
    }
    text
}

fn line(message: &str, hint: Option<&str>) -> String {
    let hint = hint
        .map(|hint| format!("  {DIM}hint:{DIM:#} {hint}\n"))
        .unwrap_or_default();
    format!("{BAD}error{BAD:#}: {message}\n{hint}")
}

/// What the `allow` of clusters has to say for these resources to be deleted.
fn permissions(addresses: &[String]) -> Vec<&'static str> {
    let known = [
        ("topic.", "deleteTopics: true"),
        ("acl.", "deleteAcls: true"),
        ("quota.", "deleteQuotas: true"),
        ("user.", "deleteUsers: true"),
        ("mirror.", "deleteMirrors: true"),
    ];
    let asked = known.iter().filter(|(kind, _)| {
        let mut addresses = addresses.iter();
        addresses.any(|address| address.starts_with(kind))
    });
    asked.map(|(_, permission)| *permission).collect()
}

fn hint(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Usage { hint, .. } => Some(hint.clone()),
        Failure::Topology(LoadError::Read { .. }) => Some(
            "give the path of a topology file; `mirrorctl schema topology` describes one"
                .to_owned(),
        ),
        Failure::Apply(plan::ApplyError::Stale { .. }) => {
            Some("something else was changed since; look at a new plan".to_owned())
        }
        Failure::Apply(plan::ApplyError::Interrupted { .. }) => {
            Some("apply again: what is done is skipped".to_owned())
        }
        Failure::Apply(plan::ApplyError::Locked { .. }) => Some(
            "wait for it with --lock-timeout 5m; `mirrorctl history` shows what it is about to do"
                .to_owned(),
        ),
        Failure::Apply(plan::ApplyError::Password {
            source: kafka::security::SecurityError::Secret { .. },
            ..
        }) => Some(
            "set the environment variable, or put the password into the file; it is read when an apply begins".to_owned(),
        ),
        Failure::Apply(plan::ApplyError::Password { source, .. }) => Some(source.hint().to_owned()),
        Failure::Apply(plan::ApplyError::LeaseLost { .. }) => {
            Some("look at a new plan, then apply again: what is done is skipped".to_owned())
        }
        Failure::Forget(plan::ForgetError::Unknown { .. }) => {
            Some("`mirrorctl plan` shows the addresses of what is declared no longer".to_owned())
        }
        Failure::Forget(plan::ForgetError::OfAnotherTopology { .. }) => Some(
            "the file of that topology ends it, or one with its name (`metadata.name`); nothing was forgotten"
                .to_owned(),
        ),
        Failure::Apply(plan::ApplyError::Blocked { blocked }) => {
            let asked_for = |(_, block): &(String, plan::Block)| {
                block.code == plan::BlockCode::DestroyNotAllowed
            };
            Some(if blocked.iter().all(asked_for) {
                "--allow-destroy ADDRESS asks for each of them; where a plan is saved, give it to `plan --out`".to_owned()
            } else {
                "the reasons are given with the plan; change the topology accordingly".to_owned()
            })
        }
        Failure::OfAnotherTopology { mirror, .. } => Some(format!(
            "give this mirror another name, or take it over with `mirrorctl apply --allow-destroy mirror.{mirror}`"
        )),
        Failure::Cluster { error, .. } => error.hint().map(str::to_owned),
        Failure::OverTime { .. } => Some(
            "does the mirror run, and does --timeout leave room? --topics, --since and --records make it less work".to_owned(),
        ),
        Failure::Observe(plan::ObserveError::OneCluster { .. }) => Some(
            "declare it under one alias, or correct the bootstrapServers of the other; `clusterId` guards against that"
                .to_owned(),
        ),
        Failure::Observe(plan::ObserveError::Cluster { source, .. })
        | Failure::Apply(plan::ApplyError::Cluster { source, .. })
        | Failure::Forget(plan::ForgetError::Cluster { source, .. }) => {
            source.hint().map(str::to_owned)
        }
        Failure::Replicator { error, .. } => match &**error {
            replicator::RunError::Source { error, .. }
            | replicator::RunError::Target { error, .. } => error.hint().map(str::to_owned),
            replicator::RunError::Superseded { .. } => {
                Some("the other goes on from where this one stopped; nothing is lost".to_owned())
            }
            replicator::RunError::Promoted { .. } => Some(
                "`mirrorctl replicate` copies the rest, as long as nobody else has written to its topics since; `mirrorctl \
                 status` says how the promotion stands"
                    .to_owned(),
            ),
            replicator::RunError::SameCluster { .. }
            | replicator::RunError::Gaps { .. }
            | replicator::RunError::Positions { .. } => None,
        },
        Failure::NotSupported { .. } => Some("remove the keys to accept that".to_owned()),
        Failure::NothingToCompare { .. } => {
            Some("compare topicsPattern with the topics that exist there".to_owned())
        }
        Failure::Judge(conformance::Error::TopicMissing { .. }) => Some(
            "--partitions N creates the topic of a stamped workload; what is compared has to be there"
                .to_owned(),
        ),
        Failure::JudgedByItself { .. } => Some(
            "correct the bootstrapServers of one of them; `clusterId` guards against that".to_owned(),
        ),
        Failure::TopicGuarded { .. } => {
            Some("choose another --topic, or change topics.managed or topics.protected".to_owned())
        }
        Failure::Promoted { .. } => Some(
            "a promotion that was applied is not taken back. Declare a mirror the other way round, beside it in the file, to copy \
             back what applications write now; once that one is promoted in its turn, one of another name goes on in this \
             direction"
                .to_owned(),
        ),
        Failure::LeftOut { .. } => Some(
            "promote the mirror that fills these topics (`state: promoted`, then `apply`, while its `replicate` runs, or started \
             once afterwards): they are released then, which `mirrorctl plan` shows"
                .to_owned(),
        ),
        Failure::NotPermitted { addresses } => Some(format!(
            "permit it where the cluster is declared, `allow: {{{}}}`; `mirrorctl forget` only ends the management of a \
             resource",
            permissions(addresses).join(", ")
        )),
        Failure::Halted { halted } => Some(halted.hint()),
        Failure::Verification { .. } => Some(
            "the first counterexample of each failed check is printed with the verdicts".to_owned(),
        ),
        Failure::Listen { error, .. } if error.kind() == std::io::ErrorKind::AddrInUse => Some(
            "something else serves there, perhaps another mirrorctl: choose another --listen"
                .to_owned(),
        ),
        Failure::RenderWrite(render::WriteError::Edited { .. }) => Some(
            "nothing was written; `render --check` shows the differences, --force overwrites them"
                .to_owned(),
        ),
        Failure::Render(render::RenderError::Targets(_)) => Some(
            "nothing was written, because what is rendered goes together; targets that are named (--target, or \
             `render.targets`) do without the others"
                .to_owned(),
        ),
        Failure::NothingToRender { targets } => Some(
            targets
                .iter()
                .map(|it| format!("{} is for {}", it.name, it.renders))
                .collect::<Vec<_>>()
                .join("; "),
        ),
        Failure::RenderFolder(
            render::FolderError::Manifest { path, .. } | render::FolderError::Path { manifest: path, .. },
        ) => Some(format!(
            "restore it from version control; or remove {}, and render again: files that are not as wanted then count as \
             edited, which --force overwrites",
            path.display()
        )),
        Failure::Topology(LoadError::Invalid(_))
        | Failure::InvalidFiles { .. }
        | Failure::Render(_)
        | Failure::Ambari(_)
        | Failure::RenderFolder(_)
        | Failure::RenderWrite(_)
        | Failure::Connect(_)
        | Failure::Unreached { .. }
        | Failure::Observe(_)
        | Failure::InfrastructureUnknown
        | Failure::Forget(plan::ForgetError::File(_))
        | Failure::PlanFile(_)
        | Failure::Apply(_)
        | Failure::Declined
        | Failure::NotRunnable { .. }
        | Failure::NothingToRun { .. }
        | Failure::Unfinished
        | Failure::NotConnected { .. }
        | Failure::Judge(_)
        | Failure::Embedded { .. }
        | Failure::Child { .. }
        | Failure::File { .. }
        | Failure::FileUnread { .. }
        | Failure::Listen { .. }
        | Failure::LagOver { .. }
        | Failure::NeedAttention { .. }
        | Failure::Output(_)
        | Failure::Json(_)
        | Failure::Runtime(_)
        | Failure::Panicked(_)
        | Failure::Interrupted => None,
    }
}
