use std::collections::HashMap;

use kafka_protocol::messages::{ApiKey, ApiVersionsResponse};
use kafka_protocol::protocol::{Message, Request, VersionRange};

use crate::error::Error;

/// What a broker said it speaks, by API key.
#[derive(Debug, Clone, Default)]
pub(crate) struct ApiVersions(HashMap<i16, VersionRange>);

impl ApiVersions {
    pub(crate) fn from_response(response: &ApiVersionsResponse) -> Self {
        let range = |min, max| VersionRange { min, max };
        Self(
            response
                .api_keys
                .iter()
                .map(|api| (api.api_key, range(api.min_version, api.max_version)))
                .collect(),
        )
    }

    /// The highest version that the broker, the codec and our own handling share.
    pub(crate) fn negotiate<R: Request>(&self, address: &str) -> Result<i16, Error> {
        let ours = capped::<R>();
        let theirs = self.0.get(&R::KEY).copied();
        match theirs.map(|range| range.intersect(&ours)) {
            Some(range) if !range.is_empty() => Ok(range.max),
            Some(_) | None => Err(Error::UnsupportedVersion {
                address: address.to_owned(),
                api: api_name(R::KEY),
                ours: ours.to_string(),
                theirs: theirs.map_or_else(|| "nothing".to_owned(), |range| range.to_string()),
            }),
        }
    }
}

/// The codec's range, cut where a newer version changes what a message means and we have not
/// followed yet: Produce 9+ is flexible and 13 names topics by id (we write that frame by hand).
fn capped<R: Request>() -> VersionRange {
    let VersionRange { min, max } = <R as Message>::VERSIONS;
    let cap = match ApiKey::try_from(R::KEY) {
        Ok(ApiKey::Produce) => 8,
        Ok(ApiKey::Fetch) => 16,
        Ok(_) | Err(()) => max,
    };
    VersionRange {
        min,
        max: max.min(cap),
    }
}

/// The protocol's name of an API key, for messages to people.
pub(crate) fn api_name(key: i16) -> &'static str {
    match ApiKey::try_from(key) {
        Ok(ApiKey::Produce) => "Produce",
        Ok(ApiKey::Fetch) => "Fetch",
        Ok(ApiKey::ListOffsets) => "ListOffsets",
        Ok(ApiKey::Metadata) => "Metadata",
        Ok(ApiKey::ApiVersions) => "ApiVersions",
        Ok(ApiKey::CreateTopics) => "CreateTopics",
        Ok(ApiKey::DeleteTopics) => "DeleteTopics",
        Ok(ApiKey::CreatePartitions) => "CreatePartitions",
        Ok(ApiKey::DescribeConfigs) => "DescribeConfigs",
        Ok(ApiKey::IncrementalAlterConfigs) => "IncrementalAlterConfigs",
        Ok(ApiKey::InitProducerId) => "InitProducerId",
        Ok(ApiKey::DescribeAcls) => "DescribeAcls",
        Ok(ApiKey::CreateAcls) => "CreateAcls",
        Ok(ApiKey::DeleteAcls) => "DeleteAcls",
        Ok(ApiKey::DescribeClientQuotas) => "DescribeClientQuotas",
        Ok(ApiKey::AlterClientQuotas) => "AlterClientQuotas",
        Ok(ApiKey::DescribeUserScramCredentials) => "DescribeUserScramCredentials",
        Ok(ApiKey::AlterUserScramCredentials) => "AlterUserScramCredentials",
        Ok(ApiKey::AlterPartitionReassignments) => "AlterPartitionReassignments",
        Ok(ApiKey::ListPartitionReassignments) => "ListPartitionReassignments",
        Ok(ApiKey::DescribeCluster) => "DescribeCluster",
        Ok(ApiKey::DescribeLogDirs) => "DescribeLogDirs",
        Ok(ApiKey::FindCoordinator) => "FindCoordinator",
        Ok(ApiKey::ListGroups) => "ListGroups",
        Ok(ApiKey::DescribeGroups) => "DescribeGroups",
        Ok(ApiKey::ConsumerGroupDescribe) => "ConsumerGroupDescribe",
        Ok(ApiKey::ShareGroupDescribe) => "ShareGroupDescribe",
        Ok(ApiKey::OffsetFetch) => "OffsetFetch",
        Ok(ApiKey::SaslHandshake) => "SaslHandshake",
        Ok(ApiKey::SaslAuthenticate) => "SaslAuthenticate",
        Ok(_) | Err(()) => "request",
    }
}
