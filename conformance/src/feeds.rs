//! Reads a topic on threads of its own, so that reading and checking do not wait for each other. What a partition holds comes in
//! its order; between partitions there is none.

use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel,
};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use crate::Error;
use crate::asker::{Asker, Span};
use crate::batch::Batch;
use crate::reader::{Reader, Step};

/// So many readers at most: librdkafka works on a thread of its own for each.
const READERS: usize = 2;
/// Batches on their way from each reader.
const UNDERWAY: usize = 4;
/// Beyond the captured ends a record is passed on after this long, whether others follow it or not.
const FRESH: Duration = Duration::from_millis(50);
/// How late who waits for a batch hears that it should stop.
const LISTEN: Duration = Duration::from_millis(100);

/// What a reader has to say.
struct Fed {
    from: usize,
    batch: Batch,
    /// Whether it has read up to the captured ends.
    reached: bool,
    /// How often it has captured them anew.
    looks: u32,
    /// For how long nothing had arrived, where nothing arrived just now.
    quiet: Option<Duration>,
}

/// Where a reader stands.
#[derive(Debug, Clone, Copy, Default)]
struct Stand {
    reached: bool,
    quiet: Option<Duration>,
}

/// Several readers of one topic. They end when this is dropped, and are waited for by their scope.
pub(crate) struct Feeds {
    fed: Receiver<Result<Fed, Error>>,
    orders: Vec<Sender<()>>,
    stands: Vec<Stand>,
    /// How often they were told to look again: what one says of the ends before that is out of date.
    looks: u32,
}

impl Feeds {
    /// Begins to read these partitions, each from its offset to its end and beyond. `queued_kib` bounds what librdkafka holds
    /// ahead, in all.
    pub(crate) fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        asker: &'scope Asker<'scope>,
        topic: &'scope str,
        spans: &[Span],
        queued_kib: u32,
    ) -> Self {
        let readers = spans.len().clamp(1, READERS);
        let (tell, fed) = sync_channel(UNDERWAY * readers);
        let mut orders = Vec::with_capacity(readers);
        for from in 0..readers {
            let own: Vec<Span> = spans.iter().skip(from).step_by(readers).copied().collect();
            let (order, orders_of) = channel();
            orders.push(order);
            let reading = Reading {
                from,
                tell: tell.clone(),
                orders: orders_of,
            };
            let queued_kib = queued_kib / readers as u32;
            scope.spawn(move || reading.read(asker, topic, &own, queued_kib));
        }
        Self {
            fed,
            orders,
            stands: vec![Stand::default(); readers],
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
        if let Some(stand) = self.stands.get_mut(fed.from) {
            stand.reached = fed.reached && fed.looks == self.looks;
            stand.quiet = fed.quiet;
        }
        Ok(Some(fed.batch))
    }

    /// Whether every partition was read up to its captured end, and all of that was handed out.
    pub(crate) fn reached(&self) -> bool {
        self.stands.iter().all(|stand| stand.reached)
    }

    /// For how long nothing has arrived; `None` where something arrived just now.
    pub(crate) fn quiet_for(&self) -> Option<Duration> {
        let quiets: Option<Vec<Duration>> = self.stands.iter().map(|stand| stand.quiet).collect();
        quiets?.into_iter().min()
    }

    /// Moves the end of every partition to where the log ends now.
    pub(crate) fn look_again(&mut self) {
        self.looks += 1;
        for (stand, order) in self.stands.iter_mut().zip(&self.orders) {
            stand.reached = false;
            // who has ended has said why
            let _ = order.send(());
        }
    }
}

/// One of the readers.
struct Reading {
    from: usize,
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
                from: self.from,
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
