//! `FindCoordinator`: answered with an error, because nobody can join a group here, except for groups that a test put there.
//!
//! It is advertised all the same: librdkafka takes its absence for a broker that cannot do LZ4,
//! and a consumer with a group id that only assigns partitions keeps working while it asks.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::{Coordinator, FindCoordinatorResponse};
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest};

use super::metadata::HOST;
use super::text::text;
use crate::dispatch::Context;
use crate::state::Node;

/// Key type of transactional ids.
const TRANSACTION: i8 = 1;

/// Where a coordinator is, or why there is none.
fn find(context: &Context, key_type: i8, key: &str) -> Result<Node, (ResponseError, &'static str)> {
    if key_type == TRANSACTION {
        return Err((
            ResponseError::UnsupportedVersion,
            "the embedded cluster has no transactions",
        ));
    }
    let none = (
        ResponseError::CoordinatorNotAvailable,
        "nobody can join a consumer group on an embedded cluster",
    );
    let known = context.shared.groups.lock().contains_key(key);
    let coordinator = context.shared.nodes().first().copied();
    coordinator.filter(|_| known).ok_or(none)
}

pub(crate) fn handle(
    context: &Context,
    request: &FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let response =
        FindCoordinatorResponse::default().with_throttle_time_ms(context.strike.throttle_ms());
    if context.version >= 4 {
        let each = request.coordinator_keys.iter().map(|key| {
            let answer = Coordinator::default().with_key(key.clone());
            match find(context, request.key_type, key) {
                Ok(node) => answer
                    .with_node_id(BrokerId(node.id))
                    .with_host(text(HOST))
                    .with_port(i32::from(node.port)),
                Err((error, reason)) => answer
                    .with_node_id(BrokerId(-1))
                    .with_port(-1)
                    .with_error_code(error.code())
                    .with_error_message(Some(text(reason))),
            }
        });
        return response.with_coordinators(each.collect());
    }
    match find(context, request.key_type, &request.key) {
        Ok(node) => response
            .with_node_id(BrokerId(node.id))
            .with_host(text(HOST))
            .with_port(i32::from(node.port)),
        Err((error, reason)) => response
            .with_error_code(error.code())
            .with_error_message((context.version >= 1).then(|| text(reason)))
            .with_node_id(BrokerId(-1))
            .with_port(-1),
    }
}
