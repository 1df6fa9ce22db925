//! A proxy in front of a cluster that knows requests from responses.

mod address;
mod api;
mod connection;
mod faults;
mod frame;
mod front;

pub use api::Api;
pub use faults::Harm;
pub use front::KafkaProxy;
