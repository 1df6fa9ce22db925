//! `AlterClientQuotas` (KIP-546).

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::AlterClientQuotasRequest;
use kafka_protocol::messages::alter_client_quotas_request::EntryData;
use kafka_protocol::messages::alter_client_quotas_response::{
    AlterClientQuotasResponse, EntityData, EntryData as AlteredEntry,
};

use super::text::{message, text};
use crate::dispatch::Context;
use crate::quotas::{Entity, QuotaError, Quotas, keys_of};

pub(crate) fn handle(
    context: &Context,
    request: &AlterClientQuotasRequest,
) -> AlterClientQuotasResponse {
    let mut quotas = context.shared.quotas.lock();
    let entries = request.entries.iter().map(|wanted| {
        let entity = wanted.entity.iter().map(|part| {
            EntityData::default()
                .with_entity_type(part.entity_type.clone())
                .with_entity_name(part.entity_name.clone())
        });
        let entry = AlteredEntry::default().with_entity(entity.collect());
        if let Some(error) = context.strike.error_for_request() {
            return entry
                .with_error_code(error.code())
                .with_error_message(Some(text("injected fault")));
        }
        match alter(&mut quotas, wanted, request.validate_only) {
            Ok(()) => entry,
            Err(error) => entry
                .with_error_code(ResponseError::InvalidRequest.code())
                .with_error_message(Some(message(&error))),
        }
    });
    AlterClientQuotasResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_entries(entries.collect())
}

fn alter(quotas: &mut Quotas, wanted: &EntryData, validate_only: bool) -> Result<(), QuotaError> {
    let entity: Entity = wanted
        .entity
        .iter()
        .map(|part| {
            let name = part.entity_name.as_ref().map(ToString::to_string);
            (part.entity_type.to_string(), name)
        })
        .collect();
    let keys = keys_of(&entity)?;
    let mut values: BTreeMap<String, f64> = quotas.get(&entity).cloned().unwrap_or_default();
    for operation in &wanted.ops {
        let key = operation.key.to_string();
        if operation.remove {
            values.remove(&key);
        } else {
            keys.check(&key, operation.value)?;
            values.insert(key, operation.value);
        }
    }
    if !validate_only {
        if values.is_empty() {
            quotas.remove(&entity);
        } else {
            quotas.insert(entity, values);
        }
    }
    Ok(())
}
