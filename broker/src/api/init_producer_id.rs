//! `InitProducerId`, for idempotent producers only.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::init_producer_id_response::InitProducerIdResponse;
use kafka_protocol::messages::{InitProducerIdRequest, ProducerId};

use crate::dispatch::Context;

pub(crate) fn handle(context: &Context, request: &InitProducerIdRequest) -> InitProducerIdResponse {
    let response =
        InitProducerIdResponse::default().with_throttle_time_ms(context.strike.throttle_ms());
    let half_given = (request.producer_id.0 == -1) != (request.producer_epoch == -1);
    let error = context
        .strike
        .error_for_request()
        .or(if request.transactional_id.is_some() {
            // not retriable: a producer that wants transactions fails at once
            Some(ResponseError::UnsupportedVersion)
        } else if half_given {
            Some(ResponseError::InvalidRequest)
        } else {
            None
        });
    match error {
        Some(error) => response
            .with_error_code(error.code())
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1),
        None => response
            .with_producer_id(ProducerId(context.shared.next_producer_id()))
            .with_producer_epoch(0),
    }
}
