use super::{Rule, WantedNetwork, wanted};
use crate::testbed::{REGION, TOPOLOGY, networks, topology};

fn group(network: &WantedNetwork, name: &str) -> Vec<String> {
    let group = network
        .groups
        .iter()
        .find(|group| group.name == name)
        .expect("the group");
    group.rules.iter().map(Rule::to_string).collect()
}

#[test]
fn brokers_on_ec2_take_zones_in_turns_and_know_each_other() {
    let networks = networks();
    let kafka = &networks[0];
    let machines: Vec<(&str, &str, &str)> = kafka
        .instances
        .iter()
        .map(|it| (it.name.as_str(), it.size.as_str(), it.subnet.as_str()))
        .collect();
    assert_eq!(
        machines,
        [
            ("aws-b-1", "m7i.large", "kafka-eu-west-1a"),
            ("aws-b-2", "m7i.large", "kafka-eu-west-1b"),
            ("aws-b-3", "m7i.large", "kafka-eu-west-1c"),
            ("aws-b-4", "m7i.large", "kafka-eu-west-1a"),
        ]
    );
    assert_eq!(
        group(kafka, "aws-brokers"),
        [
            "ingress/tcp/9093/members",
            "ingress/tcp/9095/10.10.0.0/16",
            "ingress/tcp/9095/10.20.0.0/16",
            "ingress/tcp/9095/10.30.0.0/24",
            "ingress/tcp/9095/members",
            "egress/tcp/443/0.0.0.0/0",
            "egress/tcp/9093/members",
            "egress/tcp/9095/members",
        ]
    );
    assert_eq!(
        group(kafka, "kafka-dns-out"),
        ["egress/tcp/53/10.10.0.2/32", "egress/udp/53/10.10.0.2/32"]
    );
    assert!(group(kafka, "default").is_empty());
    assert_eq!(kafka.tags["Name"], "kafka");
    assert_eq!(kafka.tags["project"], "hybrid");
}

#[test]
fn subnets_are_divided_or_as_declared() {
    let networks = networks();
    let ranges = |network: &WantedNetwork| -> Vec<(String, String, bool)> {
        let subnets = network.subnets.iter();
        subnets
            .map(|it| (it.name.clone(), it.cidr.clone(), it.is_optional))
            .collect()
    };
    let expected = |rows: &[(&str, &str)]| -> Vec<(String, String, bool)> {
        let rows = rows.iter();
        rows.map(|(name, cidr)| ((*name).to_owned(), (*cidr).to_owned(), false))
            .collect()
    };
    assert_eq!(
        ranges(&networks[0]),
        expected(&[
            ("kafka-eu-west-1a", "10.20.0.0/19"),
            ("kafka-eu-west-1b", "10.20.32.0/19"),
            ("kafka-eu-west-1c", "10.20.64.0/19"),
            ("kafka-egress", "10.20.240.0/20"),
        ])
    );
    // no machine of its own needs a way out, so there is none
    assert_eq!(
        ranges(&networks[1]),
        expected(&[
            ("orders-eu-west-1a", "10.30.0.0/28"),
            ("orders-eu-west-1b", "10.30.0.16/28"),
        ])
    );
}

#[test]
fn msk_opens_the_ports_of_its_logins() {
    let networks = networks();
    let orders = &networks[1];
    assert_eq!(
        group(orders, "orders-brokers"),
        [
            "ingress/tcp/9098/10.20.0.0/16",
            "ingress/tcp/9098/10.30.0.0/24",
            "ingress/tcp/9098/members",
            "egress/tcp/9098/members",
        ]
    );
    assert!(orders.instances.is_empty());
    let peering = &orders.peerings[0];
    assert_eq!(
        (peering.name.as_str(), peering.with.as_str()),
        ("orders-to-aws", "kafka")
    );
}

#[test]
fn the_replicator_stands_beside_the_target() {
    let networks = networks();
    assert_eq!(networks[0].elastic.as_deref(), Some("mirrorctl"));
    assert_eq!(networks[1].elastic, None);
    let group = networks[0]
        .groups
        .iter()
        .find(|group| group.name == "mirrorctl")
        .expect("the group");
    assert!(group.is_optional);
}

#[test]
fn the_replicator_is_called_after_its_topology() {
    let named = TOPOLOGY.replacen("kind: Topology", "kind: Topology\nmetadata: {name: pay}", 1);
    let wanted = wanted(&topology(&named)).expect("it can be rendered");
    let network = &wanted.regions[REGION][0];
    assert_eq!(network.elastic.as_deref(), Some("mirrorctl-pay"));
    let mut groups = network.groups.iter();
    let group = groups.find(|it| it.name == "mirrorctl-pay");
    // as the machines beside it
    assert_eq!(group.expect("the group").tags["project"], "hybrid");
}

#[test]
fn the_replicator_reaches_the_brokers_of_its_mirrors_and_no_others() {
    assert_eq!(
        group(&networks()[0], "mirrorctl"),
        [
            "egress/tcp/443/0.0.0.0/0",
            "egress/tcp/9092/10.10.0.0/16",
            "egress/tcp/9095/10.20.0.0/16",
        ]
    );
}
