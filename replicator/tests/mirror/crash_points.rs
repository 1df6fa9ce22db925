//! A run that dies at any request, and another one that goes on from there.
//!
//! A clean run makes some number of requests to each cluster. For every one of them and every way
//! in which it can go wrong the run is killed there, and the next run has to end with a complete
//! and ordered copy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{FaultAction, FaultRule, ResponseError};
use replicator::Options;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::rig::{Content, Rig, count, first_occurrences};

const PARTITIONS: i32 = 3;
/// A partition, 1 to 50 records each.
const BATCHES: i64 = 20;
const REPLAY_WINDOW: u64 = 100;
/// The largest batch: one that is larger than what is left of the window goes alone.
const LARGEST_BATCH: u64 = 50;
/// Sweeps side by side, each with clusters of its own.
const WORKERS: u64 = 8;

/// Which cluster is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Source,
    Target,
}

/// How the run ends at the request that is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    /// Killed when the request has arrived and is not carried out.
    Unheard,
    /// Killed when the request is carried out and its answer is on nobody's way.
    Unanswered,
    /// Killed while the request lies at the broker, which carries it out during the next run.
    Late,
    /// Not killed: the request is answered with an error, and the run ends as it sees fit.
    Refused(ResponseError),
}

const DEATHS: [Death; 5] = [
    Death::Unheard,
    Death::Unanswered,
    Death::Late,
    Death::Refused(ResponseError::NotLeaderOrFollower),
    Death::Refused(ResponseError::UnknownServerError),
];

#[derive(Debug, Clone, Copy)]
struct Blow {
    side: Side,
    request: u64,
    death: Death,
}

/// A source that is written once and a target that is new for every case.
struct Stage {
    rig: Rig,
    source: Content,
}

impl Stage {
    async fn set(mirror: &str) -> Self {
        let mirror = format!("  replayWindow: {REPLAY_WINDOW}\n{mirror}");
        let rig = Rig::start(1, &mirror).await;
        rig.create("t1", PARTITIONS, &[]).await;
        rig.produce("t1", PARTITIONS, 0, BATCHES).await;
        let source = rig.on_source("t1").await;
        Self { rig, source }
    }

    /// Requests that a clean run makes to the source and to the target.
    async fn requests(&mut self) -> (u64, u64) {
        self.rig.renew_target().await;
        let nothing = FaultRule::new(FaultAction::Delay(Duration::ZERO));
        let source = self.rig.source_cluster.faults().inject(nothing.clone());
        let target = self.rig.target_cluster.faults().inject(nothing);
        self.rig.once().await;
        self.rig.source_cluster.faults().clear();
        (source.hits(), target.hits())
    }

    /// One run that dies, or not: towards its end a run makes now fewer requests, now more.
    async fn die(&self, blow: Blow) {
        let action = match blow.death {
            Death::Unheard => FaultAction::CloseBefore,
            Death::Unanswered => FaultAction::CloseAfter,
            Death::Late => FaultAction::Delay(Duration::from_millis(40)),
            Death::Refused(error) => FaultAction::Error(error),
        };
        let cluster = match blow.side {
            Side::Source => &self.rig.source_cluster,
            Side::Target => &self.rig.target_cluster,
        };
        let rule = FaultRule::new(action).after(blow.request).times(1);
        let mut struck = cluster.faults().inject(rule);
        let run = self.rig.run(Options::once(), CancellationToken::new());
        if let Death::Refused(_) = blow.death {
            // Whether it gets over it is its own affair; what it leaves behind is ours.
            let _ = run.await;
        } else {
            tokio::select! {
                _ = run => {}
                _ = struck.wait_for(1) => {}
            }
        }
        cluster.faults().clear();
    }

    /// Dies at every blow in turn, then runs to the end.
    async fn survive(&mut self, blows: &[Blow], exactly_once: bool) {
        self.rig.renew_target().await;
        for blow in blows {
            self.die(*blow).await;
        }
        self.rig.once().await;
        // What lay at the broker is carried out by now, or at the latest here.
        if blows.iter().any(|blow| blow.death == Death::Late) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let target = self.rig.on_target("t1").await;
        if exactly_once {
            assert!(
                target == self.source,
                "{blows:?}: {}",
                self.describe(&target)
            );
            return;
        }
        assert!(
            first_occurrences(&target) == self.source,
            "{blows:?}: {}",
            self.describe(&target)
        );
        let duplicates = count(&target) - count(&self.source);
        let each = REPLAY_WINDOW.max(LARGEST_BATCH) * PARTITIONS as u64;
        assert!(
            duplicates <= each * blows.len() as u64,
            "{blows:?}: {duplicates} duplicates"
        );
    }

    fn describe(&self, target: &Content) -> String {
        let sides = self.source.iter().map(|(partition, records)| {
            let copied = target.get(partition).map_or(0, Vec::len);
            format!(
                "partition {partition}: {} records, {copied} copied",
                records.len()
            )
        });
        sides.collect::<Vec<_>>().join("; ")
    }
}

/// What ran, for whoever asks how much was tried.
#[expect(
    clippy::print_stdout,
    reason = "the figures of a test must be seen where they are asked for"
)]
fn report(what: &str, cases: usize, began: Instant) {
    println!("{cases} {what} in {} s", began.elapsed().as_secs());
}

/// Every request, every death, spread over the workers.
async fn sweep(mirror: &'static str, exactly_once: bool) {
    let began = Instant::now();
    let mut stage = Stage::set(mirror).await;
    let (source, target) = stage.requests().await;
    assert!(source > 5 && target > 20, "{source} and {target} requests");
    let at = |side, requests: u64| {
        (0..requests).flat_map(move |request| {
            DEATHS.map(|death| Blow {
                side,
                request,
                death,
            })
        })
    };
    let blows: Vec<Blow> = at(Side::Source, source)
        .chain(at(Side::Target, target))
        .collect();
    let blows = Arc::new(blows);
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let blows = blows.clone();
        workers.spawn(async move {
            let mut stage = Stage::set(mirror).await;
            for blow in blows.iter().skip(worker as usize).step_by(WORKERS as usize) {
                stage.survive(&[*blow], exactly_once).await;
                // The same to a run that finds positions.
                let before = Blow {
                    side: Side::Target,
                    request: target * 2 / 3,
                    death: Death::Unheard,
                };
                stage.survive(&[before, *blow], exactly_once).await;
            }
        });
    }
    workers.join_all().await;
    report(
        "deaths, each with and without positions",
        blows.len(),
        began,
    );
}

/// Random moments that a printed seed repeats (splitmix).
struct Moments(u64);

impl Moments {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Two to four deaths in a row at random requests; the seed is in the failure's blows.
async fn deaths_in_a_row(mirror: &'static str, exactly_once: bool, cases: u64) {
    let began = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        workers.spawn(async move {
            let mut stage = Stage::set(mirror).await;
            let (source, target) = stage.requests().await;
            for seed in (worker..cases).step_by(WORKERS as usize) {
                let mut moments = Moments(seed);
                let deaths = 2 + moments.below(3);
                let blows: Vec<Blow> = (0..deaths)
                    .map(|_| {
                        let (side, requests) = match moments.below(3) {
                            0 => (Side::Source, source),
                            _ => (Side::Target, target),
                        };
                        Blow {
                            side,
                            request: moments.below(requests),
                            death: DEATHS[moments.below(DEATHS.len() as u64) as usize],
                        }
                    })
                    .collect();
                stage.survive(&blows, exactly_once).await;
            }
        });
    }
    workers.join_all().await;
    report("rows of two to four deaths", cases as usize, began);
}

#[cfg(not(feature = "deep"))]
const CASES: u64 = 60;
/// About a minute on four cores that have nothing else to do.
#[cfg(feature = "deep")]
const CASES: u64 = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_least_once_goes_on_from_a_death_at_any_request() {
    sweep("", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_least_once_goes_on_from_several_deaths_in_a_row() {
    deaths_in_a_row("", false, CASES).await;
}

const EXACTLY_ONCE: &str = "  delivery: exactly-once\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_once_goes_on_from_a_death_at_any_request_without_a_duplicate() {
    sweep(EXACTLY_ONCE, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exactly_once_goes_on_from_several_deaths_in_a_row_without_a_duplicate() {
    deaths_in_a_row(EXACTLY_ONCE, true, CASES).await;
}
