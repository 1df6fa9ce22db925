//! The listening half of everything that stands between a client and a broker.

use std::fmt;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{Error, Result};

/// How often the accepting thread looks whether it should end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(2);

/// Accepts on a port of 127.0.0.1, until dropped. Connections end with it.
pub(crate) struct Forwarding {
    port: u16,
    stop: Arc<AtomicBool>,
    /// Handles of every connection, both sides of each.
    connections: Arc<Mutex<Vec<TcpStream>>>,
    accepting: Option<JoinHandle<()>>,
}

impl Forwarding {
    /// Gives each connection to `forward`, which starts what moves its bytes and returns handles that end it. One that it
    /// refuses is closed. No connection is being opened while [`Self::cut`] runs.
    ///
    /// # Errors
    /// [`Error::Program`] where the port cannot be listened on.
    pub(crate) fn start(
        program: &str,
        port: u16,
        forward: impl Fn(&TcpStream) -> std::io::Result<[TcpStream; 2]> + Send + 'static,
    ) -> Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(Error::program(program))?;
        listener
            .set_nonblocking(true)
            .map_err(Error::program(program))?;
        let stop = Arc::new(AtomicBool::new(false));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let accepting = thread::spawn({
            let (stop, connections) = (stop.clone(), connections.clone());
            move || accept(&listener, &forward, &stop, &connections)
        });
        Ok(Self {
            port,
            stop,
            connections,
            accepting: Some(accepting),
        })
    }

    /// The port that clients connect to.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends all connections at once, as a link that breaks; new ones are accepted.
    pub(crate) fn cut(&self) {
        let mut connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for connection in connections.drain(..) {
            // one that has ended by itself needs no ending
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl fmt::Debug for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarding")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(accepting) = self.accepting.take() {
            // a panic there was printed there
            let _ = accepting.join();
        }
        self.cut();
    }
}

fn accept(
    listener: &TcpListener,
    forward: &dyn Fn(&TcpStream) -> std::io::Result<[TcpStream; 2]>,
    stop: &AtomicBool,
    connections: &Mutex<Vec<TcpStream>>,
) {
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((near, _)) => {
                let mut connections = connections.lock().unwrap_or_else(PoisonError::into_inner);
                // a connection that cannot be forwarded is closed by being dropped
                if let Ok(both) = forward(&near) {
                    connections.extend(both);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(ACCEPT_PAUSE),
            Err(_) => return,
        }
    }
}
