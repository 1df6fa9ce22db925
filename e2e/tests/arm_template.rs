//! The rendered ARM template, judged by the models of Microsoft's own SDK (`e2e/arm` says what these do not know) and by checkov.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/examples.rs"]
mod examples;
#[path = "support/installed.rs"]
mod installed;
#[path = "support/rendered.rs"]
mod rendered;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::Workspace;
use examples::example;
use installed::installed;
use rendered::{render, run, said, succeed};

/// Of the seed, with tags.
fn template(workspace: &Workspace) -> PathBuf {
    let text = fs::read_to_string(example("seed-002-hdinsight.yaml")).unwrap();
    let tagged = text.replace("  dns: {", "  tags: {project: mirror}\n  dns: {");
    assert_ne!(tagged, text);
    let file = workspace.write("tagged.yaml", tagged).unwrap();
    render(workspace, &file, "arm", &[]).join("azuredeploy.json")
}

fn judge(file: &Path) -> Command {
    let mut command = Command::new(installed("MIRRORCTL_ARM"));
    command.arg(file);
    command
}

#[test]
fn every_resource_fits_the_models_of_microsoft_s_sdk() {
    let workspace = Workspace::create("arm").unwrap();
    let file = template(&workspace);
    let words = succeed(&mut judge(&file));
    assert!(words.contains(" resources fit"), "{words}");
    let text = fs::read_to_string(&file).unwrap();
    for (right, wrong, word) in [
        (
            "\"addressPrefixes\"",
            "\"addressPrefixs\"",
            "has no \"addressPrefixs\"",
        ),
        ("\"CanNotDelete\"", "\"CannotBeDeleted\"", "is none of"),
        (
            "\"project\": \"mirror\"",
            "\"project\": 1",
            "a text is wanted",
        ),
        (
            "\"targetInstanceCount\": 2",
            "\"targetInstanceCount\": \"2\"",
            "a number is wanted",
        ),
        (
            "\"[parameters('workerCount",
            "\"[parameters('sshUserName",
            "wanted is int",
        ),
    ] {
        let broken = text.replacen(right, wrong, 1);
        assert_ne!(broken, text, "{right}");
        let place = workspace.write("broken.json", broken).unwrap();
        let output = run(&mut judge(&place));
        assert!(!output.status.success(), "{wrong}");
        assert!(said(&output).contains(word), "{word}: {}", said(&output));
    }
}

/// Checks that are left out, and why.
const LEFT_OUT: [(&str, &str); 8] = [
    (
        "CKV_AZURE_35",
        "HDInsight reaches its storage from addresses of its own",
    ),
    ("CKV_AZURE_36", "the same: the account has no rules"),
    (
        "CKV_AZURE_43",
        "the name is an expression that Azure evaluates",
    ),
    (
        "CKV_AZURE_50",
        "the extension waits until the name server answers",
    ),
    (
        "CKV_AZURE_97",
        "encryption at the host has to be registered for a subscription first",
    ),
    ("CKV_AZURE_151", "the machine runs no Windows"),
    (
        "CKV_AZURE_182",
        "each network has one name server of its own, and asks those of the others through it",
    ),
    (
        "CKV_AZURE_206",
        "records are on the disks of brokers, replicated by Kafka",
    ),
];

#[test]
fn checkov_finds_nothing_in_the_template() {
    let workspace = Workspace::create("arm-checkov").unwrap();
    let file = template(&workspace);
    let cache = installed("MIRRORCTL_CACHE");
    succeed(
        Command::new(cache.join("terraform/checkov/bin/checkov"))
            .args([
                "--framework",
                "arm",
                "--compact",
                "--quiet",
                "--skip-download",
                "-f",
            ])
            .arg(&file)
            .arg("--skip-check")
            .arg(LEFT_OUT.map(|(check, _)| check).join(",")),
    );
}
