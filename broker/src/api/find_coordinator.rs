//! `FindCoordinator`: answered, always with an error, because there are no coordinators here.
//!
//! It is advertised all the same: librdkafka takes its absence for a broker that cannot do LZ4,
//! and a consumer with a group id that only assigns partitions keeps working while it asks.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::find_coordinator_response::{Coordinator, FindCoordinatorResponse};
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest};

use super::text::text;
use crate::dispatch::Context;

/// Key type of transactional ids.
const TRANSACTION: i8 = 1;

pub(crate) fn handle(
    context: &Context,
    request: &FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let (error, reason) = if request.key_type == TRANSACTION {
        (
            ResponseError::UnsupportedVersion,
            "the embedded cluster has no transactions",
        )
    } else {
        (
            ResponseError::CoordinatorNotAvailable,
            "the embedded cluster has no consumer groups",
        )
    };
    let response =
        FindCoordinatorResponse::default().with_throttle_time_ms(context.strike.throttle_ms());
    if context.version >= 4 {
        let each = request.coordinator_keys.iter().map(|key| {
            Coordinator::default()
                .with_key(key.clone())
                .with_node_id(BrokerId(-1))
                .with_port(-1)
                .with_error_code(error.code())
                .with_error_message(Some(text(reason)))
        });
        return response.with_coordinators(each.collect());
    }
    response
        .with_error_code(error.code())
        .with_error_message((context.version >= 1).then(|| text(reason)))
        .with_node_id(BrokerId(-1))
        .with_port(-1)
}
