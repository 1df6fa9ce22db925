//! From a request frame to a response frame.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use kafka_protocol::messages::{
    AlterClientQuotasRequest, AlterPartitionReassignmentsRequest, AlterUserScramCredentialsRequest,
    ApiKey, ApiVersionsRequest, ConsumerGroupDescribeRequest, CreateAclsRequest,
    CreatePartitionsRequest, CreateTopicsRequest, DeleteAclsRequest, DeleteRecordsRequest,
    DeleteTopicsRequest, DescribeAclsRequest, DescribeClientQuotasRequest, DescribeClusterRequest,
    DescribeConfigsRequest, DescribeGroupsRequest, DescribeLogDirsRequest,
    DescribeProducersRequest, DescribeUserScramCredentialsRequest, FetchRequest,
    FindCoordinatorRequest, IncrementalAlterConfigsRequest, InitProducerIdRequest,
    ListGroupsRequest, ListOffsetsRequest, ListPartitionReassignmentsRequest, MetadataRequest,
    OffsetFetchRequest, OffsetForLeaderEpochRequest, ProduceRequest, RequestHeader,
    ShareGroupDescribeRequest,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};
use thiserror::Error;

use crate::api;
use crate::faults::{Strike, Target};
use crate::frame::{EncodeError, Frame};
use crate::state::Shared;

/// Why a connection is closed without a response, as a real broker does.
#[derive(Debug, Error)]
pub(crate) enum DispatchError {
    #[error("request of {0} bytes is shorter than a header")]
    Short(usize),
    #[error("API {api_key} version {version} is not supported")]
    Unsupported { api_key: i16, version: i16 },
    #[error("request of API {api_key} version {version} cannot be decoded: {reason}")]
    Malformed {
        api_key: i16,
        version: i16,
        reason: String,
    },
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Everything a handler may look at.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) shared: Arc<Shared>,
    /// The broker that got the request.
    pub(crate) broker: i32,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    pub(crate) strike: Strike,
}

impl Context {
    fn reply<R: Encodable + HeaderVersion>(&self, response: &R) -> Result<Outcome, DispatchError> {
        Ok(Outcome::Reply(Frame::message(
            self.correlation_id,
            self.version,
            response,
        )?))
    }
}

/// What a handled request leads to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Send this.
    Reply(Frame),
    /// Nothing is expected (acks=0).
    Silent,
    /// The connection closes: the only way to report an error to acks=0.
    Close,
}

/// A decoded request, with what faults look at.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) api: ApiKey,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    body: Body,
}

#[derive(Debug)]
enum Body {
    ApiVersions,
    /// An `ApiVersions` request newer than we know; its body cannot be read.
    ApiVersionsTooNew,
    Metadata(MetadataRequest),
    Produce(ProduceRequest),
    Fetch(FetchRequest),
    ListOffsets(ListOffsetsRequest),
    OffsetForLeaderEpoch(OffsetForLeaderEpochRequest),
    FindCoordinator(FindCoordinatorRequest),
    InitProducerId(InitProducerIdRequest),
    CreateTopics(CreateTopicsRequest),
    DeleteTopics(DeleteTopicsRequest),
    CreatePartitions(CreatePartitionsRequest),
    DeleteRecords(DeleteRecordsRequest),
    DescribeConfigs(DescribeConfigsRequest),
    IncrementalAlterConfigs(IncrementalAlterConfigsRequest),
    DescribeCluster(DescribeClusterRequest),
    DescribeProducers(DescribeProducersRequest),
    ShareGroupDescribe(ShareGroupDescribeRequest),
    OffsetFetch(OffsetFetchRequest),
    ConsumerGroupDescribe(ConsumerGroupDescribeRequest),
    DescribeGroups(DescribeGroupsRequest),
    ListGroups(ListGroupsRequest),
    DescribeLogDirs(DescribeLogDirsRequest),
    ListPartitionReassignments(ListPartitionReassignmentsRequest),
    AlterPartitionReassignments(AlterPartitionReassignmentsRequest),
    AlterUserScramCredentials(AlterUserScramCredentialsRequest),
    DescribeUserScramCredentials(DescribeUserScramCredentialsRequest),
    AlterClientQuotas(AlterClientQuotasRequest),
    DescribeClientQuotas(DescribeClientQuotasRequest),
    DeleteAcls(DeleteAclsRequest),
    CreateAcls(CreateAclsRequest),
    DescribeAcls(DescribeAclsRequest),
}

impl Request {
    /// Decodes a frame without its length prefix.
    pub(crate) fn decode(mut frame: Bytes) -> Result<Self, DispatchError> {
        if frame.len() < 8 {
            return Err(DispatchError::Short(frame.len()));
        }
        let mut peek = &frame[..];
        let (api_key, version) = (peek.get_i16(), peek.get_i16());
        let correlation_id = peek.get_i32();
        let unsupported = DispatchError::Unsupported { api_key, version };
        let Ok(api) = ApiKey::try_from(api_key) else {
            return Err(unsupported);
        };
        let Some(range) = api::supported(api) else {
            return Err(unsupported);
        };
        if !(range.min..=range.max).contains(&version) {
            if api == ApiKey::ApiVersions {
                let body = Body::ApiVersionsTooNew;
                return Ok(Self {
                    api,
                    version: 0,
                    correlation_id,
                    body,
                });
            }
            return Err(unsupported);
        }
        let malformed = |error: String| DispatchError::Malformed {
            api_key,
            version,
            reason: error,
        };
        codec::message::decode::<RequestHeader>(&mut frame, api.request_header_version(version))
            .map_err(|error| malformed(error.to_string()))?;
        let body = Body::decode(api, version, &mut frame)
            .ok_or(unsupported)?
            .map_err(malformed)?;
        Ok(Self {
            api,
            version,
            correlation_id,
            body,
        })
    }

    /// The topics and partitions a request names; topic ids are resolved.
    pub(crate) fn targets(&self, shared: &Shared) -> Vec<Target> {
        match &self.body {
            Body::ApiVersions
            | Body::ApiVersionsTooNew
            | Body::FindCoordinator(_)
            | Body::InitProducerId(_)
            | Body::DescribeCluster(_)
            | Body::DescribeAcls(_)
            | Body::CreateAcls(_)
            | Body::DeleteAcls(_)
            | Body::DescribeClientQuotas(_)
            | Body::AlterClientQuotas(_)
            | Body::DescribeUserScramCredentials(_)
            | Body::AlterUserScramCredentials(_)
            | Body::ListPartitionReassignments(_)
            | Body::DescribeLogDirs(_)
            | Body::ListGroups(_)
            | Body::DescribeGroups(_)
            | Body::ConsumerGroupDescribe(_)
            | Body::OffsetFetch(_)
            | Body::ShareGroupDescribe(_) => Vec::new(),
            Body::Metadata(request) => api::metadata::targets(request, shared),
            Body::Produce(request) => api::produce::targets(request, shared),
            Body::Fetch(request) => api::fetch::targets(request, shared),
            Body::ListOffsets(request) => api::list_offsets::targets(request),
            Body::OffsetForLeaderEpoch(request) => api::offset_for_leader_epoch::targets(request),
            Body::CreateTopics(request) => api::create_topics::targets(request),
            Body::DeleteTopics(request) => api::delete_topics::targets(request, shared),
            Body::CreatePartitions(request) => api::create_partitions::targets(request),
            Body::DeleteRecords(request) => api::delete_records::targets(request),
            Body::DescribeConfigs(request) => api::describe_configs::targets(request),
            Body::IncrementalAlterConfigs(request) => {
                api::incremental_alter_configs::targets(request)
            }
            Body::AlterPartitionReassignments(request) => {
                api::alter_partition_reassignments::targets(request)
            }
            Body::DescribeProducers(request) => api::describe_producers::targets(request),
        }
    }

    /// Handles the request. Only a fetch waits; dropping it while it waits has no effect.
    pub(crate) async fn handle(self, context: &Context) -> Result<Outcome, DispatchError> {
        match self.body {
            Body::ApiVersions => context.reply(&api::api_versions::handle(context)),
            Body::ApiVersionsTooNew => context.reply(&api::api_versions::refuse()),
            Body::Metadata(request) => context.reply(&api::metadata::handle(context, &request)),
            Body::Produce(request) => match api::produce::handle(context, &request) {
                api::produce::Answer::Response(response) => context.reply(&response),
                api::produce::Answer::Nothing => Ok(Outcome::Silent),
                api::produce::Answer::Close => Ok(Outcome::Close),
            },
            Body::Fetch(request) => Ok(Outcome::Reply(api::fetch::handle(context, &request).await)),
            Body::ListOffsets(request) => {
                context.reply(&api::list_offsets::handle(context, &request))
            }
            Body::OffsetForLeaderEpoch(request) => {
                context.reply(&api::offset_for_leader_epoch::handle(context, &request))
            }
            Body::FindCoordinator(request) => {
                context.reply(&api::find_coordinator::handle(context, &request))
            }
            Body::InitProducerId(request) => {
                context.reply(&api::init_producer_id::handle(context, &request))
            }
            Body::CreateTopics(request) => {
                context.reply(&api::create_topics::handle(context, request))
            }
            Body::DeleteTopics(request) => {
                context.reply(&api::delete_topics::handle(context, &request))
            }
            Body::CreatePartitions(request) => {
                context.reply(&api::create_partitions::handle(context, &request))
            }
            Body::DeleteRecords(request) => {
                context.reply(&api::delete_records::handle(context, &request))
            }
            Body::DescribeConfigs(request) => {
                context.reply(&api::describe_configs::handle(context, &request))
            }
            Body::IncrementalAlterConfigs(request) => {
                context.reply(&api::incremental_alter_configs::handle(context, &request))
            }
            Body::DescribeCluster(request) => {
                context.reply(&api::describe_cluster::handle(context, &request))
            }
            Body::DescribeAcls(request) => {
                context.reply(&api::describe_acls::handle(context, &request))
            }
            Body::CreateAcls(request) => {
                context.reply(&api::create_acls::handle(context, &request))
            }
            Body::DeleteAcls(request) => {
                context.reply(&api::delete_acls::handle(context, &request))
            }
            Body::DescribeClientQuotas(request) => {
                context.reply(&api::describe_client_quotas::handle(context, &request))
            }
            Body::AlterClientQuotas(request) => {
                context.reply(&api::alter_client_quotas::handle(context, &request))
            }
            Body::DescribeUserScramCredentials(request) => context.reply(
                &api::describe_user_scram_credentials::handle(context, &request),
            ),
            Body::AlterUserScramCredentials(request) => context.reply(
                &api::alter_user_scram_credentials::handle(context, &request),
            ),
            Body::AlterPartitionReassignments(request) => context.reply(
                &api::alter_partition_reassignments::handle(context, &request),
            ),
            Body::ListPartitionReassignments(request) => context.reply(
                &api::list_partition_reassignments::handle(context, &request),
            ),
            Body::DescribeLogDirs(request) => {
                context.reply(&api::describe_log_dirs::handle(context, &request))
            }
            Body::ListGroups(request) => {
                context.reply(&api::list_groups::handle(context, &request))
            }
            Body::DescribeGroups(request) => {
                context.reply(&api::describe_groups::handle(context, &request))
            }
            Body::ConsumerGroupDescribe(request) => {
                context.reply(&api::consumer_group_describe::handle(context, &request))
            }
            Body::OffsetFetch(request) => {
                context.reply(&api::offset_fetch::handle(context, &request))
            }
            Body::ShareGroupDescribe(request) => {
                context.reply(&api::share_group_describe::handle(context, &request))
            }
            Body::DescribeProducers(request) => {
                context.reply(&api::describe_producers::handle(context, &request))
            }
        }
    }
}

impl Body {
    /// Decodes the body of an API this broker has; `None` for any other.
    fn decode(api: ApiKey, version: i16, frame: &mut Bytes) -> Option<Result<Self, String>> {
        let body = match api {
            ApiKey::ApiVersions => {
                decode::<ApiVersionsRequest>(frame, version).map(|_| Self::ApiVersions)
            }
            ApiKey::Metadata => decode(frame, version).map(Self::Metadata),
            ApiKey::Produce => decode(frame, version).map(Self::Produce),
            ApiKey::Fetch => decode(frame, version).map(Self::Fetch),
            ApiKey::ListOffsets => decode(frame, version).map(Self::ListOffsets),
            ApiKey::OffsetForLeaderEpoch => decode(frame, version).map(Self::OffsetForLeaderEpoch),
            ApiKey::FindCoordinator => decode(frame, version).map(Self::FindCoordinator),
            ApiKey::InitProducerId => decode(frame, version).map(Self::InitProducerId),
            ApiKey::CreateTopics => decode(frame, version).map(Self::CreateTopics),
            ApiKey::DeleteTopics => decode(frame, version).map(Self::DeleteTopics),
            ApiKey::CreatePartitions => decode(frame, version).map(Self::CreatePartitions),
            ApiKey::DeleteRecords => decode(frame, version).map(Self::DeleteRecords),
            ApiKey::DescribeConfigs => decode(frame, version).map(Self::DescribeConfigs),
            ApiKey::IncrementalAlterConfigs => {
                decode(frame, version).map(Self::IncrementalAlterConfigs)
            }
            ApiKey::DescribeCluster => decode(frame, version).map(Self::DescribeCluster),
            ApiKey::DescribeAcls => decode(frame, version).map(Self::DescribeAcls),
            ApiKey::CreateAcls => decode(frame, version).map(Self::CreateAcls),
            ApiKey::DeleteAcls => decode(frame, version).map(Self::DeleteAcls),
            ApiKey::DescribeClientQuotas => decode(frame, version).map(Self::DescribeClientQuotas),
            ApiKey::AlterClientQuotas => decode(frame, version).map(Self::AlterClientQuotas),
            ApiKey::DescribeUserScramCredentials => {
                decode(frame, version).map(Self::DescribeUserScramCredentials)
            }
            ApiKey::AlterUserScramCredentials => {
                decode(frame, version).map(Self::AlterUserScramCredentials)
            }
            ApiKey::AlterPartitionReassignments => {
                decode(frame, version).map(Self::AlterPartitionReassignments)
            }
            ApiKey::ListPartitionReassignments => {
                decode(frame, version).map(Self::ListPartitionReassignments)
            }
            ApiKey::DescribeLogDirs => decode(frame, version).map(Self::DescribeLogDirs),
            ApiKey::ListGroups => decode(frame, version).map(Self::ListGroups),
            ApiKey::DescribeGroups => decode(frame, version).map(Self::DescribeGroups),
            ApiKey::ConsumerGroupDescribe => {
                decode(frame, version).map(Self::ConsumerGroupDescribe)
            }
            ApiKey::OffsetFetch => decode(frame, version).map(Self::OffsetFetch),
            ApiKey::ShareGroupDescribe => decode(frame, version).map(Self::ShareGroupDescribe),
            ApiKey::DescribeProducers => decode(frame, version).map(Self::DescribeProducers),
            _ => return None,
        };
        Some(body)
    }
}

fn decode<T: Decodable>(frame: &mut Bytes, version: i16) -> Result<T, String> {
    codec::message::decode(frame, version).map_err(|error| error.to_string())
}
