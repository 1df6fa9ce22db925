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
    let recorded = |label: &str| {
        let address = format!("{}{label}", draft::prefix(KIND, alias));
        observed.recorded.contains_key(&address)
    };
    let nothing = draft::recorded(KIND, alias, &observed.recorded)
        .next()
        .is_none();
    if cluster.acls.is_empty() && nothing {
        return Ok(());
    }
    match read(client).await? {
        Some(mut live) => {
            live.retain(|label, _| cluster.acls.contains_key(label) || recorded(label));
            observed.acls = live;
        }
        None => observed.no_authorizer = true,
    }
    Ok(())
}
