//! Brokers in containers, through testcontainers.
//!
//! The same script runs in Kafka's public image and in any other that has a shell, `java` and the jars under
//! `/opt/kafka/libs`. The shell is the container's first process and the broker its child, so that a broker can be
//! killed and frozen by signal, and its container be started again with its data.

use std::collections::HashMap;
use std::path::PathBuf;

use testcontainers::core::{ExecCommand, IntoContainerPort as _};
use testcontainers::runners::SyncRunner as _;
use testcontainers::{Container, GenericImage, ImageExt as _, TestcontainersError};

use super::properties::{Node, broker_properties, render};
use super::provider::BrokerHost;
use super::spec::ClusterSpec;
use crate::security::Authority;
use crate::{Error, ReservedPort, Result};

const PEER_PORT: u16 = 9_193;
const CONTROLLER_PORT: u16 = 9_194;
const LOG_TAIL: usize = 4_000;

/// Containers that a killed test run leaves behind end by themselves, and are found by this label.
const LABEL: &str = "io.mirrorctl.e2e";

// $1 heap, $2 cluster id. The broker does not outlive half an hour.
const SCRIPT: &str = r#"
set -- "-Xmx$1" "$2" -Dlog4j2.configurationFile=/mirrorctl/log4j2.properties -cp '/opt/kafka/libs/*'
heap=$1; cluster=$2; shift 2
java "$heap" "$@" kafka.tools.StorageTool format --ignore-formatted --cluster-id "$cluster" --config /mirrorctl/server.properties || exit 1
java "$heap" "$@" kafka.Kafka /mirrorctl/server.properties &
broker=$!
echo "$broker" > /tmp/broker.pid
( sleep 1800; kill -s KILL "$broker" ) &
trap 'kill -s TERM "$broker"' TERM
wait "$broker"
"#;

const LOG_CONFIG: &str = "status = error\n\
    appender.console.type = Console\n\
    appender.console.name = console\n\
    appender.console.layout.type = PatternLayout\n\
    appender.console.layout.pattern = [%d] %p %m (%c)%n\n\
    rootLogger.level = info\n\
    rootLogger.appenderRef.console.ref = console\n";

/// The brokers of one cluster, each in a container of its own on a network of their own.
#[derive(Debug)]
pub(crate) struct ContainerHost {
    image: (String, String),
    heap: String,
    cluster_id: String,
    network: String,
    brokers: Vec<Broker>,
    // held so that a broker finds its port free when it comes back
    _ports: Vec<ReservedPort>,
}

#[derive(Debug)]
struct Broker {
    node: Node,
    properties: String,
    container: Option<Container<GenericImage>>,
}

impl ContainerHost {
    /// Lays out the brokers; starts nothing yet. Returns where the brokers will listen, too.
    pub(crate) fn prepare(
        spec: &ClusterSpec,
        image: &str,
        tag: &str,
        cluster_id: &str,
    ) -> Result<(Self, Vec<Node>)> {
        if spec.security.is_some() {
            return Err(not_secured());
        }
        let network = format!("mirrorctl-{}", cluster_id.to_lowercase());
        let mut ports = Vec::new();
        let mut nodes = Vec::new();
        for id in 1..=spec.brokers {
            let port = ReservedPort::any()?;
            nodes.push(Node {
                id,
                bind: "0.0.0.0".to_owned(),
                client_port: port.number(),
                peer_host: format!("{network}-{id}"),
                peer_port: PEER_PORT,
                controller_port: CONTROLLER_PORT,
                log_directory: "/tmp/mirrorctl-data".to_owned(),
                secured: Vec::new(),
                home: PathBuf::new(),
            });
            ports.push(port);
        }
        let brokers = nodes
            .iter()
            .enumerate()
            .map(|(index, node)| Broker {
                node: node.clone(),
                properties: render(&broker_properties(spec, &nodes, index)),
                container: None,
            })
            .collect();
        let host = Self {
            image: (image.to_owned(), tag.to_owned()),
            heap: format!("{}m", spec.heap_megabytes),
            cluster_id: cluster_id.to_owned(),
            network,
            brokers,
            _ports: ports,
        };
        Ok((host, nodes))
    }

    fn create(&self, broker: &Broker) -> Result<Container<GenericImage>, TestcontainersError> {
        let port = broker.node.client_port;
        GenericImage::new(self.image.0.clone(), self.image.1.clone())
            .with_entrypoint("sh")
            .with_cmd(["-c", SCRIPT, "sh", &self.heap, &self.cluster_id])
            .with_container_name(&broker.node.peer_host)
            .with_network(&self.network)
            .with_labels(HashMap::from([(LABEL, "broker")]))
            .with_copy_to(
                "/mirrorctl/server.properties",
                broker.properties.clone().into_bytes(),
            )
            .with_copy_to(
                "/mirrorctl/log4j2.properties",
                LOG_CONFIG.as_bytes().to_vec(),
            )
            .with_mapped_port(port, port.tcp())
            .with_host_config_modifier(|config| {
                // published for this machine alone
                let bindings = config
                    .port_bindings
                    .iter_mut()
                    .flat_map(HashMap::values_mut);
                for binding in bindings.flatten().flatten() {
                    binding.host_ip = Some("127.0.0.1".to_owned());
                }
            })
            .start()
    }

    fn running(&self, index: usize) -> Result<&Container<GenericImage>> {
        let broker = &self.brokers[index];
        broker.container.as_ref().ok_or(Error::NotRunning {
            broker: broker.node.id,
        })
    }

    /// Sends a signal to the broker itself, inside its container.
    fn signal(&self, index: usize, signal: &str) -> Result<()> {
        let script = format!("kill -s {signal} $(cat /tmp/broker.pid)");
        let mut result = self
            .running(index)?
            .exec(ExecCommand::new(["sh", "-c", &script]))
            .map_err(container("signalling a broker"))?;
        // reading to the end waits for the command's end
        let errors = result
            .stderr_to_vec()
            .map_err(container("signalling a broker"))?;
        match result
            .exit_code()
            .map_err(container("signalling a broker"))?
        {
            Some(0) => Ok(()),
            code => Err(Error::Container {
                action: format!("signalling a broker ({code:?})"),
                reason: String::from_utf8_lossy(&errors).into_owned(),
            }),
        }
    }

    /// Waits until the container has ended with its broker.
    fn wait_for_end(&self, index: usize) -> Result<()> {
        let limit = std::time::Duration::from_mins(1);
        let started = std::time::Instant::now();
        while self
            .running(index)?
            .is_running()
            .map_err(container("looking at a container"))?
        {
            if started.elapsed() > limit {
                let what = format!("the end of broker {}", self.brokers[index].node.id);
                return Err(Error::Timeout {
                    what,
                    waited: limit,
                });
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        Ok(())
    }
}

impl BrokerHost for ContainerHost {
    fn start(&mut self, index: usize) -> Result<()> {
        if let Some(container_of_before) = &self.brokers[index].container {
            return container_of_before
                .start()
                .map_err(container("starting a container again"));
        }
        let started = self
            .create(&self.brokers[index])
            .map_err(container("starting a container"))?;
        self.brokers[index].container = Some(started);
        Ok(())
    }

    fn kill(&mut self, index: usize) -> Result<()> {
        self.signal(index, "KILL")?;
        self.wait_for_end(index)
    }

    fn stop(&mut self, index: usize) -> Result<()> {
        self.signal(index, "TERM")?;
        self.wait_for_end(index)
    }

    fn pause(&mut self, index: usize) -> Result<()> {
        self.signal(index, "STOP")
    }

    fn resume(&mut self, index: usize) -> Result<()> {
        self.signal(index, "CONT")
    }

    fn ended(&mut self, index: usize) -> Result<Option<String>> {
        let running = self
            .running(index)?
            .is_running()
            .map_err(container("looking at a container"))?;
        Ok((!running).then(|| "its container ended".to_owned()))
    }

    fn log(&self, index: usize) -> String {
        let Some(container) = &self.brokers[index].container else {
            return String::new();
        };
        let mut bytes = container.stdout_to_vec().unwrap_or_default();
        bytes.extend(container.stderr_to_vec().unwrap_or_default());
        let tail = bytes.len().saturating_sub(LOG_TAIL);
        String::from_utf8_lossy(&bytes[tail..]).into_owned()
    }

    fn write_certificates(&self, _index: usize, _authority: &Authority) -> Result<()> {
        Err(not_secured())
    }

    fn fill_disk(&mut self, index: usize) -> Result<()> {
        let broker = self.brokers[index].node.id;
        Err(Error::NoDisk { broker })
    }

    fn free_disk(&mut self, index: usize) -> Result<()> {
        self.fill_disk(index)
    }

    fn process_id(&self, _index: usize) -> Option<u32> {
        // it has one only inside its container
        None
    }
}

fn not_secured() -> Error {
    Error::Container {
        action: "securing a broker".to_owned(),
        reason: "secured clusters are JVM processes".to_owned(),
    }
}

/// For `map_err` on what the engine is asked for.
fn container(action: &'static str) -> impl FnOnce(TestcontainersError) -> Error {
    move |error| Error::Container {
        action: action.to_owned(),
        reason: error.to_string(),
    }
}
