//! When is a broker ready? When it answers metadata itself and knows the brokers that it should.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::provider::BrokerHost;
use crate::{Error, Result};

const LIMIT: Duration = Duration::from_secs(90);
const PROBE: Duration = Duration::from_secs(2);

/// Waits until the broker at `address` answers and sees `expected` brokers.
pub(crate) fn wait_until_ready(
    host: &mut dyn BrokerHost,
    index: usize,
    broker: u16,
    address: &str,
    expected: usize,
) -> Result<()> {
    let started = Instant::now();
    loop {
        let reason = match probe(address) {
            Ok(seen) if seen >= expected => return Ok(()),
            Ok(seen) => format!("it sees {seen} of {expected} brokers"),
            Err(error) => error.to_string(),
        };
        let ended = host.ended(index)?;
        if ended.is_some() || started.elapsed() > LIMIT {
            return Err(Error::NotReady {
                broker,
                waited: started.elapsed(),
                reason: ended.unwrap_or(reason),
                log: host.log(index),
            });
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How many brokers the broker at `address` knows.
fn probe(address: &str) -> Result<usize> {
    // a new client each time: one that has learned of other brokers would ask those
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("log_level", "0")
        .create()
        .map_err(Error::client("creating a client"))?;
    let metadata = client
        .fetch_metadata(None, PROBE)
        .map_err(Error::client(format!("asking {address} for metadata")))?;
    Ok(metadata.brokers().len())
}
