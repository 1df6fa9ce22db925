//! The brokers' own limit: prepared batches, sent as fast as the target takes them.
//!
//! A program of its own that shares no code with the replicator, so that what it reaches is the limit of the brokers
//! and not of our habits. It reads batches of the source once, into memory, and sends them over and over: idempotent
//! (new sequences, patched headers), `acks=all`, one batch a partition a request, several requests in flight. Records
//! are not read, checksums are patched. How many connections and requests in flight are best is tried out before.

mod batch;
mod error;
mod sender;
mod wire;

use std::thread;
use std::time::Duration;

use clap::Args;

pub(crate) use error::Error;
use sender::{Lane, Setting};

/// The process waits this long for being ended, once everything is sent.
const LINGER: Duration = Duration::from_mins(10);
/// Batches of a partition that are kept.
const KEPT_BYTES: usize = 8 << 20;

/// What to send where.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Address of the source's only broker
    #[arg(long)]
    source: String,
    /// Topic to take batches from
    #[arg(long)]
    from: String,
    /// Address of the target's only broker
    #[arg(long)]
    target: String,
    /// Topic to send to
    #[arg(long)]
    to: String,
    /// Partitions of both
    #[arg(long)]
    partitions: i32,
    /// How many records to send at least
    #[arg(long)]
    records: u64,
    /// How many connections
    #[arg(long)]
    connections: usize,
    /// Requests in flight a connection
    #[arg(long)]
    in_flight: usize,
}

/// Sends everything, then waits to be ended.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let mut source = wire::Connection::open(&arguments.source)?;
    let mut partitions = Vec::new();
    for partition in 0..arguments.partitions {
        let batches = source.batches(&arguments.from, partition, KEPT_BYTES)?;
        if !batches.is_empty() {
            partitions.push((partition, batches));
        }
    }
    if partitions.is_empty() {
        return Err(Error::NothingToSend {
            topic: arguments.from.clone(),
        });
    }
    drop(source);
    let producer = wire::Connection::open(&arguments.target)?.producer_id()?;
    let share = arguments.records.div_ceil(partitions.len() as u64);
    let setting = Setting {
        topic: &arguments.to,
        producer,
        share,
        in_flight: arguments.in_flight,
    };
    let mut lanes: Vec<Vec<Lane>> = Vec::new();
    lanes.resize_with(arguments.connections.min(partitions.len()), Vec::new);
    let connections = lanes.len();
    for (index, (partition, batches)) in partitions.into_iter().enumerate() {
        lanes[index % connections].push(Lane::new(partition, batches));
    }
    thread::scope(|scope| {
        let senders: Vec<_> = lanes
            .into_iter()
            .map(|lanes| scope.spawn(|| sender::send_all(&arguments.target, lanes, &setting)))
            .collect();
        senders.into_iter().try_for_each(|sender| {
            sender
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })?;
    thread::sleep(LINGER);
    Ok(())
}
