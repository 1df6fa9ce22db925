//! The steps between fetch and committed position, as places where tests end the process: what a crash at each of them leaves
//! behind is what the promises are about. Only builds with the feature `fail-points` look at the environment; in all others
//! nothing is left of this.

/// A step, named in the order in which a batch comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailPoint {
    /// A partition has a batch in memory.
    Fetched,
    /// A request with batches is about to be handed to the target's connection.
    BeforeProduce,
    /// The target has answered that it has them, and no partition knows yet.
    Answered,
    /// A partition knows it, and its watermark has not moved.
    Acknowledged,
    /// Positions are about to be written.
    BeforeCommit,
    /// They are durable, and nobody knows yet.
    Committed,
}

#[cfg(not(feature = "fail-points"))]
impl FailPoint {
    /// Nothing.
    #[expect(clippy::unused_self, reason = "the feature gives it a meaning")]
    #[inline]
    pub(crate) fn pass(self) {}
}

#[cfg(feature = "fail-points")]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    use super::FailPoint;

    /// `before-commit:5`: end at the fifth time that a batch comes by this step.
    const VARIABLE: &str = "MIRRORCTL_FAIL_POINT";

    struct Armed {
        point: FailPoint,
        passes_left: AtomicU32,
    }

    static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| {
        let text = std::env::var(VARIABLE).ok()?;
        let armed = parse(&text);
        if armed.is_none() {
            // a test that arms nothing would pass for the wrong reason
            tracing::error!("{VARIABLE}={text} names no fail point; ending");
            end();
        }
        armed
    });

    impl FailPoint {
        /// Ends the process as SIGKILL does, where the environment says so.
        pub(crate) fn pass(self) {
            let Some(armed) = &*ARMED else {
                return;
            };
            if armed.point == self && armed.passes_left.fetch_sub(1, Ordering::Relaxed) == 1 {
                tracing::warn!(point = self.name(), "fail point: ending");
                end();
            }
        }

        const ALL: [Self; 6] = [
            Self::Fetched,
            Self::BeforeProduce,
            Self::Answered,
            Self::Acknowledged,
            Self::BeforeCommit,
            Self::Committed,
        ];

        fn name(self) -> &'static str {
            match self {
                Self::Fetched => "fetched",
                Self::BeforeProduce => "before-produce",
                Self::Answered => "answered",
                Self::Acknowledged => "acknowledged",
                Self::BeforeCommit => "before-commit",
                Self::Committed => "committed",
            }
        }

        fn named(name: &str) -> Option<Self> {
            Self::ALL.into_iter().find(|point| point.name() == name)
        }
    }

    fn parse(text: &str) -> Option<Armed> {
        let (name, pass) = text.split_once(':').unwrap_or((text, "1"));
        Some(Armed {
            point: FailPoint::named(name)?,
            passes_left: AtomicU32::new(pass.parse().ok().filter(|pass| *pass > 0)?),
        })
    }

    fn end() {
        // Only a process that is not there cannot be killed.
        let _ = kill_process(getpid(), Signal::KILL);
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_point_and_a_pass_are_read_and_nothing_else() {
            let read = |text| {
                parse(text).map(|armed| (armed.point, armed.passes_left.load(Ordering::Relaxed)))
            };
            assert_eq!(read("before-commit:5"), Some((FailPoint::BeforeCommit, 5)));
            assert_eq!(read("fetched"), Some((FailPoint::Fetched, 1)));
            for wrong in ["", "fetch", "fetched:", "fetched:0", "fetched:x"] {
                assert_eq!(read(wrong), None, "{wrong}");
            }
        }
    }
}
