//! What a provider of brokers can do.

use std::fmt::Debug;

use crate::Result;
use crate::security::Authority;

/// Runs the brokers of one cluster. Brokers are named by their index, from 0.
pub(crate) trait BrokerHost: Debug + Send {
    /// Starts a broker that is not running, on its old data when there is any.
    fn start(&mut self, index: usize) -> Result<()>;
    /// Ends a broker at once, as a crash would.
    fn kill(&mut self, index: usize) -> Result<()>;
    /// Asks a broker to shut down and waits until it has.
    fn stop(&mut self, index: usize) -> Result<()>;
    /// Freezes a broker: its connections stay open and nothing is answered.
    fn pause(&mut self, index: usize) -> Result<()>;
    /// Wakes a frozen broker.
    fn resume(&mut self, index: usize) -> Result<()>;
    /// Leaves no room on a broker's disk.
    fn fill_disk(&mut self, index: usize) -> Result<()>;
    /// Gives that room back; nothing is done to the broker.
    fn free_disk(&mut self, index: usize) -> Result<()>;
    /// Why a broker that should run does not, or `None` while it runs.
    fn ended(&mut self, index: usize) -> Result<Option<String>>;
    /// The end of a broker's log.
    fn log(&self, index: usize) -> String;
    /// Gives a secured broker another certificate, which it reads when it starts.
    fn write_certificates(&self, index: usize, authority: &Authority) -> Result<()>;
    /// The process id of a broker, where it is a process of this machine.
    fn process_id(&self, index: usize) -> Option<u32>;
}
