//! Saved plans: what was reviewed is what comes back, or nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use plan::{Plan, PlanFileError};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::fixture::{everything, planned};

fn a_plan() -> Plan {
    let (desired, observed) = everything();
    planned(&desired, &observed)
}

fn saved() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("plan.json");
    a_plan().save(&path).unwrap();
    (folder, path)
}

fn files(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn comes_back_as_it_was_saved() {
    let (folder, path) = saved();
    assert_eq!(Plan::load(&path).unwrap(), a_plan());
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        files(folder.path()),
        ["plan.json"],
        "nothing else is left behind"
    );
}

#[test]
fn replaces_an_earlier_plan_and_narrows_its_mode() {
    let (_folder, path) = saved();
    fs::write(&path, "an earlier one").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    a_plan().save(&path).unwrap();
    assert_eq!(Plan::load(&path).unwrap(), a_plan());
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_the_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("no/such/plan.json");
    let error = a_plan().save(&path).unwrap_err();
    assert!(matches!(error, PlanFileError::NoFolder { .. }), "{error}");
    assert!(error.to_string().contains("no/such/plan.json"), "{error}");
    let error = Plan::load(&path).unwrap_err();
    assert!(matches!(error, PlanFileError::Read { .. }), "{error}");
}

#[test]
fn a_truncated_file_is_corrupt_wherever_it_is_cut() {
    let (_folder, path) = saved();
    let whole = fs::read(&path).unwrap();
    let last_brace = whole.len() - 2;
    for length in [0, 1, 20, whole.len() / 2, last_brace] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = Plan::load(&path).unwrap_err();
        assert!(
            matches!(error, PlanFileError::Corrupt { .. }),
            "cut at {length}: {error}"
        );
    }
}

#[test]
fn edits_by_hand_are_refused() {
    let (_folder, path) = saved();
    let whole = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"partitions\": 12", "\"partitions\": 13"),
        ("onprem-id", "other-id"),
        (
            "\"code\": \"protected-topic\"",
            "\"code\": \"unmanaged-topic\"",
        ),
        ("sha256:", "sha256:0"),
    ] {
        let edited = whole.replacen(from, to, 1);
        assert_ne!(edited, whole, "{from} is in the file");
        fs::write(&path, edited).unwrap();
        let error = Plan::load(&path).unwrap_err();
        assert!(
            matches!(error, PlanFileError::Digest { .. }),
            "{from} → {to}: {error}"
        );
    }
    let added = whole.replacen("\"plan\": {", "\"plan\": {\"extra\": 1,", 1);
    assert_ne!(added, whole);
    fs::write(&path, added).unwrap();
    let error = Plan::load(&path).unwrap_err();
    assert!(
        matches!(error, PlanFileError::Corrupt { .. }),
        "an added field: {error}"
    );
}

#[test]
fn other_versions_and_other_files_are_told_apart() {
    let (_folder, path) = saved();
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, whole.replacen("\"1.0\"", "\"2.0\"", 1)).unwrap();
    let error = Plan::load(&path).unwrap_err();
    assert!(matches!(&error, PlanFileError::FormatVersion { found, .. } if found == "2.0"));
    assert!(error.to_string().contains("2.0"), "{error}");

    for other in [
        "{}",
        "[]",
        "7",
        "{\"kind\": \"Topology\"}",
        &a_plan().to_json().unwrap(),
    ] {
        fs::write(&path, other).unwrap();
        let error = Plan::load(&path).unwrap_err();
        assert!(matches!(error, PlanFileError::NotAPlan { .. }), "{error}");
    }
    for (other, what) in [
        (b"\xff\xfe\x00".as_slice(), "it is no JSON"),
        (
            b"{\"kind\": \"Topology\"}",
            "it says that it is a `Topology`",
        ),
        (b"[]", "it is JSON of another kind"),
        (
            a_plan().to_json().unwrap().as_bytes(),
            "`plan --out FILE` saves one",
        ),
    ] {
        fs::write(&path, other).unwrap();
        let error = Plan::load(&path).unwrap_err().to_string();
        assert!(error.ends_with(what), "{error}");
    }
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = Plan::load(&path).unwrap_err();
    assert!(matches!(error, PlanFileError::Corrupt { .. }), "{error}");
}

#[test]
fn a_plan_is_saved_where_there_is_a_folder_and_the_error_names_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none/x.plan");
    let error = a_plan().save(&path).unwrap_err();
    let place = path.parent().unwrap().display().to_string();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot write the plan {}: there is no folder {place}",
            path.display()
        )
    );
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::create_dir(&path).unwrap();
    let error = a_plan().save(&path).unwrap_err().to_string();
    let expected = format!("cannot write the plan {}: ", path.display());
    let rest = error.strip_prefix(&expected).unwrap();
    assert!(!rest.contains('/'), "{error}");
}

proptest! {
    /// Either the very plan that was saved (an edit of white space) or an error, never another.
    #[test]
    fn no_damaged_byte_gives_another_plan(position in any::<prop::sample::Index>(), byte: u8) {
        let (_folder, path) = saved();
        let mut bytes = fs::read(&path).unwrap();
        let position = position.index(bytes.len());
        bytes[position] = byte;
        fs::write(&path, bytes).unwrap();
        if let Ok(plan) = Plan::load(&path) {
            prop_assert_eq!(plan, a_plan());
        }
    }
}
