//! A mirror, what is applied of it, and a replicator that runs.

use std::sync::Arc;

use kafka::{ClientOptions, Cluster, Plaintext};
use register::{Entry, RegisterLog};

use crate::support::{Stage, run, text, until};

pub(crate) const TOPICS: &str =
    "topics:\n- {name: pay.orders, clusters: [left], partitions: 3, replicationFactor: 1}\n";

/// Two files: what is applied, and what the replicator gets, which says running.
pub(crate) struct Bed {
    pub(crate) stage: Stage,
    pub(crate) own: String,
}

impl Bed {
    pub(crate) fn new() -> Self {
        Self::with_own("running")
    }

    /// The replicator's own file says this.
    pub(crate) fn with_own(meant: &str) -> Self {
        let stage = Stage::new();
        let own = write(&stage, "own.yaml", meant);
        Self { stage, own }
    }

    pub(crate) fn apply(&self, state: &str) {
        let file = write(&self.stage, "applied.yaml", state);
        run(&["apply", "-f", &file, "--auto-approve"]).code(0);
    }

    pub(crate) fn produce(&self, records: &str, journal: &str) {
        let journal = self.stage.path(journal);
        let more = ["--records", records, "--journal", text(&journal)];
        let verify = [
            "verify", "-f", &self.own, "--mirror", "pay", "--mode", "stamped",
        ];
        let phase = ["--phase", "write", "--topic", "pay.orders"];
        run(&[&verify[..], &phase, &more].concat()).code(0);
    }

    pub(crate) fn copied(&self) -> i64 {
        let ends = (0..3).filter_map(|it| self.stage.right.log_end_offset("pay.orders", it));
        ends.sum()
    }

    pub(crate) fn log(&self) -> RegisterLog {
        RegisterLog::new(self.right())
    }

    pub(crate) fn right(&self) -> Cluster {
        let servers = self.stage.right.bootstrap_servers();
        let servers: Vec<String> = servers.split(',').map(str::to_owned).collect();
        let options = ClientOptions::new(servers);
        let connected = Cluster::connect(options, Arc::new(Plaintext));
        self.stage.runtime.block_on(connected).unwrap()
    }

    /// Waits until so many records are copied, and until that is durable: whoever takes the mirror over repeats nothing then.
    pub(crate) fn until_copied(&self, records: i64) {
        let right = self.right();
        until("it is copied", || {
            let id = self.stage.left.cluster_id();
            let positions = replicator::positions(&right, "pay", id);
            let positions = self.stage.runtime.block_on(positions).unwrap_or_default();
            positions.values().map(|it| it.offset).sum::<i64>() == records
        });
        assert_eq!(self.copied(), records);
    }

    pub(crate) fn entry(&self) -> Entry {
        let log = self.log();
        self.stage
            .runtime
            .block_on(log.read())
            .unwrap()
            .entry("pay")
    }

    pub(crate) fn status(&self) -> serde_json::Value {
        let ended = run(&["status", "-f", &self.own, "--output", "json"]).code(0);
        ended.json()["mirrors"][0]["state"].clone()
    }
}

/// Writes the file with the mirror `pay` in this state.
pub(crate) fn write(stage: &Stage, name: &str, meant: &str) -> String {
    let file = stage.topology(&format!(
        "{TOPICS}mirrors:\n- {{name: pay, source: left, target: right, topicsPattern: 'pay\\..*', \
         replicationPolicy: {{type: identity}}, topicSync: {{interval: 500ms}}, state: {meant}}}\n"
    ));
    let own = stage.path(name);
    std::fs::rename(file, &own).unwrap();
    text(&own).to_owned()
}
