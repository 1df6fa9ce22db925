//! `ApiVersions`: what this broker speaks.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::messages::api_versions_response::{ApiVersion, ApiVersionsResponse};
use kafka_protocol::protocol::VersionRange;

use crate::dispatch::Context;

const fn range(min: i16, max: i16) -> VersionRange {
    VersionRange { min, max }
}

/// Every API of this broker with the versions it handles.
const APIS: &[(ApiKey, VersionRange)] = &[
    (ApiKey::Produce, range(3, 13)),
    (ApiKey::Fetch, range(4, 17)),
    (ApiKey::ListOffsets, range(1, 10)),
    (ApiKey::Metadata, range(0, 13)),
    (ApiKey::OffsetFetch, range(1, 9)),
    (ApiKey::FindCoordinator, range(0, 6)),
    (ApiKey::DescribeGroups, range(0, 6)),
    (ApiKey::ListGroups, range(0, 5)),
    (ApiKey::ApiVersions, range(0, 4)),
    (ApiKey::CreateTopics, range(2, 7)),
    (ApiKey::DeleteTopics, range(1, 6)),
    (ApiKey::DeleteRecords, range(0, 2)),
    (ApiKey::InitProducerId, range(0, 5)),
    (ApiKey::OffsetForLeaderEpoch, range(2, 4)),
    (ApiKey::DescribeAcls, range(1, 3)),
    (ApiKey::CreateAcls, range(1, 3)),
    (ApiKey::DeleteAcls, range(1, 3)),
    (ApiKey::DescribeConfigs, range(1, 4)),
    (ApiKey::CreatePartitions, range(0, 3)),
    (ApiKey::IncrementalAlterConfigs, range(0, 1)),
    (ApiKey::DescribeClientQuotas, range(0, 1)),
    (ApiKey::AlterClientQuotas, range(0, 1)),
    (ApiKey::DescribeLogDirs, range(1, 4)),
    (ApiKey::AlterPartitionReassignments, range(0, 1)),
    (ApiKey::ListPartitionReassignments, range(0, 0)),
    (ApiKey::DescribeUserScramCredentials, range(0, 0)),
    (ApiKey::AlterUserScramCredentials, range(0, 0)),
    (ApiKey::DescribeCluster, range(0, 2)),
    (ApiKey::DescribeProducers, range(0, 0)),
    (ApiKey::ConsumerGroupDescribe, range(0, 1)),
    (ApiKey::ShareGroupDescribe, range(1, 1)),
];

/// The versions of an API that are handled; `None` when the API is not.
pub(crate) fn supported(api: ApiKey) -> Option<VersionRange> {
    APIS.iter()
        .find(|(known, _)| *known == api)
        .map(|(_, range)| *range)
}

/// The lowest version to advertise: produce says 0, as real brokers do since 4.0, because
/// librdkafka takes a missing old version for a missing feature (KAFKA-18659).
fn advertised_min(api: ApiKey, range: VersionRange) -> i16 {
    if api == ApiKey::Produce { 0 } else { range.min }
}

pub(crate) fn handle(context: &Context) -> ApiVersionsResponse {
    let error = context
        .strike
        .error_for_request()
        .map_or(0, |error| error.code());
    let keys = APIS.iter().map(|(api, range)| {
        ApiVersion::default()
            .with_api_key(*api as i16)
            .with_min_version(advertised_min(*api, *range))
            .with_max_version(range.max)
    });
    ApiVersionsResponse::default()
        .with_error_code(error)
        .with_throttle_time_ms(context.strike.throttle_ms())
        .with_api_keys(keys.collect())
}

/// The answer to a version that is too new: version 0, with the one range the client needs (KIP-511).
pub(crate) fn refuse() -> ApiVersionsResponse {
    let own = APIS
        .iter()
        .filter(|(api, _)| *api == ApiKey::ApiVersions)
        .map(|(api, range)| {
            ApiVersion::default()
                .with_api_key(*api as i16)
                .with_min_version(range.min)
                .with_max_version(range.max)
        });
    ApiVersionsResponse::default()
        .with_error_code(ResponseError::UnsupportedVersion.code())
        .with_api_keys(own.collect())
}
