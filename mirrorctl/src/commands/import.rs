//! `mirrorctl import`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kafka::Cluster;
use plan::Clients;
use serde_json::json;
use topology::Pattern;
use topology::import::{
    ImportFile, Imported, ImportedCluster, connect as connect_json, mm2, strimzi,
};

use crate::cli::Format;
use crate::connect::{Address, connect, connect_to};
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::in_place::{is_stdout, replace};
use crate::load::{as_written, load};
use crate::output;
use crate::session::{Ended, Session};
use crate::values::pattern;

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    after_help = "\
Examples:
  mirrorctl import cluster --alias dc --bootstrap-servers k1.dc:9092 > dc.yaml
  mirrorctl import cluster --alias aws -f topology.yaml --topics 'pay\\..*' -w
  mirrorctl import mm2 mm2.properties > topology.yaml
  mirrorctl import connect source.json checkpoint.json > topology.yaml
  curl -s 'http://connect:8083/connectors?expand=info' \\
    | mirrorctl import connect - > topology.yaml
  kubectl get kafka,kafkatopic,kafkauser -o yaml \\
    | mirrorctl import strimzi - > topology.yaml

The plan of an imported cluster is empty: topics, access rules, quotas and users (SCRAM) are
declared as they are. The same holds of what is imported from Strimzi, with one exception, which
holds of the other engines, too: each mirror is planned as `+ mirror.NAME` first, because what that
adds is mirrorctl's own record of its state, which no other engine has.

Passwords are never written; the file says which variables have to hold them, and names what
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
    /// The topics, users, access rules and quotas of a live cluster
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
    /// A topology that says how the cluster is reached: it is written with what it does not declare yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Write to the file given with -f, instead of to standard output
    #[arg(short, long, requires = "file")]
    pub(crate) write: bool,
    /// Only topics whose name matches, and no users, access rules and quotas
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
    let checked = topology::parse("imported topology", &yaml);
    if let ImportWhat::Cluster(args) = &args.what
        && let Some(file) = args.file.as_ref().filter(|_| args.write)
    {
        checked.map_err(topology::LoadError::Invalid)?;
        return rewritten(session, file, &yaml);
    }
    print(session, &yaml)?;
    checked.map_err(topology::LoadError::Invalid)?;
    Ok(Outcome::Done)
}

fn print(session: &Session, yaml: &str) -> Result<(), Failure> {
    match session.terminal.format() {
        Format::Human => output::result(yaml),
        Format::Json => output::json(&json!({ "topology": yaml })),
    }
}

/// Replaces the file, and says so.
fn rewritten(session: &Session, file: &Path, yaml: &str) -> Ended {
    replace(file, yaml).map_err(|error| Failure::File {
        path: file.to_owned(),
        error,
    })?;
    match session.terminal.format() {
        Format::Human => output::note(&format!("{} is written.", file.display())),
        Format::Json => output::json(&json!({ "topology": yaml }))?,
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
    if let Some(file) = args
        .file
        .as_ref()
        .filter(|file| !args.write && is_stdout(file))
    {
        return Err(Failure::Usage {
            message: format!("standard output is {} itself", file.display()),
            hint: "the whole file is written, with what it does not declare yet: give --write"
                .to_owned(),
        });
    }
    let clients = session.until_stopped(reach(args)).await??;
    let Some(client) = clients.get(&args.alias) else {
        return Err(Failure::NotConnected {
            alias: args.alias.clone(),
        });
    };
    let imported = session
        .until_stopped(found(args, client))
        .await?
        .map_err(|source| plan::ApplyError::Unread {
            alias: args.alias.clone(),
            source: Box::new(source),
        })?;
    for topic in imported
        .topics
        .iter()
        .filter(|it| it.replication_factor.is_none())
    {
        output::warning(&format!(
            "replicationFactor of {} is left out: its partitions have different numbers of replicas, and any number would move some",
            topic.name
        ));
    }
    let Some(file) = &args.file else {
        return Ok(imported.to_yaml());
    };
    let (declared, text) = as_written(file)?;
    let added = imported.beyond(&declared).added_to(&text);
    added.map_err(|error| Failure::Usage {
        message: format!("{}: {error}", file.display()),
        hint: "write one entry a line there, each behind `- `".to_owned(),
    })
}

/// What there is on the cluster, as far as it is asked for.
async fn found(args: &ImportClusterArgs, client: &Cluster) -> Result<Imported, plan::ReadError> {
    let wanted =
        |topic: &str| !is_ours(topic) && args.topics.as_ref().is_none_or(|it| it.matches(topic));
    let topics = plan::live_topics(&args.alias, client, wanted).await?;
    let access = match &args.topics {
        Some(_) => Imported::default(),
        None => plan::live_access(&args.alias, client).await?,
    };
    Ok(Imported {
        clusters: vec![ImportedCluster {
            alias: args.alias.clone(),
            bootstrap_servers: client.bootstrap().to_vec(),
            cluster_id: Some(client.cluster_id().to_owned()),
            tls: None,
            sasl: None,
        }],
        topics,
        ..access
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
