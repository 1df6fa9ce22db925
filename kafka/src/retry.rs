use kafka_protocol::ResponseError;

/// What a caller may do about a failed request. The one place where this is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryClass {
    /// Send the same request again after a pause.
    Transient,
    /// Somebody moved: refresh the metadata first, then send again, perhaps elsewhere.
    StaleMetadata,
    /// The connection is gone or silent: make a new one first.
    Reconnect,
    /// Sending it again would fail again.
    Fatal,
}

/// The class of a protocol error code; codes newer than this build are [`RetryClass::Fatal`].
///
/// Exhaustive on purpose: a code that a new protocol crate brings must be placed by hand.
pub(crate) fn class_of_code(code: i16) -> RetryClass {
    let Some(error) = ResponseError::try_from_code(code) else {
        return RetryClass::Transient;
    };
    match error {
        ResponseError::CorruptMessage
        | ResponseError::RequestTimedOut
        | ResponseError::NetworkException
        | ResponseError::CoordinatorLoadInProgress
        | ResponseError::CoordinatorNotAvailable
        | ResponseError::NotCoordinator
        | ResponseError::NotEnoughReplicas
        | ResponseError::NotEnoughReplicasAfterAppend
        | ResponseError::NotController
        | ResponseError::FetchSessionIdNotFound
        | ResponseError::InvalidFetchSessionEpoch
        | ResponseError::ElectionNotNeeded
        | ResponseError::UnstableOffsetCommit
        | ResponseError::ThrottlingQuotaExceeded
        | ResponseError::FetchSessionTopicIdError
        | ResponseError::ShareSessionNotFound
        | ResponseError::InvalidShareSessionEpoch
        | ResponseError::ShareSessionLimitReached => RetryClass::Transient,
        ResponseError::UnknownTopicOrPartition
        | ResponseError::LeaderNotAvailable
        | ResponseError::NotLeaderOrFollower
        | ResponseError::BrokerNotAvailable
        | ResponseError::ReplicaNotAvailable
        | ResponseError::KafkaStorageError
        | ResponseError::ListenerNotFound
        | ResponseError::FencedLeaderEpoch
        | ResponseError::UnknownLeaderEpoch
        | ResponseError::OffsetNotAvailable
        | ResponseError::PreferredLeaderNotAvailable
        | ResponseError::EligibleLeadersNotAvailable
        | ResponseError::UnknownTopicId
        | ResponseError::InconsistentTopicId => RetryClass::StaleMetadata,
        ResponseError::UnknownServerError
        | ResponseError::OffsetOutOfRange
        | ResponseError::InvalidFetchSize
        | ResponseError::MessageTooLarge
        | ResponseError::StaleControllerEpoch
        | ResponseError::OffsetMetadataTooLarge
        | ResponseError::InvalidTopicException
        | ResponseError::RecordListTooLarge
        | ResponseError::InvalidRequiredAcks
        | ResponseError::IllegalGeneration
        | ResponseError::InconsistentGroupProtocol
        | ResponseError::InvalidGroupId
        | ResponseError::UnknownMemberId
        | ResponseError::InvalidSessionTimeout
        | ResponseError::RebalanceInProgress
        | ResponseError::InvalidCommitOffsetSize
        | ResponseError::TopicAuthorizationFailed
        | ResponseError::GroupAuthorizationFailed
        | ResponseError::ClusterAuthorizationFailed
        | ResponseError::InvalidTimestamp
        | ResponseError::UnsupportedSaslMechanism
        | ResponseError::IllegalSaslState
        | ResponseError::UnsupportedVersion
        | ResponseError::TopicAlreadyExists
        | ResponseError::InvalidPartitions
        | ResponseError::InvalidReplicationFactor
        | ResponseError::InvalidReplicaAssignment
        | ResponseError::InvalidConfig
        | ResponseError::InvalidRequest
        | ResponseError::UnsupportedForMessageFormat
        | ResponseError::PolicyViolation
        | ResponseError::OutOfOrderSequenceNumber
        | ResponseError::DuplicateSequenceNumber
        | ResponseError::InvalidProducerEpoch
        | ResponseError::InvalidTxnState
        | ResponseError::InvalidProducerIdMapping
        | ResponseError::InvalidTransactionTimeout
        | ResponseError::ConcurrentTransactions
        | ResponseError::TransactionCoordinatorFenced
        | ResponseError::TransactionalIdAuthorizationFailed
        | ResponseError::SecurityDisabled
        | ResponseError::OperationNotAttempted
        | ResponseError::LogDirNotFound
        | ResponseError::SaslAuthenticationFailed
        | ResponseError::UnknownProducerId
        | ResponseError::ReassignmentInProgress
        | ResponseError::DelegationTokenAuthDisabled
        | ResponseError::DelegationTokenNotFound
        | ResponseError::DelegationTokenOwnerMismatch
        | ResponseError::DelegationTokenRequestNotAllowed
        | ResponseError::DelegationTokenAuthorizationFailed
        | ResponseError::DelegationTokenExpired
        | ResponseError::InvalidPrincipalType
        | ResponseError::NonEmptyGroup
        | ResponseError::GroupIdNotFound
        | ResponseError::TopicDeletionDisabled
        | ResponseError::UnsupportedCompressionType
        | ResponseError::StaleBrokerEpoch
        | ResponseError::MemberIdRequired
        | ResponseError::GroupMaxSizeReached
        | ResponseError::FencedInstanceId
        | ResponseError::NoReassignmentInProgress
        | ResponseError::GroupSubscribedToTopic
        | ResponseError::InvalidRecord
        | ResponseError::ProducerFenced
        | ResponseError::ResourceNotFound
        | ResponseError::DuplicateResource
        | ResponseError::UnacceptableCredential
        | ResponseError::InconsistentVoterSet
        | ResponseError::InvalidUpdateVersion
        | ResponseError::FeatureUpdateFailed
        | ResponseError::PrincipalDeserializationFailure
        | ResponseError::SnapshotNotFound
        | ResponseError::PositionOutOfRange
        | ResponseError::DuplicateBrokerRegistration
        | ResponseError::BrokerIdNotRegistered
        | ResponseError::InconsistentClusterId
        | ResponseError::TransactionalIdNotFound
        | ResponseError::IneligibleReplica
        | ResponseError::NewLeaderElected
        | ResponseError::OffsetMovedToTieredStorage
        | ResponseError::FencedMemberEpoch
        | ResponseError::UnreleasedInstanceId
        | ResponseError::UnsupportedAssignor
        | ResponseError::StaleMemberEpoch
        | ResponseError::MismatchedEndpointType
        | ResponseError::UnsupportedEndpointType
        | ResponseError::UnknownControllerId
        | ResponseError::UnknownSubscriptionId
        | ResponseError::TelemetryTooLarge
        | ResponseError::InvalidRegistration
        | ResponseError::TransactionAbortable
        | ResponseError::InvalidRecordState
        | ResponseError::FencedStateEpoch
        | ResponseError::InvalidVoterKey
        | ResponseError::DuplicateVoter
        | ResponseError::VoterNotFound
        | ResponseError::InvalidRegularExpression
        | ResponseError::RebootstrapRequired
        | ResponseError::StreamsInvalidTopology
        | ResponseError::StreamsInvalidTopologyEpoch
        | ResponseError::StreamsTopologyFenced
        | ResponseError::Unknown(_) => RetryClass::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_the_codes_a_mirror_meets() {
        for (error, class) in [
            (
                ResponseError::NotLeaderOrFollower,
                RetryClass::StaleMetadata,
            ),
            (
                ResponseError::UnknownTopicOrPartition,
                RetryClass::StaleMetadata,
            ),
            (ResponseError::NotEnoughReplicas, RetryClass::Transient),
            (
                ResponseError::CoordinatorLoadInProgress,
                RetryClass::Transient,
            ),
            (ResponseError::MessageTooLarge, RetryClass::Fatal),
            (ResponseError::OffsetOutOfRange, RetryClass::Fatal),
            (ResponseError::InvalidProducerEpoch, RetryClass::Fatal),
        ] {
            assert_eq!(class_of_code(error.code()), class, "{error:?}");
        }
        assert_eq!(class_of_code(9999), RetryClass::Fatal);
    }
}
