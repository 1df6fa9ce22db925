//! Mirrors of the engine `mirrormaker`: the legacy tool of Kafka up to 3.9, and of HDP and `HDInsight`.

use serde::Serialize;
use topology::{Delivery, Engine, Mirror, MirrorState, Pattern, ReplicationPolicy, StartOffset};

use super::java_client::{JavaClient, Providers, cluster, java_client};
use super::names;
use crate::draft::Draft;
use crate::request::{ClusterAddresses, Request};
use crate::setting::{self, Setting, Takes};
use crate::target::{Target, TargetError, no_remarks};

/// Consumer threads where the topology does not say how many.
const STREAMS: u32 = 4;

pub(super) const TARGET: Target = Target {
    name: "mirrormaker",
    about: "properties and start command of the legacy MirrorMaker for each mirror of that engine",
    renders: "mirrors with `engine: mirrormaker`",
    settings: &[
        Setting {
            name: "streams",
            about: "consumer threads, --num.streams; the mirror's `tasks`, or 4",
            takes: Takes::Text(setting::count),
        },
        Setting {
            name: "group",
            about: "consumer group; mirrorgroup where nothing is said, mirrorgroup-MIRROR where there are several, and \
                    mirrorgroup-TOPOLOGY-MIRROR-DIGEST where the topology has a name",
            takes: Takes::Text(setting::line),
        },
        Setting {
            name: "command",
            about: "what starts it; /usr/hdp/current/kafka-broker/bin/kafka-run-class.sh on HDInsight",
            takes: Takes::Text(setting::line),
        },
    ],
    remarks: no_remarks,
    drafts,
};

/// The values of all three files.
#[derive(Debug, Serialize)]
struct Legacy {
    mirror: String,
    source: Reached,
    target: Reached,
    group: String,
    streams: String,
    command: String,
    /// What the topology says instead of running.
    held: Option<&'static str>,
    whitelist: String,
    offset_reset: &'static str,
}

#[derive(Debug, Serialize)]
struct Reached {
    zookeeper: Option<String>,
    brokers: String,
    client: JavaClient,
    providers: Providers,
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let mirrors = request
        .topology
        .mirrors
        .iter()
        .filter(|mirror| mirror.engine == Engine::MirrorMaker);
    // two of one group would share the partitions of a source, and each would copy a part
    let shares_name = mirrors.clone().nth(1).is_some();
    let mut drafts = Vec::new();
    for mirror in mirrors {
        refuse_what_it_cannot(mirror)?;
        let name = request.topology.name.as_deref();
        let group = if shares_name || name.is_some() {
            names::of_group("mirrorgroup", name, &mirror.name)
        } else {
            "mirrorgroup".to_owned()
        };
        for source in &mirror.sources {
            let values = legacy(request, mirror, source, &group)?;
            // a process has one source: several have a folder each
            let folder = match mirror.sources.len() {
                1 => mirror.name.clone(),
                _ => format!("{}/{source}", mirror.name),
            };
            for (file, template) in [
                ("consumer.properties", "mirrormaker/consumer.properties"),
                ("producer.properties", "mirrormaker/producer.properties"),
                ("start.sh", "mirrormaker/start.sh"),
            ] {
                drafts.push(Draft::template(
                    format!("{folder}/{file}"),
                    template,
                    &values,
                )?);
            }
        }
    }
    Ok(drafts)
}

fn legacy(
    request: &Request<'_>,
    mirror: &Mirror,
    source: &str,
    group: &str,
) -> Result<Legacy, TargetError> {
    let on_hdinsight = request
        .topology
        .cluster(&mirror.target)
        .is_some_and(|it| it.platform == topology::Platform::AzureHdinsight);
    let command = if on_hdinsight {
        "/usr/hdp/current/kafka-broker/bin/kafka-run-class.sh"
    } else {
        "kafka-run-class.sh"
    };
    let streams = mirror.tasks.unwrap_or(STREAMS).to_string();
    Ok(Legacy {
        mirror: mirror.name.clone(),
        source: reached(request, mirror, source)?,
        target: reached(request, mirror, &mirror.target)?,
        group: request.setting("mirrormaker", "group", group).to_owned(),
        streams: request
            .setting("mirrormaker", "streams", &streams)
            .to_owned(),
        command: request
            .setting("mirrormaker", "command", command)
            .to_owned(),
        held: match mirror.state {
            MirrorState::Running => None,
            MirrorState::Paused => Some("paused"),
            MirrorState::Promoted => Some("promoted"),
        },
        whitelist: whitelist(mirror)?,
        offset_reset: match mirror.start_offset {
            StartOffset::Earliest => "earliest",
            StartOffset::Latest => "latest",
            StartOffset::Timestamp(_) => {
                return Err(refused(
                    mirror,
                    "MirrorMaker begins at `earliest` or `latest`, not at a time".to_owned(),
                ));
            }
        },
    })
}

/// Addresses that were asked for at the cluster come before those of the file.
fn reached(request: &Request<'_>, mirror: &Mirror, alias: &str) -> Result<Reached, TargetError> {
    let cluster = cluster(request.topology, mirror, alias)?;
    let ClusterAddresses { zookeeper, brokers } = request.settings.addresses(alias);
    let client = java_client(cluster)?;
    Ok(Reached {
        zookeeper: (!zookeeper.is_empty()).then(|| zookeeper.join(",")),
        brokers: if brokers.is_empty() {
            super::java_client::bootstrap(cluster)?
        } else {
            brokers.join(",")
        },
        providers: Providers::of([&client]),
        client,
    })
}

fn refuse_what_it_cannot(mirror: &Mirror) -> Result<(), TargetError> {
    let problem = if mirror.policy != ReplicationPolicy::Identity {
        "MirrorMaker copies topics under the same name only: `replicationPolicy: {type: identity}`"
    } else if mirror.delivery == Delivery::ExactlyOnce {
        "MirrorMaker delivers at least once"
    } else {
        return Ok(());
    };
    Err(refused(mirror, problem.to_owned()))
}

/// A topic has to match as a whole. There is no list of what is left out, but Java's expressions can look ahead.
fn whitelist(mirror: &Mirror) -> Result<String, TargetError> {
    let include = alternatives(mirror, &mirror.topics.include)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut names = mirror.topics.include.parts().into_iter();
    let Some(exclude) = &mirror.topics.exclude else {
        return Ok(include);
    };
    // names, and no expressions
    if names.all(|name| name.chars().all(plain) && !exclude.matches(name)) {
        return Ok(include);
    }
    Ok(format!(
        "(?!(?:{})$)(?:{include})",
        alternatives(mirror, exclude)?
    ))
}

/// MirrorMaker reads a list as alternatives, and a comma as what separates them.
fn alternatives(mirror: &Mirror, pattern: &Pattern) -> Result<String, TargetError> {
    let parts = pattern.parts();
    match parts.iter().find(|part| part.contains(',')) {
        Some(part) => Err(refused(
            mirror,
            format!("MirrorMaker would split `{part}` at its comma"),
        )),
        None => Ok(parts.join("|")),
    }
}

fn refused(mirror: &Mirror, problem: String) -> TargetError {
    TargetError::Mirror {
        mirror: mirror.name.clone(),
        problem,
    }
}
