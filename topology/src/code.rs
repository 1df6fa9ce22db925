//! The stable codes of diagnostics. `DIAGNOSTICS.md` explains each.

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and something in it should be known.
    Warning,
}

macro_rules! codes {
    ($($variant:ident => $text:literal, $severity:ident;)+) => {
        /// What kind of finding it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($variant),+ }

        impl Code {
            /// The stable text.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// How bad it is.
            pub(crate) const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }
        }

        /// Every code a diagnostic can carry, with its severity.
        pub const CODES: &[(&str, Severity)] = &[$(($text, Severity::$severity)),+];
    };
}

codes! {
    // the text
    YamlSyntax => "topology::yaml-syntax", Error;
    EmptyFile => "topology::empty-file", Error;
    SeveralDocuments => "topology::several-documents", Error;
    TooComplex => "topology::too-complex", Error;
    BadKey => "topology::bad-key", Error;
    DuplicateKey => "topology::duplicate-key", Error;
    UnsupportedTag => "topology::unsupported-tag", Error;
    // the structure
    UnknownKey => "topology::unknown-key", Error;
    MissingKey => "topology::missing-key", Error;
    WrongType => "topology::wrong-type", Error;
    UnknownValue => "topology::unknown-value", Error;
    WrongUnit => "topology::wrong-unit", Error;
    OutOfRange => "topology::out-of-range", Error;
    InvalidName => "topology::invalid-name", Error;
    EmptyList => "topology::empty-list", Error;
    InvalidValue => "topology::invalid-value", Error;
    LiteralSecret => "topology::literal-secret", Error;
    // the meaning
    DuplicateAlias => "topology::duplicate-alias", Error;
    DuplicateTopic => "topology::duplicate-topic", Error;
    CollidingTopics => "topology::colliding-topics", Error;
    DuplicateMirror => "topology::duplicate-mirror", Error;
    DuplicateUser => "topology::duplicate-user", Error;
    DuplicateQuota => "topology::duplicate-quota", Error;
    DuplicateService => "topology::duplicate-service", Error;
    DuplicateReference => "topology::duplicate-reference", Error;
    UnknownCluster => "topology::unknown-cluster", Error;
    UnknownConfigBlock => "topology::unknown-config-block", Error;
    MissingBootstrapServers => "topology::missing-bootstrap-servers", Error;
    InvalidHostPort => "topology::invalid-host-port", Error;
    InvalidCidr => "topology::invalid-cidr", Error;
    InvalidSubnet => "topology::invalid-subnet", Error;
    IncompleteNetwork => "topology::incomplete-network", Error;
    NetworkSize => "topology::network-size", Error;
    UnknownRegion => "topology::unknown-region", Error;
    OverlappingNetworks => "topology::overlapping-networks", Error;
    ContradictingNetwork => "topology::contradicting-network", Error;
    ImpossibleLink => "topology::impossible-link", Error;
    MissingDns => "topology::missing-dns", Error;
    UnknownInstanceType => "topology::unknown-instance-type", Error;
    ZoneOfOtherRegion => "topology::zone-of-other-region", Error;
    UnevenBrokers => "topology::uneven-brokers", Error;
    HostsDoNotFit => "topology::hosts-do-not-fit", Error;
    SharedMachine => "topology::shared-machine", Error;
    StorageOfOtherPlatform => "topology::storage-of-other-platform", Error;
    NotRenderable => "topology::not-renderable", Error;
    MskReplicatorRefuses => "topology::msk-replicator-refuses", Error;
    InvalidFolder => "topology::invalid-folder", Error;
    InvalidSetting => "topology::invalid-setting", Error;
    InvalidPattern => "topology::invalid-pattern", Error;
    InvalidTopicName => "topology::invalid-topic-name", Error;
    InvalidPrincipal => "topology::invalid-principal", Error;
    InvalidAddress => "topology::invalid-address", Error;
    InvalidResource => "topology::invalid-resource", Error;
    InvalidOperation => "topology::invalid-operation", Error;
    InvalidQuota => "topology::invalid-quota", Error;
    ContradictingAcl => "topology::contradicting-acl", Error;
    InvalidTimestamp => "topology::invalid-timestamp", Error;
    InvalidUrl => "topology::invalid-url", Error;
    TlsRequired => "topology::tls-required", Error;
    SecurityOfEmbedded => "topology::security-of-embedded", Error;
    MechanismOfOtherPlatform => "topology::mechanism-of-other-platform", Error;
    TooFewBrokers => "topology::too-few-brokers", Error;
    ReplicationFactorTooHigh => "topology::replication-factor-too-high", Error;
    MinInsyncReplicasTooHigh => "topology::min-insync-replicas-too-high", Error;
    ProtectedTopic => "topology::protected-topic", Error;
    UnmanagedTopic => "topology::unmanaged-topic", Error;
    SourceIsTarget => "topology::source-is-target", Error;
    IdentityBothWays => "topology::identity-both-ways", Error;
    MirrorCycle => "topology::mirror-cycle", Error;
    OverlappingTarget => "topology::overlapping-target", Error;
    ExactlyOnceCompacted => "topology::exactly-once-compacted", Error;
    // worth knowing
    DeclaredOnly => "topology::declared-only", Warning;
    SecretInClear => "topology::secret-in-clear", Warning;
    PublicNetwork => "topology::public-network", Warning;
    UnlinkedNetworks => "topology::unlinked-networks", Warning;
    MskReplicatorAcrossRegions => "topology::msk-replicator-across-regions", Warning;
    SmallDisk => "topology::small-disk", Warning;
    UnusedKey => "topology::unused-key", Warning;
    DeleteNotAllowed => "topology::delete-not-allowed", Warning;
    TopicElsewhere => "topology::topic-elsewhere", Warning;
    UnusedConfigBlock => "topology::unused-config-block", Warning;
    StartInFuture => "topology::start-in-future", Warning;
}
