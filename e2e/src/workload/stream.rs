//! A steady stream in the background, for faults to happen to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::mixed::milliseconds_ago;
use super::producer::{Sender, shape};
use crate::Result;

/// No stream outlives this, whatever its test does.
const LIMIT: Duration = Duration::from_mins(20);

/// Writes records of mixed shapes until it is stopped. Timestamps lie [`Stream::AGE`] back: a broker that crashes forgets a
/// producer whose newest record is older than `producer.id.expiration.ms` (a day), and would then store what the
/// producer repeats a second time.
#[derive(Debug)]
pub struct Stream {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    writer: JoinHandle<Result<u64>>,
}

impl Stream {
    /// How long before now the first record was written, by its timestamp; the others follow it.
    pub const AGE: Duration = Duration::from_hours(1);

    /// Starts writing about `rate` records a second over `partitions` partitions, in one codec.
    pub fn start(
        servers: &str,
        topic: &str,
        partitions: u16,
        rate: u32,
        codec: &str,
    ) -> Result<Self> {
        let sender = Sender::new(servers, topic, codec)?;
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let writer = {
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            thread::spawn(move || write(&sender, partitions, rate, &stop, &sent))
        };
        Ok(Self { stop, sent, writer })
    }

    /// How many records have been handed to the producer so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Stops, waits for every acknowledgement, and returns how many there were.
    pub fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.writer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn write(
    sender: &Sender,
    partitions: u16,
    rate: u32,
    stop: &AtomicBool,
    sent: &AtomicU64,
) -> Result<u64> {
    let first_timestamp = milliseconds_ago(Stream::AGE);
    let started = Instant::now();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) && started.elapsed() < LIMIT {
        let due = (started.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        while number < due {
            let partition = (number / 3) % u64::from(partitions);
            sender.send(partition as i32, shape(first_timestamp, number))?;
            number += 1;
            sent.store(number, Ordering::Relaxed);
        }
        thread::sleep(Duration::from_millis(2));
    }
    sender.flush()
}
