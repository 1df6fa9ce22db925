//! The source's and then the target's broker crash and come back under a continuous mirror: it recovers by itself, and
//! nothing is lost.

#[path = "support/restarts.rs"]
mod restarts;

use e2e::ClusterSpec;

#[test]
fn one_broker_on_each_side() {
    restarts::survive(&ClusterSpec::single(), 1, 1);
}
