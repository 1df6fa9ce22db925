//! The same as `broker_restart_three`, and more of the brokers crash.

#[path = "support/restarts.rs"]
mod restarts;

use e2e::ClusterSpec;

#[test]
fn every_broker_on_each_side_in_turn() {
    restarts::survive(&ClusterSpec::three().with("min.insync.replicas", "2"), 3, 3);
}
