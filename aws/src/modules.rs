//! What the modules in `terraform/` decide themselves, so that the topology does not say it: names, defaults, ports.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

/// The size of brokers on EC2 unless the topology names one: `instance_type` of `aws-ec2-kafka`.
pub(crate) const EC2_SIZE: &str = "m7i.large";
/// Where controllers of brokers on EC2 listen, unless clients connect to it: `controller_port` of `aws-ec2-kafka`.
const CONTROLLER_PORT: u16 = 9093;
/// Where brokers of MSK take certificates: `ports` of `aws-msk`.
pub(crate) const MSK_TLS_PORT: u16 = 9094;
/// Where brokers of MSK take SCRAM: `ports` of `aws-msk`.
pub(crate) const MSK_SCRAM_PORT: u16 = 9096;
/// Where brokers of MSK take IAM: `ports` of `aws-msk`.
pub(crate) const MSK_IAM_PORT: u16 = 9098;
/// Where the replicator serves metrics; who may ask is a variable of the root.
pub(crate) const METRICS_PORT: u16 = 9464;
/// Everybody.
pub(crate) const ANYWHERE: &str = "0.0.0.0/0";

/// Where controllers of brokers on EC2 listen, beside the ports of clients.
pub(crate) fn controller_port(clients: &BTreeSet<u16>) -> u16 {
    (CONTROLLER_PORT..=u16::MAX)
        .find(|port| !clients.contains(port))
        .unwrap_or(CONTROLLER_PORT)
}

/// The private subnets of `aws-network` where the topology names none: the first half of the network, in as many parts as
/// there are zones, rounded up to a power of two. Fewer where the network is too small, which Terraform refuses.
pub(crate) fn private_subnets(network: Ipv4Net, zones: usize) -> Vec<Ipv4Net> {
    let parts = zones.next_power_of_two();
    let bits = 1 + u8::try_from(parts.trailing_zeros()).unwrap_or(u8::MAX);
    let prefix = network.prefix_len().saturating_add(bits);
    network
        .subnets(prefix)
        .map(|subnets| subnets.take(zones).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn module(file: &str) -> hcl::Body {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../terraform")
            .join(file);
        let text = std::fs::read_to_string(path).expect("the module");
        hcl::parse(&text).expect("HCL")
    }

    /// The expression of `name` in the block of these labels, as Terraform writes it.
    fn attribute(body: &hcl::Body, block: &[&str], name: &str) -> String {
        let block = body
            .blocks()
            .find(|it| {
                let labels = it.labels.iter().map(hcl::BlockLabel::as_str);
                std::iter::once(it.identifier.as_str())
                    .chain(labels)
                    .eq(block.iter().copied())
            })
            .expect("the block");
        let attribute = block
            .body
            .attributes()
            .find(|it| it.key.as_str() == name)
            .expect("the attribute");
        hcl::format::to_string(attribute.expr()).expect("an expression")
    }

    #[test]
    fn defaults_and_ports_are_those_of_the_modules() {
        let variables = module("aws-ec2-kafka/variables.tf");
        assert_eq!(
            attribute(&variables, &["variable", "instance_type"], "default"),
            format!("\"{EC2_SIZE}\"")
        );
        let brokers = module("aws-ec2-kafka/main.tf");
        let controller = attribute(&brokers, &["locals"], "controller_port");
        assert!(
            controller.contains(&CONTROLLER_PORT.to_string()),
            "{controller}"
        );
        let ports = attribute(&module("aws-msk/main.tf"), &["locals"], "ports");
        for (name, port) in [
            ("tls", MSK_TLS_PORT),
            ("scram", MSK_SCRAM_PORT),
            ("iam", MSK_IAM_PORT),
        ] {
            assert!(ports.contains(&format!("{name} = {port}")), "{ports}");
        }
        let observers = [
            "resource",
            "aws_vpc_security_group_ingress_rule",
            "observers",
        ];
        assert_eq!(
            attribute(&module("aws-replicator/main.tf"), &observers, "from_port"),
            METRICS_PORT.to_string()
        );
    }

    /// The figures of `terraform/aws-ec2-kafka/tests`.
    #[test]
    fn controllers_listen_beside_clients() {
        for (clients, port) in [(&[9092][..], 9093), (&[9093], 9094), (&[9094, 9093], 9095)] {
            assert_eq!(controller_port(&clients.iter().copied().collect()), port);
        }
    }

    /// The figures of `terraform/aws-network/tests`.
    #[test]
    fn subnets_are_those_of_the_module() {
        let network: Ipv4Net = "10.20.0.0/16".parse().expect("a range");
        let subnets: Vec<String> = private_subnets(network, 3)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(subnets, ["10.20.0.0/19", "10.20.32.0/19", "10.20.64.0/19"]);
        assert_eq!(private_subnets(network, 2).len(), 2);
        assert_eq!(private_subnets(network, 2)[1].to_string(), "10.20.64.0/18");
    }
}
