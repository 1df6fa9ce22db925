//! Clusters, topics, users and mirrors as resources of Strimzi's operator.

mod clusters;
mod mirrors;
mod objects;
mod secrets;
mod users;

use serde::Serialize;
use topology::{Engine, Platform};

use self::objects::Taken;
use self::secrets::{Gathered, SecretNames};
use super::loopback;
use super::names::{self, kubernetes_name};
use crate::draft::Draft;
use crate::request::Request;
use crate::setting::{Setting, Takes};
use crate::target::{Target, TargetError};

const NAME: &str = "strimzi";
const RACK_KEY: &str = "topology.kubernetes.io/zone";
/// Strimzi appends to it what is too long otherwise.
const LONGEST_NAME: usize = 40;

pub(super) const TARGET: Target = Target {
    name: NAME,
    about: "Kafka, KafkaNodePool, KafkaTopic, KafkaUser and KafkaMirrorMaker2 for Strimzi's operator",
    renders: "clusters with `platform: strimzi`, and mirrors with `engine: strimzi-mirrormaker2`",
    settings: &[
        Setting {
            name: "api-version",
            about: "v1 for Strimzi 1.x with KRaft, or v1beta1 as Strimzi 0.18 and AMQ Streams 1.5 take it, with ZooKeeper",
            takes: Takes::OneOf(&["v1", "v1beta1"]),
        },
        Setting {
            name: "nodes",
            about: "whether brokers are controllers too, or three controllers have nodes of their own",
            takes: Takes::OneOf(&["combined", "separate"]),
        },
        Setting {
            name: "rack-key",
            about: "the node label that is the rack of brokers (topology.kubernetes.io/zone), or none",
            takes: Takes::Text(label_key),
        },
    ],
    remarks,
    drafts,
};

/// What every resource says about itself.
#[derive(Debug, Clone, Serialize)]
struct Place {
    name: String,
    namespace: Option<String>,
}

fn remarks(request: &Request<'_>) -> Vec<String> {
    let mirrors = request.topology.mirrors.iter();
    let ours = mirrors.filter(|it| it.engine == Engine::StrimziMirrorMaker2);
    let mut remarks = loopback::remarks(request.topology, ours.clone(), NAME, "the pod itself");
    if ours.count() > 0 {
        remarks.extend(names::remark(request.topology.name.as_deref()));
    }
    remarks.extend(users::remarks(request.topology));
    remarks
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let topology = request.topology;
    let old = request.setting(NAME, "api-version", "v1") == "v1beta1";
    let clusters = topology
        .clusters
        .iter()
        .filter(|it| it.platform == Platform::Strimzi);
    let secrets = SecretNames::of(topology);
    let mut needed = Gathered::default();
    let (mut topics_taken, mut users_taken) = (Taken::default(), Taken::default());
    let mut drafts = Vec::new();
    for cluster in clusters {
        let place = Place {
            name: kubernetes_name(&cluster.alias, LONGEST_NAME),
            namespace: namespace(cluster),
        };
        let folder = place.name.clone();
        let kafka = clusters::kafka(request, cluster, place.clone())?;
        drafts.push(Draft::template(
            format!("{folder}/kafka.yaml"),
            if old {
                "strimzi/v1beta1/kafka.yaml"
            } else {
                "strimzi/v1/kafka.yaml"
            },
            &kafka,
        )?);
        let operated = cluster
            .infrastructure
            .kubernetes
            .as_ref()
            .is_some_and(|it| it.entity_operator);
        if !operated {
            continue;
        }
        let topics = clusters::topics(topology, cluster, &place, &mut topics_taken);
        if !topics.topics.is_empty() {
            drafts.push(Draft::template(
                format!("{folder}/topics.yaml"),
                if old {
                    "strimzi/v1beta1/topics.yaml"
                } else {
                    "strimzi/v1/topics.yaml"
                },
                &topics,
            )?);
        }
        let users = users::users(topology, cluster, &place, &secrets, &mut users_taken)?;
        if !old {
            users::passwords(topology, cluster, &mut needed)?;
        }
        if !users.users.is_empty() {
            drafts.push(Draft::template(
                format!("{folder}/users.yaml"),
                if old {
                    "strimzi/v1beta1/users.yaml"
                } else {
                    "strimzi/v1/users.yaml"
                },
                &users,
            )?);
        }
    }
    drafts.extend(mirrors::drafts(topology, old, &secrets, &mut needed)?);
    if let Some(guide) = needed.guide(secrets) {
        drafts.push(Draft::template("README.md", "strimzi/guide.md", &guide)?);
    }
    Ok(drafts)
}

fn namespace(cluster: &topology::Cluster) -> Option<String> {
    cluster
        .infrastructure
        .kubernetes
        .as_ref()?
        .namespace
        .clone()
}

/// The key of a label: a name, and a domain before it where there is one.
fn label_key(written: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let edge = |text: &str| text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let fits = written.split('/').count() <= 2
        && written
            .split('/')
            .all(|part| edge(part) && part.len() <= 63 && part.chars().all(legal));
    if fits {
        Ok(())
    } else {
        Err("is no key of a label: write it as in topology.kubernetes.io/zone".to_owned())
    }
}
