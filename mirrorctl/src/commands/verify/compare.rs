//! Comparison of what both clusters hold.

use conformance::{CompareOptions, Mode, Report};
use topology::{Mirror, Topology};

use crate::commands::verify::arguments::VerifyArgs;
use crate::commands::verify::setting::{Side, sources, target};
use crate::commands::verify::stamped::copied;
use crate::failure::Failure;
use crate::judge;
use crate::session::Session;

/// As [`compare`], with the checks that the topology asks for.
pub(crate) async fn declared(
    session: &Session,
    args: &VerifyArgs,
    topology: &Topology,
    mirror: &Mirror,
) -> Result<Report, Failure> {
    let found = compare(session, args, topology, mirror).await?;
    let declared = &topology.verify.checks;
    Ok(judge::keep_declared(found, declared, &[Mode::Compare]))
}

/// Compares every selected topic of every source with its mirror, in one report.
pub(crate) async fn compare(
    session: &Session,
    args: &VerifyArgs,
    topology: &Topology,
    mirror: &Mirror,
) -> Result<Report, Failure> {
    let sources = sources(session, args, topology, mirror).await?;
    let target = target(session, topology, mirror).await?;
    let patience = copied(session, args).await?;
    let everything = args.topic.is_empty() && args.compare.topics.is_none();
    let mut whole: Option<Report> = None;
    for source in &sources {
        let pairs = pairs(session, args, mirror, source).await?;
        let names = pairs.iter().map(|(from, to)| (from.as_str(), to.as_str()));
        target.holds_no_source(&mirror.name, source, names)?;
        let options = CompareOptions {
            replays: judge::replay_bound(mirror, args.stamped.restarts),
            patience,
            mirror: Some(judge::mirror_facts(mirror, &source.alias, everything)),
            since: args.compare.since,
            sample: args.compare.sample,
            ..CompareOptions::default()
        };
        let part =
            judge::compare(session, &source.endpoint, &target.endpoint, pairs, options).await?;
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => {
                whole.finished_ms = part.finished_ms;
                whole.records_read += part.records_read;
                whole.checks.extend(part.checks);
            }
        }
    }
    whole.ok_or_else(|| Failure::NothingToCompare {
        mirror: mirror.name.clone(),
        source_alias: mirror.sources.join(", "),
    })
}

/// Source topics with their names on the target: those named, or all that exist and are selected.
async fn pairs(
    session: &Session,
    args: &VerifyArgs,
    mirror: &Mirror,
    source: &Side,
) -> Result<Vec<(String, String)>, Failure> {
    let alias = &source.alias;
    let named = |topic: &String| {
        let target = mirror.target_topic(alias, topic)?;
        Some((topic.clone(), target))
    };
    if !args.topic.is_empty() {
        return args
            .topic
            .iter()
            .map(|topic| {
                named(topic).ok_or_else(|| Failure::Usage {
                    message: format!("mirror {} does not select topic {topic}", mirror.name),
                    hint: format!("its topicsPattern is {}", mirror.topics.include),
                })
            })
            .collect();
    }
    let metadata = session
        .until_stopped(source.cluster.metadata())
        .await?
        .map_err(|error| Failure::Cluster {
            alias: alias.clone(),
            error,
        })?;
    let pairs: Vec<_> = metadata
        .topics
        .values()
        .filter(|topic| !topic.internal)
        .filter(|topic| {
            let only = &args.compare.topics;
            only.as_ref().is_none_or(|only| only.matches(&topic.name))
        })
        .filter_map(|topic| named(&topic.name))
        .collect();
    if pairs.is_empty() {
        return Err(Failure::NothingToCompare {
            mirror: mirror.name.clone(),
            source_alias: alias.clone(),
        });
    }
    Ok(pairs)
}
