//! What the tests need and a fresh machine does not have.
//!
//! Given: a Rust toolchain, a C and C++ compiler, Java 17 or newer, Maven. Everything else is installed here, or
//! missing with a clear error.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::process::{execute, is_installed, output};
use crate::project::{cache, cargo, root, say};

const OLDEST_JAVA: u32 = 17;
const KAFKA: &str = "e2e/kafka/pom.xml";
const MIRUS: &str = "e2e/mirus/pom.xml";
const CARGO_DENY: &str = "0.20.2";
const CARGO_FUZZ: &str = "0.13.2";

/// What the core tests need.
pub(crate) fn core() -> Result<()> {
    require_java()?;
    kafka()?;
    kcat()
}

fn require_java() -> Result<()> {
    if !is_installed("java") {
        return Err(Error::Missing {
            program: "java",
            hint: "install a JRE 17 or newer (Debian: apt-get install openjdk-17-jre-headless)",
        });
    }
    let output = output(Command::new("java").arg("-version"))?;
    let found = java_version(&output).ok_or(Error::JavaVersion { output })?;
    if found < OLDEST_JAVA {
        Err(Error::OldJava { found })
    } else {
        Ok(())
    }
}

/// The feature release in `openjdk version "17.0.15" 2025-04-15`, or in the `1.8.0` of old.
fn java_version(output: &str) -> Option<u32> {
    let version = output.split('"').nth(1)?;
    let mut numbers = version.split(['.', '-', '+', '_']).map(str::parse::<u32>);
    match numbers.next()?.ok()? {
        1 => numbers.next()?.ok(),
        feature => Some(feature),
    }
}

/// Kafka, its tools and MirrorMaker 2 as jars, from Maven Central; returns the directory that holds `libs/`.
pub(crate) fn kafka() -> Result<PathBuf> {
    jars("kafka", KAFKA, "kafka")
}

/// Mirus, an engine of the scoreboard, from Maven Central.
pub(crate) fn mirus() -> Result<PathBuf> {
    jars("mirus", MIRUS, "mirus")
}

/// The version of Kafka that the tests run against.
pub(crate) fn kafka_version() -> Result<String> {
    version(&root().join(KAFKA), "kafka")
}

/// The dependencies of a Maven project of this repository as jars; returns the directory NAME-VERSION that holds `libs/`. The
/// version is that of the property `PROPERTY.version`.
pub(crate) fn jars(name: &str, pom: &str, property: &'static str) -> Result<PathBuf> {
    let pom = root().join(pom);
    let home = cache()?.join(format!("{name}-{}", version(&pom, property)?));
    if home.join("libs").is_dir() {
        return Ok(home);
    }
    say(&format!("fetching jars into {}", home.display()));
    // under a name of this process first, so that an interrupted download is never taken for a whole one
    let unfinished = home.with_extension(format!("tmp-{}", std::process::id()));
    copy_jars(&pom, &unfinished.join("libs"))?;
    move_into_place(&unfinished, &home)?;
    Ok(home)
}

/// Copies the dependencies of a Maven project into a folder.
pub(crate) fn copy_jars(pom: &Path, folder: &Path) -> Result<()> {
    if !is_installed("mvn") {
        return Err(Error::Missing {
            program: "mvn",
            hint: "install Maven (Debian: apt-get install maven); it fetches the jars of Java programs",
        });
    }
    execute(
        Command::new("mvn")
            .args([
                "-B",
                "-q",
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
            ])
            .arg(format!("-DoutputDirectory={}", folder.display()))
            .arg("-f")
            .arg(pom),
    )
}

/// The property `PROPERTY.version` of a Maven project.
pub(crate) fn version(pom: &Path, property: &'static str) -> Result<String> {
    let text = fs::read_to_string(pom).map_err(Error::file("reading", pom))?;
    text.split_once(&format!("<{property}.version>"))
        .and_then(|(_, rest)| rest.split_once('<'))
        .map(|(version, _)| version.to_owned())
        .ok_or_else(|| Error::NoVersion {
            what: property,
            path: pom.to_owned(),
        })
}

/// A virtual environment NAME with what a file of requirements of this repository names; returns its folder.
pub(crate) fn virtual_environment(name: &str, requirements: &str) -> Result<PathBuf> {
    let requirements = root().join(requirements);
    let wanted = fs::read(&requirements).map_err(Error::file("reading", &requirements))?;
    let home = cache()?.join(name);
    // written last, so that an interrupted installation is never taken for a whole one
    let installed = home.join("installed.txt");
    if fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(home);
    }
    say(&format!("installing {name} into {}", home.display()));
    if !is_installed("python3")
        || !output(Command::new("python3").args(["-c", "import venv, ensurepip"]))?.is_empty()
    {
        apt_install(
            &["python3", "python3-venv"],
            Error::Missing {
                program: "python3",
                hint: "install Python 3 with venv (Debian: apt-get install python3-venv)",
            },
        )?;
    }
    // in place: a virtual environment cannot be moved
    execute(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&home),
    )?;
    execute(
        Command::new(home.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements),
    )?;
    fs::write(&installed, wanted).map_err(Error::file("writing", &installed))?;
    Ok(home)
}

/// Renames a finished directory to its final name, unless somebody else was faster.
pub(crate) fn move_into_place(unfinished: &Path, home: &Path) -> Result<()> {
    match fs::rename(unfinished, home) {
        Ok(()) => Ok(()),
        Err(_) if home.is_dir() => {
            fs::remove_dir_all(unfinished).map_err(Error::file("removing", unfinished))
        }
        Err(source) => Err(Error::File {
            action: "creating",
            path: home.to_owned(),
            source,
        }),
    }
}

/// kcat, an independent Kafka client.
fn kcat() -> Result<()> {
    const HINT: &str = "install it (Debian: apt-get install kcat; macOS: brew install kcat)";
    if is_installed("kcat") {
        return Ok(());
    }
    apt_install(
        &["kcat"],
        Error::Missing {
            program: "kcat",
            hint: HINT,
        },
    )
}

/// promtool, which checks what is rendered for Prometheus.
pub(crate) fn promtool() -> Result<()> {
    const HINT: &str =
        "install it (Debian: apt-get install prometheus; macOS: brew install prometheus)";
    if is_installed("promtool") {
        return Ok(());
    }
    apt_install(
        &["prometheus"],
        Error::Missing {
            program: "promtool",
            hint: HINT,
        },
    )
}

/// The clock that scenarios set for some processes.
pub(crate) fn libfaketime() -> Result<()> {
    const HINT: &str = "install it (Debian: apt-get install libfaketime)";
    let folder = Path::new("/usr/lib");
    let mut libraries = fs::read_dir(folder).map_err(Error::file("listing", folder))?;
    let is_there = |entry: fs::DirEntry| entry.path().join("faketime").is_dir();
    if libraries.any(|entry| entry.is_ok_and(is_there)) {
        return Ok(());
    }
    apt_install(
        &["libfaketime"],
        Error::Missing {
            program: "libfaketime",
            hint: HINT,
        },
    )
}

/// Chromium, in which the HTML report is looked at.
pub(crate) fn chromium() -> Result<()> {
    const HINT: &str =
        "install it (Debian: apt-get install chromium; macOS: brew install chromium)";
    if is_installed("chromium") {
        return Ok(());
    }
    apt_install(
        &["chromium"],
        Error::Missing {
            program: "chromium",
            hint: HINT,
        },
    )
}

/// cargo-deny, built into the cache; returns its path.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    built("cargo-deny", CARGO_DENY)
}

/// cargo-fuzz, built into the cache, and the toolchain that it needs; returns its path.
pub(crate) fn cargo_fuzz() -> Result<PathBuf> {
    super::fuzz::ensure_nightly()?;
    built("cargo-fuzz", CARGO_FUZZ)
}

fn built(name: &str, version: &str) -> Result<PathBuf> {
    let tools = cache()?.join("tools");
    let program = tools.join("bin").join(name);
    let installed = program.is_file()
        && output(Command::new(&program).arg("--version"))?
            .trim()
            .ends_with(version);
    if !installed {
        say(&format!(
            "building {name} {version} into {}",
            tools.display()
        ));
        execute(
            cargo()
                .args(["install", "--quiet", "--locked", name, "--version", version])
                .arg("--root")
                .arg(&tools)
                .arg("--target-dir")
                .arg(tools.join("target")),
        )?;
        let target = tools.join("target");
        fs::remove_dir_all(&target).map_err(Error::file("removing", &target))?;
    }
    Ok(program)
}

/// Installs Debian packages as root or through sudo that asks nothing; `otherwise` is the error where that is
/// impossible.
pub(crate) fn apt_install(packages: &[&str], otherwise: Error) -> Result<()> {
    if !is_installed("apt-get") {
        return Err(otherwise);
    }
    let root = output(Command::new("id").arg("-u"))?.trim() == "0";
    let sudo = !root
        && Command::new("sudo")
            .args(["-n", "true"])
            .status()
            .is_ok_and(|status| status.success());
    if !root && !sudo {
        return Err(otherwise);
    }
    let apt_get = |arguments: &[&str]| {
        let mut command = if root {
            Command::new("apt-get")
        } else {
            let mut command = Command::new("sudo");
            command.args(["-n", "apt-get"]);
            command
        };
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    say(&format!("installing {}", packages.join(", ")));
    let install: Vec<&str> = ["install", "-y", "-qq", "--no-install-recommends"]
        .iter()
        .chain(packages)
        .copied()
        .collect();
    if execute(&mut apt_get(&install)).is_ok() {
        return Ok(());
    }
    // a new machine may have no package lists yet
    execute(&mut apt_get(&["update", "-qq"]))?;
    execute(&mut apt_get(&install))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_versions() {
        assert_eq!(
            java_version("openjdk version \"17.0.15\" 2025-04-15\n"),
            Some(17)
        );
        assert_eq!(
            java_version("openjdk version \"25\" 2025-09-16\n"),
            Some(25)
        );
        assert_eq!(java_version("openjdk version \"24-ea\"\n"), Some(24));
        assert_eq!(java_version("java version \"1.8.0_452\"\n"), Some(8));
        assert_eq!(java_version("command not found"), None);
    }

    #[test]
    fn the_kafka_version_comes_from_the_pom() {
        let found = kafka_version().expect("a version");
        assert!(found.starts_with("4."), "{found}");
        assert!(version(&root().join(KAFKA), "strimzi").is_err());
    }
}
