//! Reads a topic on a thread of its own, so that reading and checking do not wait for each other. One thread, not several: then
//! partitions come by turns as librdkafka hands them out, and what a seed has brought to light it brings to light again.

use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel,
};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use crate::Error;
use crate::asker::{Asker, Span};
use crate::batch::Batch;
use crate::reader::{Reader, Step};

/// Batches on their way.
const UNDERWAY: usize = 4;
/// Beyond the captured ends a record is passed on after this long, whether others follow it or not.
const FRESH: Duration = Duration::from_millis(50);
/// How late who waits for a batch hears that it should stop.
const LISTEN: Duration = Duration::from_millis(100);

/// What the reader has to say.
struct Fed {
    batch: Batch,
    /// Whether it has read up to the captured ends.
    reached: bool,
    /// How often it has captured them anew.
    looks: u32,
    /// For how long nothing had arrived, where nothing arrived just now.
    quiet: Option<Duration>,
}

/// A reader of a topic. It ends when this is dropped, and is waited for by its scope.
pub(crate) struct Feed {
    fed: Receiver<Result<Fed, Error>>,
    order: Sender<()>,
    reached: bool,
    quiet: Option<Duration>,
    /// How often it was told to look again: what it says of the ends before that is out of date.
    looks: u32,
}

impl Feed {
    /// Begins to read these partitions, each from its offset to its end and beyond. `queued_kib` bounds what librdkafka holds
    /// ahead.
    pub(crate) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        asker: &'scope Asker<'scope>,
        topic: &'scope str,
        spans: &[Span],
        queued_kib: u32,
    ) -> Self {
        let (tell, fed) = sync_channel(UNDERWAY);
        let (order, orders) = channel();
        let reading = Reading { tell, orders };
        let spans = spans.to_vec();
        scope.spawn(move || reading.read(asker, topic, &spans, queued_kib));
        Self {
            fed,
            order,
            reached: false,
            quiet: None,
            looks: 0,
        }
    }

    /// The next records, if some come within 100 ms. An empty batch is no end.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>, Error> {
        let fed = match self.fed.recv_timeout(LISTEN) {
            Ok(fed) => fed?,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => return Err(panicked()),
        };
        self.reached = fed.reached && fed.looks == self.looks;
        self.quiet = fed.quiet;
        Ok(Some(fed.batch))
    }

    /// Whether every partition was read up to its captured end, and all of that was handed out.
    pub(crate) fn reached(&self) -> bool {
        self.reached
    }

    /// For how long nothing has arrived; `None` where something arrived just now.
    pub(crate) fn quiet_for(&self) -> Option<Duration> {
        self.quiet
    }

    /// Moves the end of every partition to where the log ends now.
    pub(crate) fn look_again(&mut self) {
        self.looks += 1;
        self.reached = false;
        // who has ended has said why
        let _ = self.order.send(());
    }
}

/// The reader.
struct Reading {
    tell: SyncSender<Result<Fed, Error>>,
    orders: Receiver<()>,
}

impl Reading {
    fn read(self, asker: &Asker<'_>, topic: &str, spans: &[Span], queued_kib: u32) {
        if let Err(error) = self.follow(asker, topic, spans, queued_kib) {
            // nobody listens where everything is over
            let _ = self.tell.send(Err(error));
        }
    }

    fn follow(
        &self,
        asker: &Asker<'_>,
        topic: &str,
        spans: &[Span],
        queued_kib: u32,
    ) -> Result<(), Error> {
        let mut reader = Reader::open(asker, queued_kib);
        reader.assign(topic, spans)?;
        let mut batch = Batch::default();
        let mut began = Instant::now();
        let (mut said_reached, mut looks) = (false, 0);
        loop {
            if batch.is_empty() {
                match self.orders.try_recv() {
                    Ok(()) => {
                        reader.capture_ends()?;
                        said_reached = false;
                        looks += 1;
                    }
                    Err(TryRecvError::Empty) => {}
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
                began = Instant::now();
            }
            let step = reader.poll(|partition, offset, record| {
                batch.put(partition, offset, record);
                Ok(())
            })?;
            let reached = reader.reached();
            let is_due = batch.is_full()
                || step == Step::Quiet
                || (reached && (!said_reached || began.elapsed() >= FRESH));
            if !is_due {
                continue;
            }
            said_reached = reached;
            let fed = Fed {
                batch: std::mem::take(&mut batch),
                reached,
                looks,
                quiet: (step == Step::Quiet).then(|| reader.quiet_for()),
            };
            if self.tell.send(Ok(fed)).is_err() {
                return Ok(());
            }
        }
    }
}

/// Who waits for a reader hears of its panic, too; the scope passes the panic itself on.
impl Drop for Reading {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.tell.send(Err(panicked()));
        }
    }
}

fn panicked() -> Error {
    Error::Invalid("who read a topic panicked".to_owned())
}
