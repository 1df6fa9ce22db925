//! Where mirrors on machines serve metrics and health: loopback, each on a port of its own.

use crate::request::Request;
use crate::setting::{Setting, Takes};

/// Where nothing else is said.
const FIRST_PORT: &str = "9464";
/// Leaves room for the mirrors behind the first.
const LAST_FIRST_PORT: u16 = 60_000;

/// For machines that run mirrors of several topologies.
pub(super) const FIRST_PORT_SETTING: Setting = Setting {
    name: "first-port",
    about: "the port of the first mirror's metrics; each further one has the next (9464)",
    takes: Takes::Text(first_port),
};

/// Addresses, one mirror after the other, as the setting of this target says.
pub(super) fn addresses(request: &Request<'_>, target: &str) -> impl Iterator<Item = String> {
    let first = request.setting(target, FIRST_PORT_SETTING.name, FIRST_PORT);
    // what is no port was refused with the settings
    let first = first.parse::<u32>().unwrap_or_default();
    (first..).map(|port| format!("127.0.0.1:{port}"))
}

fn first_port(written: &str) -> Result<(), String> {
    match written.parse::<u16>() {
        Ok(1..=LAST_FIRST_PORT) => Ok(()),
        Ok(_) | Err(_) => Err(format!("is no port from 1 to {LAST_FIRST_PORT}")),
    }
}
