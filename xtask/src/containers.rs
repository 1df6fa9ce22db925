//! A Docker engine for the container tests.
//!
//! Where one answers, it is used, with Kafka's public image. Where none does, on Debian as root, one is installed
//! and started for the run, with an image made from the jars and this machine's JRE, because such a machine may not
//! reach an image registry.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::commands::install;
use crate::error::{Error, Result};
use crate::process::{execute, is_installed, output};
use crate::project::{cache, say};

const PUBLIC_IMAGE: &str = "apache/kafka";
const LOCAL_IMAGE: &str = "mirrorctl/kafka";
/// What the tests put on their containers.
const LABEL: &str = "io.mirrorctl.e2e";
const START_LIMIT: Duration = Duration::from_secs(30);

/// An engine that answers; stopped when dropped if it was started here.
#[derive(Debug)]
pub(crate) struct Engine {
    host: Option<String>,
    image: &'static str,
    tag: String,
    started: Option<Child>,
}

impl Engine {
    /// What tells the tests about this engine and its image.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![(
            "MIRRORCTL_KAFKA_IMAGE",
            format!("{}:{}", self.image, self.tag),
        )];
        environment.extend(self.host.clone().map(|host| ("DOCKER_HOST", host)));
        environment
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Some(engine) = &mut self.started else {
            return;
        };
        // asked, not killed: it has children of its own to end
        let asked = Command::new("kill").arg(engine.id().to_string()).status();
        if asked.is_ok_and(|status| status.success()) {
            drop(engine.wait());
        }
    }
}

/// Finds or starts an engine that has an image of Kafka, and removes what a killed run may have left on it.
pub(crate) fn engine() -> Result<Engine> {
    let engine = find_or_start()?;
    execute(
        docker(engine.host.as_deref())
            .args(["container", "prune", "--force", "--filter"])
            .arg(format!("label={LABEL}"))
            .stdout(Stdio::null()),
    )?;
    Ok(engine)
}

fn find_or_start() -> Result<Engine> {
    let tag = install::kafka_version()?;
    if answers(None) {
        return Ok(Engine {
            host: None,
            image: PUBLIC_IMAGE,
            tag,
            started: None,
        });
    }
    let home = cache()?.join("docker");
    fs::create_dir_all(&home).map_err(Error::file("creating", &home))?;
    let host = format!("unix://{}", home.join("docker.sock").display());
    let started = if answers(Some(&host)) {
        None
    } else {
        Some(start(&home, &host)?)
    };
    let engine = Engine {
        host: Some(host.clone()),
        image: LOCAL_IMAGE,
        tag,
        started,
    };
    build_image(&host, &format!("{LOCAL_IMAGE}:{}", engine.tag))?;
    Ok(engine)
}

fn docker(host: Option<&str>) -> Command {
    let mut command = Command::new("docker");
    if let Some(host) = host {
        command.env("DOCKER_HOST", host);
    }
    command
}

fn answers(host: Option<&str>) -> bool {
    docker(host)
        .args(["version", "--format", "{{.Server.Version}}"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn start(home: &Path, host: &str) -> Result<Child> {
    const HINT: &str = "start a Docker engine, or set DOCKER_HOST, for the container tests";
    if !is_installed("dockerd") {
        let otherwise = Error::Missing {
            program: "dockerd",
            hint: HINT,
        };
        install::apt_install(&["docker.io", "iptables", "busybox-static"], otherwise)?;
    }
    say("starting a Docker engine for this run");
    let log_path = home.join("dockerd.log");
    let log = File::create(&log_path).map_err(Error::file("creating", &log_path))?;
    let mut engine = Command::new("dockerd")
        .arg("--data-root")
        .arg(home.join("data"))
        .arg("--exec-root")
        .arg(home.join("exec"))
        .arg("--pidfile")
        .arg(home.join("dockerd.pid"))
        // published ports are for this machine alone
        .args(["--ip", "127.0.0.1", "--host", host])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|source| Error::Start {
            program: "dockerd".to_owned(),
            source,
        })?;
    let started = Instant::now();
    while !answers(Some(host)) {
        let ended = engine.try_wait().map_err(|source| Error::Start {
            program: "dockerd".to_owned(),
            source,
        })?;
        if ended.is_some() || started.elapsed() > START_LIMIT {
            drop(engine.kill());
            return Err(Error::NoEngine { log: log_path });
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(engine)
}

/// An image with a JRE, Kafka's jars under `/opt/kafka/libs` as in the public one, and a shell.
fn build_image(host: &str, name: &str) -> Result<()> {
    let present = docker(Some(host))
        .args(["image", "inspect", name])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if present {
        return Ok(());
    }
    say(&format!("building the image {name}"));
    let tree = cache()?.join(format!("kafka-image.tmp-{}", std::process::id()));
    let result =
        fill(&tree).and_then(|()| {
            // tar's output goes straight into the import
            execute(Command::new("sh")
            .args([
                "-c",
                "tar -C \"$1\" -c . | docker import -c 'ENV PATH=/opt/java/bin:/bin' - \"$2\"",
                "sh",
            ])
            .arg(&tree)
            .arg(name)
            .env("DOCKER_HOST", host))
        });
    let removed = fs::remove_dir_all(&tree).map_err(Error::file("removing", &tree));
    result.and(removed)
}

fn fill(tree: &Path) -> Result<()> {
    let java_home = java_home()?;
    for directory in ["opt/kafka", "bin", "tmp", "etc"] {
        let path = tree.join(directory);
        fs::create_dir_all(&path).map_err(Error::file("creating", &path))?;
    }
    copy_java(&java_home, &tree.join("opt/java"))?;
    copy(
        &install::kafka()?.join("libs"),
        &tree.join("opt/kafka/libs"),
    )?;
    copy(Path::new("/bin/busybox"), &tree.join("bin/busybox"))?;
    for applet in ["sh", "cat", "kill", "sleep"] {
        let link = tree.join("bin").join(applet);
        std::os::unix::fs::symlink("busybox", &link).map_err(Error::file("linking", &link))?;
    }
    for library in shared_libraries(&java_home)? {
        let inside = tree.join(library.strip_prefix("/").unwrap_or(&library));
        if let Some(parent) = inside.parent() {
            fs::create_dir_all(parent).map_err(Error::file("creating", parent))?;
        }
        fs::copy(&library, &inside).map_err(Error::file("copying", &library))?;
    }
    Ok(())
}

/// Copies a JRE, following links: Debian keeps the configuration under /etc, and links to sources that may be missing.
fn copy_java(from: &Path, to: &Path) -> Result<()> {
    const COPY: &str = "mkdir \"$2\" && tar -C \"$1\" -h --exclude=src.zip -c . | tar -C \"$2\" -x";
    execute(
        Command::new("sh")
            .args(["-c", COPY, "sh"])
            .arg(from)
            .arg(to),
    )
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    execute(Command::new("cp").arg("-rL").arg(from).arg(to))
}

fn java_home() -> Result<PathBuf> {
    let settings = output(Command::new("java").args(["-XshowSettings:properties", "-version"]))?;
    settings
        .lines()
        .find_map(|line| line.trim().strip_prefix("java.home = "))
        .map(PathBuf::from)
        .ok_or(Error::JavaVersion {
            output: settings.clone(),
        })
}

/// Every shared library that the JRE is linked to, by absolute path.
fn shared_libraries(java_home: &Path) -> Result<Vec<PathBuf>> {
    let list = output(
        Command::new("sh")
            .args([
                "-c",
                "ldd \"$1\"/bin/java \"$1\"/lib/*.so \"$1\"/lib/server/*.so",
                "sh",
            ])
            .arg(java_home),
    )?;
    let mut libraries: Vec<PathBuf> = list
        .split_whitespace()
        .filter(|word| word.starts_with('/') && !word.ends_with(':'))
        .map(PathBuf::from)
        .filter(|path| !path.starts_with(java_home))
        .collect();
    // what libraries inside the jars are linked to, as found next to libc
    let beside: Vec<PathBuf> = libraries
        .iter()
        .filter(|path| path.ends_with("libc.so.6"))
        .flat_map(|libc| {
            ["libpthread.so.0", "libdl.so.2", "librt.so.1"].map(|name| libc.with_file_name(name))
        })
        .filter(|path| path.is_file())
        .collect();
    libraries.extend(beside);
    libraries.sort();
    libraries.dedup();
    Ok(libraries)
}
