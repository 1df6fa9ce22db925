//! Terraform modules, and the roots that are rendered from the example topologies, in the hands of what checks them for real:
//! Terraform with the azurerm provider; Terraform with a schema-derived stand-in for the AWS provider (`e2e/terraform/stand-in`
//! says what that does not check); checkov. `cargo xtask test --all` installs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the cache; without it nothing can be said, so the test fails.
fn installed(path: &str) -> PathBuf {
    let cache = std::env::var_os("MIRRORCTL_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/mirrorctl"),
        PathBuf::from,
    );
    let path = cache.join("terraform").join(path);
    assert!(
        path.exists(),
        "{} is missing: `cargo xtask test --all` installs it",
        path.display()
    );
    path
}

fn terraform(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("terraform")
        .args(arguments)
        .arg("-no-color")
        .current_dir(folder)
        .env("TF_CLI_CONFIG_FILE", installed("terraformrc"))
        .env("TF_IN_AUTOMATION", "1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .expect("terraform starts")
}

fn text_of(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Runs Terraform, which has to succeed; what it said.
fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = terraform(folder, arguments);
    assert!(
        output.status.success(),
        "terraform {arguments:?} in {}:\n{}",
        folder.display(),
        text_of(&output)
    );
    text_of(&output)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).expect("a copy");
        }
    }
}

fn modules() -> Vec<PathBuf> {
    let mut modules: Vec<PathBuf> = fs::read_dir(repository().join("terraform"))
        .expect("the modules")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    modules.sort();
    assert!(modules.len() >= 10, "{modules:?}");
    modules
}

/// The mock tests of a module passed, and there were some.
fn passed(said: &str, folder: &Path) {
    let line = said
        .lines()
        .find(|line| line.starts_with("Success! "))
        .unwrap_or_default();
    assert!(
        line.ends_with(" passed, 0 failed.") && !line.starts_with("Success! 0 "),
        "{}: {said}",
        folder.display()
    );
}

/// A rendered root, ready for Terraform.
fn rendered(example: &str, target: &str) -> (tempfile::TempDir, PathBuf) {
    let (out, root) = written(example, target);
    succeeds(&root, &["init", "-input=false"]);
    (out, root)
}

/// The same, as it is rendered.
fn written(example: &str, target: &str) -> (tempfile::TempDir, PathBuf) {
    let out = tempfile::tempdir().expect("a folder");
    let binary = e2e::mirrorctl_binary().expect("the binary");
    let output = Command::new(binary)
        .args(["render", "--target", target, "--file"])
        .arg(repository().join("topology/examples").join(example))
        .arg("--out")
        .arg(out.path())
        .output()
        .expect("mirrorctl starts");
    assert!(output.status.success(), "{}", text_of(&output));
    let root = out.path().join(target);
    (out, root)
}

fn lay_test(root: &Path, name: &str) {
    let tests = root.join("tests");
    fs::create_dir_all(&tests).expect("a folder");
    fs::copy(
        repository().join("e2e/terraform/roots").join(name),
        tests.join("root.tftest.hcl"),
    )
    .expect("a copy");
}

#[test]
fn modules_are_formatted() {
    succeeds(
        &repository().join("terraform"),
        &["fmt", "-check", "-recursive", "-diff"],
    );
}

#[test]
fn modules_are_valid_and_pass_their_tests() {
    let work = tempfile::tempdir().expect("a folder");
    for module in modules() {
        let folder = work.path().join(module.file_name().expect("a name"));
        copy(&module, &folder);
        succeeds(&folder, &["init", "-input=false"]);
        succeeds(&folder, &["validate"]);
        passed(&succeeds(&folder, &["test"]), &folder);
    }
}

#[test]
fn a_root_for_azure_is_valid_and_applies_to_mocks() {
    let (_out, root) = rendered("seed-002-hdinsight.yaml", "terraform-azure");
    succeeds(&root, &["validate"]);
    lay_test(&root, "azure.tftest.hcl");
    succeeds(&root, &["init", "-input=false"]);
    passed(&succeeds(&root, &["test"]), &root);
}

#[test]
fn the_azure_provider_refuses_what_it_does_not_know() {
    let (_out, root) = rendered("seed-002-hdinsight.yaml", "terraform-azure");
    let main = root.join("modules/azure-hdinsight-kafka/main.tf");
    let written = fs::read_to_string(&main).expect("the module");
    let changed = written.replace(
        "tier                          = \"Standard\"",
        "tier = \"Golden\"",
    );
    assert_ne!(written, changed);
    fs::write(&main, changed).expect("a file");
    let output = terraform(&root, &["validate"]);
    assert!(!output.status.success());
    assert!(
        text_of(&output).contains("expected tier to be one of"),
        "{}",
        text_of(&output)
    );
}

/// With the stand-in: names, types and nesting of arguments, and that everything fits together; no value.
#[test]
fn roots_for_aws_fit_the_schema() {
    for (example, variables) in [
        (
            "seed-000-hybrid-cloud.yaml",
            &["-var=vpn_gateway_address_onprem=203.0.113.7"][..],
        ),
        ("aws-msk.yaml", &[][..]),
        (PEERED, &[][..]),
    ] {
        let (_out, root) = rendered(example, "terraform-aws");
        succeeds(&root, &["validate"]);
        let plan = [&["plan", "-input=false", "-lock=false"][..], variables].concat();
        let said = succeeds(&root, &plan);
        assert!(
            said.contains(" to add, 0 to change, 0 to destroy."),
            "{said}"
        );
        lay_test(&root, "aws.tftest.hcl");
        succeeds(&root, &["init", "-input=false"]);
        let test = [&["test"][..], variables].concat();
        passed(&succeeds(&root, &test), &root);
    }
}

#[test]
fn the_stand_in_knows_arguments_and_creates_nothing() {
    let (_out, root) = rendered("aws-msk.yaml", "terraform-aws");
    let applied = terraform(&root, &["apply", "-auto-approve", "-input=false"]);
    assert!(!applied.status.success());
    assert!(
        text_of(&applied).contains("schema-derived stand-in, not the AWS provider"),
        "{}",
        text_of(&applied)
    );
    let main = root.join("modules/aws-msk/main.tf");
    let written = fs::read_to_string(&main).expect("the module");
    let changed = written.replace("number_of_broker_nodes", "number_of_brokers");
    assert_ne!(written, changed);
    fs::write(&main, changed).expect("a file");
    let output = terraform(&root, &["validate"]);
    let said = text_of(&output);
    assert!(!output.status.success());
    assert!(
        said.contains("Unsupported argument") && said.contains("Missing required argument"),
        "{said}"
    );
}

const OUTSIDE: &str = "../../e2e/terraform/outside.yaml";
const PEERED: &str = "../../e2e/terraform/peered.yaml";

/// Files and secrets of a source that is outside of every network, and the ways there.
#[test]
fn machines_of_the_replicator_get_what_the_topology_names() {
    let (_azure, root) = rendered(OUTSIDE, "terraform-azure");
    succeeds(&root, &["validate"]);
    let (_aws, root) = rendered(OUTSIDE, "terraform-aws");
    // without the certificates, too: they are read when there are machines
    succeeds(&root, &["validate"]);
    lay_test(&root, "outside-aws.tftest.hcl");
    for file in ["files/certs/ca.pem", "files/etc/pki/me.pem"] {
        let path = root.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, "-----BEGIN CERTIFICATE-----\n").expect("a file");
    }
    succeeds(&root, &["init", "-input=false"]);
    passed(&succeeds(&root, &["test"]), &root);
    fs::remove_file(root.join("files/certs/ca.pem")).expect("the file");
    let output = terraform(&root, &["test"]);
    assert!(!output.status.success());
    assert!(
        text_of(&output).contains("files/certs/ca.pem"),
        "{}",
        text_of(&output)
    );
}

const ROOTS: [(&str, &str); 6] = [
    (OUTSIDE, "terraform-aws"),
    (OUTSIDE, "terraform-azure"),
    ("seed-002-hdinsight.yaml", "terraform-azure"),
    ("seed-000-hybrid-cloud.yaml", "terraform-aws"),
    ("aws-msk.yaml", "terraform-aws"),
    (PEERED, "terraform-aws"),
];

#[test]
fn rendered_roots_are_formatted() {
    for (example, target) in ROOTS {
        let (_out, root) = written(example, target);
        succeeds(&root, &["fmt", "-check", "-recursive", "-diff"]);
    }
}

/// The guard alone, which no provider is needed for, really applied and destroyed: without the groups' names in an apply before,
/// the destruction ends before it begins.
#[test]
fn a_resource_group_is_deleted_only_after_its_name_was_repeated() {
    let (_out, root) = written("seed-002-hdinsight.yaml", "terraform-azure");
    let text = fs::read_to_string(root.join("deletion.tf")).expect("the guard");
    let (before, rest) = text.split_once("  depends_on = [").expect("its order");
    let (order, after) = rest.split_once("]\n").expect("its end");
    for module in [
        "module.network",
        "module.kafka-source_mirror",
        "module.kafka-dest_mirror",
        "module.replicator",
    ] {
        assert!(order.contains(module), "{module} is not in {order}");
    }
    let alone = tempfile::tempdir().expect("a folder");
    let folder = alone.path();
    // what it guards is stood in for by something that can be seen to be destroyed
    let guarded = "resource \"terraform_data\" \"group\" {\n  input = \"group\"\n}\n";
    let guard = format!("{before}  depends_on = [terraform_data.group]\n{after}{guarded}");
    fs::write(folder.join("deletion.tf"), guard).expect("a file");
    let variables = fs::read_to_string(root.join("variables.tf")).expect("the variables");
    let chosen: Vec<String> = variables
        .split("\nvariable ")
        .filter(|text| {
            text.starts_with("\"confirm_deletion_of\"")
                || text.starts_with("\"create_resource_groups\"")
        })
        .map(|text| format!("variable {text}\n"))
        .collect();
    fs::write(folder.join("variables.tf"), chosen.concat()).expect("a file");
    succeeds(folder, &["init", "-input=false"]);
    let quietly = |command: &str, more: &[&str]| {
        let arguments = [&[command, "-auto-approve", "-input=false"][..], more].concat();
        terraform(folder, &arguments)
    };
    let confirmed = "-var=confirm_deletion_of=[\"kafka-mirror\"]";
    assert!(quietly("apply", &[]).status.success());
    // the name in the destruction alone was not thought over
    for more in [&[][..], &[confirmed][..]] {
        let refused = quietly("destroy", more);
        assert!(!refused.status.success(), "{}", text_of(&refused));
        assert!(
            text_of(&refused).contains("is not confirmed: see deletion.tf"),
            "{}",
            text_of(&refused)
        );
        let left = succeeds(folder, &["state", "list"]);
        assert!(left.contains("terraform_data.group"), "{left}");
    }
    let dropped = quietly("apply", &["-var=create_resource_groups=false"]);
    assert!(!dropped.status.success(), "{}", text_of(&dropped));
    let other = quietly("apply", &["-var=confirm_deletion_of=[\"kafka-miror\"]"]);
    assert!(text_of(&other).contains("not a resource group that is made here"));
    assert!(quietly("apply", &[confirmed]).status.success());
    let gone = quietly("destroy", &[confirmed]);
    assert!(gone.status.success(), "{}", text_of(&gone));
}

fn checkov(framework: &str, folder: &Path) {
    let output = Command::new(installed("checkov/bin/checkov"))
        .args([
            "--framework",
            framework,
            "--compact",
            "--quiet",
            "--skip-download",
            "-d",
        ])
        .arg(folder)
        .output()
        .expect("checkov starts");
    assert!(output.status.success(), "{}", text_of(&output));
}

/// Policies. Each exception stands in the module, with its reason.
#[test]
fn checkov_finds_nothing() {
    checkov("terraform", &repository().join("terraform"));
    for (example, target) in ROOTS {
        let (_out, root) = written(example, target);
        checkov("terraform", &root);
    }
    for module in modules() {
        for entry in fs::read_dir(module).expect("a module").flatten() {
            let Ok(text) = fs::read_to_string(entry.path()) else {
                continue;
            };
            for line in text.lines().filter(|line| line.contains("checkov:skip")) {
                let reason = line.rsplit_once(": ").map_or("", |(_, reason)| reason);
                assert!(reason.len() > 10, "no reason: {line}");
            }
        }
    }
}
