//! What copies: started from one topology, ended, frozen and started again.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use e2e::{
    ConnectWorker, Guarded, KafkaInstallation, ReservedPort, Workspace, mirrorctl, start_java,
    start_mirrorctl,
};
use rustix::process::Signal;

use crate::error::{Error, Result};

/// A JVM on a slow machine starts for a long time.
const LIMIT: Duration = Duration::from_secs(150);

/// The file of the topology, and the mirror in it.
pub(crate) const TOPOLOGY: &str = "topology.yaml";
pub(crate) const MIRROR: &str = "m";

/// The engines that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// `mirrorctl replicate`
    Builtin,
    /// `MirrorMaker` 2 in its own process
    Mirrormaker2,
    /// `MirrorMaker` 2's connectors on a Kafka Connect worker
    Connect,
}

impl Kind {
    /// For people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Builtin => "mirrorctl",
            Self::Mirrormaker2 => "MirrorMaker 2",
            Self::Connect => "MirrorMaker 2 on Connect",
        }
    }

    /// What it promises, in the mirror's terms.
    pub(crate) fn delivery(self) -> &'static str {
        match self {
            Self::Builtin => "exactly-once",
            Self::Mirrormaker2 | Self::Connect => "at-least-once",
        }
    }

    /// `engine` of the mirror.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Mirrormaker2 | Self::Connect => "mirrormaker2",
        }
    }
}

/// An engine of a mirror in a workspace.
#[derive(Debug)]
pub(crate) struct Engine<'w> {
    kind: Kind,
    workspace: &'w Workspace,
    running: Option<Guarded>,
    starts: u32,
    /// Of Connect's REST interface.
    port: Option<ReservedPort>,
}

impl<'w> Engine<'w> {
    /// Writes the files it needs; the topology is in the workspace already.
    pub(crate) fn prepare(kind: Kind, workspace: &'w Workspace) -> Result<Self> {
        let target = match kind {
            Kind::Builtin => None,
            Kind::Mirrormaker2 => Some("mirrormaker2"),
            Kind::Connect => Some("connect"),
        };
        if let Some(target) = target {
            let arguments = ["render", "-f", TOPOLOGY, "--out", "out", "--target", target];
            let output = mirrorctl(workspace)?.args(arguments).output();
            let output = output.map_err(Error::file("mirrorctl"))?;
            if !output.status.success() {
                return Err(Error::Judge {
                    command: arguments.join(" "),
                    code: output.status.code(),
                    printed: String::from_utf8_lossy(&output.stderr).into_owned(),
                });
            }
        }
        let port = match kind {
            Kind::Connect => Some(ReservedPort::any()?),
            Kind::Builtin | Kind::Mirrormaker2 => None,
        };
        Ok(Self {
            kind,
            workspace,
            running: None,
            starts: 0,
            port,
        })
    }

    /// Starts it, for the first time or again.
    pub(crate) fn start(&mut self) -> Result<()> {
        self.starts += 1;
        // what it prints is kept from start to start
        let name = format!("engine-{}", self.starts);
        let running = match self.kind {
            Kind::Builtin => {
                start_mirrorctl(self.workspace, &name, &["replicate", "-f", TOPOLOGY])?
            }
            Kind::Mirrormaker2 => self.java(
                &name,
                "org.apache.kafka.connect.mirror.MirrorMaker",
                &self.rendered("mirrormaker2/m/mm2.properties"),
            )?,
            Kind::Connect => self.connect(&name)?,
        };
        self.running = Some(running);
        Ok(())
    }

    fn connect(&self, name: &str) -> Result<Guarded> {
        let port = self.port.as_ref().map_or(0, ReservedPort::number);
        let path = self.rendered("connect/m/worker.properties");
        let worker = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
        // several may run on this machine, so that the port is chosen here
        let worker = worker.replace("127.0.0.1:8083", &format!("127.0.0.1:{port}"));
        let worker = self.workspace.write("worker.properties", worker)?;
        let mut running = self.java(
            name,
            "org.apache.kafka.connect.cli.ConnectDistributed",
            &worker,
        )?;
        let rest = ConnectWorker::at(port, LIMIT);
        rest.wait_until_ready(&mut running)?;
        for connector in ["source", "checkpoint", "heartbeat"] {
            let path = self.rendered(&format!("connect/m/source-{connector}.json"));
            let json = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
            rest.create(&mut running, &json)?;
        }
        Ok(running)
    }

    fn java(&self, name: &str, main_class: &str, properties: &std::path::Path) -> Result<Guarded> {
        let installation = KafkaInstallation::find()?;
        Ok(start_java(
            self.workspace,
            &installation,
            name,
            main_class,
            properties,
            &[],
        )?)
    }

    fn rendered(&self, file: &str) -> PathBuf {
        self.workspace.path().join("out").join(file)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) -> Result<()> {
        if let Some(mut running) = self.running.take() {
            running.kill()?;
        }
        Ok(())
    }

    /// SIGTERM; waits for its end.
    pub(crate) fn terminate(&mut self) -> Result<()> {
        if let Some(mut running) = self.running.take() {
            running.signal(Signal::TERM)?;
            running.wait(LIMIT)?;
        }
        Ok(())
    }

    /// To the running process, if there is one.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        if let Some(running) = &self.running {
            running.signal(signal)?;
        }
        Ok(())
    }

    /// How it ended by itself, with the end of what it printed; nothing while it runs.
    pub(crate) fn ended(&mut self) -> Result<Option<String>> {
        let Some(running) = &mut self.running else {
            return Ok(None);
        };
        let status = running.try_wait()?;
        Ok(status.map(|status| {
            let printed = running.stderr() + &running.stdout();
            let last = printed.lines().rev().find(|line| !line.trim().is_empty());
            format!("{status}: {}", last.unwrap_or("nothing printed"))
        }))
    }
}
