//! What a plan does not touch, and what others left: beside the changes, in few words.

use std::collections::BTreeMap;

use super::{INDENT, Line, Tone, annotated, explain, printable, unit};
use crate::change::{Action, ResourceChange};
use crate::document::{FolderRef, FormerFolder, OtherFiles, Plan};
use crate::draft::DECLARED_NO_LONGER;
use crate::home::Home;
use crate::rendered_file::RENDERED_NO_LONGER;

/// Unmanaged settings and notes that are printed; the JSON form has all of them.
const NOTES_SHOWN: usize = 20;

/// Settings on live topics that nobody declared, and notes of topics without a change.
pub(super) fn left_alone(plan: &Plan, width: usize, lines: &mut Vec<Line>) {
    let mut notes: Vec<(String, String)> = plan
        .resource_changes
        .iter()
        .flat_map(|change| {
            let address = printable(&change.address);
            let own = match change.action() {
                Action::NoOp => change.notes.as_slice(),
                // printed with the change
                Action::Create | Action::Update | Action::Delete => &[],
            };
            let own = own.iter().map({
                let address = address.clone();
                move |note| (address.clone(), note.clone())
            });
            own.chain(unmanaged(address, &change.unmanaged))
                .collect::<Vec<_>>()
        })
        .collect();
    notes.extend(plan.folder.iter().flat_map(of_others));
    if notes.is_empty() {
        return;
    }
    lines.push(Line::of(Tone::Dim, "Left as it is:"));
    for note in notes.iter().take(NOTES_SHOWN) {
        let (of, says) = note;
        if of.chars().count() + says.chars().count() + 4 <= width {
            lines.push(Line::of(Tone::Dim, format!("  {of}  {says}")));
        } else {
            lines.push(Line::of(Tone::Dim, format!("  {of}")));
            explain(Tone::Dim, says, INDENT, width, lines);
        }
    }
    if notes.len() > NOTES_SHOWN {
        let more = notes.len() - NOTES_SHOWN;
        lines.push(Line::of(
            Tone::Dim,
            format!("  … and {more} more in the JSON output"),
        ));
    }
    lines.push(Line::default());
}

/// Files in the folder that are none of the topology's business.
fn of_others(folder: &FolderRef) -> Vec<(String, String)> {
    let path = printable(&folder.path.display().to_string());
    let others = folder.others.iter();
    others
        .map(|OtherFiles { topology, files }| {
            let plural = if *files == 1 { "" } else { "s" };
            let whose = match topology {
                Some(name) => format!("the topology `{}`", printable(name)),
                None => "a topology without a name".to_owned(),
            };
            (path.clone(), format!("{files} file{plural} of {whose}"))
        })
        .collect()
}

/// Where topologies without names share a cluster or a folder, each takes what the others declared for what itself did.
pub(super) fn shared(plan: &Plan, width: usize, lines: &mut Vec<Line>) {
    let mut changes = plan.resource_changes.iter();
    let dropped = |change: &ResourceChange| match change.home {
        Home::Cluster(_) => change.reason == DECLARED_NO_LONGER,
        Home::Folder(_) => change.reason == RENDERED_NO_LONGER,
    };
    if plan.topology.is_none() && changes.any(dropped) {
        let text = "Does another topology declare what is declared or rendered no longer here? Give each a name, `metadata: {name: …}`, \
                    and apply it: then each takes back only what itself declared.";
        explain(Tone::Dim, text, 0, width, lines);
        lines.push(Line::default());
    }
}

/// Files in folders that the topology rendered into before: nothing removes them.
pub(super) fn former_folders(plan: &Plan, width: usize, lines: &mut Vec<Line>) {
    if plan.former_folders.is_empty() {
        return;
    }
    let whose = match &plan.topology {
        Some(_) => "Rendered from this topology into other folders, and left there:",
        None => "Rendered from a topology without a name into other folders, and left there:",
    };
    lines.push(Line::of(Tone::Risk, whose));
    for FormerFolder { path, files } in &plan.former_folders {
        let path = printable(&path.display().to_string());
        let plural = if *files == 1 { "" } else { "s" };
        lines.push(Line::of(
            Tone::Plain,
            format!("  {path}  {files} file{plural}"),
        ));
    }
    let hint = "hint: remove them yourself; or write that folder into `render.out` once more, for one `mirrorctl destroy --target \
                'file\\..*'`, which takes away what lies in the folder that `render.out` names, and nothing else";
    explain(Tone::Dim, hint, 2, width, lines);
    lines.push(Line::default());
}

/// What killed applies did not come to take away.
pub(super) fn left_behind(plan: &Plan, lines: &mut Vec<Line>) {
    if plan.left_behind.is_empty() {
        return;
    }
    let title = "Left by an apply that did not end; the next one takes it away:";
    lines.push(Line::of(Tone::Risk, title));
    for left in &plan.left_behind {
        let brokers: Vec<String> = left.brokers.iter().map(i32::to_string).collect();
        let address = printable(&left.address);
        lines.push(Line::of(
            Tone::Plain,
            format!(
                "  {address}  throttled replication on brokers {}",
                brokers.join(", ")
            ),
        ));
    }
    lines.push(Line::default());
}

fn unmanaged(
    address: String,
    configs: &BTreeMap<String, String>,
) -> impl Iterator<Item = (String, String)> {
    configs.iter().map(move |(key, value)| {
        let remarks = unit(key, value).into_iter();
        let value = annotated(value, remarks.chain(["not declared".to_owned()]));
        (address.clone(), format!("{} = {value}", printable(key)))
    })
}
