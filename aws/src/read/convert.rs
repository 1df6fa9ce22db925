//! What AWS says, in our words.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{
    Instance as AwsInstance, IpPermission, SecurityGroup, Subnet as AwsSubnet, Tag, Vpc as AwsVpc,
    VpcPeeringConnection,
};

use crate::observed::{Group, Instance, Peering, Subnet, Tags, Vpc};
use crate::wanted::{Direction, Peer, Rule};

fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

fn tags(tags: &[Tag]) -> Tags {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), text(tag.value()))))
        .collect()
}

pub(super) fn vpc(vpc: &AwsVpc) -> Vpc {
    Vpc {
        id: text(vpc.vpc_id()),
        cidr: text(vpc.cidr_block()),
        dns_support: None,
        dns_hostnames: None,
        tags: tags(vpc.tags()),
    }
}

pub(super) fn subnet(subnet: &AwsSubnet) -> Subnet {
    Subnet {
        id: text(subnet.subnet_id()),
        vpc: text(subnet.vpc_id()),
        cidr: text(subnet.cidr_block()),
        zone: text(subnet.availability_zone()),
        public_addresses: subnet.map_public_ip_on_launch(),
        tags: tags(subnet.tags()),
    }
}

pub(super) fn peering(peering: &VpcPeeringConnection) -> Peering {
    let (requester, accepter) = (peering.requester_vpc_info(), peering.accepter_vpc_info());
    let resolves = |end: Option<&aws_sdk_ec2::types::VpcPeeringConnectionVpcInfo>| {
        end?.peering_options()?
            .allow_dns_resolution_from_remote_vpc()
    };
    Peering {
        id: text(peering.vpc_peering_connection_id()),
        requester: text(requester.and_then(|it| it.vpc_id())),
        accepter: text(accepter.and_then(|it| it.vpc_id())),
        state: peering
            .status()
            .and_then(|status| status.code())
            .map_or_else(String::new, |code| code.as_str().to_owned()),
        requester_resolves: resolves(requester),
        accepter_resolves: resolves(accepter),
        tags: tags(peering.tags()),
    }
}

pub(super) fn group(group: &SecurityGroup) -> Group {
    let id = text(group.group_id());
    let ingress = group
        .ip_permissions()
        .iter()
        .flat_map(|it| rules(Direction::Ingress, &id, it));
    let egress = group
        .ip_permissions_egress()
        .iter()
        .flat_map(|it| rules(Direction::Egress, &id, it));
    let rules: BTreeSet<Rule> = ingress.chain(egress).collect();
    Group {
        vpc: text(group.vpc_id()),
        name: text(group.group_name()),
        rules,
        tags: tags(group.tags()),
        id,
    }
}

/// One permission is about several others at once.
fn rules(direction: Direction, own: &str, permission: &IpPermission) -> Vec<Rule> {
    let ranges = permission
        .ip_ranges()
        .iter()
        .filter_map(|it| it.cidr_ip())
        .chain(
            permission
                .ipv6_ranges()
                .iter()
                .filter_map(|it| it.cidr_ipv6()),
        )
        .map(|range| Peer::Range(range.to_owned()));
    let groups = permission.user_id_group_pairs().iter().map(|pair| {
        if pair.group_id() == Some(own) {
            Peer::Members
        } else {
            Peer::Id(text(pair.group_id().or(pair.group_name())))
        }
    });
    let lists = permission
        .prefix_list_ids()
        .iter()
        .map(|it| Peer::Id(text(it.prefix_list_id())));
    let protocol = match permission.ip_protocol() {
        None | Some("-1") => "all",
        Some(protocol) => protocol,
    };
    ranges
        .chain(groups)
        .chain(lists)
        .map(|peer| Rule {
            direction,
            protocol: protocol.to_owned(),
            ports: permission
                .from_port()
                .zip(permission.to_port())
                .filter(|(first, _)| *first >= 0 && protocol != "all"),
            peer,
        })
        .collect()
}

pub(super) fn instance(instance: &AwsInstance) -> Instance {
    Instance {
        id: text(instance.instance_id()),
        vpc: text(instance.vpc_id()),
        subnet: text(instance.subnet_id()),
        size: instance
            .instance_type()
            .map_or_else(String::new, |it| it.as_str().to_owned()),
        state: instance
            .state()
            .and_then(|state| state.name())
            .map_or_else(String::new, |it| it.as_str().to_owned()),
        groups: instance
            .security_groups()
            .iter()
            .filter_map(|it| it.group_id().map(ToOwned::to_owned))
            .collect(),
        public_address: instance.public_ip_address().map(ToOwned::to_owned),
        metadata_tokens: instance
            .metadata_options()
            .and_then(|it| it.http_tokens())
            .map(|it| it.as_str().to_owned()),
        tags: tags(instance.tags()),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{IpRange, Ipv6Range, UserIdGroupPair};

    use super::*;

    #[test]
    fn a_permission_is_a_rule_for_each_other_end() {
        let permission = IpPermission::builder()
            .ip_protocol("tcp")
            .from_port(9092)
            .to_port(9094)
            .ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").build())
            .ipv6_ranges(Ipv6Range::builder().cidr_ipv6("::/0").build())
            .user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-1").build())
            .user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-2").build())
            .build();
        let found: Vec<String> = rules(Direction::Ingress, "sg-1", &permission)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            found,
            [
                "ingress/tcp/9092-9094/10.0.0.0/8",
                "ingress/tcp/9092-9094/::/0",
                "ingress/tcp/9092-9094/members",
                "ingress/tcp/9092-9094/sg-2",
            ]
        );
    }

    #[test]
    fn no_port_is_every_port() {
        for (protocol, port) in [("-1", None), ("-1", Some(0)), ("icmp", Some(-1))] {
            let permission = IpPermission::builder()
                .ip_protocol(protocol)
                .set_from_port(port)
                .set_to_port(port)
                .ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build())
                .build();
            let found = rules(Direction::Egress, "sg-1", &permission);
            assert_eq!(found[0].ports, None, "{found:?}");
            assert!(found[0].is_open_to_the_world());
        }
    }
}
