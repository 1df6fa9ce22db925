//! `mirrorctl history`.

use std::collections::BTreeSet;

use plan::AuditRecord;

use crate::cli::{Format, HistoryArgs};
use crate::connect::connect;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::load::load;
use crate::output::{self, history_human, history_json};
use crate::session::{Ended, Session};

/// The audit records of one cluster, each with its time in milliseconds since 1970 UTC.
pub(crate) struct ClusterHistory {
    pub(crate) alias: String,
    pub(crate) records: Vec<(i64, AuditRecord)>,
}

/// Reads the audit records of the clusters and prints them.
pub(crate) async fn history(session: &Session, args: &HistoryArgs) -> Ended {
    let topology = load(&args.file)?;
    let mut aliases = plan::managed_clusters(&topology);
    if let Some(alias) = &args.cluster {
        if topology.cluster(alias).is_none() {
            return Err(Failure::Usage {
                message: format!("the topology has no cluster `{alias}`"),
                hint: "give an alias that stands under `clusters`".to_owned(),
            });
        }
        aliases = BTreeSet::from([alias.clone()]);
    }
    let reading = async {
        let clients = connect(&topology, &aliases).await?;
        let mut read = Vec::new();
        for (alias, client) in clients {
            let mut records =
                plan::history(&client)
                    .await
                    .map_err(|source| plan::ApplyError::Cluster {
                        alias: alias.clone(),
                        source,
                    })?;
            newest(&mut records, args.last.get());
            read.push(ClusterHistory { alias, records });
        }
        Ok::<_, Failure>(read)
    };
    let read = session.until_stopped(reading).await??;
    match session.terminal.format() {
        Format::Human => output::result(&history_human(&read))?,
        Format::Json => output::json(&history_json(&read))?,
    }
    Ok(Outcome::Done)
}

/// Leaves the records of the last so many applies.
fn newest(records: &mut Vec<(i64, AuditRecord)>, applies: usize) {
    let mut seen = BTreeSet::new();
    let kept: BTreeSet<String> = records
        .iter()
        .rev()
        .map(|(_, record)| record.apply.clone())
        .filter(|apply| seen.insert(apply.clone()))
        .take(applies)
        .collect();
    records.retain(|(_, record)| kept.contains(&record.apply));
}
