//! Reads live quotas.

use std::collections::BTreeMap;

use kafka::Cluster;
use topology::QuotaValue;

use super::label::{from_wire, label};
use super::{KIND, QuotaState};
use crate::desired::DesiredCluster;
use crate::draft;
use crate::observed::ObservedCluster;
use crate::topic::ReadError;

/// Limits by Kafka's keys.
pub(super) type Limits = BTreeMap<String, QuotaValue>;

/// All live quotas by label.
pub(crate) async fn read(cluster: &Cluster) -> Result<BTreeMap<String, QuotaState>, ReadError> {
    let found = cluster.client_quotas().await?;
    Ok(found
        .iter()
        .map(|(entity, values)| {
            let entity = from_wire(entity);
            let state = QuotaState {
                limits: limits(values),
                entity,
                ..QuotaState::default()
            };
            (label(&state.entity), state)
        })
        .collect())
}

/// Brokers keep no limit that is none.
pub(super) fn limits(values: &BTreeMap<String, f64>) -> Limits {
    values
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), QuotaValue::new(*value)?)))
        .collect()
}

/// Reads the quotas into `observed`, where any is declared or recorded.
pub(crate) async fn observe(
    alias: &str,
    cluster: &DesiredCluster,
    client: &Cluster,
    observed: &mut ObservedCluster,
) -> Result<(), ReadError> {
    let Some(labels) = draft::looked_at(KIND, alias, &cluster.quotas, observed) else {
        return Ok(());
    };
    let mut live = read(client).await?;
    live.retain(|label, _| labels.contains(label));
    observed.quotas = live;
    Ok(())
}
