//! Exit codes: what happened, as a number. The only place that knows them.

use std::process::ExitCode;

use crate::connect::ConnectError;
use crate::failure::Failure;
use crate::signals::StopSignal;

/// How a command ended that did what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, or nothing to do.
    Done,
    /// `plan --detailed-exitcode` found changes.
    ChangesPending,
    /// `plan --detailed-exitcode` found changes that `apply` will refuse.
    ChangesBlocked,
}

/// The codes of the command line contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Done,
    Error,
    ChangesPending,
    Refused,
    Stale,
    VerificationFailed,
    WrongUsage,
}

impl Code {
    const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::ChangesPending => 2,
            Self::Refused => 3,
            Self::Stale => 4,
            Self::VerificationFailed => 5,
            Self::WrongUsage => 64,
        }
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code.number())
    }
}

impl From<Outcome> for Code {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::ChangesPending => Self::ChangesPending,
            Outcome::ChangesBlocked => Self::Refused,
        }
    }
}

impl From<plan::FailureKind> for Code {
    fn from(kind: plan::FailureKind) -> Self {
        match kind {
            plan::FailureKind::Error => Self::Error,
            plan::FailureKind::Refused => Self::Refused,
            plan::FailureKind::Stale => Self::Stale,
        }
    }
}

impl From<&Failure> for Code {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Usage { .. } => Self::WrongUsage,
            Failure::Connect(errors) if errors.iter().any(ConnectError::is_refusal) => {
                Self::Refused
            }
            Failure::Observe(error) => error.kind().into(),
            Failure::Apply(error) => error.kind().into(),
            Failure::TopicGuarded { .. }
            | Failure::JudgedByItself { .. }
            | Failure::Promoted { .. }
            | Failure::OfAnotherTopology { .. }
            | Failure::LeftOut { .. }
            | Failure::NotPermitted { .. }
            | Failure::Forget(plan::ForgetError::OfAnotherTopology { .. })
            | Failure::RenderFolder(render::FolderError::Link { .. })
            | Failure::RenderWrite(
                render::WriteError::Edited { .. }
                | render::WriteError::Folder(render::FolderError::Link { .. }),
            ) => Self::Refused,
            Failure::RenderWrite(render::WriteError::Changed { .. }) => Self::Stale,
            Failure::Verification { .. }
            | Failure::OverTime { .. }
            | Failure::LagOver { .. }
            | Failure::NeedAttention { .. } => Self::VerificationFailed,
            Failure::Replicator { error, .. } => match **error {
                replicator::RunError::SameCluster { .. }
                | replicator::RunError::Superseded { .. }
                | replicator::RunError::Promoted { .. } => Self::Refused,
                replicator::RunError::Source { .. }
                | replicator::RunError::Target { .. }
                | replicator::RunError::Positions { .. }
                | replicator::RunError::Gaps { .. } => Self::Error,
            },
            Failure::Topology(_)
            | Failure::InvalidFiles { .. }
            | Failure::Connect(_)
            | Failure::Unreached { .. }
            | Failure::InfrastructureUnknown
            | Failure::PlanFile(_)
            | Failure::Forget(_)
            | Failure::Render(_)
            | Failure::NothingToRender { .. }
            | Failure::Ambari(_)
            | Failure::RenderFolder(_)
            | Failure::RenderWrite(_)
            | Failure::Declined
            | Failure::NotSupported { .. }
            | Failure::NotRunnable { .. }
            | Failure::NothingToRun { .. }
            | Failure::NothingToCompare { .. }
            | Failure::Halted { .. }
            | Failure::Unfinished
            | Failure::NotConnected { .. }
            | Failure::Cluster { .. }
            | Failure::Judge(_)
            | Failure::Embedded { .. }
            | Failure::Child { .. }
            | Failure::File { .. }
            | Failure::FileUnread { .. }
            | Failure::Listen { .. }
            | Failure::Output(_)
            | Failure::Json(_)
            | Failure::Runtime(_)
            | Failure::Panicked(_)
            | Failure::Interrupted => Self::Error,
        }
    }
}

/// Ends the process at once, with the code that shells give a process killed by `signal`.
#[expect(
    clippy::exit,
    reason = "the second signal asks for exactly this: no draining, no cleaning up"
)]
pub(crate) fn at_once(signal: StopSignal) -> ! {
    std::process::exit(match signal {
        StopSignal::Interrupt => 130,
        StopSignal::Terminate => 143,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(failure: &Failure) -> u8 {
        Code::from(failure).number()
    }

    #[test]
    fn the_gravest_connection_error_decides() {
        let embedded = || ConnectError::Embedded {
            alias: "a".to_owned(),
        };
        let wrong = || ConnectError::WrongCluster {
            alias: "b".to_owned(),
            bootstrap: "b:9092".to_owned(),
            expected: "one".to_owned(),
            found: "other".to_owned(),
        };
        assert_eq!(number(&Failure::Connect(vec![embedded()])), 1);
        assert_eq!(number(&Failure::Connect(vec![embedded(), wrong()])), 3);
    }

    #[test]
    fn codes_are_those_of_the_contract() {
        let verification = Failure::Verification {
            failed: 1,
            checks: 7,
        };
        let guarded = Failure::TopicGuarded {
            topic: "t".to_owned(),
            cluster: "c".to_owned(),
        };
        let usage = Failure::Usage {
            message: String::new(),
            hint: String::new(),
        };
        let stale = Failure::Apply(plan::ApplyError::Stale {
            address: "topic.a.t".to_owned(),
            differences: Vec::new(),
            summary: Box::default(),
        });
        assert_eq!(number(&Failure::Interrupted), 1);
        assert_eq!(number(&guarded), 3);
        assert_eq!(number(&stale), 4);
        assert_eq!(number(&verification), 5);
        assert_eq!(number(&usage), 64);
        assert_eq!(Code::from(Outcome::Done).number(), 0);
        assert_eq!(Code::from(Outcome::ChangesPending).number(), 2);
        assert_eq!(Code::from(Outcome::ChangesBlocked).number(), 3);
    }
}
