//! The same as `broker_restart` with three brokers on each side, of which leaders crash.

#[path = "support/restarts.rs"]
mod restarts;

use e2e::ClusterSpec;

#[test]
fn three_brokers_on_each_side() {
    restarts::survive(&ClusterSpec::three().with("min.insync.replicas", "2"), 3, 1);
}
