//! Whether there is room for a way out: machines on AWS get packages through a NAT gateway, which stands in a subnet of its own.

use ipnet::IpNet;

use super::super::naming;
use super::super::scope::Scope;
use super::peers::{Cloud, Placed, cloud, network_path};
use crate::choices::{Engine, MirrorState, Platform};
use crate::code::Code;
use crate::finding::Finding;
use crate::resolved::Mirror;

/// The networks that machines are put into: those of brokers on EC2, and that of the replicator.
pub(in crate::resolve) fn check(
    scope: &mut Scope<'_>,
    mirrors: &[naming::Placed<'_>],
    clusters: &[Placed],
) {
    let beside = replicator_beside(mirrors, clusters).map(|(at, _)| *at);
    for (at, cluster) in clusters {
        let who = match cluster.platform {
            Platform::AwsEc2 => "brokers on EC2",
            Platform::AwsMsk if beside == Some(*at) => "the machines of the replicator",
            Platform::AwsMsk
            | Platform::Existing
            | Platform::Embedded
            | Platform::Ansible
            | Platform::AzureHdinsight
            | Platform::Strimzi => continue,
        };
        let Some(network) = &cluster.infrastructure.network else {
            continue;
        };
        let Some(range) = network.cidr.filter(is_of_aws) else {
            continue;
        };
        if network.subnets.is_empty() || network.way_out().is_some() {
            continue;
        }
        let span = scope.key_span(&network_path(*at).key("subnets"));
        scope.add(
            Finding::new(
                Code::InvalidSubnet,
                span,
                format!("{who} reach the internet through a public subnet, and the subnets leave no room for it"),
                "no /28 is free beside them",
            )
            .hint(format!(
                "leave 16 addresses (a /28) or more of `{range}` to none of the subnets, or leave `subnets` out to divide the \
                 network evenly"
            )),
        );
    }
}

/// What is larger or smaller, or has IPv6 addresses, is refused elsewhere.
fn is_of_aws(range: &IpNet) -> bool {
    matches!(range, IpNet::V4(range) if (16..=28).contains(&range.prefix_len()))
}

/// The cluster on AWS that the replicator is put next to: a target, or else a source.
fn replicator_beside<'a>(
    mirrors: &[naming::Placed<'_>],
    clusters: &'a [Placed],
) -> Option<&'a Placed> {
    let here: Vec<&Placed> = clusters
        .iter()
        .filter(|(_, it)| cloud(it.platform) == Cloud::Aws)
        .collect();
    let find = |wanted: &dyn Fn(&Mirror, &str) -> bool| {
        let mut running = mirrors
            .iter()
            .map(|(_, it)| it)
            .filter(|it| it.engine == Engine::Builtin && it.state != MirrorState::Promoted);
        running.find_map(|mirror| {
            let mut here = here.iter().copied();
            here.find(|(_, it)| wanted(mirror, &it.alias))
        })
    };
    find(&|mirror, alias| mirror.target == alias)
        .or_else(|| find(&|mirror, alias| mirror.sources.iter().any(|it| it == alias)))
}

#[cfg(test)]
mod tests {
    const FULL: &str = "cidr: 10.20.0.0/24, subnets: [10.20.0.0/25, 10.20.0.128/25]";
    const ROOM: &str = "cidr: 10.20.0.0/24, subnets: [10.20.0.0/25, 10.20.0.128/26]";

    fn errors(platform: &str, network: &str, mirrors: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n- {{alias: b, bootstrapServers: 'x.example:9092'}}\n\
             - alias: a\n  platform: {platform}\n  region: eu-west-1\n  brokers: {{count: 2, zones: [eu-west-1a, eu-west-1b]}}\n  \
             network: {{{network}}}\nmirrors: [{mirrors}]\n"
        );
        let Err(found) = crate::parse("t.yaml", &text) else {
            return Vec::new();
        };
        let found = found.into_iter();
        found
            .map(|it| format!("{}:{} {}", it.line, it.column, it.code))
            .collect()
    }

    #[test]
    fn machines_need_room_for_their_way_out() {
        const TO: &str = "{name: m, source: b, target: a, topicsPattern: x}";
        const FROM: &str = "{name: m, source: a, target: b, topicsPattern: x}";
        let refused = ["9:33 topology::invalid-subnet"];
        assert_eq!(errors("aws-ec2", FULL, ""), refused);
        assert!(errors("aws-ec2", ROOM, "").is_empty());
        for mirror in [TO, FROM] {
            assert_eq!(errors("aws-msk", FULL, mirror), refused, "{mirror}");
            assert!(errors("aws-msk", ROOM, mirror).is_empty(), "{mirror}");
            // whoever copies otherwise has machines elsewhere
            let other = mirror.replace("{name", "{engine: mirrormaker2, name");
            assert!(errors("aws-msk", FULL, &other).is_empty(), "{mirror}");
        }
        assert!(errors("aws-msk", FULL, "").is_empty());
    }
}
