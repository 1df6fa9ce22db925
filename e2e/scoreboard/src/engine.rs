//! What copies: started from one topology, ended, frozen and started again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use e2e::{
    ConnectWorker, Guarded, KafkaInstallation, ReservedPort, Workspace, mirrorctl, start_java,
    start_mirrorctl_with,
};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{Error, Result};
use crate::step::FailPoint;

/// A JVM on a slow machine starts for a long time.
const LIMIT: Duration = Duration::from_secs(150);
/// Whoever copies comes by each of its fail points within this time; one that has nothing to copy is killed then.
const FAIL_POINT_LIMIT: Duration = Duration::from_secs(20);
/// From SIGTERM to SIGKILL.
const DRAIN: Duration = Duration::from_mins(1);
/// What the built-in replicator reads it from.
const FAIL_POINT: &str = "MIRRORCTL_FAIL_POINT";

/// The file of the topology that engines read, and the mirrors in it: the one that is judged, and the one that leads back
/// where there are two.
pub(crate) const TOPOLOGY: &str = "engine.yaml";
pub(crate) const MIRROR: &str = "m";
pub(crate) const BACK: &str = "back";

/// How long a worker of Kafka Connect waits for one that is gone before its tasks go to others: five minutes, where nothing
/// else is set, in which nothing is copied.
pub(crate) const REBALANCE_DELAY: &str = "scheduled.rebalance.max.delay.ms = 1000";

/// The engines that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// `mirrorctl replicate`
    Builtin,
    /// `MirrorMaker` 2 in its own process
    Mirrormaker2,
    /// `MirrorMaker` 2's connectors on a Kafka Connect worker
    Connect,
    /// Salesforce's Mirus, a Kafka Connect worker of its own
    Mirus,
    /// One that runs already: see --topology
    External,
}

impl Kind {
    /// Those that are started here.
    pub(crate) const OURS_TO_START: [Self; 4] = [
        Self::Builtin,
        Self::Mirrormaker2,
        Self::Connect,
        Self::Mirus,
    ];

    /// For people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Builtin => "mirrorctl",
            Self::Mirrormaker2 => "MirrorMaker 2",
            Self::Connect => "MirrorMaker 2 on Connect",
            Self::Mirus => "Mirus",
            Self::External => "external",
        }
    }

    /// What it promises, in the mirror's terms.
    pub(crate) fn delivery(self) -> &'static str {
        match self {
            Self::Builtin => "exactly-once",
            Self::Mirrormaker2 | Self::Connect | Self::Mirus | Self::External => "at-least-once",
        }
    }

    /// `engine` of the mirror.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            // for the judge it is as good as any other: no topology names it
            Self::Mirrormaker2 | Self::Connect | Self::Mirus | Self::External => "mirrormaker2",
        }
    }

    /// Whether it makes topics on the target; where it does not they are made for it.
    pub(crate) fn creates_topics(self) -> bool {
        match self {
            Self::Builtin | Self::Mirrormaker2 | Self::Connect | Self::External => true,
            Self::Mirus => false,
        }
    }

    /// What `mirrorctl render` writes for it.
    fn rendered(self) -> Option<&'static str> {
        match self {
            Self::Builtin | Self::External => None,
            Self::Mirrormaker2 => Some("mirrormaker2"),
            Self::Connect | Self::Mirus => Some("connect"),
        }
    }
}

/// Where a mirror leads from and to.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) topics: Vec<String>,
}

impl Route {
    /// The way back.
    pub(crate) fn reversed(&self) -> Self {
        Self {
            source: self.target.clone(),
            target: self.source.clone(),
            topics: self.topics.clone(),
        }
    }
}

/// An engine of a mirror in a workspace.
#[derive(Debug)]
pub(crate) struct Engine<'w> {
    kind: Kind,
    workspace: &'w Workspace,
    mirror: &'static str,
    route: Route,
    /// What its processes find in their environment.
    environment: Vec<(String, String)>,
    /// Its processes, the oldest first: that one is what is killed, frozen and looked at.
    running: Vec<Guarded>,
    /// Frozen ones that another one was started beside.
    replaced: Vec<Guarded>,
    is_frozen: bool,
    starts: u32,
    /// How often one woke beside the one that had replaced it.
    rejoined: u32,
    /// Of Connect's REST interfaces.
    ports: Vec<ReservedPort>,
}

impl<'w> Engine<'w> {
    /// Writes the files it needs; the topology, with this mirror, is in the workspace already.
    pub(crate) fn prepare(
        kind: Kind,
        workspace: &'w Workspace,
        mirror: &'static str,
        route: Route,
        environment: Vec<(String, String)>,
    ) -> Result<Self> {
        if let Some(target) = kind.rendered() {
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
        Ok(Self {
            kind,
            workspace,
            mirror,
            route,
            environment,
            running: Vec::new(),
            replaced: Vec::new(),
            is_frozen: false,
            starts: 0,
            rejoined: 0,
            ports: Vec::new(),
        })
    }

    /// Starts it, for the first time or again; beside one that is frozen, another one.
    pub(crate) fn start(&mut self) -> Result<()> {
        if std::mem::take(&mut self.is_frozen) {
            let frozen = self.take();
            self.replaced.extend(frozen);
        }
        let running = match self.kind {
            Kind::Builtin => self.builtin(&[])?,
            Kind::Mirrormaker2 => {
                let name = self.next_name();
                self.java(
                    &name,
                    &KafkaInstallation::find()?,
                    "org.apache.kafka.connect.mirror.MirrorMaker",
                    &self.rendered("mirrormaker2", "mm2.properties"),
                )?
            }
            Kind::Connect => {
                let connectors = self.connectors()?;
                self.connect(
                    &KafkaInstallation::find()?,
                    "org.apache.kafka.connect.cli.ConnectDistributed",
                    &connectors,
                )?
            }
            Kind::Mirus => {
                let connector = self.mirus_connector();
                self.connect(
                    &KafkaInstallation::mirus()?,
                    "com.salesforce.mirus.Mirus",
                    &[connector],
                )?
            }
            Kind::External => return Err(Error::NotOursToStart),
        };
        self.running.push(running);
        Ok(())
    }

    /// Starts more, or asks the youngest to end, until there are so many.
    pub(crate) fn scale(&mut self, processes: usize) -> Result<()> {
        while self.running.len() < processes {
            self.start()?;
        }
        for mut youngest in self.running.split_off(processes) {
            end(&mut youngest)?;
        }
        Ok(())
    }

    /// The oldest, which is no longer one of its processes.
    fn take(&mut self) -> Option<Guarded> {
        (!self.running.is_empty()).then(|| self.running.remove(0))
    }

    /// How often it began to copy: was started, or woke beside another one.
    pub(crate) fn beginnings(&self) -> u32 {
        self.starts + self.rejoined
    }

    /// Its oldest process.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.running.first().map(Guarded::pid)
    }

    /// What those that run have printed.
    pub(crate) fn printed(&self) -> String {
        self.running
            .iter()
            .map(|it| it.stderr() + &it.stdout())
            .collect()
    }

    /// What it prints is kept from start to start.
    fn next_name(&mut self) -> String {
        self.starts += 1;
        format!("{}-{}", self.mirror, self.starts)
    }

    /// What its processes find in their environment, and what one of them finds besides.
    fn environment<'e>(&'e self, more: &[(&'e str, &'e str)]) -> Vec<(&'e str, &'e str)> {
        let own = self.environment.iter();
        let own = own.map(|(key, value)| (key.as_str(), value.as_str()));
        own.chain(more.iter().copied()).collect()
    }

    fn builtin(&mut self, environment: &[(&str, &str)]) -> Result<Guarded> {
        let name = self.next_name();
        let arguments = ["replicate", "-f", TOPOLOGY, "--mirror", self.mirror];
        Ok(start_mirrorctl_with(
            self.workspace,
            &name,
            &arguments,
            &self.environment(environment),
        )?)
    }

    fn connect(
        &mut self,
        installation: &KafkaInstallation,
        main_class: &str,
        connectors: &[String],
    ) -> Result<Guarded> {
        // a frozen one keeps its own
        let reserved = ReservedPort::any()?;
        let port = reserved.number();
        self.ports.push(reserved);
        let path = self.rendered("connect", "worker.properties");
        let worker = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
        // several may run on this machine, so that the port is chosen here
        let worker = worker.replace("127.0.0.1:8083", &format!("127.0.0.1:{port}"));
        let headers = "header.converter = org.apache.kafka.connect.converters.ByteArrayConverter";
        let worker = format!("{worker}\n{REBALANCE_DELAY}\n{headers}\n");
        let name = self.next_name();
        let file = format!("{name}-worker.properties");
        let worker = self.workspace.write(&file, worker)?;
        let mut running = self.java(&name, installation, main_class, &worker)?;
        let rest = ConnectWorker::at(port, LIMIT);
        rest.wait_until_ready(&mut running)?;
        for connector in connectors {
            rest.create(&mut running, connector)?;
        }
        Ok(running)
    }

    /// Those of `MirrorMaker` 2 for its mirror.
    fn connectors(&self) -> Result<Vec<String>> {
        let source = match self.mirror {
            BACK => "target",
            _ => "source",
        };
        let connectors = ["source", "checkpoint", "heartbeat"].map(|connector| {
            let path = self.rendered("connect", &format!("{source}-{connector}.json"));
            std::fs::read_to_string(&path).map_err(Error::file(&path))
        });
        connectors.into_iter().collect()
    }

    /// Keys and values stay bytes, and partitions stay what they are; everything else is as it comes.
    fn mirus_connector(&self) -> String {
        let bytes = "org.apache.kafka.common.serialization.ByteArrayDeserializer";
        let connector = json!({
            "name": "mirus",
            "config": {
                "connector.class": "com.salesforce.mirus.MirusSourceConnector",
                "tasks.max": "4",
                "topics.whitelist": self.route.topics.join(","),
                "enable.partition.matching": "true",
                "monitor.poll.wait.ms": "1000",
                "consumer.bootstrap.servers": self.route.source,
                "consumer.client.id": "mirus",
                "consumer.auto.offset.reset": "earliest",
                "consumer.key.deserializer": bytes,
                "consumer.value.deserializer": bytes,
                "destination.consumer.bootstrap.servers": self.route.target,
            }
        });
        connector.to_string()
    }

    fn java(
        &self,
        name: &str,
        installation: &KafkaInstallation,
        main_class: &str,
        properties: &Path,
    ) -> Result<Guarded> {
        Ok(start_java(
            self.workspace,
            installation,
            name,
            main_class,
            properties,
            &self.environment(&[]),
        )?)
    }

    /// What was written for its mirror.
    fn rendered(&self, target: &str, file: &str) -> PathBuf {
        let out = self.workspace.path().join("out");
        out.join(target).join(self.mirror).join(file)
    }

    /// Starts it anew, so that it dies at this step of its own, and waits for that. Engines without such steps are killed.
    pub(crate) fn die_at(&mut self, point: FailPoint, pass: u32) -> Result<()> {
        self.kill()?;
        if self.kind != Kind::Builtin {
            return Ok(());
        }
        let armed = format!("{}:{pass}", point.name());
        let mut running = self.builtin(&[(FAIL_POINT, &armed)])?;
        end_within(&mut running, FAIL_POINT_LIMIT)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.is_frozen = false;
        if let Some(mut running) = self.take() {
            running.kill()?;
        }
        Ok(())
    }

    /// SIGTERM; waits for its end.
    pub(crate) fn terminate(&mut self) -> Result<()> {
        self.take().map_or(Ok(()), |mut running| end(&mut running))
    }

    /// SIGSTOP, if it runs.
    pub(crate) fn freeze(&mut self) -> Result<()> {
        if let Some(running) = self.running.first() {
            running.signal(Signal::STOP)?;
            self.is_frozen = true;
        }
        Ok(())
    }

    /// SIGCONT, also to those that were replaced.
    pub(crate) fn thaw(&mut self) -> Result<()> {
        for frozen in self.running.iter().chain(&self.replaced) {
            frozen.signal(Signal::CONT)?;
        }
        self.is_frozen = false;
        self.rejoined += self.replaced.len() as u32;
        Ok(())
    }

    /// Whether one was frozen and another one started beside it.
    pub(crate) fn was_replaced(&self) -> bool {
        !self.replaced.is_empty()
    }

    /// How it ended by itself, with the end of what it printed; nothing while it runs.
    pub(crate) fn ended(&mut self) -> Result<Option<String>> {
        for running in &mut self.running {
            if let Some(status) = running.try_wait()? {
                let printed = running.stderr() + &running.stdout();
                let last = printed.lines().rev().find(|line| !line.trim().is_empty());
                let last = last.unwrap_or("nothing printed");
                return Ok(Some(format!("{status}: {last}")));
            }
        }
        Ok(None)
    }
}

/// SIGTERM to a process of an engine; waits for its end.
fn end(running: &mut Guarded) -> Result<()> {
    running.signal(Signal::TERM)?;
    // a worker may wait long for a broker that is down
    end_within(running, DRAIN)
}

/// Waits for its end, and kills it where that is too long, as a supervisor would.
fn end_within(running: &mut Guarded, limit: Duration) -> Result<()> {
    match running.wait(limit) {
        Ok(_) => Ok(()),
        Err(e2e::Error::Timeout { .. }) => {
            running.kill()?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
