//! MirrorMaker 2 in its own process, as `connect-mirror-maker.sh` starts it.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use e2e::Guarded;

use super::engine::Job;
use crate::endpoint::Endpoint;
use crate::error::{Error, Result};

// the heap and collector of Kafka's own start script
const JVM: [&str; 6] = [
    "-Xms256M",
    "-Xmx2G",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
];

/// Settings that make it fast here; everything else is left alone.
pub(crate) fn tuned(codec: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("tasks.max", "4"),
        ("target.producer.batch.size", "524288"),
        ("target.producer.linger.ms", "20"),
        ("target.producer.compression.type", codec),
        ("target.producer.max.in.flight.requests.per.connection", "5"),
        ("target.producer.enable.idempotence", "true"),
        ("SOURCE.consumer.max.poll.records", "10000"),
        ("SOURCE.consumer.max.partition.fetch.bytes", "4194304"),
    ]
}

/// Starts it with one flow, without heartbeats and checkpoints, so that copying is all it does.
pub(crate) fn start(job: &Job<'_>, extra: &[(&str, &str)]) -> Result<Guarded> {
    let alias = job.alias;
    let flow = format!("{alias}->target");
    let mut lines = vec![
        format!("clusters = {alias}, target"),
        format!("{flow}.enabled = true"),
        format!("{flow}.topics = {}", job.topics),
        format!("target->{alias}.enabled = false"),
        "emit.heartbeats.enabled = false".to_owned(),
        "emit.checkpoints.enabled = false".to_owned(),
    ];
    lines.extend(cluster(alias, job.source));
    lines.extend(cluster("target", job.target));
    for topic in [
        "replication.factor",
        "checkpoints.topic.replication.factor",
        "heartbeats.topic.replication.factor",
        "offset-syncs.topic.replication.factor",
        "offset.storage.replication.factor",
        "status.storage.replication.factor",
        "config.storage.replication.factor",
    ] {
        lines.push(format!("{topic} = 1"));
    }
    for (key, value) in extra {
        lines.push(format!("{} = {value}", key.replace("SOURCE", alias)));
    }
    let properties = job.workspace.write("mm2.properties", lines.join("\n"))?;
    let log_config = job
        .workspace
        .write("mm2-log4j2.properties", log_config(job))?;

    let libraries = job.kafka.join("libs/*");
    let mut arguments: Vec<OsString> = JVM.iter().map(OsString::from).collect();
    arguments.push(format!("-Dlog4j2.configurationFile={}", log_config.display()).into());
    arguments.extend(["-cp".into(), libraries.into()]);
    arguments.push("org.apache.kafka.connect.mirror.MirrorMaker".into());
    arguments.push(properties.into());
    let java = OsStr::new("java");
    Ok(Guarded::spawn(
        "mm2",
        java,
        &arguments,
        &[],
        job.workspace.path(),
    )?)
}

/// How one cluster is reached.
fn cluster(alias: &str, endpoint: &Endpoint) -> Vec<String> {
    let mut lines = vec![format!("{alias}.bootstrap.servers = {}", endpoint.servers)];
    if let Some(ca) = &endpoint.ca_file {
        lines.push(format!("{alias}.security.protocol = SSL"));
        lines.push(format!("{alias}.ssl.truststore.type = PEM"));
        lines.push(format!(
            "{alias}.ssl.truststore.location = {}",
            ca.display()
        ));
    }
    lines
}

/// Looks the settings up in what the copying task's clients logged at their start.
pub(crate) fn check_tuned(job: &Job<'_>) -> Result<()> {
    let log = log_file(job);
    let text = std::fs::read_to_string(&log).map_err(|source| Error::Process {
        path: log.clone(),
        source,
    })?;
    let producers = blocks(&text, "ProducerConfig values:", "MirrorSourceConnector");
    let consumers = blocks(&text, "ConsumerConfig values:", "");
    let has = |blocks: &[&str], setting: &str| blocks.iter().any(|block| block.contains(setting));
    let codec = format!("compression.type = {}\n", job.codec);
    for (blocks, setting) in [
        (&producers, "\tbatch.size = 524288\n"),
        (&producers, "\tlinger.ms = 20\n"),
        (&producers, codec.as_str()),
        (&producers, "\tenable.idempotence = true\n"),
        (&producers, "\tmax.in.flight.requests.per.connection = 5\n"),
        (&consumers, "\tmax.poll.records = 10000\n"),
        (&consumers, "\tmax.partition.fetch.bytes = 4194304\n"),
    ] {
        if !has(blocks, setting) {
            return Err(Error::NotTuned {
                setting: setting.trim().to_owned(),
                log,
            });
        }
    }
    let tasks = (0..4)
        .filter(|task| text.contains(&format!("MirrorSourceConnector-{task}")))
        .count();
    if tasks < 4 {
        return Err(Error::NotTuned {
            setting: format!("a fourth task ({tasks} found)"),
            log,
        });
    }
    Ok(())
}

/// The settings that clients logged, one block a client, of those whose block mentions `owner`.
fn blocks<'a>(log: &'a str, title: &str, owner: &str) -> Vec<&'a str> {
    log.split(title)
        .skip(1)
        // a block's lines start with a tab
        .map(|rest| {
            let end = rest
                .match_indices('\n')
                .find(|(at, _)| {
                    rest[at + 1..]
                        .chars()
                        .next()
                        .is_some_and(|next| next != '\t')
                })
                .map_or(rest.len(), |(at, _)| at + 1);
            &rest[..end]
        })
        .filter(|block| block.contains(owner))
        .collect()
}

fn log_file(job: &Job<'_>) -> PathBuf {
    job.workspace.path().join("mm2.log")
}

fn log_config(job: &Job<'_>) -> String {
    format!(
        "status = error\n\
         appender.file.type = File\n\
         appender.file.name = file\n\
         appender.file.fileName = {}\n\
         appender.file.layout.type = PatternLayout\n\
         appender.file.layout.pattern = [%d] %p %m (%c)%n\n\
         rootLogger.level = info\n\
         rootLogger.appenderRef.file.ref = file\n",
        log_file(job).display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_looked_up_in_the_right_client() {
        let log = "[1] INFO ProducerConfig values: \n\
                   \tbatch.size = 1\n\tclient.id = a\n (c)\n\
                   [2] INFO ProducerConfig values: \n\
                   \tbatch.size = 2\n\tclient.id = MirrorSourceConnector-0\n (c)\n";
        let found = blocks(log, "ProducerConfig values:", "MirrorSourceConnector");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("\tbatch.size = 2\n"));
        assert!(!found[0].contains("\tbatch.size = 1\n"));
    }
}
