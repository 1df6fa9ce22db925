use plan::DriftKind;

use super::{Comparison, compare};
use crate::observed::{Group, Instance, Peering, Region, Subnet, Vpc};
use crate::testbed::{REGION, as_wanted, networks};
use crate::wanted::{Direction, Peer, Rule};

/// What differs after a change behind everybody's back: `kind address attributes…`.
fn after(change: impl FnOnce(&mut Region)) -> Vec<String> {
    let networks = networks();
    let mut live = as_wanted(&networks);
    change(&mut live);
    lines(&compare(REGION, &networks, &live))
}

fn lines(comparison: &Comparison) -> Vec<String> {
    let drift = comparison.drift.iter();
    drift
        .map(|drift| {
            let attributes: Vec<String> = drift
                .details
                .iter()
                .map(|it| {
                    let (live, declared) = (it.live.as_deref(), it.declared.as_deref());
                    format!(
                        " {}: {} / {}",
                        it.attribute,
                        live.unwrap_or("-"),
                        declared.unwrap_or("-")
                    )
                })
                .collect();
            let address = drift.address.trim_start_matches("ec2.eu-west-1.");
            format!("{} {address}{}", drift.kind, attributes.join(","))
        })
        .collect()
}

fn vpc<'a>(live: &'a mut Region, name: &str) -> &'a mut Vpc {
    let id = format!("vpc-{name}");
    live.vpcs.iter_mut().find(|it| it.id == id).expect("a VPC")
}

fn subnet<'a>(live: &'a mut Region, name: &str) -> &'a mut Subnet {
    let id = format!("subnet-{name}");
    let mut subnets = live.subnets.iter_mut();
    subnets.find(|it| it.id == id).expect("a subnet")
}

fn group<'a>(live: &'a mut Region, name: &str) -> &'a mut Group {
    let id = format!("sg-{name}");
    let mut groups = live.groups.iter_mut();
    groups.find(|it| it.id == id).expect("a group")
}

fn machine<'a>(live: &'a mut Region, name: &str) -> &'a mut Instance {
    let id = format!("i-{name}");
    let mut machines = live.instances.iter_mut();
    machines.find(|it| it.id == id).expect("a machine")
}

fn open(port: i32, range: &str) -> Rule {
    Rule {
        direction: Direction::Ingress,
        protocol: "tcp".to_owned(),
        ports: Some((port, port)),
        peer: Peer::Range(range.to_owned()),
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn as_wanted_is_no_drift() {
    let networks = networks();
    let comparison = compare(REGION, &networks, &as_wanted(&networks));
    assert_eq!(lines(&comparison), NOTHING);
    assert!(comparison.compared > 30, "{}", comparison.compared);
}

#[test]
fn nothing_there_is_everything_missing() {
    let networks = networks();
    let comparison = compare(REGION, &networks, &Region::default());
    assert_eq!(comparison.drift.len(), comparison.compared);
    let all_missing = |kind| kind == DriftKind::Missing;
    assert!(comparison.drift.iter().all(|it| all_missing(it.kind)));
    let lines = lines(&comparison);
    for line in [
        "missing vpc.kafka cidr: - / 10.20.0.0/16",
        "missing subnet.kafka-eu-west-1b cidr: - / 10.20.32.0/19, zone: - / eu-west-1b",
        "missing instance.aws-b-4 size: - / m7i.large, subnet: - / kafka-eu-west-1a",
        "missing peering.orders-to-aws with: - / kafka",
        "missing security-group.aws-brokers",
        "missing security-group.kafka/default",
    ] {
        assert!(lines.iter().any(|it| it == line), "{line}: {lines:#?}");
    }
    // a variable of the root decides about the replicator
    assert!(
        !lines
            .iter()
            .any(|it| it.ends_with("security-group.mirrorctl"))
    );
}

#[test]
fn changed_networks() {
    assert_eq!(
        after(|live| vpc(live, "kafka").cidr = "10.21.0.0/16".to_owned()),
        ["changed vpc.kafka cidr: 10.21.0.0/16 / 10.20.0.0/16"]
    );
    assert_eq!(
        after(|live| vpc(live, "kafka").dns_hostnames = Some(false)),
        ["changed vpc.kafka dns hostnames: false / true"]
    );
    // what AWS does not tell is no difference
    assert_eq!(after(|live| vpc(live, "kafka").dns_support = None), NOTHING);
    assert_eq!(
        after(|live| {
            let tags = &mut vpc(live, "kafka").tags;
            tags.insert("project".to_owned(), "other".to_owned());
            tags.insert("cost-center".to_owned(), "7".to_owned());
        }),
        ["changed vpc.kafka tags.project: other / hybrid"]
    );
    assert_eq!(
        after(|live| {
            vpc(live, "kafka").tags.remove("Name");
        }),
        ["changed vpc.kafka tags.Name: - / kafka"]
    );
    let twin = after(|live| {
        let mut twin = vpc(live, "kafka").clone();
        twin.id = "vpc-0".to_owned();
        twin.cidr = "10.99.0.0/16".to_owned();
        live.vpcs.push(twin);
    });
    assert_eq!(twin, ["foreign vpc.kafka cidr: 10.99.0.0/16 / -"]);
}

#[test]
fn changed_subnets() {
    assert_eq!(
        after(|live| live
            .subnets
            .retain(|it| it.id != "subnet-orders-eu-west-1b")),
        ["missing subnet.orders-eu-west-1b cidr: - / 10.30.0.16/28, zone: - / eu-west-1b"]
    );
    assert_eq!(
        after(|live| {
            let subnet = subnet(live, "kafka-eu-west-1b");
            subnet.cidr = "10.20.128.0/19".to_owned();
            subnet.zone = "eu-west-1a".to_owned();
            subnet.public_addresses = Some(true);
        }),
        [
            "changed subnet.kafka-eu-west-1b cidr: 10.20.128.0/19 / 10.20.32.0/19, zone: eu-west-1a / eu-west-1b, public addresses: true / false"
        ]
    );
    assert_eq!(
        after(|live| {
            subnet(live, "kafka-eu-west-1b").tags.remove("Name");
        }),
        ["changed subnet.kafka-eu-west-1b tags.Name: - / kafka-eu-west-1b"]
    );
    let more = after(|live| {
        let mut more = subnet(live, "kafka-eu-west-1b").clone();
        more.id = "subnet-more".to_owned();
        more.cidr = "10.20.200.0/24".to_owned();
        more.tags.insert("Name".to_owned(), "bastions".to_owned());
        live.subnets.push(more);
    });
    assert_eq!(
        more,
        ["foreign subnet.bastions cidr: 10.20.200.0/24 / -, zone: eu-west-1b / -"]
    );
}

#[test]
fn rules_one_by_one() {
    let opened = |port, range: &'static str| {
        move |live: &mut Region| {
            let rules = &mut group(live, "kafka-aws-brokers").rules;
            rules.insert(open(port, range));
        }
    };
    assert_eq!(
        after(opened(22, "0.0.0.0/0")),
        ["foreign security-group-rule.aws-brokers/ingress/tcp/22/0.0.0.0/0"]
    );
    assert_eq!(
        after(|live| {
            let rules = &mut group(live, "kafka-aws-brokers").rules;
            assert!(rules.remove(&open(9095, "10.10.0.0/16")));
        }),
        [
            "missing security-group-rule.aws-brokers/ingress/tcp/9095/10.10.0.0/16 group: - / sg-kafka-aws-brokers"
        ]
    );
    assert_eq!(
        after(|live| {
            group(live, "kafka-default").rules.insert(Rule {
                direction: Direction::Egress,
                protocol: "all".to_owned(),
                ports: None,
                peer: Peer::Range("0.0.0.0/0".to_owned()),
            });
        }),
        ["foreign security-group-rule.kafka/default/egress/all/all/0.0.0.0/0"]
    );
    // who observes is a variable of the root, but never everybody
    let observed = |range: &'static str| {
        move |live: &mut Region| {
            let rules = &mut group(live, "kafka-mirrorctl").rules;
            rules.insert(open(9464, range));
        }
    };
    assert_eq!(after(observed("10.50.0.0/16")), NOTHING);
    assert_eq!(
        after(observed("0.0.0.0/0")),
        ["foreign security-group-rule.mirrorctl/ingress/tcp/9464/0.0.0.0/0"]
    );
}

#[test]
fn who_a_rule_lets_in_is_said() {
    let networks = networks();
    let mut live = as_wanted(&networks);
    let rules = &mut group(&mut live, "kafka-aws-brokers").rules;
    rules.insert(open(22, "0.0.0.0/0"));
    rules.insert(open(23, "::/0"));
    rules.insert(open(24, "10.0.0.0/8"));
    let reasons: Vec<String> = compare(REGION, &networks, &live)
        .drift
        .into_iter()
        .map(|drift| drift.reason)
        .collect();
    assert_eq!(
        reasons,
        [
            "nobody declared it: port 22 is open to the whole world",
            "nobody declared it: port 23 is open to the whole world",
            "nobody declared it",
        ]
    );
}

#[test]
fn groups_by_the_name_that_aws_never_changes() {
    assert_eq!(
        after(|live| group(live, "kafka-aws-brokers").tags.clear()),
        ["changed security-group.aws-brokers tags.Name: - / aws-brokers, tags.project: - / hybrid"]
    );
    // another cluster's group begins with the same words
    let other = after(|live| {
        let mut other = group(live, "kafka-aws-brokers").clone();
        other.id = "sg-other".to_owned();
        other.name = "aws-brokers-of-others-1".to_owned();
        live.groups.push(other);
    });
    assert_eq!(other, NOTHING);
}

#[test]
fn changed_machines() {
    let state = |state: &'static str| {
        move |live: &mut Region| state.clone_into(&mut machine(live, "aws-b-2").state)
    };
    assert_eq!(
        after(state("stopped")),
        ["changed instance.aws-b-2 state: stopped / running"]
    );
    assert_eq!(
        after(state("terminated")),
        ["missing instance.aws-b-2 size: - / m7i.large, subnet: - / kafka-eu-west-1b"]
    );
    assert_eq!(
        after(|live| {
            let machine = machine(live, "aws-b-2");
            machine.size = "m7i.xlarge".to_owned();
            machine.public_address = Some("198.51.100.7".to_owned());
            machine.metadata_tokens = Some("optional".to_owned());
            machine.groups.insert("sg-z".to_owned());
            machine.subnet = "subnet-kafka-eu-west-1c".to_owned();
        }),
        [
            "changed instance.aws-b-2 size: m7i.xlarge / m7i.large, subnet: subnet-kafka-eu-west-1c / subnet-kafka-eu-west-1b, \
             security groups: sg-kafka-aws-brokers, sg-z / sg-kafka-aws-brokers, public address: 198.51.100.7 / -, \
             metadata tokens: optional / required"
        ]
    );
}

#[test]
fn machines_that_nobody_declared() {
    let named = |name: &'static str| {
        move |live: &mut Region| {
            let mut more = machine(live, "aws-b-4").clone();
            more.id = "i-more".to_owned();
            more.tags.insert("Name".to_owned(), name.to_owned());
            live.instances.push(more);
        }
    };
    assert_eq!(
        after(named("aws-b-5")),
        ["foreign instance.aws-b-5 size: m7i.large / -, state: running / -"]
    );
    // two of one name: the one of the lower id counts
    assert_eq!(
        after(named("aws-b-4")),
        ["foreign instance.aws-b-4 size: m7i.large / -, state: running / -"]
    );
    // machines of the replicator come and go
    assert_eq!(after(named("mirrorctl")), NOTHING);
}

#[test]
fn changed_peerings() {
    assert_eq!(
        after(|live| live.peerings[0].state = "pending-acceptance".to_owned()),
        ["changed peering.orders-to-aws state: pending-acceptance / active"]
    );
    assert_eq!(
        after(|live| live.peerings[0].state = "deleted".to_owned()),
        ["missing peering.orders-to-aws with: - / kafka"]
    );
    assert_eq!(
        after(|live| live.peerings[0].accepter_resolves = Some(false)),
        ["changed peering.orders-to-aws accepter resolves names: false / true"]
    );
    let more = after(|live| {
        live.peerings.push(Peering {
            id: "pcx-more".to_owned(),
            requester: "vpc-elsewhere".to_owned(),
            accepter: "vpc-kafka".to_owned(),
            state: "active".to_owned(),
            ..Peering::default()
        });
    });
    assert_eq!(
        more,
        ["foreign peering.pcx-more with: vpc-elsewhere / -, state: active / -"]
    );
}
