//! Rendered files: what a plan says of each way that a file can stand.

use std::collections::BTreeMap;

use folder::{Manifest, ManifestEntry, Present, sha256};
use plan::text::{Style, render_human};
use plan::{
    Action, BlockCode, Desired, DesiredFile, DesiredFolder, Observed, ObservedFolder, Permissions,
    Plan, RecordChange, Risk, diff_desired,
};

fn entry(text: &str) -> ManifestEntry {
    ManifestEntry {
        target: "systemd".to_owned(),
        topology: None,
        clusters: BTreeMap::new(),
        sha256: sha256(text.as_bytes()),
        template: None,
        template_sha256: None,
    }
}

/// Files by path: as wanted, as they are, as the manifest says.
type Files<'a> = &'a [(&'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>)];

fn planned(files: Files<'_>, allowed: &Permissions) -> Plan {
    let mut desired = DesiredFolder {
        below: "/work".into(),
        out: "rendered".into(),
        clusters: BTreeMap::new(),
        files: BTreeMap::new(),
    };
    let mut live = ObservedFolder::default();
    let mut manifest = Manifest::default();
    for (path, wanted, present, recorded) in files {
        let path = (*path).to_owned();
        if let Some(text) = wanted {
            let file = DesiredFile {
                content: (*text).to_owned(),
                executable: false,
                entry: entry(text),
            };
            desired.files.insert(path.clone(), file);
        }
        if let Some(text) = present {
            let file = Present {
                bytes: text.as_bytes().to_vec(),
                executable: false,
            };
            live.files.insert(path.clone(), file);
        }
        if let Some(text) = recorded {
            manifest.files.insert(path, entry(text));
        }
    }
    live.manifest = manifest;
    let observed = Observed {
        folder: Some(live),
        ..Observed::default()
    };
    diff_desired(&Desired::default().with_files(desired), &observed, allowed)
}

#[test]
fn each_standing_has_its_change() {
    let (old, new, edit) = (Some("old\n"), Some("new\n"), Some("edit\n"));
    for (about, wanted, present, recorded, action, blocked, drift) in [
        ("new", new, None, None, Action::Create, false, false),
        ("deleted", new, None, new, Action::Create, false, true),
        (
            "deleted, other",
            new,
            None,
            old,
            Action::Create,
            false,
            false,
        ),
        ("as it is", new, new, new, Action::NoOp, false, false),
        ("there before", new, new, None, Action::NoOp, false, false),
        ("outdated", new, old, old, Action::Update, false, false),
        ("edited", new, edit, new, Action::Update, true, true),
        ("edited, other", new, edit, old, Action::Update, true, false),
        ("foreign", new, edit, None, Action::Update, true, false),
        ("dropped", None, old, old, Action::Delete, false, false),
        (
            "dropped, edited",
            None,
            edit,
            old,
            Action::Delete,
            true,
            false,
        ),
    ] {
        let files: Files<'_> = &[("systemd/a b.service", wanted, present, recorded)];
        let plan = planned(files, &Permissions::none());
        let change = &plan.resource_changes[0];
        assert_eq!(change.address, "file.systemd/a%20b.service", "{about}");
        assert_eq!(change.name, "systemd/a b.service", "{about}");
        assert_eq!(change.action(), action, "{about}");
        assert_eq!(change.is_blocked(), blocked, "{about}");
        assert_eq!(change.is_drift(), drift, "{about}");
        assert_eq!(change.risk == Risk::LosesEdits, blocked, "{about}");
        let noted = match &change.record {
            Some(RecordChange::Rendered(entry)) => Some(Some(entry.clone())),
            Some(RecordChange::Forget) => Some(None),
            Some(RecordChange::Remember(_)) => panic!("{about}: no cluster"),
            None => None,
        };
        let expected = (wanted != recorded).then(|| wanted.map(entry));
        assert_eq!(noted, expected, "{about}");

        let allowed = Permissions::to_destroy([change.address.clone()]);
        assert!(!planned(files, &allowed).is_blocked(), "{about}");
        if blocked {
            assert_eq!(change.blocked[0].code, BlockCode::DestroyNotAllowed);
        }
    }
}

#[test]
fn what_is_neither_wanted_nor_there_is_taken_out_of_the_manifest() {
    let files: Files<'_> = &[
        ("systemd/a", None, None, Some("old\n")),
        ("systemd/b", None, Some("mine\n"), None),
    ];
    let plan = planned(files, &Permissions::none());
    assert!(plan.resource_changes.is_empty(), "{plan:#?}");
    assert_eq!(plan.folder.unwrap().forget, ["systemd/a"]);
}

#[test]
fn a_folder_that_was_not_read_blocks() {
    let folder = DesiredFolder {
        below: "/work".into(),
        out: "rendered".into(),
        clusters: BTreeMap::new(),
        files: [(
            "systemd/a".to_owned(),
            DesiredFile {
                content: "a\n".to_owned(),
                executable: true,
                entry: entry("a\n"),
            },
        )]
        .into(),
    };
    let desired = Desired::default().with_files(folder);
    let plan = diff_desired(&desired, &Observed::default(), &Permissions::none());
    assert_eq!(
        plan.resource_changes[0].blocked[0].code,
        BlockCode::NotObserved
    );
}

#[test]
fn what_people_see() {
    let numbered = |step: usize| -> String {
        let lines: Vec<String> = (0..40)
            .map(|line| format!("line {}", line * step))
            .collect();
        lines.join("\n") + "\n"
    };
    let (many, odd) = (numbered(1), numbered(2));
    let files: Files<'_> = &[
        (
            "ansible/site.yml",
            Some("a\nb\nc\n"),
            Some("a\nB\nc\n"),
            Some("a\nb\nc\n"),
        ),
        ("arm/gone.json", None, Some("{}\n"), Some("{}\n")),
        ("arm/kept.json", None, Some("{1}\n"), Some("{}\n")),
        ("connect/a.json", Some("{}\n"), None, None),
        ("systemd/a.env", Some(&many), Some(&odd), Some(&odd)),
        ("systemd/same", Some("x\n"), Some("x\n"), None),
    ];
    let text = |color| {
        let style = Style { color, width: 100 };
        render_human(&planned(files, &Permissions::none()), style)
    };
    insta::assert_snapshot!(text(false));
    assert_ne!(text(true), text(false));
}
