//! A broker's settings.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::spec::ClusterSpec;
use crate::security::Listener;

/// Where one broker listens, as seen by itself and by others.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: u16,
    /// What the broker binds: `127.0.0.1`, or every interface of its own container.
    pub(crate) bind: String,
    /// The port that clients use, on 127.0.0.1.
    pub(crate) client_port: u16,
    /// The name under which the other brokers reach this one.
    pub(crate) peer_host: String,
    pub(crate) peer_port: u16,
    pub(crate) controller_port: u16,
    pub(crate) log_directory: String,
    /// The listeners of a secured broker; none otherwise.
    pub(crate) secured: Vec<(Listener, u16)>,
    /// Where a secured broker finds its certificates and keys.
    pub(crate) home: PathBuf,
}

/// The settings of `nodes[index]`, in the order of a properties file.
pub(crate) fn broker_properties(
    spec: &ClusterSpec,
    nodes: &[Node],
    index: usize,
) -> Vec<(String, String)> {
    let node = &nodes[index];
    let replicas = spec.brokers.min(3).to_string();
    let in_sync = if spec.brokers >= 3 { "2" } else { "1" };
    let voters = nodes
        .iter()
        .map(|node| format!("{}@{}:{}", node.id, node.peer_host, node.controller_port))
        .collect::<Vec<_>>()
        .join(",");
    let bind = &node.bind;
    let mut properties: Vec<(String, String)> = [
        ("process.roles", "broker,controller".to_owned()),
        ("node.id", node.id.to_string()),
        ("controller.quorum.voters", voters),
        (
            "listeners",
            format!(
                "CLIENT://{bind}:{},PEER://{bind}:{},CONTROLLER://{bind}:{}",
                node.client_port, node.peer_port, node.controller_port
            ),
        ),
        (
            "advertised.listeners",
            format!(
                "CLIENT://127.0.0.1:{},PEER://{}:{},CONTROLLER://{}:{}",
                spec.advertised_port.unwrap_or(node.client_port),
                node.peer_host,
                node.peer_port,
                node.peer_host,
                node.controller_port
            ),
        ),
        (
            "listener.security.protocol.map",
            "CLIENT:PLAINTEXT,PEER:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned(),
        ),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        ("inter.broker.listener.name", "PEER".to_owned()),
        ("log.dirs", node.log_directory.clone()),
        ("auto.create.topics.enable", "false".to_owned()),
        ("group.initial.rebalance.delay.ms", "0".to_owned()),
        ("offsets.topic.num.partitions", "4".to_owned()),
        ("offsets.topic.replication.factor", replicas.clone()),
        ("transaction.state.log.num.partitions", "4".to_owned()),
        ("transaction.state.log.replication.factor", replicas.clone()),
        ("transaction.state.log.min.isr", in_sync.to_owned()),
        (
            "share.coordinator.state.topic.num.partitions",
            "4".to_owned(),
        ),
        ("share.coordinator.state.topic.replication.factor", replicas),
        ("share.coordinator.state.topic.min.isr", in_sync.to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    add_listeners(spec, node, &mut properties);
    if let Some(security) = &spec.security {
        properties.extend(security.properties(&node.home));
    }
    for (key, value) in &spec.properties {
        properties.retain(|(existing, _)| existing != key);
        properties.push((key.clone(), value.clone()));
    }
    properties
}

/// Names the listeners that were asked for beside the usual ones.
fn add_listeners(spec: &ClusterSpec, node: &Node, properties: &mut [(String, String)]) {
    let plain = spec
        .listeners
        .iter()
        .map(|(name, port, advertised)| (name.as_str(), "PLAINTEXT", *port, *advertised));
    let secured = node
        .secured
        .iter()
        .map(|(listener, port)| (listener.name(), listener.protocol(), *port, *port));
    for (name, protocol, port, advertised) in plain.chain(secured) {
        for (key, value) in &mut *properties {
            // writing to a String cannot fail
            let _ = match key.as_str() {
                "listeners" => write!(value, ",{name}://127.0.0.1:{port}"),
                "advertised.listeners" => write!(value, ",{name}://127.0.0.1:{advertised}"),
                "listener.security.protocol.map" => write!(value, ",{name}:{protocol}"),
                _ => Ok(()),
            };
        }
    }
}

/// The settings as a properties file.
pub(crate) fn render(properties: &[(String, String)]) -> String {
    properties
        .iter()
        .fold(String::new(), |mut text, (key, value)| {
            // writing to a String cannot fail
            let _ = writeln!(text, "{key}={value}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: u16) -> Node {
        Node {
            id,
            bind: "127.0.0.1".to_owned(),
            client_port: 100 + id,
            peer_host: "127.0.0.1".to_owned(),
            peer_port: 200 + id,
            controller_port: 300 + id,
            log_directory: "/data".to_owned(),
            secured: Vec::new(),
            home: PathBuf::new(),
        }
    }

    #[test]
    fn internal_topics_fit_the_number_of_brokers() {
        let text = |spec: &ClusterSpec| {
            let nodes: Vec<_> = (1..=spec.brokers).map(node).collect();
            render(&broker_properties(spec, &nodes, 0))
        };
        assert!(text(&ClusterSpec::single()).contains("offsets.topic.replication.factor=1\n"));
        assert!(text(&ClusterSpec::three()).contains("offsets.topic.replication.factor=3\n"));
        assert!(text(&ClusterSpec::three()).contains("voters=1@127.0.0.1:301,2@127.0.0.1:302,3@"));
    }

    #[test]
    fn a_listener_is_told_to_clients_by_another_port() {
        let spec = ClusterSpec::single().with_listener("FAR", 4, 5);
        let text = render(&broker_properties(&spec, &[node(1)], 0));
        let line = |key: &str| text.lines().find(|line| line.starts_with(key)).expect(key);
        assert!(line("listeners=").ends_with(",FAR://127.0.0.1:4"));
        assert!(line("advertised.listeners=").ends_with(",FAR://127.0.0.1:5"));
        assert!(line("listener.security.protocol.map=").ends_with(",FAR:PLAINTEXT"));
    }

    #[test]
    fn a_test_may_override_any_setting() {
        let spec = ClusterSpec::single().with("auto.create.topics.enable", "true");
        let text = render(&broker_properties(&spec, &[node(1)], 0));
        assert!(text.contains("auto.create.topics.enable=true\n"));
        assert!(!text.contains("auto.create.topics.enable=false"));
    }
}
