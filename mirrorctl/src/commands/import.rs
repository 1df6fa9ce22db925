//! `mirrorctl import`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use plan::Clients;
use serde_json::json;
use topology::Pattern;
use topology::import::{
    ImportFile, Imported, ImportedCluster, ImportedTopic, connect as connect_json, mm2, strimzi,
};

use crate::cli::Format;
use crate::connect::{Address, connect, connect_to};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::load::load;
use crate::output;
use crate::session::{Ended, Session};
use crate::values::pattern;

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    after_help = "\
Examples:
  mirrorctl import cluster --alias onprem --bootstrap-servers kafka1.dc:9092 > topology.yaml
  mirrorctl import cluster --alias aws -f topology.yaml --topics 'pay\\..*' >> topology.yaml
  mirrorctl import mm2 mm2.properties > topology.yaml
  mirrorctl import connect source.json checkpoint.json > topology.yaml
  curl -s 'http://connect:8083/connectors?expand=info' | mirrorctl import connect - > topology.yaml
  kubectl get kafka,kafkatopic,kafkauser -o yaml | mirrorctl import strimzi - > topology.yaml

The plan of an imported cluster is empty: the topics are declared as they are, with what is set on
them. Passwords are never written; the file says which variables have to hold them, and names what
could not be taken over. What is written is checked as `validate` does it."
)]
pub(crate) struct ImportArgs {
    /// From what.
    #[command(subcommand)]
    pub(crate) what: ImportWhat,
}

/// What can be imported.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportWhat {
    /// The topics of a live cluster
    Cluster(ImportClusterArgs),
    /// The properties file of MirrorMaker 2's dedicated mode
    Mm2 {
        /// The properties file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Connectors of MirrorMaker 2, as Kafka Connect's REST interface takes and gives them
    Connect {
        /// JSON files; `-` is standard input
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Resources of Strimzi: clusters, mirrors, topics, users and connectors
    Strimzi {
        /// YAML files with one or many documents; `-` is standard input
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

/// Arguments of `import cluster`.
#[derive(Debug, Args)]
pub(crate) struct ImportClusterArgs {
    /// Alias of the cluster
    #[arg(long, value_name = "ALIAS")]
    pub(crate) alias: String,
    /// Brokers of a listener without TLS and login
    #[arg(
        long,
        value_name = "HOST:PORT",
        value_delimiter = ',',
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    pub(crate) bootstrap_servers: Vec<String>,
    /// A topology that says how the cluster is reached; only the topics are written then
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Only topics whose name matches
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    pub(crate) topics: Option<Pattern>,
}

/// Writes a topology of what there is to standard output.
pub(crate) async fn import(session: &Session, args: &ImportArgs) -> Ended {
    let yaml = match &args.what {
        ImportWhat::Cluster(args) => cluster(session, args).await?,
        ImportWhat::Mm2 { file } => from_mm2(file)?,
        ImportWhat::Connect { files } => {
            connect_json(&texts(files)?).map_err(|error| Failure::Usage {
                message: error.to_string(),
                hint: "give what `GET /connectors?expand=info` answers, or files with a connector each"
                    .to_owned(),
            })?
            .to_yaml()
        }
        ImportWhat::Strimzi { files } => {
            strimzi(&texts(files)?).map_err(|error| Failure::Usage {
                message: error.to_string(),
                hint: "give what `kubectl get kafka,kafkamirrormaker2,kafkatopic,kafkauser -o yaml` prints"
                    .to_owned(),
            })?
            .to_yaml()
        }
    };
    match session.terminal.format() {
        Format::Human => output::result(&yaml)?,
        Format::Json => output::json(&json!({ "topology": yaml }))?,
    }
    // a part of a file is not a topology yet
    let part = matches!(&args.what, ImportWhat::Cluster(args) if args.file.is_some());
    if !part {
        topology::parse("imported topology", &yaml).map_err(topology::LoadError::Invalid)?;
    }
    Ok(Outcome::Done)
}

/// The files' texts; `-` is standard input.
fn texts(files: &[PathBuf]) -> Result<Vec<ImportFile>, Failure> {
    let text = |path: &PathBuf| {
        let text = if path.as_os_str() == "-" {
            std::io::read_to_string(std::io::stdin())
        } else {
            std::fs::read_to_string(path)
        };
        let text = text.map_err(|error| Failure::FileUnread {
            path: path.clone(),
            error,
        })?;
        Ok(ImportFile {
            name: path.display().to_string(),
            text,
        })
    };
    files.iter().map(text).collect()
}

async fn cluster(session: &Session, args: &ImportClusterArgs) -> Result<String, Failure> {
    let clients = session.until_stopped(reach(args)).await??;
    let Some(client) = clients.get(&args.alias) else {
        return Err(Failure::NotConnected {
            alias: args.alias.clone(),
        });
    };
    let wanted =
        |topic: &str| !is_ours(topic) && args.topics.as_ref().is_none_or(|it| it.matches(topic));
    let reading = plan::live_topics(&args.alias, client, wanted);
    let topics: Vec<ImportedTopic> =
        session
            .until_stopped(reading)
            .await?
            .map_err(|source| plan::ApplyError::Unread {
                alias: args.alias.clone(),
                source: Box::new(source),
            })?;
    for topic in topics.iter().filter(|it| it.replication_factor.is_none()) {
        output::warning(&format!(
            "replicationFactor of {} is left out: its partitions have different numbers of replicas, and any number would move some",
            topic.name
        ));
    }
    let imported = Imported {
        clusters: vec![ImportedCluster {
            alias: args.alias.clone(),
            bootstrap_servers: client.bootstrap().to_vec(),
            cluster_id: Some(client.cluster_id().to_owned()),
            tls: None,
            sasl: None,
        }],
        topics,
        ..Imported::default()
    };
    Ok(match &args.file {
        Some(_) => imported.topics_yaml(),
        None => imported.to_yaml(),
    })
}

async fn reach(args: &ImportClusterArgs) -> Result<Clients, Failure> {
    let Some(file) = &args.file else {
        let address = Address {
            alias: args.alias.clone(),
            bootstrap: args.bootstrap_servers.clone(),
            cluster_id: None,
            tls: None,
            sasl: None,
        };
        return connect_to(&[address]).await;
    };
    let topology = load(file)?;
    if topology.cluster(&args.alias).is_none() {
        return Err(Failure::Usage {
            message: format!("the topology has no cluster `{}`", args.alias),
            hint: "give an alias that stands under `clusters`".to_owned(),
        });
    }
    connect(&topology, &BTreeSet::from([args.alias.clone()])).await
}

/// What this program keeps for itself is not declared.
fn is_ours(topic: &str) -> bool {
    topic.starts_with("mirrorctl-") || topic.ends_with(topology::QUARANTINE_SUFFIX)
}

fn from_mm2(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::FileUnread {
        path: file.to_owned(),
        error,
    })?;
    let imported = mm2(&text).map_err(|error| Failure::Usage {
        message: format!("{}: {error}", file.display()),
        hint: "give the properties file of MirrorMaker 2's dedicated mode".to_owned(),
    })?;
    Ok(imported.to_yaml())
}
