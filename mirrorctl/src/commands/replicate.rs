//! `mirrorctl replicate`.

use replicator::Options;

use crate::cli::{Format, ReplicateArgs};
use crate::connect::connect;
use crate::copies::Copies;
use crate::exit::Outcome;
use crate::failure::Failure;
use crate::load::load;
use crate::output::{self, RunEnd, replication_human, replication_json};
use crate::select::{clusters, runnable};
use crate::session::{Ended, Session};

/// Copies until the captured ends, or until stopped.
pub(crate) async fn replicate(session: &Session, args: &ReplicateArgs) -> Ended {
    let topology = load(&args.file)?;
    let mirrors = runnable(&topology, &args.mirror)?;
    let clients = session
        .until_stopped(connect(&topology, &clusters(&mirrors)))
        .await??;
    let options = if args.once {
        Options::once()
    } else {
        Options::continuous()
    };
    let ends = Copies::start(&mirrors, &clients, &options, &session.stop)?
        .finish_shown()
        .await?;
    match session.terminal.format() {
        Format::Human => {
            output::result(&replication_human(&ends, session.terminal.width()))?;
        }
        Format::Json => output::json(&replication_json(&ends))?,
    }
    judge(ends, args.once)
}

/// A failed mirror before stopped partitions before an early end. Being stopped is how a
/// continuous mirror ends, and no failure.
fn judge(ends: Vec<RunEnd>, once: bool) -> Ended {
    let mut failed = 0;
    let mut interrupted = false;
    for RunEnd {
        mirror,
        source,
        result,
        ..
    } in ends
    {
        match result {
            Ok(summary) => {
                failed += summary.failures.len();
                interrupted |= summary.interrupted;
            }
            Err(error) => {
                return Err(Failure::Replicator {
                    mirror,
                    source_alias: source,
                    error: Box::new(error),
                });
            }
        }
    }
    if failed > 0 {
        return Err(Failure::PartitionsFailed { failed });
    }
    if once && interrupted {
        return Err(Failure::Unfinished);
    }
    Ok(Outcome::Done)
}
