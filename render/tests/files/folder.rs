//! A folder from run to run: what is written, what is left alone, what is refused.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use mirrorctl_render::{
    Comparison, FileState, FolderError, MANIFEST, Rendering, WriteError, Written, compare,
};
use tempfile::TempDir;

use crate::support::{MM2, rendering};

const FILE: &str = "mirrormaker2/a-to-b/mm2.properties";

fn two_mirrors() -> String {
    let second = "- {name: second, source: b, target: a, engine: mirrormaker2, \
                  topicsPattern: other, replicationPolicy: {type: default}}\n";
    format!("{MM2}{second}")
}

fn compared(rendering: &Rendering, folder: &Path) -> Comparison {
    compare(rendering, folder).unwrap()
}

/// Renders into the folder, unless something was edited.
fn write(text: &str, folder: &Path) -> Result<Written, WriteError> {
    let comparison = compared(&rendering(text, &["mirrormaker2"]), folder);
    comparison.refuse_edited()?;
    comparison.apply(folder)
}

fn state(text: &str, folder: &Path, path: &str) -> FileState {
    compared(&rendering(text, &["mirrormaker2"]), folder)
        .files
        .iter()
        .find(|file| file.path == path)
        .unwrap()
        .state
}

#[test]
fn a_second_run_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("deep/out");
    let first = write(MM2, &out).unwrap();
    assert_eq!((first.created, first.unchanged), (1, 0));
    let mode = fs::metadata(out.join(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    let manifest = fs::read(out.join(MANIFEST)).unwrap();
    let stamp = fs::metadata(out.join(FILE)).unwrap().modified().unwrap();

    assert!(compared(&rendering(MM2, &["mirrormaker2"]), &out).is_current());
    let second = write(MM2, &out).unwrap();
    assert_eq!(
        (second.created, second.updated, second.unchanged),
        (0, 0, 1)
    );
    assert_eq!(fs::read(out.join(MANIFEST)).unwrap(), manifest);
    assert_eq!(
        fs::metadata(out.join(FILE)).unwrap().modified().unwrap(),
        stamp,
        "not written again"
    );
}

#[test]
fn a_change_is_shown_as_a_diff_and_written() {
    let out = TempDir::new().unwrap();
    write(MM2, out.path()).unwrap();
    let changed = MM2.replace("bill", "invoices");
    let comparison = compared(&rendering(&changed, &["mirrormaker2"]), out.path());
    assert!(!comparison.is_current());
    let file = comparison.in_state(FileState::Outdated).next().unwrap();
    let diff = file.diff(100);
    let lines: Vec<&str> = diff
        .lines()
        .filter(|it| it.contains(".topics = "))
        .collect();
    assert_eq!(lines.len(), 2, "{diff}");
    assert!(lines[0].starts_with("-a->b.topics") && lines[1].starts_with("+a->b.topics"));
    assert!(file.diff(3).contains("more lines"));
    assert_eq!(write(&changed, out.path()).unwrap().updated, 1);
    assert_eq!(state(&changed, out.path(), FILE), FileState::Same);
}

#[test]
fn edited_files_keep_everything_from_being_written() {
    let out = TempDir::new().unwrap();
    write(MM2, out.path()).unwrap();
    let mut edited = fs::read_to_string(out.path().join(FILE)).unwrap();
    edited.push_str("# mine\n");
    fs::write(out.path().join(FILE), &edited).unwrap();

    match write(&two_mirrors(), out.path()) {
        Err(WriteError::Edited { paths }) => assert_eq!(paths, [FILE]),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read_to_string(out.path().join(FILE)).unwrap(), edited);
    assert!(
        !out.path().join("mirrormaker2/second").exists(),
        "the other file was not written either"
    );
    // forced
    let comparison = compared(&rendering(&two_mirrors(), &["mirrormaker2"]), out.path());
    let written = comparison.apply(out.path()).unwrap();
    assert_eq!((written.created, written.updated), (1, 1));
    assert!(
        !fs::read_to_string(out.path().join(FILE))
            .unwrap()
            .contains("# mine")
    );
}

#[test]
fn a_file_that_was_there_before_is_not_ours() {
    let out = TempDir::new().unwrap();
    fs::create_dir_all(out.path().join("mirrormaker2/a-to-b")).unwrap();
    fs::write(out.path().join(FILE), "mine\n").unwrap();
    fs::write(out.path().join("mirrormaker2/notes.txt"), "mine\n").unwrap();
    assert!(matches!(
        write(MM2, out.path()),
        Err(WriteError::Edited { .. })
    ));
    fs::remove_file(out.path().join(FILE)).unwrap();
    write(MM2, out.path()).unwrap();
    assert_eq!(
        fs::read_to_string(out.path().join("mirrormaker2/notes.txt")).unwrap(),
        "mine\n"
    );
}

#[test]
fn what_is_not_wanted_any_more_goes_unless_it_was_edited() {
    let out = TempDir::new().unwrap();
    let second = "mirrormaker2/second/mm2.properties";
    write(&two_mirrors(), out.path()).unwrap();
    assert_eq!(write(MM2, out.path()).unwrap().removed, 1);
    assert!(!out.path().join("mirrormaker2/second").exists());
    assert!(out.path().join(FILE).exists());

    write(&two_mirrors(), out.path()).unwrap();
    fs::write(out.path().join(second), "mine\n").unwrap();
    assert_eq!(state(MM2, out.path(), second), FileState::Left);
    assert_eq!(write(MM2, out.path()).unwrap().removed, 0);
    assert_eq!(
        fs::read_to_string(out.path().join(second)).unwrap(),
        "mine\n"
    );
    assert!(compared(&rendering(MM2, &["mirrormaker2"]), out.path()).is_current());
}

#[test]
fn an_edited_file_that_is_not_wanted_stays_known_until_it_is_removed_by_force() {
    let out = TempDir::new().unwrap();
    let second = "mirrormaker2/second/mm2.properties";
    write(&two_mirrors(), out.path()).unwrap();
    fs::write(out.path().join(second), "mine\n").unwrap();
    for _ in 0..2 {
        write(MM2, out.path()).unwrap();
        assert_eq!(state(MM2, out.path(), second), FileState::Left);
    }
    let forced = compared(&rendering(MM2, &["mirrormaker2"]), out.path()).removing_edited();
    assert_eq!(forced.apply(out.path()).unwrap().removed, 1);
    assert!(!out.path().join(second).exists());
    let manifest = fs::read_to_string(out.path().join(MANIFEST)).unwrap();
    assert!(!manifest.contains(second), "{manifest}");
}

#[test]
fn a_script_that_cannot_be_executed_is_not_as_rendered() {
    let out = TempDir::new().unwrap();
    let text = MM2.replace("  engine: mirrormaker2\n", "");
    let script = out.path().join("systemd/install.sh");
    let now = || compared(&rendering(&text, &["systemd"]), out.path());
    now().apply(out.path()).unwrap();
    assert!(now().is_current());
    fs::set_permissions(&script, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(!now().is_current());
    assert_eq!(now().in_state(FileState::NotExecutable).count(), 1);
    now().refuse_edited().unwrap();
    assert_eq!(now().apply(out.path()).unwrap().updated, 1);
    let mode = fs::metadata(&script).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn what_is_missing_is_written_again() {
    let out = TempDir::new().unwrap();
    write(MM2, out.path()).unwrap();
    fs::remove_file(out.path().join(FILE)).unwrap();
    assert_eq!(state(MM2, out.path(), FILE), FileState::Missing);
    assert_eq!(write(MM2, out.path()).unwrap().created, 1);
}

#[test]
fn a_change_between_looking_and_writing_is_kept() {
    let out = TempDir::new().unwrap();
    write(MM2, out.path()).unwrap();
    let changed = MM2.replace("bill", "invoices");
    let comparison = compared(&rendering(&changed, &["mirrormaker2"]), out.path());
    fs::write(out.path().join(FILE), "mine\n").unwrap();
    match comparison.apply(out.path()) {
        Err(WriteError::Changed { path }) => assert_eq!(path, FILE),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read_to_string(out.path().join(FILE)).unwrap(), "mine\n");
}

#[test]
fn nothing_is_written_through_links() {
    let out = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    symlink(elsewhere.path(), out.path().join("mirrormaker2")).unwrap();
    let error = compare(&rendering(MM2, &["mirrormaker2"]), out.path()).unwrap_err();
    assert!(matches!(error, FolderError::Link { .. }), "{error}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_manifest_that_was_changed_leads_nowhere() {
    let out = TempDir::new().unwrap();
    let outside = TempDir::new().unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, "").unwrap();
    for (name, refused) in [
        (format!("../{}", victim.display()), true),
        (victim.display().to_string(), true),
        ("mirrormaker2/x".to_owned(), false),
    ] {
        let text = format!(
            "{{\"format_version\": \"1.0\", \"files\": {{{}: {{\"target\": \"mirrormaker2\", \"sha256\": \
             \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}}}}}}",
            serde_json::to_string(&name).unwrap()
        );
        fs::write(out.path().join(MANIFEST), text).unwrap();
        let compared = compare(&rendering(MM2, &["mirrormaker2"]), out.path());
        assert_eq!(compared.is_err(), refused, "{name}");
    }
    for text in ["{", "{\"format_version\": \"2.0\", \"files\": {}}"] {
        fs::write(out.path().join(MANIFEST), text).unwrap();
        assert!(matches!(
            compare(&rendering(MM2, &["mirrormaker2"]), out.path()),
            Err(FolderError::Manifest { .. })
        ));
    }
    assert!(victim.exists());
}

#[test]
fn something_in_the_way_is_named() {
    let out = TempDir::new().unwrap();
    fs::create_dir_all(out.path().join(FILE)).unwrap();
    let error = compare(&rendering(MM2, &["mirrormaker2"]), out.path()).unwrap_err();
    assert!(matches!(error, FolderError::InTheWay { .. }), "{error}");
}

#[test]
fn what_another_topology_rendered_is_left_alone() {
    let out = TempDir::new().unwrap();
    let named = |text: &str, name: &str| format!("{text}metadata: {{name: {name}}}\n");
    let (a, b) = (named(&two_mirrors(), "a"), named(MM2, "b"));
    write(&a, out.path()).unwrap();
    // the same file is nobody's loss, and stays whose it was; the second one is not looked at
    assert_eq!(state(&b, out.path(), FILE), FileState::Same);
    let written = write(&b, out.path()).unwrap();
    assert_eq!((written.removed, written.unchanged), (0, 1));
    assert!(compared(&rendering(&a, &["mirrormaker2"]), out.path()).is_current());

    let other = b.replace("bill", "invoices");
    assert_eq!(state(&other, out.path(), FILE), FileState::Others);
    let before = fs::read(out.path().join(FILE)).unwrap();
    assert!(matches!(
        write(&other, out.path()),
        Err(WriteError::Edited { .. })
    ));
    assert_eq!(fs::read(out.path().join(FILE)).unwrap(), before);
    // forced, it is taken over
    let comparison = compared(&rendering(&other, &["mirrormaker2"]), out.path());
    comparison.apply(out.path()).unwrap();
    assert!(compared(&rendering(&other, &["mirrormaker2"]), out.path()).is_current());
    assert_eq!(state(&a, out.path(), FILE), FileState::Others);
}

/// MM2, its clusters elsewhere.
fn elsewhere() -> String {
    let text = MM2.replace("\"a1:9092\", \"a2:9092\"", "\"x:9092\"");
    let text = text.replace("b:9093", "y:9093");
    assert!(text.contains("x:9092") && text.contains("y:9093"));
    text
}

#[test]
fn a_topology_without_a_name_takes_no_folder_from_one_of_other_clusters() {
    let out = TempDir::new().unwrap();
    write(&two_mirrors(), out.path()).unwrap();
    let before = fs::read(out.path().join(FILE)).unwrap();
    for text in [
        elsewhere(),
        format!("{}metadata: {{name: b}}\n", elsewhere()),
    ] {
        assert_eq!(state(&text, out.path(), FILE), FileState::Others);
        let comparison = compared(&rendering(&text, &["mirrormaker2"]), out.path());
        // what this one does not want is the other's, and no leftover
        assert_eq!(comparison.in_state(FileState::Obsolete).count(), 0);
        let refused = write(&text, out.path());
        assert!(matches!(refused, Err(WriteError::Edited { .. })));
        assert_eq!(fs::read(out.path().join(FILE)).unwrap(), before);
    }
    // forced, it is taken over, and what is left stays whose it was
    let forced = rendering(&elsewhere(), &["mirrormaker2"]);
    let written = compared(&forced, out.path()).apply(out.path()).unwrap();
    assert_eq!((written.updated, written.removed), (1, 0));
    assert!(compared(&forced, out.path()).is_current());
    assert_eq!(state(MM2, out.path(), FILE), FileState::Others);
}

#[test]
fn a_topology_without_a_name_may_change_and_get_one() {
    let out = TempDir::new().unwrap();
    write(MM2, out.path()).unwrap();
    let moved = MM2.replace("\"a1:9092\", \"a2:9092\"", "\"x:9092\"");
    let third = "- {alias: c, bootstrapServers: ['c:9092']}\nmirrors:";
    let more = MM2.replace("mirrors:", third).replace("bill", "invoices");
    for text in [&moved, &more] {
        assert_eq!(state(text, out.path(), FILE), FileState::Outdated);
        let named = format!("{text}metadata: {{name: b}}\n");
        assert_eq!(state(&named, out.path(), FILE), FileState::Outdated);
    }
}

#[test]
fn a_manifest_of_before_clusters_were_noted_keeps_nobody_out() {
    let out = TempDir::new().unwrap();
    write(MM2, out.path()).unwrap();
    let manifest = out.path().join(MANIFEST);
    let text = fs::read_to_string(&manifest).unwrap();
    let mut entries: serde_json::Value = serde_json::from_str(&text).unwrap();
    let entry = entries["files"][FILE].as_object_mut().unwrap();
    let clusters = entry.remove("clusters").unwrap();
    assert_eq!(clusters.as_object().unwrap().len(), 2);
    fs::write(&manifest, entries.to_string()).unwrap();
    assert_eq!(state(&elsewhere(), out.path(), FILE), FileState::Outdated);
    // one with a name needs no more
    let named = format!("{MM2}metadata: {{name: a}}\n");
    write(&named, out.path()).unwrap();
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(!text.contains("\"clusters\""), "{text}");
}
