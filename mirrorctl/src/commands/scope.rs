//! What of a plan is asked for by address.

use std::slice;

use plan::{Action, Plan, Resource, ResourceChange};
use topology::Pattern;

use crate::cli::ScopeArgs;
use crate::output;

/// First words of addresses that no rendered file has.
const KINDS_ON_CLUSTERS: [&str; 6] = ["topic", "acl", "quota", "user", "mirror", "ec2"];

/// What of the plan was asked for.
pub(crate) fn narrowed(plan: Plan, scope: &ScopeArgs) -> Plan {
    let ScopeArgs {
        target,
        exclude,
        drift_only,
        allow_destroy: _,
    } = scope;
    if target.is_empty() && exclude.is_empty() && !drift_only {
        return plan;
    }
    let asked_for = |address: &str| is_asked_for(address, scope);
    plan.only(|change| asked_for(&change.address) && (!drift_only || change.is_drift()))
        .only_findings(|finding| asked_for(&finding.address) && !drift_only)
}

/// Whether what has this address was asked for.
pub(crate) fn is_asked_for(address: &str, scope: &ScopeArgs) -> bool {
    (scope.target.is_empty() || any(&scope.target, address)) && !any(&scope.exclude, address)
}

fn any(patterns: &[Pattern], address: &str) -> bool {
    patterns.iter().any(|it| it.matches(address))
}

/// Whether only rendered files can match: then nothing in a cloud is looked at.
pub(crate) fn speaks_of_files_only(targets: &[Pattern]) -> bool {
    speaks_only_of(targets, &["file"])
}

/// Whether nothing of a cluster can match: then none has to be reached, or even exist.
pub(crate) fn speaks_of_no_cluster(targets: &[Pattern]) -> bool {
    speaks_only_of(targets, &["file", "ec2"])
}

/// Whether a resource on the cluster `alias` can match whose address names the cluster; those of mirrors do not.
pub(crate) fn speaks_of_cluster(targets: &[Pattern], alias: &str) -> bool {
    targets.is_empty()
        || targets
            .iter()
            .flat_map(Pattern::parts)
            .any(|part| can_name(part, alias))
}

fn can_name(part: &str, alias: &str) -> bool {
    // an alternative could be anything
    if part.contains(['|', '(']) {
        return true;
    }
    let kinds = KINDS_ON_CLUSTERS.into_iter().chain(["file"]);
    let found = kinds
        .filter(|kind| begins_with(part, kind))
        .find_map(|kind| Some((kind, part.strip_prefix(kind)?)));
    match found {
        None => true,
        Some(("file" | "ec2" | "mirror", _)) => false,
        Some((_, rest)) => can_begin_with(rest, &format!(".{alias}.")),
    }
}

/// Whether what this expression matches can begin with the text, as far as its plain beginning tells.
fn can_begin_with(expression: &str, text: &str) -> bool {
    let mut plain = Vec::new();
    let mut characters = expression.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '.' => plain.push(None),
            '\\' if characters.next_if_eq(&'.').is_some() => plain.push(Some('.')),
            '_' | '-' => plain.push(Some(character)),
            _ if character.is_ascii_alphanumeric() => plain.push(Some(character)),
            '*' | '?' | '{' => {
                // what comes before it need not be there
                plain.pop();
                break;
            }
            _ => break,
        }
    }
    let mut pairs = plain.into_iter().zip(text.chars());
    pairs.all(|(plain, character)| plain.is_none_or(|it| it == character))
}

/// Whether infrastructure is asked for by its address.
pub(crate) fn speaks_of_infrastructure(targets: &[Pattern]) -> bool {
    let mut patterns = targets.iter().map(ToString::to_string);
    patterns.any(|pattern| pattern.split(',').any(|part| begins_with(part, "ec2")))
}

fn speaks_only_of(targets: &[Pattern], kinds: &[&str]) -> bool {
    let of_these = |part: &str| {
        // an alternative could be anything
        kinds.iter().any(|kind| begins_with(part, kind)) && !part.contains('|')
    };
    let mut patterns = targets.iter().map(ToString::to_string);
    !targets.is_empty() && patterns.all(|pattern| pattern.split(',').all(of_these))
}

fn begins_with(part: &str, kind: &str) -> bool {
    let rest = part.trim().strip_prefix(kind);
    rest.is_some_and(|rest| rest.starts_with('.') || rest.starts_with("\\."))
}

/// Whether a rendered file could be meant. Where none is, the folder is not even read.
pub(crate) fn speaks_of_files(targets: &[Pattern], exclude: &[Pattern]) -> bool {
    let of_clusters = |part: &str| {
        let plain = part.trim().replace("\\.", ".");
        let kind = plain.split_once('.').map(|(kind, _)| kind);
        kind.is_some_and(|kind| KINDS_ON_CLUSTERS.contains(&kind)) && !plain.contains('|')
    };
    let of_all_files =
        |part: &str| ["file.*", "file.+"].contains(&part.trim().replace("\\..", ".").as_str());
    let texts = |patterns: &[Pattern]| -> Vec<String> {
        patterns.iter().map(ToString::to_string).collect()
    };
    let targeted = texts(targets);
    let mut excluded = texts(exclude).into_iter();
    let elsewhere =
        !targeted.is_empty() && targeted.iter().all(|it| it.split(',').all(of_clusters));
    !elsewhere && !excluded.any(|it| it.split(',').any(of_all_files))
}

/// Says what was asked for by an address that nothing has: a typing error would change the plan without a word.
pub(crate) fn warn_of_unmatched(plan: &Plan, scope: &ScopeArgs) {
    for message in unmatched(plan, scope) {
        output::warning(&message);
    }
}

fn unmatched(plan: &Plan, scope: &ScopeArgs) -> Vec<String> {
    let mut messages = Vec::new();
    for (flag, patterns) in [("--target", &scope.target), ("--exclude", &scope.exclude)] {
        let lost = patterns.iter().filter(|pattern| {
            let changes = plan.resource_changes.iter().map(|it| &it.address);
            let mut addresses = changes.chain(plan.findings.iter().map(|it| &it.address));
            // infrastructure is looked at beside the plan, and in many builds not at all; a folder that is left out is not read
            let elsewhere = pattern.to_string().starts_with("ec2")
                || !speaks_of_files(&[], slice::from_ref(*pattern));
            !elsewhere && !addresses.any(|address| pattern.matches(address))
        });
        messages.extend(lost.map(|pattern| format!("{flag} {pattern} matches no address")));
    }
    let destroyed: Vec<&str> = plan
        .resource_changes
        .iter()
        .filter(|change| destroys(change, plan.topology.as_ref()))
        .map(|change| change.address.as_str())
        .collect();
    for address in &scope.allow_destroy {
        if destroyed.contains(&address.as_str()) {
            continue;
        }
        let instead = match destroyed.as_slice() {
            [] => "nothing".to_owned(),
            few => few.join(", "),
        };
        messages.push(format!(
            "--allow-destroy {address} matches nothing that this plan destroys, which is {instead}"
        ));
    }
    messages
}

/// What a permission by address is for: a deletion, an edit of a file that is overwritten, another topology's mirror, or its
/// topic that was never to be deleted.
fn destroys(change: &ResourceChange, topology: Option<&String>) -> bool {
    match change.action() {
        Action::Delete => true,
        Action::Update if change.risk == plan::Risk::LosesEdits => true,
        Action::NoOp | Action::Create | Action::Update => match &change.resource {
            Resource::Mirror(_) | Resource::Topic(_) => {
                let owner = change.owner.as_ref();
                owner.is_some_and(|owner| owner.topology.as_ref() != topology)
            }
            Resource::Acl(_)
            | Resource::ClientQuota(_)
            | Resource::ScramUser(_)
            | Resource::RenderedFile(_) => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(written: &[&str]) -> Vec<Pattern> {
        let patterns = written.iter().map(|it| Pattern::new(it));
        patterns.collect::<Result<_, _>>().expect("patterns")
    }

    #[test]
    fn the_folder_is_read_wherever_a_file_could_be_meant() {
        for (targets, exclude) in [
            (&["topic.aws.*", "acl\\..*"][..], &[][..]),
            (&["topic.a.b, mirror.c"], &[]),
            (&[], &["file.*"]),
            (&[".*"], &["topic.*", "file\\..*"]),
        ] {
            assert!(
                !speaks_of_files(&patterns(targets), &patterns(exclude)),
                "{targets:?} {exclude:?}"
            );
        }
        for (targets, exclude) in [
            (&[][..], &[][..]),
            (&[], &["file.ansible/.*"]),
            (&["topic.*|file.*"], &[]),
            (&["topic.a.b", ".*"], &[]),
            (&["topic.a{1,2}"], &["topic.*"]),
            (&["topics?"], &[]),
        ] {
            assert!(
                speaks_of_files(&patterns(targets), &patterns(exclude)),
                "{targets:?} {exclude:?}"
            );
        }
    }

    #[test]
    fn only_what_can_be_nothing_else_speaks_of_files_only() {
        let says = |written: &[&str]| speaks_of_files_only(&patterns(written));
        assert!(says(&["file.*"]));
        assert!(says(&["file\\.systemd/.*", "file.ansible/site.yml"]));
        assert!(says(&["file\\.a, file\\.b"]));
        for other in [
            &[][..],
            &[".*"],
            &["topic.a.b"],
            &["file.a", "topic.a.b"],
            &["file.a, topic.a.b"],
            &["file.a|topic.a.b"],
            &["file|topic.*"],
            &["files?.*"],
        ] {
            assert!(!says(other), "{other:?}");
        }
    }

    #[test]
    fn only_what_can_be_nothing_else_does_without_a_cluster() {
        let says = |written: &[&str]| speaks_of_cluster(&patterns(written), "aws");
        for (targets, aws) in [
            (&["mirror.pay"][..], false),
            (&["mirror\\.pay, mirror.orders"], false),
            (&["topic.onprem.*"], false),
            (&["topic\\.aw\\..*"], false),
            (&["topic.aws2.*", "acl.dc\\..*, file.*"], false),
            (&["topic.dc.aws.b"], false),
            (&[], true),
            (&[".*"], true),
            (&["topic.*"], true),
            (&["topic.+"], true),
            (&["topic.aws.orders"], true),
            (&["topic\\.aws\\..*"], true),
            (&["topic.aws2?.*"], true),
            (&["topic.a.*"], true),
            (&["topic.awx*s.b"], true),
            (&["topic.aw{0,1}s.*"], true),
            (&["topic.[a-z]+.b"], true),
            (&["topic.(aws|dc).b"], true),
            (&["mirror.pay", "topic.aws.b"], true),
            (&["mirror.a|topic.*"], true),
            (&["mirrors?.*"], true),
        ] {
            assert_eq!(says(targets), aws, "{targets:?}");
        }
    }

    #[test]
    fn infrastructure_needs_no_cluster() {
        for (written, no_cluster, infrastructure) in [
            (&["ec2\\..*"][..], true, true),
            (&["ec2.eu-west-1.vpc.a", "file.*"], true, true),
            (&["file.*"], true, false),
            (&["ec2\\..*", "topic.*"], false, true),
            (&["ec2x.*"], false, false),
            (&[], false, false),
        ] {
            let targets = patterns(written);
            assert_eq!(speaks_of_no_cluster(&targets), no_cluster, "{written:?}");
            assert_eq!(
                speaks_of_infrastructure(&targets),
                infrastructure,
                "{written:?}"
            );
        }
    }
}
