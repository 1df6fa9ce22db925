//! `DeleteTopics`, by name or by id.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::DeleteTopicsRequest;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::{
    DeletableTopicResult, DeleteTopicsResponse,
};

use super::text::topic as topic_name;
use crate::dispatch::Context;
use crate::faults::Target;
use crate::state::Shared;

pub(crate) fn targets(request: &DeleteTopicsRequest, shared: &Shared) -> Vec<Target> {
    let named = request.topic_names.iter().map(|name| name.to_string());
    let states = request
        .topics
        .iter()
        .filter_map(|state| resolve(shared, state));
    named
        .chain(states)
        .map(|topic| Target {
            topic,
            partition: None,
        })
        .collect()
}

fn resolve(shared: &Shared, state: &DeleteTopicState) -> Option<String> {
    match &state.name {
        Some(name) => Some(name.to_string()),
        None => shared.catalog().name_of(state.topic_id).map(str::to_owned),
    }
}

pub(crate) fn handle(context: &Context, request: &DeleteTopicsRequest) -> DeleteTopicsResponse {
    let mut responses = Vec::new();
    for name in &request.topic_names {
        responses.push(delete(context, name));
    }
    for state in &request.topics {
        responses.push(match resolve(&context.shared, state) {
            Some(name) => delete(context, &name),
            None => DeletableTopicResult::default()
                .with_topic_id(state.topic_id)
                .with_error_code(ResponseError::UnknownTopicId.code()),
        });
    }
    DeleteTopicsResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_responses(responses)
}

fn delete(context: &Context, name: &str) -> DeletableTopicResult {
    let result = DeletableTopicResult::default().with_name(Some(topic_name(name)));
    if let Some(error) = context.strike.error_for(name, None) {
        return result.with_error_code(error.code());
    }
    let Some(topic) = context
        .shared
        .change_catalog(|catalog| catalog.remove(name))
    else {
        return result.with_error_code(ResponseError::UnknownTopicOrPartition.code());
    };
    for partition in &topic.partitions {
        let mut state = partition.lock();
        state.deleted = true;
        let end = state.log.end();
        let freed = state.log.delete_before(end);
        context.shared.release(freed);
        state.wake();
    }
    result.with_topic_id(topic.id)
}
