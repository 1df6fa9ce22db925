//! Reads the records of mirrors.

use kafka::Cluster;
use register::{Register, RegisterLog, Standing};

use super::{KIND, MirrorRecord, ObservedMirror};
use crate::desired::DesiredCluster;
use crate::draft;
use crate::observed::ObservedCluster;
use crate::topic::ReadError;

/// The whole register of a cluster.
pub(super) async fn read(cluster: &Cluster) -> Result<Register, ReadError> {
    Ok(RegisterLog::new(cluster.clone()).read().await?)
}

/// What the register says of this mirror; nothing where it has no record.
pub(super) fn observed(register: &Register, mirror: &str) -> Option<ObservedMirror> {
    match register.get(mirror)?.standing.as_ref()? {
        Standing::Known { record, .. } => Some(ObservedMirror {
            record: MirrorRecord {
                state: Some(record.state),
                sources: record.sources.clone(),
            },
            ..ObservedMirror::default()
        }),
        Standing::Unreadable { reason, newer } => Some(ObservedMirror {
            unreadable: Some(reason.clone()),
            newer: *newer,
            ..ObservedMirror::default()
        }),
    }
}

/// Reads the records into `observed`, where any mirror is declared or was.
pub(crate) async fn observe(
    alias: &str,
    cluster: &DesiredCluster,
    client: &Cluster,
    observed: &mut ObservedCluster,
) -> Result<(), ReadError> {
    let Some(names) = draft::looked_at(KIND, alias, &cluster.mirrors, observed) else {
        return Ok(());
    };
    let register = read(client).await?;
    observed.mirrors = names
        .into_iter()
        .filter_map(|name| {
            let found = self::observed(&register, &name)?;
            Some((name, found))
        })
        .collect();
    Ok(())
}
