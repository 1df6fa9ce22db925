//! Asking a running mirror over HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use e2e::Guarded;

const LIMIT: Duration = Duration::from_mins(2);

/// Where the log, in JSON, says that it listens.
pub(crate) fn listening_at(replicate: &Guarded) -> String {
    let started = Instant::now();
    loop {
        let found = replicate.stderr().lines().find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            line["address"].as_str().map(str::to_owned)
        });
        if let Some(address) = found {
            return address;
        }
        assert!(started.elapsed() < LIMIT, "{}", replicate.stderr());
        thread::sleep(Duration::from_millis(100));
    }
}

/// Status and body.
pub(crate) fn http_get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}
