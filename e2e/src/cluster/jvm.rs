//! Brokers as JVM processes from the Maven jars.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use super::properties::{Node, broker_properties, render};
use super::provider::BrokerHost;
use super::spec::ClusterSpec;
use crate::disk::Disk;
use crate::installation::KafkaInstallation;
use crate::security::{Authority, Listener, Security, write_certificates};
use crate::{Error, Guarded, ReservedPort, Result};

const STOP_LIMIT: Duration = Duration::from_mins(1);
const LOG_TAIL: usize = 4_000;

/// The brokers of one cluster, each in a directory of its own below `directory`.
#[derive(Debug)]
pub(crate) struct JvmHost {
    installation: KafkaInstallation,
    heap_megabytes: u32,
    secured: bool,
    environment: Vec<(String, String)>,
    brokers: Vec<JvmBroker>,
    // held so that a broker finds its ports free when it comes back
    _ports: Vec<ReservedPort>,
}

#[derive(Debug)]
struct JvmBroker {
    id: u16,
    directory: PathBuf,
    process: Option<Guarded>,
    // after the process, which writes to it
    disk: Option<Disk>,
}

impl JvmHost {
    /// Lays out and formats the brokers' directories; starts nothing yet. Returns where the brokers will listen, too.
    pub(crate) fn prepare(
        spec: &ClusterSpec,
        installation: KafkaInstallation,
        cluster_id: &str,
        directory: &Path,
    ) -> Result<(Self, Vec<Node>)> {
        let mut ports = Vec::new();
        let mut nodes = Vec::new();
        for id in 1..=spec.brokers {
            let three = [
                ReservedPort::any()?,
                ReservedPort::any()?,
                ReservedPort::any()?,
            ];
            let mut secured = Vec::new();
            if spec.security.is_some() {
                for listener in Listener::ALL {
                    let port = ReservedPort::any()?;
                    secured.push((listener, port.number()));
                    ports.push(port);
                }
            }
            nodes.push(Node {
                id,
                bind: "127.0.0.1".to_owned(),
                client_port: three[0].number(),
                peer_host: "127.0.0.1".to_owned(),
                peer_port: three[1].number(),
                controller_port: three[2].number(),
                log_directory: directory
                    .join(format!("broker-{id}/data"))
                    .display()
                    .to_string(),
                secured,
                home: directory.join(format!("broker-{id}")),
            });
            ports.extend(three);
        }
        let mut brokers = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            let home = node.home.clone();
            fs::create_dir(&home).map_err(Error::file("creating", &home))?;
            let write = |name: &str, text: &str| {
                let path = home.join(name);
                fs::write(&path, text).map_err(Error::file("writing", &path))
            };
            write(
                "server.properties",
                &render(&broker_properties(spec, &nodes, index)),
            )?;
            if let Some(security) = &spec.security {
                security.write_broker_files(&home)?;
            }
            write("log4j2.properties", &log_config(&home.join("server.log")))?;
            let disk = spec.disk_megabytes.map(|megabytes| {
                let data = Path::new(&node.log_directory);
                fs::create_dir(data).map_err(Error::file("creating", data))?;
                Disk::mount(data, megabytes)
            });
            brokers.push(JvmBroker {
                id: node.id,
                directory: home,
                process: None,
                disk: disk.transpose()?,
            });
        }
        let users = spec.security.as_ref();
        let users = users.map(Security::format_arguments).unwrap_or_default();
        format_all(&installation, cluster_id, &users, &brokers)?;
        let host = Self {
            installation,
            heap_megabytes: spec.heap_megabytes,
            secured: spec.security.is_some(),
            environment: spec.environment.clone(),
            brokers,
            _ports: ports,
        };
        Ok((host, nodes))
    }

    fn running(&self, index: usize) -> Result<&Guarded> {
        let broker = &self.brokers[index];
        broker
            .process
            .as_ref()
            .ok_or(Error::NotRunning { broker: broker.id })
    }

    fn disk(&self, index: usize) -> Result<&Disk> {
        let JvmBroker { id, disk, .. } = &self.brokers[index];
        disk.as_ref().ok_or(Error::NoDisk { broker: *id })
    }

    fn take(&mut self, index: usize) -> Result<Guarded> {
        let broker = &mut self.brokers[index];
        broker
            .process
            .take()
            .ok_or(Error::NotRunning { broker: broker.id })
    }
}

impl BrokerHost for JvmHost {
    fn start(&mut self, index: usize) -> Result<()> {
        let broker = &self.brokers[index];
        let mut arguments: Vec<OsString> = Vec::new();
        if self.secured {
            let options = Security::java_options(&broker.directory);
            arguments.extend(options.into_iter().map(OsString::from));
        }
        let common = self
            .installation
            .java_arguments(
                self.heap_megabytes,
                &broker.directory.join("log4j2.properties"),
            )
            .into_iter()
            .map(OsString::from);
        arguments.extend(common);
        arguments.extend(["kafka.Kafka".into(), "server.properties".into()]);
        let environment = self.environment.iter();
        let environment: Vec<(&str, &str)> = environment
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let process = Guarded::spawn(
            "console",
            OsStr::new("java"),
            &arguments,
            &environment,
            &broker.directory,
        )?;
        self.brokers[index].process = Some(process);
        Ok(())
    }

    fn kill(&mut self, index: usize) -> Result<()> {
        self.take(index)?.kill().map(drop)
    }

    fn stop(&mut self, index: usize) -> Result<()> {
        let mut process = self.take(index)?;
        process.signal(Signal::TERM)?;
        process.wait(STOP_LIMIT).map(drop)
    }

    fn pause(&mut self, index: usize) -> Result<()> {
        self.running(index)?.signal(Signal::STOP)
    }

    fn resume(&mut self, index: usize) -> Result<()> {
        self.running(index)?.signal(Signal::CONT)
    }

    fn fill_disk(&mut self, index: usize) -> Result<()> {
        self.disk(index)?.fill()
    }

    fn free_disk(&mut self, index: usize) -> Result<()> {
        self.disk(index)?.free()
    }

    fn ended(&mut self, index: usize) -> Result<Option<String>> {
        let Some(process) = self.brokers[index].process.as_mut() else {
            return Ok(Some("it was not started".to_owned()));
        };
        let status = process.try_wait()?;
        Ok(status.map(|status| format!("it ended with {status}\n{}", process.stderr())))
    }

    fn log(&self, index: usize) -> String {
        let path = self.brokers[index].directory.join("server.log");
        let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_default();
        let tail = text
            .char_indices()
            .rev()
            .nth(LOG_TAIL)
            .map_or(0, |(start, _)| start);
        text[tail..].to_owned()
    }

    fn write_certificates(&self, index: usize, authority: &Authority) -> Result<()> {
        write_certificates(authority, &self.brokers[index].directory)
    }

    fn process_id(&self, index: usize) -> Option<u32> {
        self.brokers[index].process.as_ref().map(Guarded::pid)
    }
}

/// Formats the brokers' directories, all at once: each takes a JVM start.
fn format_all(
    installation: &KafkaInstallation,
    cluster_id: &str,
    users: &[String],
    brokers: &[JvmBroker],
) -> Result<()> {
    std::thread::scope(|scope| {
        let formats: Vec<_> = brokers
            .iter()
            .map(|broker| scope.spawn(|| format(installation, cluster_id, users, broker)))
            .collect();
        formats
            .into_iter()
            .try_for_each(|format| match format.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
    })
}

fn format(
    installation: &KafkaInstallation,
    cluster_id: &str,
    users: &[String],
    broker: &JvmBroker,
) -> Result<()> {
    let properties = broker
        .directory
        .join("server.properties")
        .display()
        .to_string();
    let mut arguments = vec![
        "format",
        "--cluster-id",
        cluster_id,
        "--config",
        &properties,
    ];
    arguments.extend(users.iter().map(String::as_str));
    let output = installation.run(
        &broker.directory.join("log4j2.properties"),
        "kafka.tools.StorageTool",
        &arguments,
        &[],
    )?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        program: "kafka.tools.StorageTool".to_owned(),
        status: output.status,
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

fn log_config(file: &Path) -> String {
    format!(
        "status = error\n\
         appender.file.type = File\n\
         appender.file.name = file\n\
         appender.file.fileName = {}\n\
         appender.file.layout.type = PatternLayout\n\
         appender.file.layout.pattern = [%d] %p %m (%c)%n\n\
         rootLogger.level = info\n\
         rootLogger.appenderRef.file.ref = file\n",
        file.display()
    )
}
