//! Kafka's jars, as `cargo xtask install` leaves them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::{Error, Result};

/// The release that the tests run against; `kafka/pom.xml` names the same.
pub const KAFKA_VERSION: &str = "4.3.1";

/// The release of Mirus that the scoreboard runs; `mirus/pom.xml` names the same.
pub const MIRUS_VERSION: &str = "0.6.9";

/// Kafka's jars in the cache directory.
#[derive(Debug, Clone)]
pub struct KafkaInstallation {
    home: PathBuf,
}

impl KafkaInstallation {
    /// Finds the jars under `MIRRORCTL_CACHE`, or `~/.cache/mirrorctl`.
    pub fn find() -> Result<Self> {
        let home = installed(&format!("kafka-{KAFKA_VERSION}"), "cargo xtask test")?;
        Ok(Self { home })
    }

    /// Finds the jars of Mirus, which bring a Kafka Connect of their own.
    pub fn mirus() -> Result<Self> {
        let home = installed(&format!("mirus-{MIRUS_VERSION}"), "cargo xtask scoreboard")?;
        Ok(Self { home })
    }

    /// The directory that holds `libs/`.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The arguments of `java` up to the main class.
    pub fn java_arguments(&self, heap_megabytes: u32, log_config: &Path) -> Vec<String> {
        vec![
            format!("-Xmx{heap_megabytes}m"),
            // no shared memory file in /tmp for each of many short-lived JVMs
            "-XX:-UsePerfData".to_owned(),
            "-Djava.awt.headless=true".to_owned(),
            format!("-Dlog4j2.configurationFile={}", log_config.display()),
            "-cp".to_owned(),
            format!("{}/libs/*", self.home.display()),
        ]
    }

    /// Runs one of Kafka's command line tools to its end.
    ///
    /// # Errors
    /// Only when it cannot be run; its exit status is in the output.
    pub fn run(
        &self,
        log_config: &Path,
        main_class: &str,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Output> {
        let mut child = Command::new("java")
            .args(self.java_arguments(384, log_config))
            .arg(main_class)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::program("java"))?;
        let stdin = child.stdin.take();
        std::thread::scope(|scope| {
            // written from a thread of its own: the tool may fill its output pipe before it has read everything
            scope.spawn(move || {
                if let Some(mut stdin) = stdin {
                    // a tool that ends early closes the pipe: its exit status tells the story
                    drop(stdin.write_all(input));
                }
            });
            child.wait_with_output().map_err(Error::program(main_class))
        })
    }
}

/// What was installed under this name in the cache directory: the folder that holds `libs/`.
fn installed(name: &str, command: &'static str) -> Result<PathBuf> {
    let cache = match std::env::var_os("MIRRORCTL_CACHE") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").ok_or(Error::NoCacheDirectory)?)
            .join(".cache/mirrorctl"),
    };
    let path = cache.join(name);
    if path.join("libs").is_dir() {
        Ok(path)
    } else {
        Err(Error::NotInstalled { path, command })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_poms_name_the_versions_that_the_tests_expect() {
        for (pom, property, version) in [
            (include_str!("../kafka/pom.xml"), "kafka", KAFKA_VERSION),
            (include_str!("../mirus/pom.xml"), "mirus", MIRUS_VERSION),
        ] {
            let line = format!("<{property}.version>{version}</{property}.version>");
            assert!(pom.contains(&line), "{line}");
        }
    }
}
