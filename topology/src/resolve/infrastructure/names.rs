//! Whether what is to be built can be called as it is, and whether the modules that are rendered for it can build it at all.
//! Terraform and the clouds would say so only after the files were rendered, or halfway through an apply.

use std::ops::RangeInclusive;

use super::super::scope::Scope;
use crate::choices::{Link, Platform, StorageType};
use crate::code::Code;
use crate::finding::Finding;
use crate::infrastructure::Infrastructure;
use crate::path::Path;
use crate::spec;

/// Names of networks become parts of longer names, of 64 characters at most.
const LONGEST_NETWORK: usize = 60;
/// MSK spreads brokers over two zones or three.
const MOST_MSK_ZONES: usize = 3;
/// Of a machine on EC2, by the module.
const MOST_EC2_DISKS: u32 = 8;
/// Names that the nodes of `HDInsight` have already.
const RESERVED_USERS: [&str; 2] = ["admin", "root"];

/// The cluster at `path`. One without a `network` is there already, under whatever name.
pub(super) fn check(
    scope: &mut Scope<'_>,
    path: &Path,
    written: &spec::Cluster,
    found: &Infrastructure,
) {
    if found.network.is_none() {
        return;
    }
    match written.platform {
        Platform::AwsMsk => {
            alias(scope, path, written, &MSK);
            aws_network(scope, path, found);
            msk(scope, path, found);
        }
        Platform::AwsEc2 => {
            aws_network(scope, path, found);
            ec2(scope, path, found);
        }
        Platform::AzureHdinsight => {
            alias(scope, path, written, &HDINSIGHT);
            azure(scope, path, found);
        }
        Platform::Existing | Platform::Embedded | Platform::Ansible | Platform::Strimzi => {}
    }
}

/// What a platform calls its clusters.
struct Naming {
    what: &'static str,
    /// In characters.
    length: RangeInclusive<usize>,
    /// What may stand at the end besides letters and digits.
    last: Option<char>,
    hint: &'static str,
}

const MSK: Naming = Naming {
    what: "a cluster of MSK",
    length: 1..=64,
    last: Some('-'),
    hint: "a cluster of MSK has the alias as its name: up to 64 letters, digits and `-`",
};

const HDINSIGHT: Naming = Naming {
    what: "a cluster of HDInsight",
    length: 3..=59,
    last: None,
    hint: "a cluster of HDInsight has the alias as its name: 3 to 59 letters, digits and `-`, and no `-` at its ends",
};

impl Naming {
    fn takes(&self, name: &str) -> bool {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
        self.length.contains(&name.len())
            && name.chars().all(legal)
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric() || self.last == Some(c))
    }
}

fn alias(scope: &mut Scope<'_>, path: &Path, written: &spec::Cluster, naming: &Naming) {
    let alias = &written.alias.0;
    if !naming.takes(alias) {
        name(
            scope,
            &path.key("alias"),
            format!("`{alias}` cannot be {}", naming.what),
            naming.hint,
        );
    }
}

/// Names of roles, log groups and security groups begin with it.
fn aws_network(scope: &mut Scope<'_>, path: &Path, found: &Infrastructure) {
    let network = found.network.as_ref().and_then(|it| it.name.as_ref());
    if let Some(written) = network.filter(|it| !is_aws_network(it)) {
        name(
            scope,
            &path.key("network").key("name"),
            format!("`{written}` cannot be a network of AWS"),
            "roles, log groups and security groups are called after it: up to 60 letters, digits, `-`, `_` and `.`, and not \
             `sg-` in front",
        );
    }
}

fn is_aws_network(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=LONGEST_NETWORK).contains(&name.len())
        && name.chars().all(legal)
        && !name.starts_with("sg-")
}

fn msk(scope: &mut Scope<'_>, path: &Path, found: &Infrastructure) {
    let Some(brokers) = &found.brokers else {
        return;
    };
    let path = path.key("brokers");
    if brokers.zones.len() > MOST_MSK_ZONES {
        refuse(
            scope,
            &path.key("zones"),
            "MSK spreads brokers over two zones or three".to_owned(),
            format!("{} zones", brokers.zones.len()),
            "write three of them".to_owned(),
        );
    }
    let size = brokers.instance_type.as_ref();
    if let Some(size) = size.filter(|it| it.starts_with("express.")) {
        refuse(
            scope,
            &path.key("instanceType"),
            "the Terraform that is rendered builds no express brokers".to_owned(),
            "an express broker".to_owned(),
            format!(
                "write a standard one, as in `{}`; a cluster that is there already needs no `network`",
                size.replacen("express", "kafka", 1)
            ),
        );
    }
}

fn ec2(scope: &mut Scope<'_>, path: &Path, found: &Infrastructure) {
    let Some(storage) = &found.storage else {
        return;
    };
    let path = path.key("storage");
    if storage.kind == Some(StorageType::LocalDisk) {
        refuse(
            scope,
            &path.key("type"),
            "the Terraform that is rendered attaches `ebs` volumes to machines on EC2".to_owned(),
            "gone when a machine stops".to_owned(),
            "write `type: ebs`".to_owned(),
        );
    }
    if let Some(disks) = storage.disks.filter(|it| *it > MOST_EC2_DISKS) {
        refuse(
            scope,
            &path.key("disks"),
            format!("a machine on EC2 gets {MOST_EC2_DISKS} disks or fewer"),
            format!("this asks for {disks}"),
            format!("write `disks: {MOST_EC2_DISKS}`, and a larger `size`"),
        );
    }
}

fn azure(scope: &mut Scope<'_>, path: &Path, found: &Infrastructure) {
    let network = found.network.as_ref();
    if let Some(written) = network.and_then(|it| it.name.as_ref())
        && written.len() > LONGEST_NETWORK
    {
        name(
            scope,
            &path.key("network").key("name"),
            format!("`{written}` is too long for what is called after it"),
            "machines and addresses of the network are called after it: write 60 characters or fewer",
        );
    }
    if network.is_some_and(|it| it.link == Some(Link::Vpn)) {
        refuse(
            scope,
            &path.key("network").key("link"),
            "networks of Azure are joined by peering: VPN gateways are not rendered".to_owned(),
            "not rendered".to_owned(),
            "write `link: peering`, or `link: public`".to_owned(),
        );
    }
    let ssh = found.access.as_ref().and_then(|it| it.ssh.as_ref());
    if let Some(ssh) = ssh.filter(|it| RESERVED_USERS.contains(&it.user.as_str())) {
        name(
            scope,
            &path.key("access").key("ssh").key("user"),
            format!("`{}` cannot log in to the nodes of HDInsight", ssh.user),
            "HDInsight keeps `admin` and `root` to itself: write another name, as in `sshuser`",
        );
    }
}

fn name(scope: &mut Scope<'_>, path: &Path, message: String, hint: &str) {
    let span = scope.span(path);
    scope.add(Finding::new(Code::InvalidName, span, message, "not such a name").hint(hint));
}

fn refuse(scope: &mut Scope<'_>, path: &Path, message: String, label: String, hint: String) {
    let span = scope.span(path);
    scope.add(Finding::new(Code::NotRenderable, span, message, label).hint(hint));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_and_networks_have_names_that_the_clouds_take() {
        let long = "a".repeat(65);
        for (naming, good, bad) in [
            (&MSK, ["a", "orders-1"], ["a_b", &long]),
            (&HDINSIGHT, ["abc", "source-mirror"], ["ab", "a_b"]),
        ] {
            for name in good {
                assert!(naming.takes(name), "{name}");
            }
            for name in bad {
                assert!(!naming.takes(name), "{name}");
            }
        }
        assert!(!HDINSIGHT.takes("abc-"));
        for good in ["kafka", "kafka.dc_1-a"] {
            assert!(is_aws_network(good), "{good}");
        }
        for bad in ["", "my net", "sg-kafka", "a/b", &long] {
            assert!(!is_aws_network(bad), "{bad}");
        }
    }
}
