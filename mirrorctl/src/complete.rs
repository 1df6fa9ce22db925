//! Completion of what only a topology knows: addresses, and names of mirrors. It reads the file that the command line names, and
//! asks no cluster.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap_complete::engine::CompletionCandidate;
use plan::Desired;
use topology::Topology;

use crate::rendered;

/// The variable by which a shell asks for completions.
pub(crate) const VARIABLE: &str = "MIRRORCTL_COMPLETE";

/// Addresses that begin like this, of the topology that the command line names.
pub(crate) fn addresses(current: &OsStr) -> Vec<CompletionCandidate> {
    let found = named().map(|(file, topology)| declared(&file, &topology));
    beginning(current, found.unwrap_or_default())
}

/// Names of mirrors likewise.
pub(crate) fn mirrors(current: &OsStr) -> Vec<CompletionCandidate> {
    let found = named().map(|(_, topology)| {
        let mirrors = topology.mirrors.into_iter();
        mirrors.map(|mirror| mirror.name).collect()
    });
    beginning(current, found.unwrap_or_default())
}

fn beginning(current: &OsStr, known: BTreeSet<String>) -> Vec<CompletionCandidate> {
    let begins = current.to_string_lossy();
    let fit = known.into_iter().filter(|it| it.starts_with(&*begins));
    fit.map(CompletionCandidate::new).collect()
}

/// The topology that the command line names. Nothing of a file that is wrong, because nobody reads what a completion complains of.
fn named() -> Option<(PathBuf, Topology)> {
    let file = topology_file(std::env::args_os())?;
    let topology = topology::load(&file).ok()?.topology;
    Some((file, topology))
}

fn declared(file: &Path, topology: &Topology) -> BTreeSet<String> {
    let mut desired = Desired::from(topology);
    desired.folder = rendered::files(file, topology).ok().flatten();
    desired.addresses()
}

/// The value of `-f`, in the forms that clap takes, and as bash takes them apart.
fn topology_file(arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        let Some(argument) = argument.to_str() else {
            continue;
        };
        if argument == "-f" || argument == "--file" {
            // a word of its own in bash
            arguments.next_if(|it| it == "=");
            return arguments.next().map(PathBuf::from);
        }
        let glued = argument.strip_prefix("--file=");
        if let Some(file) = glued.or_else(|| argument.strip_prefix("-f")) {
            return Some(file.trim_start_matches('=').into());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_found_however_it_is_named() {
        for line in [
            "plan -f t.yaml --target x",
            "plan --target x --file t.yaml",
            "plan --file=t.yaml",
            "plan --file = t.yaml --target x",
            "plan -ft.yaml",
            "plan -f=t.yaml",
        ] {
            let words = line.split(' ').map(OsString::from);
            assert_eq!(topology_file(words), Some("t.yaml".into()), "{line}");
        }
        let none = ["plan", "--output", "json"].map(OsString::from);
        assert_eq!(topology_file(none.into_iter()), None);
    }
}
