//! Ingest and archive of the hybrid pipeline with the tools of old: Flume, Spark, Hive and Redshift.

use std::collections::BTreeSet;

use folder::sha256;
use serde::Serialize;
use topology::{Cluster, Topology};

use super::java_client::bootstrap;
use crate::draft::Draft;
use crate::request::Request;
use crate::setting::{self, Setting, Takes};
use crate::target::{Target, TargetError, no_remarks};

const NAME: &str = "pipelines";
/// Of a topic, in the name of a table.
const DIGEST: usize = 6;
/// What the Twitter source of Flume looks for where nothing else is said.
const KEYWORDS: &str = "allaboutbdata,xavient,xavientinformationsystems,followxavient,donald trump, hillary clinton, \
     salman khan, superman, batman, modi, ramya,olympics, hadoop, big data, analytics, bigdata, cloudera, data science";

pub(super) const TARGET: Target = Target {
    name: NAME,
    about: "Flume agent, Hive and Redshift tables, spark-submit commands for each topic of `pipelines`",
    renders: "`pipelines` with a `topic`",
    settings: &[
        text(
            "table",
            "name of the tables, for one topic, and of that of terraform-aws; TOPIC_tweets where nothing is said",
            identifier,
        ),
        text(
            "schema",
            "schema of Redshift, in terraform-aws, too; poc where nothing is said",
            identifier,
        ),
        text(
            "location",
            "folder of HDFS, of the first topic, others lie beside it; /user/spark/sparkstreaming where nothing is said",
            folder,
        ),
        text(
            "keywords",
            "what the Twitter source looks for, separated by commas",
            setting::line,
        ),
        text("job", "jar of the streaming jobs", setting::line),
    ],
    remarks: no_remarks,
    drafts,
};

const fn text(
    name: &'static str,
    about: &'static str,
    check: fn(&str) -> Result<(), String>,
) -> Setting {
    Setting {
        name,
        about,
        takes: Takes::Text(check),
    }
}

#[derive(Debug, Serialize)]
struct Tables<'a> {
    name: String,
    topic: &'a str,
    source: String,
    table: String,
    schema: &'a str,
    location: String,
    keywords: &'a str,
    redshift_jar: &'static str,
    emrfs_jar: &'static str,
    job_jar: &'a str,
}

fn drafts(request: &Request<'_>) -> Result<Vec<Draft>, TargetError> {
    let mut drafts = Vec::new();
    let mut locations = BTreeSet::new();
    for (topic, table) in tables(request)? {
        let values = values(request, topic, table, &mut locations)?;
        for (file, template) in [
            ("twitter-kafka.conf", "pipelines/twitter-kafka.conf"),
            ("start-flume.sh", "pipelines/start-flume.sh"),
            ("hive.hql", "pipelines/hive.hql"),
            ("redshift.sql", "pipelines/redshift.sql"),
            ("spark-source.sh", "pipelines/spark-source.sh"),
            ("spark-target.sh", "pipelines/spark-target.sh"),
        ] {
            drafts.push(Draft::template(
                format!("{topic}/{file}"),
                template,
                &values,
            )?);
        }
    }
    Ok(drafts)
}

/// The schema of Redshift that the tables are in.
pub(super) fn schema<'a>(request: &'a Request<'_>) -> &'a str {
    request.setting(NAME, "schema", "poc")
}

/// The topics of the pipelines, each with the name of its table.
pub(super) fn tables<'a>(request: &'a Request<'_>) -> Result<Vec<(&'a str, String)>, TargetError> {
    let topology = request.topology;
    let topics = topics(topology);
    let chosen = request.setting(NAME, "table", "");
    if let [_, second, ..] = topics.as_slice()
        && !chosen.is_empty()
    {
        return Err(TargetError::Pipeline {
            pipeline: names(topology, second).join(", "),
            problem: format!(
                "`pipelines.table` is one name, and {} topics need a table each",
                topics.len()
            ),
        });
    }
    let mut taken = BTreeSet::new();
    let mut tables = Vec::new();
    for topic in topics {
        let usual: String = topic
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .chain("_tweets".chars())
            .collect();
        let table = table(&mut taken, request.setting(NAME, "table", &usual), topic);
        identifier(&table).map_err(|problem| TargetError::Pipeline {
            pipeline: names(topology, topic).join(", "),
            problem: format!(
                "the table `{table}` {problem}; choose another by `--set pipelines.table=NAME`"
            ),
        })?;
        tables.push((topic, table));
    }
    Ok(tables)
}

/// Each once, in the order written.
fn topics(topology: &Topology) -> Vec<&str> {
    let mut topics: Vec<&str> = Vec::new();
    for topic in topology
        .pipelines
        .iter()
        .filter_map(|it| it.topic.as_deref())
    {
        if !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    topics
}

/// The pipelines of a topic.
fn names<'a>(topology: &'a Topology, topic: &str) -> Vec<&'a str> {
    let pipelines = topology.pipelines.iter();
    pipelines
        .filter(|it| it.topic.as_deref() == Some(topic))
        .map(|it| it.name.as_str())
        .collect()
}

/// The name, or one like it with a digest of the topic where another topic has it. SQL does not tell small letters from capital
/// ones.
fn table(taken: &mut BTreeSet<String>, wanted: &str, topic: &str) -> String {
    if taken.insert(wanted.to_ascii_lowercase()) {
        return wanted.to_owned();
    }
    let other = format!("{wanted}_{}", &sha256(topic.as_bytes())[..DIGEST]);
    taken.insert(other.to_ascii_lowercase());
    other
}

/// The folder, or one beside it that is called after the topic: in a folder, Hive takes every file for one of the table.
fn location(taken: &mut BTreeSet<String>, wanted: &str, topic: &str) -> String {
    if taken.insert(wanted.to_owned()) {
        return wanted.to_owned();
    }
    format!("{}-{topic}", wanted.trim_end_matches('/'))
}

fn values<'a>(
    request: &'a Request<'_>,
    topic: &'a str,
    table: String,
    locations: &mut BTreeSet<String>,
) -> Result<Tables<'a>, TargetError> {
    let names = names(request.topology, topic);
    let Some(source) = written_on(request.topology, topic) else {
        return Err(TargetError::Pipeline {
            pipeline: names.join(", "),
            problem: format!("no mirror and no cluster has the topic `{topic}`"),
        });
    };
    Ok(Tables {
        name: names.join(", "),
        topic,
        source: bootstrap(source)?,
        table,
        schema: schema(request),
        location: location(
            locations,
            request.setting(NAME, "location", "/user/spark/sparkstreaming"),
            topic,
        ),
        keywords: request.setting(NAME, "keywords", KEYWORDS),
        redshift_jar: "/data/redshift.jdbc41-1.1.13.1013.jar",
        emrfs_jar: "/data/emrfs-hadoop-2.4.0.jar",
        job_jar: request.setting(
            NAME,
            "job",
            "target/uber-xav-kafka-mirror-0.0.1-SNAPSHOT.jar",
        ),
    })
}

/// Where the topic is written: the source of the first mirror that takes it, or the first cluster that declares it.
fn written_on<'t>(topology: &'t Topology, topic: &str) -> Option<&'t Cluster> {
    let mirrored = topology
        .mirrors
        .iter()
        .find(|mirror| mirror.topics.selects(topic))
        .and_then(|mirror| mirror.sources.first());
    let declared = topology
        .topics
        .iter()
        .find(|it| it.name == topic)
        .and_then(|it| it.clusters.first());
    topology.cluster(mirrored.or(declared)?)
}

/// A name that SQL takes without quotes.
fn identifier(name: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(legal) && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        Ok(())
    } else {
        Err("is no name in SQL: letters, digits and `_`, and no digit first".to_owned())
    }
}

/// A folder of HDFS, or of another store that Hive reads.
fn folder(written: &str) -> Result<(), String> {
    setting::line(written)?;
    if written.starts_with('/') || written.contains("://") {
        Ok(())
    } else {
        Err(
            "is no folder from the root on: write it as in /data/tweets or s3://bucket/tweets"
                .to_owned(),
        )
    }
}
