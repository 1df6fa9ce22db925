//! What of a cluster's ACLs a plan looks at.

use kafka::Cluster;

use super::KIND;
use super::live::read;
use crate::desired::DesiredCluster;
use crate::draft;
use crate::observed::ObservedCluster;
use crate::topic::ReadError;

/// Reads the ACLs into `observed`, where any is declared or recorded.
pub(crate) async fn observe(
    alias: &str,
    cluster: &DesiredCluster,
    client: &Cluster,
    observed: &mut ObservedCluster,
) -> Result<(), ReadError> {
    let Some(labels) = draft::looked_at(KIND, alias, &cluster.acls, observed) else {
        return Ok(());
    };
    match read(client).await? {
        Some(mut live) => {
            live.retain(|label, _| labels.contains(label));
            observed.acls = live;
        }
        None => observed.no_authorizer = true,
    }
    Ok(())
}
