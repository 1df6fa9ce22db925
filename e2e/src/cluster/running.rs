//! A running cluster.

use std::path::PathBuf;
use std::process::Output;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::jvm::JvmHost;
use super::properties::Node;
use super::provider::BrokerHost;
use super::ready::wait_until_ready;
use super::spec::{ClusterSpec, Provider};
use crate::installation::KafkaInstallation;
use crate::security::{Authority, Way};
use crate::{Error, Result, Workspace};

const TOOL_LOG_CONFIG: &str = "status = error\n\
    appender.console.type = Console\n\
    appender.console.name = console\n\
    appender.console.target = SYSTEM_ERR\n\
    appender.console.layout.type = PatternLayout\n\
    appender.console.layout.pattern = %p %m (%c)%n\n\
    rootLogger.level = warn\n\
    rootLogger.appenderRef.console.ref = console\n";

/// How many characters of a failed tool's output an error holds.
const SHOWN_OUTPUT: usize = 2_000;

/// An Apache Kafka cluster that lives as long as this value. Brokers are named by their node id, from 1.
///
/// Every method may be called from any thread; operations on brokers are carried out one after another.
#[derive(Debug)]
pub struct KafkaCluster {
    cluster_id: String,
    nodes: Vec<Node>,
    installation: KafkaInstallation,
    tool_log_config: PathBuf,
    state: Mutex<State>,
    // last, so that brokers end before their data goes
    workspace: Workspace,
}

#[derive(Debug)]
struct State {
    host: Box<dyn BrokerHost>,
    up: Vec<bool>,
}

impl KafkaCluster {
    /// Starts a cluster and waits until every broker answers and knows all others.
    pub fn start(spec: &ClusterSpec) -> Result<Self> {
        let installation = KafkaInstallation::find()?;
        let workspace = Workspace::create("cluster")?;
        let cluster_id = new_cluster_id();
        let (host, nodes): (Box<dyn BrokerHost>, _) = match &spec.provider {
            Provider::Jvm => {
                let (host, nodes) =
                    JvmHost::prepare(spec, installation.clone(), &cluster_id, workspace.path())?;
                (Box::new(host), nodes)
            }
            #[cfg(feature = "deep")]
            Provider::Container { image, tag } => {
                let (host, nodes) =
                    super::container::ContainerHost::prepare(spec, image, tag, &cluster_id)?;
                (Box::new(host), nodes)
            }
        };
        let tool_log_config = workspace.write("tools-log4j2.properties", TOOL_LOG_CONFIG)?;
        let up = vec![false; nodes.len()];
        let cluster = Self {
            cluster_id,
            nodes,
            installation,
            tool_log_config,
            state: Mutex::new(State { host, up }),
            workspace,
        };
        cluster.start_all()?;
        Ok(cluster)
    }

    /// `host:port` of every broker, comma-separated: the plain listener, which takes everybody for the administrator.
    pub fn bootstrap_servers(&self) -> String {
        addresses(self.nodes.iter().map(|node| node.client_port))
    }

    /// `host:port` of every broker, comma-separated, for this way in.
    ///
    /// # Errors
    /// [`Error::NotSecured`] where the cluster was started without security.
    pub fn servers(&self, way: Way) -> Result<String> {
        let ports: Option<Vec<u16>> = self
            .nodes
            .iter()
            .map(|node| {
                let mut secured = node.secured.iter();
                secured
                    .find(|(listener, _)| *listener == way.listener())
                    .map(|(_, port)| *port)
            })
            .collect();
        let ports = ports.ok_or_else(|| Error::NotSecured {
            cluster: self.cluster_id.clone(),
        })?;
        Ok(addresses(ports.into_iter()))
    }

    /// Gives a secured broker another certificate, signed by this authority alone, which it shows once it was
    /// started again.
    pub fn replace_certificate(&self, id: u16, authority: &Authority) -> Result<()> {
        let index = self.index(id)?;
        self.state().host.write_certificates(index, authority)
    }

    /// The cluster's id.
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// The node ids.
    pub fn brokers(&self) -> impl Iterator<Item = u16> + use<> {
        1..=self.nodes.len() as u16
    }

    /// The cluster's directory: free for a test's own files, gone with the cluster.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The jars that the tools come from.
    pub fn installation(&self) -> &KafkaInstallation {
        &self.installation
    }

    /// Ends a broker at once (SIGKILL), as a crash would.
    pub fn kill_broker(&self, id: u16) -> Result<()> {
        let index = self.index(id)?;
        let mut state = self.state();
        state.up[index] = false;
        state.host.kill(index)
    }

    /// Shuts a broker down (SIGTERM) and waits for its end.
    pub fn stop_broker(&self, id: u16) -> Result<()> {
        let index = self.index(id)?;
        let mut state = self.state();
        state.up[index] = false;
        state.host.stop(index)
    }

    /// Starts a killed or stopped broker on its old ports and data, and waits until it answers and knows every
    /// broker that runs.
    pub fn restart_broker(&self, id: u16) -> Result<()> {
        let index = self.index(id)?;
        let mut state = self.state();
        let state = &mut *state;
        state.host.start(index)?;
        state.up[index] = true;
        let expected = state.up.iter().filter(|up| **up).count();
        wait_until_ready(
            state.host.as_mut(),
            index,
            id,
            &self.address(index),
            expected,
        )
    }

    /// Freezes a broker (SIGSTOP): connections stay open, nothing is answered.
    pub fn pause_broker(&self, id: u16) -> Result<()> {
        let index = self.index(id)?;
        self.state().host.pause(index)
    }

    /// Wakes a frozen broker (SIGCONT).
    pub fn resume_broker(&self, id: u16) -> Result<()> {
        let index = self.index(id)?;
        self.state().host.resume(index)
    }

    /// Leaves no room on the disk of a broker of [`ClusterSpec::with_disks`]; a broker of one disk ends sooner or later.
    pub fn fill_disk(&self, id: u16) -> Result<()> {
        let index = self.index(id)?;
        self.state().host.fill_disk(index)
    }

    /// Gives that room back and starts the broker anew, as who is on call would.
    pub fn free_disk(&self, id: u16) -> Result<()> {
        let index = self.index(id)?;
        {
            let mut state = self.state();
            state.host.free_disk(index)?;
            // it may have ended by itself
            if state.host.ended(index)?.is_none() {
                state.host.kill(index)?;
            }
        }
        self.restart_broker(id)
    }

    /// The end of a broker's log.
    pub fn broker_log(&self, id: u16) -> Result<String> {
        let index = self.index(id)?;
        Ok(self.state().host.log(index))
    }

    /// The process id of a broker; `None` when it is down or runs in a container.
    pub fn broker_process_id(&self, id: u16) -> Result<Option<u32>> {
        let index = self.index(id)?;
        Ok(self.state().host.process_id(index))
    }

    /// Runs one of Kafka's own tools, by main class. Arguments are given as they are: add `--bootstrap-server`.
    ///
    /// # Errors
    /// Only when it cannot be run; its exit status is in the output.
    pub fn tool(&self, main_class: &str, arguments: &[&str], stdin: &[u8]) -> Result<Output> {
        self.installation
            .run(&self.tool_log_config, main_class, arguments, stdin)
    }

    /// Runs one of Kafka's own tools, which has to succeed, and returns its standard output.
    pub fn tool_output(
        &self,
        main_class: &str,
        arguments: &[&str],
        stdin: &[u8],
    ) -> Result<String> {
        let output = self.tool(main_class, arguments, stdin)?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(stdout);
        }
        let printed = format!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
        let tail = printed
            .char_indices()
            .rev()
            .nth(SHOWN_OUTPUT)
            .map_or(0, |(start, _)| start);
        Err(Error::Failed {
            program: main_class.to_owned(),
            status: output.status,
            output: printed[tail..].to_owned(),
        })
    }

    fn start_all(&self) -> Result<()> {
        let mut state = self.state();
        let state = &mut *state;
        for index in 0..self.nodes.len() {
            state.host.start(index)?;
            state.up[index] = true;
        }
        for (index, id) in self.brokers().enumerate() {
            let expected = self.nodes.len();
            wait_until_ready(
                state.host.as_mut(),
                index,
                id,
                &self.address(index),
                expected,
            )?;
        }
        Ok(())
    }

    fn address(&self, index: usize) -> String {
        format!("127.0.0.1:{}", self.nodes[index].client_port)
    }

    fn index(&self, broker: u16) -> Result<usize> {
        usize::from(broker)
            .checked_sub(1)
            .filter(|index| *index < self.nodes.len())
            .ok_or(Error::UnknownBroker { broker })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // a panic of one test thread must not hide the failures of others
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `host:port` of these, comma-separated.
fn addresses(ports: impl Iterator<Item = u16>) -> String {
    let addresses: Vec<_> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
    addresses.join(",")
}

/// A random cluster id as Kafka writes them: 16 bytes in 22 characters of URL-safe base64. Hexadecimal digits are
/// base64 digits as well, and a trailing `A` leaves the unused bits zero.
fn new_cluster_id() -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("{}A", &random[..21])
}
