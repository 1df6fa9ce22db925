use std::collections::BTreeMap;

use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::{AlterClientQuotasRequest, DescribeClientQuotasRequest};
use kafka_protocol::protocol::StrBytes;

use super::quota::{QuotaChange, QuotaEntity};
use crate::cluster::Cluster;
use crate::error::{BrokerError, Error};

/// Entities in one request.
const ENTITIES_A_REQUEST: usize = 1000;
/// `DescribeClientQuotasRequest.MATCH_TYPE_*`.
const MATCH_EXACT: i8 = 0;
const MATCH_DEFAULT: i8 = 1;

type Quotas = BTreeMap<QuotaEntity, BTreeMap<String, f64>>;

fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

impl Cluster {
    /// All client quotas, by whom they are for and by key. Entities of kinds that are newer than this build are left
    /// out.
    ///
    /// Any broker answers, from what it has learned of the controller's log so far. Needs `DESCRIBE_CONFIGS` on the
    /// cluster. Cancel safe.
    pub async fn client_quotas(&self) -> Result<Quotas, Error> {
        self.described_quotas(Vec::new()).await
    }

    /// The quotas of this entity alone, by key; none where it has none of its own. As [`Cluster::client_quotas`]
    /// otherwise.
    pub async fn client_quotas_of(
        &self,
        entity: &QuotaEntity,
    ) -> Result<BTreeMap<String, f64>, Error> {
        let component = |(kind, name): (&str, Option<&str>)| {
            ComponentData::default()
                .with_entity_type(text(kind))
                .with_match_type(name.map_or(MATCH_DEFAULT, |_| MATCH_EXACT))
                .with_match(name.map(text))
        };
        let components = entity.parts().into_iter().map(component).collect();
        let mut found = self.described_quotas(components).await?;
        Ok(found.remove(entity).unwrap_or_default())
    }

    async fn described_quotas(&self, components: Vec<ComponentData>) -> Result<Quotas, Error> {
        let request = DescribeClientQuotasRequest::default()
            .with_strict(!components.is_empty())
            .with_components(components);
        let response = self.call_any(&request).await?;
        BrokerError::outcome(response.error_code, response.error_message.as_deref())
            .map_err(|error| Error::broker("DescribeClientQuotas", error))?;
        let mut quotas = Quotas::new();
        for entry in response.entries.unwrap_or_default() {
            let parts = entry
                .entity
                .iter()
                .map(|part| (part.entity_type.as_str(), part.entity_name.as_deref()));
            let Some(entity) = QuotaEntity::from_parts(parts) else {
                continue;
            };
            let values = entry.values.into_iter();
            quotas
                .entry(entity)
                .or_default()
                .extend(values.map(|value| (value.key.to_string(), value.value)));
        }
        Ok(quotas)
    }

    /// Changes quotas; one outcome an entity, whose changes are made all or none. Keys that are not named stay.
    ///
    /// Needs `ALTER_CONFIGS` on the cluster. May be repeated: after a cancellation or an error some may be changed.
    pub async fn alter_client_quotas(
        &self,
        changes: &BTreeMap<QuotaEntity, Vec<QuotaChange>>,
    ) -> Result<BTreeMap<QuotaEntity, Result<(), BrokerError>>, Error> {
        let all: Vec<(&QuotaEntity, &Vec<QuotaChange>)> = changes.iter().collect();
        let mut outcomes = BTreeMap::new();
        for some in all.chunks(ENTITIES_A_REQUEST) {
            let entries = some
                .iter()
                .map(|(entity, changes)| entry(entity, changes))
                .collect();
            let request = AlterClientQuotasRequest::default().with_entries(entries);
            let response = self
                .call_controller(&request, |response| {
                    let entries = response.entries.iter();
                    entries.map(|entry| entry.error_code).collect()
                })
                .await?;
            for entry in &response.entries {
                let parts = entry
                    .entity
                    .iter()
                    .map(|part| (part.entity_type.as_str(), part.entity_name.as_deref()));
                if let Some(entity) = QuotaEntity::from_parts(parts) {
                    let message = entry.error_message.as_deref();
                    outcomes.insert(entity, BrokerError::outcome(entry.error_code, message));
                }
            }
        }
        self.as_many("AlterClientQuotas", changes.len(), outcomes.len())?;
        Ok(outcomes)
    }
}

fn entry(entity: &QuotaEntity, changes: &[QuotaChange]) -> EntryData {
    let parts = entity.parts().into_iter().map(|(kind, name)| {
        EntityData::default()
            .with_entity_type(text(kind))
            .with_entity_name(name.map(text))
    });
    let operations = changes.iter().map(|change| match change {
        QuotaChange::Set { key, value } => OpData::default().with_key(text(key)).with_value(*value),
        QuotaChange::Remove { key } => OpData::default().with_key(text(key)).with_remove(true),
    });
    EntryData::default()
        .with_entity(parts.collect())
        .with_ops(operations.collect())
}
