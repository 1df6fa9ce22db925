//! `DescribeCluster`.

use kafka_protocol::messages::describe_cluster_response::{
    DescribeClusterBroker, DescribeClusterResponse,
};
use kafka_protocol::messages::{BrokerId, DescribeClusterRequest};

use super::metadata::HOST;
use super::text::text;
use crate::dispatch::Context;

/// Every operation that there is on a cluster (KIP-430): nothing is enforced here.
const EVERY_CLUSTER_OPERATION: i32 = 0b1_1111_1010_0000;
/// How brokers say that nobody asked.
const NOT_ASKED: i32 = i32::MIN;

pub(crate) fn handle(
    context: &Context,
    request: &DescribeClusterRequest,
) -> DescribeClusterResponse {
    let shared = &context.shared;
    let brokers = shared.nodes().into_iter().map(|node| {
        DescribeClusterBroker::default()
            .with_broker_id(BrokerId(node.id))
            .with_host(text(HOST))
            .with_port(i32::from(node.port))
            .with_rack(shared.rack_of(node.id).map(text))
    });
    DescribeClusterResponse::default()
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_error_code(
            context
                .strike
                .error_for_request()
                .map_or(0, |error| error.code()),
        )
        .with_cluster_id(text(&shared.cluster_id))
        .with_controller_id(BrokerId(shared.controller()))
        .with_brokers(brokers.collect())
        .with_cluster_authorized_operations(if request.include_cluster_authorized_operations {
            EVERY_CLUSTER_OPERATION
        } else {
            NOT_ASKED
        })
}
