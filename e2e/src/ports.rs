//! Ports that stay ours while a broker is down.
//!
//! A broker must come back on its old port. Ports that the kernel hands out for outgoing connections could be
//! taken in between, so these come from below the ephemeral range, and a lock file per port keeps concurrent test
//! processes apart.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};

use crate::workspace::root;
use crate::{Error, Result};

const FIRST: u16 = 20_000;
const LAST: u16 = 31_999;

/// A local TCP port that no other test process takes until this value is dropped.
#[derive(Debug)]
pub struct ReservedPort {
    number: u16,
    _lock: File,
}

impl ReservedPort {
    /// Reserves a port on which nothing listens.
    pub fn any() -> Result<Self> {
        let directory = root()?.join("ports");
        fs::create_dir_all(&directory).map_err(Error::file("creating", &directory))?;
        let range = LAST - FIRST + 1;
        // processes start at different places, so that they seldom meet
        let offset = (std::process::id() % u32::from(range)) as u16;
        for step in 0..range {
            let number = FIRST + (offset + step) % range;
            let path = directory.join(number.to_string());
            let lock = File::create(&path).map_err(Error::file("creating", &path))?;
            if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self {
                    number,
                    _lock: lock,
                });
            }
        }
        Err(Error::NoFreePort {
            first: FIRST,
            last: LAST,
        })
    }

    /// The port's number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_ports_differ_while_both_are_held() {
        let first = ReservedPort::any().expect("a port");
        let second = ReservedPort::any().expect("a port");
        assert_ne!(first.number(), second.number());
    }
}
