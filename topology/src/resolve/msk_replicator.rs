//! What MSK Replicator asks of the clusters that it copies between, as Amazon's developer guide has it ("Supported
//! configurations" and "Network requirements" of MSK Replicator). It refuses the rest only when everything else is built.
//!
//! It logs in by IAM alone, which brokers that are built for it get besides their own login.

use std::collections::BTreeSet;

use super::naming::Placed;
use super::scope::Scope;
use crate::choices::{Engine, Platform};
use crate::code::Code;
use crate::finding::Finding;
use crate::path::Path;
use crate::policy::ReplicationPolicy;
use crate::resolved::{Cluster, Mirror, StartOffset};

const FEWEST_BROKERS: u32 = 3;
const FEWEST_BROKERS_IN_TWO_ZONES: u32 = 4;
const OLDEST_KAFKA: [u32; 3] = [2, 7, 0];
const OLDEST_KAFKA_FOR_IDENTITY: [u32; 3] = [2, 8, 1];
/// Of a replicator, in letters.
const LONGEST_NAME: usize = 128;

/// The mirrors of this engine, and the clusters that they copy between.
pub(super) fn check(scope: &mut Scope<'_>, mirrors: &[Placed<'_>], clusters: &[(usize, Cluster)]) {
    let mirrors: Vec<&Placed<'_>> = mirrors
        .iter()
        .filter(|(_, mirror)| mirror.engine == Engine::MskReplicator)
        .collect();
    for (at, mirror) in &mirrors {
        one(scope, &Path::root().key("mirrors").index(*at), mirror);
        between(scope, *at, mirror, clusters);
    }
    for (at, cluster) in clusters {
        let ours: Vec<&Mirror> = mirrors
            .iter()
            .map(|(_, mirror)| *mirror)
            .filter(|it| it.target == cluster.alias || it.sources.contains(&cluster.alias))
            .collect();
        if !ours.is_empty() && cluster.platform == Platform::AwsMsk {
            let keeps_names = ours
                .iter()
                .any(|it| it.policy == ReplicationPolicy::Identity);
            let path = Path::root().key("clusters").index(*at).key("brokers");
            brokers(scope, &path, cluster, keeps_names);
        }
    }
}

/// What it cannot do, of what a mirror may ask for.
fn one(scope: &mut Scope<'_>, path: &Path, mirror: &Mirror) {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if mirror.name.len() > LONGEST_NAME || !mirror.name.chars().all(legal) {
        let span = scope.span(&path.key("name"));
        scope.add(
            Finding::new(
                Code::InvalidName,
                span,
                format!("`{}` cannot be a replicator of MSK", mirror.name),
                "not such a name",
            )
            .hint("a replicator of MSK has up to 128 letters, digits and `-`"),
        );
    }
    if mirror.sources.len() > 1 {
        refuse(
            scope,
            &path.key("source"),
            "MSK Replicator has one source",
            "several",
            "write a mirror for each source",
        );
    }
    if mirror.tasks.is_some() {
        refuse(
            scope,
            &path.key("tasks"),
            "MSK Replicator is sized by the service",
            "not for this engine",
            "leave `tasks` away",
        );
    }
    match &mirror.policy {
        ReplicationPolicy::Identity => {}
        ReplicationPolicy::Default { separator } if separator == "." => {}
        ReplicationPolicy::Default { .. }
        | ReplicationPolicy::Prefix { .. }
        | ReplicationPolicy::Rename { .. } => refuse(
            scope,
            &path.key("replicationPolicy"),
            "MSK Replicator keeps names, or puts the source's alias and a dot in front",
            "other names",
            "write `type: identity`, or `type: default` without another separator",
        ),
    }
    if matches!(mirror.start_offset, StartOffset::Timestamp(_)) {
        refuse(
            scope,
            &path.key("startOffset"),
            "MSK Replicator begins at `earliest` or `latest`, not at a time",
            "a time",
            "write `startOffset: earliest` or `latest`",
        );
    }
}

/// What two clusters have to have in common.
fn between(scope: &mut Scope<'_>, at: usize, mirror: &Mirror, clusters: &[(usize, Cluster)]) {
    let path = Path::root().key("mirrors").index(at);
    let find = |alias: &String| clusters.iter().find(|(_, it)| it.alias == *alias);
    for alias in mirror.sources.iter().chain([&mirror.target]) {
        let other = find(alias).is_some_and(|(_, cluster)| match cluster.platform {
            // which may well be one of MSK that others made
            Platform::AwsMsk | Platform::Existing => false,
            Platform::Embedded
            | Platform::Ansible
            | Platform::AwsEc2
            | Platform::AzureHdinsight
            | Platform::Strimzi => true,
        });
        if other {
            refuse(
                scope,
                &path.key("engine"),
                &format!("MSK Replicator copies between clusters of MSK, and `{alias}` is none"),
                "not between these clusters",
                "write another engine, such as `engine: builtin`",
            );
        }
    }
    let [source] = mirror.sources.as_slice() else {
        return;
    };
    let (Some((_, source)), Some((index, target))) = (find(source), find(&mirror.target)) else {
        return;
    };
    if source.platform != Platform::AwsMsk || target.platform != Platform::AwsMsk {
        return;
    }
    match (&source.region, &target.region) {
        (Some(here), Some(there)) if here != there => {
            let span = scope.span(&path.key("engine"));
            scope.add(
                Finding::new(
                    Code::MskReplicatorAcrossRegions,
                    span,
                    format!(
                        "from region to region, MSK Replicator comes in by multi-VPC connectivity of `{}`, which is not rendered",
                        source.alias
                    ),
                    format!("from `{here}` to `{there}`"),
                )
                .hint(
                    "turn multi-VPC private connectivity on for IAM on the source, and let `kafka.amazonaws.com` connect by a \
                     policy of that cluster, before the replicator is made",
                ),
            );
        }
        (Some(_), Some(_)) => {
            let zones = |cluster: &Cluster| -> BTreeSet<String> {
                let brokers = cluster.infrastructure.brokers.iter();
                brokers.flat_map(|it| it.zones.clone()).collect()
            };
            let (theirs, ours) = (zones(source), zones(target));
            if !theirs.is_empty() && !ours.is_empty() && theirs != ours {
                let theirs: Vec<String> = theirs.into_iter().collect();
                refuse(
                    scope,
                    &Path::root()
                        .key("clusters")
                        .index(*index)
                        .key("brokers")
                        .key("zones"),
                    &format!(
                        "MSK Replicator needs `{}` and `{}` in the same zones",
                        source.alias, target.alias
                    ),
                    "other zones here",
                    &format!("write `zones: [{}]`, as at the source", theirs.join(", ")),
                );
            }
        }
        (None, _) | (_, None) => {}
    }
}

/// What it asks of the brokers at `path`.
fn brokers(scope: &mut Scope<'_>, path: &Path, cluster: &Cluster, keeps_names: bool) {
    let Some(brokers) = &cluster.infrastructure.brokers else {
        return;
    };
    let alias = &cluster.alias;
    if let Some(size) = brokers.instance_type.as_ref().filter(|it| is_small(it)) {
        refuse(
            scope,
            &path.key("instanceType"),
            &format!("MSK Replicator takes no brokers of the size `{size}`"),
            "too small",
            "it takes m5.large and larger: write `kafka.m7g.large`",
        );
    }
    let fewest = if brokers.zones.len() == 2 {
        FEWEST_BROKERS_IN_TWO_ZONES
    } else {
        FEWEST_BROKERS
    };
    if brokers.count < fewest {
        let why = if fewest == FEWEST_BROKERS {
            format!("MSK Replicator needs {fewest} brokers or more in `{alias}`")
        } else {
            format!("in two zones, MSK Replicator needs {fewest} brokers or more in `{alias}`")
        };
        refuse(
            scope,
            &path.key("count"),
            &why,
            &format!("this asks for {}", brokers.count),
            &format!("write `count: {fewest}`"),
        );
    }
    let oldest = if keeps_names {
        OLDEST_KAFKA_FOR_IDENTITY
    } else {
        OLDEST_KAFKA
    };
    let written = brokers.kafka_version.as_deref();
    if let Some((written, version)) = written.and_then(|it| Some((it, version(it)?)))
        && version < oldest
    {
        let [major, minor, fix] = oldest;
        refuse(
            scope,
            &path.key("kafkaVersion"),
            &format!("MSK Replicator needs Kafka {major}.{minor}.{fix} or newer"),
            &format!("`{written}` is older"),
            if keeps_names {
                "names stay as they are only from 2.8.1 on: write a newer version"
            } else {
                "write a newer version"
            },
        );
    }
}

/// The family `t` of EC2, whatever its generation.
fn is_small(size: &str) -> bool {
    let machine = size.split_once('.').map_or(size, |(_, machine)| machine);
    machine.starts_with('t')
}

/// `3.9.x.kraft` as numbers; what stands for the newest is the newest.
fn version(written: &str) -> Option<[u32; 3]> {
    let mut parts = written.split('.');
    let mut next = || match parts.next() {
        None => Some(0),
        Some("x") => Some(u32::MAX),
        Some(part) => part.parse().ok(),
    };
    Some([next()?, next()?, next()?])
}

fn refuse(scope: &mut Scope<'_>, path: &Path, message: &str, label: &str, hint: &str) {
    let span = scope.span(path);
    scope.add(Finding::new(Code::MskReplicatorRefuses, span, message, label).hint(hint));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_versions_as_msk_writes_them() {
        for small in ["kafka.t3.small", "kafka.t4g.small"] {
            assert!(is_small(small), "{small}");
        }
        for large in ["kafka.m5.large", "express.m7g.large"] {
            assert!(!is_small(large), "{large}");
        }
        for (written, read) in [
            ("2.7.0", Some([2, 7, 0])),
            ("2.8", Some([2, 8, 0])),
            ("3.9.x.kraft", Some([3, 9, u32::MAX])),
            ("latest", None),
        ] {
            assert_eq!(version(written), read, "{written}");
        }
    }

    fn codes(clusters: &str, mirror: &str) -> Vec<(usize, String)> {
        let text = format!(
            "apiVersion: mirrorctl.io/v1\nkind: Topology\nclusters:\n{clusters}mirrors:\n\
             - {{name: m, source: a, target: b, engine: msk-replicator, {mirror}}}\n"
        );
        let found = match crate::parse("t.yaml", &text) {
            Ok(loaded) => loaded.warnings,
            Err(found) => found,
        };
        let found = found.iter();
        found.map(|it| (it.line, it.code.to_owned())).collect()
    }

    /// Two clusters of MSK, three brokers in three zones each, but for what is written of `b`.
    fn msk(region: &str, brokers: &str) -> String {
        format!(
            "- {{alias: a, platform: aws-msk, region: eu-west-1, brokers: {{count: 3, zones: [eu-west-1a, eu-west-1b, eu-west-1c]}}}}\n\
             - {{alias: b, platform: aws-msk, region: {region}, brokers: {{{brokers}}}}}\n"
        )
    }

    const IDENTITY: &str = "replicationPolicy: {type: identity}";
    const ZONES: &str = "zones: [eu-west-1c, eu-west-1b, eu-west-1a]";

    #[test]
    fn what_amazon_takes_is_taken() {
        for (brokers, mirror) in [
            (format!("count: 3, {ZONES}"), IDENTITY),
            (
                format!("count: 6, {ZONES}, instanceType: kafka.m5.large, kafkaVersion: 2.8.1"),
                IDENTITY,
            ),
            (
                format!("count: 3, {ZONES}, kafkaVersion: 2.7.0"),
                "startOffset: latest",
            ),
            ("count: 3".to_owned(), IDENTITY),
        ] {
            let found = codes(&msk("eu-west-1", &brokers), mirror);
            assert!(found.is_empty(), "{brokers}: {found:?}");
        }
    }

    #[test]
    fn what_amazon_refuses_is_refused_where_it_stands() {
        let refused = |line| (line, "topology::msk-replicator-refuses".to_owned());
        for (brokers, mirror, lines) in [
            ("count: 2", IDENTITY, vec![5]),
            ("count: 3, instanceType: kafka.t3.small", IDENTITY, vec![5]),
            ("count: 3, kafkaVersion: 2.8.0", IDENTITY, vec![5]),
            // too few for two zones, and other zones than the source's
            (
                "count: 2, zones: [eu-west-1a, eu-west-1b]",
                IDENTITY,
                vec![5, 5],
            ),
            ("count: 3", "startOffset: {timestamp: 5}", vec![7]),
            (
                "count: 3",
                "replicationPolicy: {type: prefix, prefix: x}",
                vec![7],
            ),
        ] {
            let wanted: Vec<_> = lines.into_iter().map(refused).collect();
            assert_eq!(
                codes(&msk("eu-west-1", brokers), mirror),
                wanted,
                "{brokers}"
            );
        }
        let ec2 = msk("eu-west-1", "count: 3").replacen("aws-msk", "aws-ec2", 1);
        assert_eq!(codes(&ec2, IDENTITY), [refused(7)]);
        let across = codes(&msk("eu-central-1", "count: 3"), IDENTITY);
        let across: Vec<&str> = across.iter().map(|(_, code)| code.as_str()).collect();
        assert_eq!(across, ["topology::msk-replicator-across-regions"]);
    }
}
