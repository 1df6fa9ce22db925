use kafka::RetryClass;

/// Why a run could not start or could not go on as a whole. Trouble of a single partition is in
/// [`crate::Summary::failures`] instead.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The source cluster failed us.
    #[error("source cluster `{alias}`: {error}")]
    Source {
        /// Cluster alias.
        alias: String,
        /// What happened.
        error: kafka::Error,
    },
    /// The target cluster failed us.
    #[error("target cluster `{alias}`: {error}")]
    Target {
        /// Cluster alias.
        alias: String,
        /// What happened.
        error: kafka::Error,
    },
    /// Source and target are one cluster and topics keep their names: every record would be
    /// copied onto itself for ever.
    #[error(
        "source `{source_alias}` and target `{target_alias}` are the same cluster ({cluster_id})"
    )]
    SameCluster {
        /// Source alias.
        source_alias: String,
        /// Target alias.
        target_alias: String,
        /// The id both reported.
        cluster_id: String,
    },
    /// The gap ledger on the target cannot be read.
    #[error("the gaps topic `{topic}` on `{alias}` cannot be read: {reason}")]
    Gaps {
        /// Target cluster alias.
        alias: String,
        /// Name of the gaps topic.
        topic: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The positions on the target cannot be read.
    #[error("the positions topic `{topic}` on `{alias}` cannot be read: {error}")]
    Positions {
        /// Target cluster alias.
        alias: String,
        /// Name of the positions topic.
        topic: &'static str,
        /// What is wrong with it.
        error: Box<kafka::Error>,
    },
    /// Another run of the same mirror has begun; the newest one owns it.
    #[error("another replicator has taken mirror `{mirror}` over (instance {instance})")]
    Superseded {
        /// Name of the mirror.
        mirror: String,
        /// Random id of the other run.
        instance: String,
    },
    /// The mirror was promoted while this run did not look: its process stood still, or its target did not answer.
    /// Applications may write to its topics by now.
    #[error(
        "mirror `{mirror}` was promoted while nobody here looked: what was under way is not sent"
    )]
    Promoted {
        /// Name of the mirror.
        mirror: String,
    },
}

impl RunError {
    /// Whether trying again may help, as [`RetryClass`] has it.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Source { error, .. } | Self::Target { error, .. } => {
                error.class() != RetryClass::Fatal
            }
            Self::Positions { error, .. } => error.class() != RetryClass::Fatal,
            Self::SameCluster { .. }
            | Self::Gaps { .. }
            | Self::Superseded { .. }
            | Self::Promoted { .. } => false,
        }
    }

    /// Whether the mirror is not this run's to fill any more: nothing of it may be sent.
    pub(crate) fn is_over(&self) -> bool {
        match self {
            Self::Superseded { .. } | Self::Promoted { .. } => true,
            Self::Source { .. }
            | Self::Target { .. }
            | Self::Positions { .. }
            | Self::SameCluster { .. }
            | Self::Gaps { .. } => false,
        }
    }
}
