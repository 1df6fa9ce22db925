//! One connection: a thread that writes requests, a thread that reads answers.

use std::io::{IoSlice, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::batch::{Batch, HEADER, Producer, next_sequence};
use super::error::Error;
use super::wire::{Connection, Request};

/// What all connections have in common.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) topic: &'a str,
    pub(crate) producer: Producer,
    /// How many records each partition gets at least.
    pub(crate) share: u64,
    /// Requests in flight; the broker recognises the last five batches of a partition.
    pub(crate) in_flight: usize,
}

/// A partition's batches, and how far they are sent.
#[derive(Debug)]
pub(crate) struct Lane {
    partition: i32,
    batches: Vec<Batch>,
    next: usize,
    sequence: i32,
    sent: u64,
}

impl Lane {
    pub(crate) fn new(partition: i32, batches: Vec<Batch>) -> Self {
        Self {
            partition,
            batches,
            next: 0,
            sequence: 0,
            sent: 0,
        }
    }

    /// The next batch and its header.
    fn take(&mut self, producer: Producer) -> (i32, [u8; HEADER], &[u8]) {
        let batch = &self.batches[self.next];
        let header = batch.stamped(producer, self.sequence);
        self.next = (self.next + 1) % self.batches.len();
        self.sequence = next_sequence(self.sequence, batch.records);
        self.sent += u64::from(batch.records.unsigned_abs());
        (self.partition, header, &batch.payload)
    }
}

/// Sends every lane's share over a connection of its own and waits for all acknowledgements.
pub(crate) fn send_all(
    address: &str,
    mut lanes: Vec<Lane>,
    setting: &Setting<'_>,
) -> Result<(), Error> {
    let mut connection = Connection::open(address)?;
    let reader = connection.reader()?;
    // one more is with the reader
    let (in_flight, answers) = sync_channel(setting.in_flight - 1);
    thread::scope(|scope| {
        let reading = scope.spawn(move || acknowledge(reader, &answers));
        loop {
            let open: Vec<&mut Lane> = lanes
                .iter_mut()
                .filter(|lane| lane.sent < setting.share)
                .collect();
            // the reader ends before us only with an error
            if open.is_empty() || in_flight.send(open.len()).is_err() {
                break;
            }
            let failed = connection.failed();
            write(&mut connection.stream, open, setting).map_err(failed)?;
        }
        drop(in_flight);
        reading
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Writes one request: a batch of every lane, headers and payloads from where they are.
fn write(
    stream: &mut TcpStream,
    lanes: Vec<&mut Lane>,
    setting: &Setting<'_>,
) -> std::io::Result<()> {
    let mut request = Request::produce(setting.topic, lanes.len());
    let mut pieces: Vec<(Vec<u8>, &[u8])> = Vec::with_capacity(lanes.len());
    let mut following = 0;
    for (index, lane) in lanes.into_iter().enumerate() {
        let (partition, header, payload) = lane.take(setting.producer);
        let mut before = partition.to_be_bytes().to_vec();
        before.extend(((HEADER + payload.len()) as i32).to_be_bytes());
        before.extend(header);
        following += payload.len();
        if index == 0 {
            request.bytes.extend(&before);
            pieces.push((Vec::new(), payload));
        } else {
            following += before.len();
            pieces.push((before, payload));
        }
    }
    pieces[0].0 = request.finish(following);
    let mut slices: Vec<IoSlice<'_>> = pieces
        .iter()
        .flat_map(|(before, payload)| [IoSlice::new(before), IoSlice::new(payload)])
        .collect();
    let mut rest = slices.as_mut_slice();
    while !rest.is_empty() {
        let written = stream.write_vectored(rest)?;
        if written == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut rest, written);
    }
    Ok(())
}

/// Reads an answer for every request written, until there are no more.
fn acknowledge(mut connection: Connection, requests: &Receiver<usize>) -> Result<(), Error> {
    for partitions in requests {
        let mut answer = connection.receive()?;
        answer.skip(4)?; // one topic
        let name = answer.i16()?;
        answer.skip(name as usize + 4)?;
        for _ in 0..partitions {
            answer.skip(4)?; // the partition's index
            let code = answer.i16()?;
            if code != 0 {
                return Err(connection.refused("Produce", code));
            }
            answer.skip(8 + 8 + 8)?; // base offset, append time, start of the log
            // refused records and a message come with an error alone
            let refused = answer.i32()?;
            debug_assert!(refused <= 0);
            let message = answer.i16()?;
            answer.skip(message.max(0) as usize)?;
        }
    }
    Ok(())
}
