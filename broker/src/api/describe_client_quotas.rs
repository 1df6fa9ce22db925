//! `DescribeClientQuotas` (KIP-546).

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::DescribeClientQuotasRequest;
use kafka_protocol::messages::describe_client_quotas_response::{
    DescribeClientQuotasResponse, EntityData, EntryData, ValueData,
};
use thiserror::Error;

use super::text::{message, text};
use crate::dispatch::Context;
use crate::quotas::{CLIENT_ID, Entity, IP, USER};

/// Why nothing was described; the texts are those of `ClientQuotaCache`.
#[derive(Debug, Error)]
enum FilterError {
    #[error("Unexpected empty filter component entity type")]
    NoKind,
    #[error("Custom entity type '{0}' not supported")]
    Kind(String),
    #[error("Duplicate filter component entity type {0}")]
    Duplicate(String),
    #[error("Unexpected match type {0}")]
    MatchType(i8),
    #[error(
        "Invalid entity filter component combination, IP filter component should not be used with \
         user or clientId filter component."
    )]
    Combination,
}

impl FilterError {
    fn response(&self) -> ResponseError {
        match self {
            Self::Kind(_) => ResponseError::UnsupportedVersion,
            Self::NoKind | Self::Duplicate(_) | Self::MatchType(_) | Self::Combination => {
                ResponseError::InvalidRequest
            }
        }
    }
}

/// What a component asks of the name of its type.
enum Wanted {
    Exactly(String),
    Default,
    Any,
}

impl Wanted {
    fn fits(&self, name: Option<&str>) -> bool {
        match self {
            Self::Exactly(wanted) => name == Some(wanted),
            Self::Default => name.is_none(),
            Self::Any => true,
        }
    }
}

pub(crate) fn handle(
    context: &Context,
    request: &DescribeClientQuotasRequest,
) -> DescribeClientQuotasResponse {
    let response = DescribeClientQuotasResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_entries(None);
    if let Some(error) = context.strike.error_for_request() {
        return response
            .with_error_code(error.code())
            .with_error_message(Some(text("injected fault")));
    }
    let filter = match filter(request) {
        Ok(filter) => filter,
        Err(error) => {
            return response
                .with_error_code(error.response().code())
                .with_error_message(Some(message(&error)));
        }
    };
    let fits = |entity: &Entity| {
        filter.iter().all(|(kind, wanted)| {
            let name = entity.get(kind);
            name.is_some_and(|name| wanted.fits(name.as_deref()))
        }) && (!request.strict || entity.len() == filter.len())
    };
    let quotas = context.shared.quotas.lock();
    let entries = quotas.iter().filter(|(entity, _)| fits(entity));
    response.with_entries(Some(
        entries
            .map(|(entity, values)| entry(entity, values))
            .collect(),
    ))
}

fn filter(request: &DescribeClientQuotasRequest) -> Result<BTreeMap<String, Wanted>, FilterError> {
    let mut filter = BTreeMap::new();
    for component in &request.components {
        let kind = component.entity_type.to_string();
        if kind.is_empty() {
            return Err(FilterError::NoKind);
        }
        if ![USER, CLIENT_ID, IP].contains(&kind.as_str()) {
            return Err(FilterError::Kind(kind));
        }
        let wanted = match (component.match_type, &component._match) {
            (0, Some(name)) => Wanted::Exactly(name.to_string()),
            (1, _) => Wanted::Default,
            (2, _) => Wanted::Any,
            (other, _) => return Err(FilterError::MatchType(other)),
        };
        if filter.insert(kind.clone(), wanted).is_some() {
            return Err(FilterError::Duplicate(kind));
        }
    }
    if filter.contains_key(IP) && filter.len() > 1 {
        return Err(FilterError::Combination);
    }
    Ok(filter)
}

fn entry(entity: &Entity, values: &BTreeMap<String, f64>) -> EntryData {
    let parts = entity.iter().map(|(kind, name)| {
        EntityData::default()
            .with_entity_type(text(kind))
            .with_entity_name(name.as_deref().map(text))
    });
    let values = values
        .iter()
        .map(|(key, value)| ValueData::default().with_key(text(key)).with_value(*value));
    EntryData::default()
        .with_entity(parts.collect())
        .with_values(values.collect())
}
