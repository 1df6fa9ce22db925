//! Rendered files in the model: what is wanted, what the manifest says and what is there have nothing to do with each other.

use std::collections::BTreeMap;

use folder::{Manifest, ManifestEntry, Present, sha256};
use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{desired, observed, run};
use crate::apply::work::Outlook;
use crate::change::{Action, RecordChange, Resource, ResourceChange};
use crate::diff::diff_desired;
use crate::observed::Observed;
use crate::permissions::Permissions;
use crate::rendered_file::{self, DesiredFile, DesiredFolder, ObservedFolder};

const PATHS: [&str; 4] = [
    "systemd/a.service",
    "ansible/site.yml",
    "ansible/roles/x y%/main.yml",
    "arm/a.json",
];
const TEXTS: [&str; 3] = ["one\n", "two\n", "one\nthree\n"];

fn path() -> impl Strategy<Value = String> {
    select(PATHS.to_vec()).prop_map(str::to_owned)
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    let text = select(TEXTS.to_vec()).prop_map(str::to_owned);
    btree_map(path(), text, 0..5)
}

fn entry(text: &str, target: &str) -> ManifestEntry {
    ManifestEntry {
        target: target.to_owned(),
        topology: None,
        clusters: BTreeMap::new(),
        sha256: sha256(text.as_bytes()),
        template: None,
        template_sha256: None,
    }
}

fn plain(text: String) -> Present {
    Present {
        bytes: text.into_bytes(),
        executable: false,
    }
}

pub(super) fn desired_folder() -> impl Strategy<Value = Option<DesiredFolder>> {
    let files = texts().prop_map(|texts| {
        let files = texts.into_iter().map(|(path, content)| {
            let entry = entry(&content, "a");
            let file = DesiredFile {
                content,
                executable: false,
                entry,
            };
            (path, file)
        });
        DesiredFolder {
            below: "/".into(),
            out: "out".into(),
            clusters: BTreeMap::new(),
            files: files.collect(),
        }
    });
    option::weighted(0.8, files)
}

pub(super) fn folder() -> impl Strategy<Value = Option<ObservedFolder>> {
    let known = btree_map(
        path(),
        (select(TEXTS.to_vec()), select(vec!["a", "b"])),
        0..5,
    );
    (texts(), known).prop_map(|(present, known)| {
        let entries = known
            .into_iter()
            .map(|(path, (text, target))| (path, entry(text, target)));
        Some(ObservedFolder {
            manifest: Manifest {
                files: entries.collect(),
                ..Manifest::default()
            },
            files: present
                .into_iter()
                .map(|(path, text)| (path, plain(text)))
                .collect(),
            ..ObservedFolder::default()
        })
    })
}

pub(super) fn address() -> impl Strategy<Value = String> {
    path().prop_map(|path| rendered_file::label(&path))
}

/// Carries out the change of a file, unless `limit` steps were carried out: then `false`.
pub(super) fn carry_out(
    change: &ResourceChange,
    observed: &mut Observed,
    limit: &mut usize,
) -> bool {
    let folder = observed.folder.as_mut().expect("an observed folder");
    let Resource::RenderedFile(file) = &change.resource else {
        panic!("only files are in folders: {change:?}");
    };
    let live = folder.files.get(&change.name);
    match rendered_file::outlook(file, live) {
        Outlook::Stale(differences) => panic!("nobody else changed it: {differences:?}"),
        Outlook::Remaining if *limit == 0 => return false,
        Outlook::Remaining => {
            *limit -= 1;
            match file.after() {
                Some(after) => {
                    let text = after.content.clone().expect("a text to write");
                    assert_eq!(sha256(text.as_bytes()), after.sha256);
                    folder.files.insert(change.name.clone(), plain(text));
                }
                None => {
                    folder.files.remove(&change.name);
                }
            }
        }
        Outlook::AlreadyDone => {}
    }
    match &change.record {
        Some(RecordChange::Rendered(entry)) => {
            let files = &mut folder.manifest.files;
            files.insert(change.name.clone(), entry.clone());
        }
        Some(RecordChange::Forget) => {
            folder.manifest.files.remove(&change.name);
        }
        Some(RecordChange::Remember(recorded)) => panic!("no cluster: {recorded:?}"),
        None => {}
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(400)))]

    #[test]
    fn what_somebody_wrote_is_lost_only_where_that_was_asked_for(
        desired in desired(),
        before in observed(),
        allowed in address(),
    ) {
        let permissions = Permissions::to_destroy([allowed.clone()]);
        let plan = diff_desired(&desired, &before, &permissions);
        let mut after = before.clone();
        run(&plan, &mut after, usize::MAX);
        let (before, after) = (before.folder.expect("a folder"), after.folder.expect("a folder"));
        for (path, file) in &before.files {
            let recorded = before.manifest.files.get(path);
            let as_rendered = recorded.is_some_and(|entry| entry.sha256 == sha256(&file.bytes));
            if !as_rendered && rendered_file::label(path) != allowed {
                prop_assert_eq!(after.files.get(path), Some(file));
            }
        }
    }

    #[test]
    fn the_manifest_is_true_of_every_file_that_was_not_refused(
        desired in desired(),
        before in observed(),
        allowed in address(),
    ) {
        let plan = diff_desired(&desired, &before, &Permissions::to_destroy([allowed]));
        let mut after = before.clone();
        run(&plan, &mut after, usize::MAX);
        let after = after.folder.expect("a folder");
        if let Some(desired) = &desired.folder {
            let refused = plan.resource_changes.iter().filter(|change| change.is_blocked());
            let refused: Vec<&str> = refused.map(|change| change.name.as_str()).collect();
            for (path, entry) in &after.manifest.files {
                if !refused.contains(&path.as_str()) {
                    prop_assert_eq!(Some(entry), desired.files.get(path).map(|file| &file.entry));
                    let bytes = after.files.get(path).map(|file| sha256(&file.bytes));
                    prop_assert_eq!(bytes.as_ref(), Some(&entry.sha256));
                }
            }
            for path in desired.files.keys().filter(|path| !refused.contains(&path.as_str())) {
                prop_assert!(after.manifest.files.contains_key(path));
            }
        }
    }

    #[test]
    fn files_that_were_not_rendered_and_are_not_wanted_are_in_no_plan(
        desired in desired(),
        observed in observed(),
    ) {
        let plan = diff_desired(&desired, &observed, &Permissions::none());
        let folder = observed.folder.expect("a folder");
        for change in plan.resource_changes.iter().filter(|it| it.home.cluster().is_none()) {
            let wanted = desired.folder.as_ref().is_some_and(|it| it.files.contains_key(&change.name));
            prop_assert!(wanted || folder.manifest.files.contains_key(&change.name));
            prop_assert!(change.action() != Action::Delete || !wanted);
        }
    }
}
