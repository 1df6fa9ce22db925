//! A long link on one machine: a TCP forwarder that holds every byte back for a fixed time.
//!
//! It delays without narrowing: each direction of each connection has a thread that reads and one that writes when
//! the time has come, so a connection carries what the loopback device carries, up to [`WINDOW_CHUNKS`] in transit.
//! A full window is not read any more, which is what TCP does on a real link. It does not look at what it carries:
//! faults that know requests and responses are [`crate::KafkaProxy`]'s.
//!
//! ```no_run
//! use std::time::Duration;
//! use e2e::{ClusterSpec, DelayedLink, KafkaCluster, ReservedPort};
//! # fn main() -> e2e::Result<()> {
//! let port = ReservedPort::any()?;
//! let cluster = KafkaCluster::start(&ClusterSpec::behind(port.number()))?;
//! let link = DelayedLink::to(&port, &cluster, Duration::from_millis(25))?; // 50 ms there and back
//! # drop((cluster, link)); Ok(()) }
//! ```

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::forwarding::Forwarding;
use crate::{KafkaCluster, ReservedPort, Result};

/// Largest piece that is read and held back as one.
const CHUNK: usize = 64 << 10;
/// Pieces of one direction of one connection that may be in transit: 64 MiB, which at 75 ms is 850 MB/s.
const WINDOW_CHUNKS: usize = 1024;

/// Forwards a port to another one with a delay, until dropped. Connections end with it.
#[derive(Debug)]
pub struct DelayedLink {
    forwarding: Forwarding,
}

/// Some bytes, and when they arrive on the other side.
type Piece = (Instant, Vec<u8>);

impl DelayedLink {
    /// In front of a cluster of one broker that was started with [`crate::ClusterSpec::behind`] this port. Clients
    /// that should see nothing but the link bootstrap at [`Self::port`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn to(port: &ReservedPort, cluster: &KafkaCluster, one_way: Duration) -> Result<Self> {
        let servers = cluster.bootstrap_servers();
        let direct = servers
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok())
            .unwrap_or_default();
        Self::start(port, direct, one_way)
    }

    /// Listens on `port` of 127.0.0.1 and forwards to `to` of 127.0.0.1; each byte takes `one_way` in each
    /// direction. The other side need not be up yet: a connection that it refuses is closed.
    ///
    /// # Errors
    /// [`Error::Program`] where the port cannot be listened on.
    pub fn start(port: &ReservedPort, to: u16, one_way: Duration) -> Result<Self> {
        let forwarding = Forwarding::start("a delayed link", port.number(), move |near| {
            connect(near, to, one_way)
        })?;
        Ok(Self { forwarding })
    }

    /// The port that clients connect to.
    pub fn port(&self) -> u16 {
        self.forwarding.port()
    }

    /// Ends all connections at once, as a link that breaks; new ones are accepted.
    pub fn cut(&self) {
        self.forwarding.cut();
    }
}

/// Starts both directions; returns handles that end them.
fn connect(near: &TcpStream, to: u16, one_way: Duration) -> std::io::Result<[TcpStream; 2]> {
    near.set_nonblocking(false)?;
    let far = TcpStream::connect((Ipv4Addr::LOCALHOST, to))?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    for (from, into) in [(near, &far), (&far, near)] {
        let (send, pieces) = sync_channel(WINDOW_CHUNKS);
        let (from, into) = (from.try_clone()?, into.try_clone()?);
        thread::spawn(move || take_in(from, &send, one_way));
        thread::spawn(move || give_out(into, &pieces));
    }
    Ok([near.try_clone()?, far])
}

fn take_in(mut from: TcpStream, send: &SyncSender<Piece>, one_way: Duration) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let piece = (Instant::now() + one_way, buffer[..read].to_vec());
        if send.send(piece).is_err() {
            // nobody can write it any more: let the sender notice
            let _ = from.shutdown(Shutdown::Both);
            return;
        }
    }
}

fn give_out(mut into: TcpStream, pieces: &Receiver<Piece>) {
    while let Ok((due, bytes)) = pieces.recv() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if into.write_all(&bytes).is_err() {
            break;
        }
    }
    // the end of the stream arrives behind its last byte
    let _ = into.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;

    const ONE_WAY: Duration = Duration::from_millis(30);

    /// A server that sends back what it gets, for one connection.
    fn echo() -> (u16, JoinHandle<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        let port = listener.local_addr().expect("an address").port();
        let serving = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut copy = stream.try_clone().expect("a handle");
            // ends with the connection, cleanly or not
            let _ = std::io::copy(&mut stream, &mut copy);
            let _ = stream.shutdown(Shutdown::Write);
        });
        (port, serving)
    }

    #[test]
    fn bytes_take_their_time_arrive_unchanged_and_do_not_wait_for_each_other() {
        let (to, serving) = echo();
        let port = ReservedPort::any().expect("a port");
        let link = DelayedLink::start(&port, to, ONE_WAY).expect("a link");
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, link.port())).expect("up");
        stream.set_nodelay(true).expect("no delay");
        let sent: Vec<u8> = (0..2_000_000_u32).map(|i| (i % 251) as u8).collect();
        let started = Instant::now();
        let mut writing = stream.try_clone().expect("a handle");
        let all = sent.clone();
        let writer = thread::spawn(move || {
            for chunk in all.chunks(10_000) {
                writing.write_all(chunk).expect("written");
            }
            writing.shutdown(Shutdown::Write).expect("ended");
        });
        let mut first = [0];
        stream.read_exact(&mut first).expect("a byte");
        let first_after = started.elapsed();
        let mut received = first.to_vec();
        stream.read_to_end(&mut received).expect("the rest");
        writer.join().expect("writer");
        serving.join().expect("server");
        assert!(first_after >= 2 * ONE_WAY, "{first_after:?}");
        assert!(received == sent, "{} bytes came back", received.len());
        // two hundred pieces one after the other would take twelve seconds
        assert!(started.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn a_cut_ends_connections_and_new_ones_come_up() {
        let (to, serving) = echo();
        let port = ReservedPort::any().expect("a port");
        let link = DelayedLink::start(&port, to, Duration::ZERO).expect("a link");
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, link.port())).expect("up");
        stream.write_all(b"x").expect("written");
        stream.read_exact(&mut [0]).expect("echoed");
        link.cut();
        assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
        serving.join().expect("server");
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, link.port())).is_ok());
    }
}
