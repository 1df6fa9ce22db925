//! The clusters that rows are measured on, and one run of one engine on them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use e2e::{ClusterSpec, KafkaCluster, Pair, Workspace};
use rustix::process::Signal;

use crate::cores::{Cores, on, pin};
use crate::endpoint::Endpoint;
use crate::engines::{Delivery, Engine, Job, Running, Setting};
use crate::error::Result;
use crate::held_memory::{HeldMemory, free_bytes, wait_until_free};
use crate::topics;
use crate::watch::{EndOffsets, Goal, Measurement, watch};
use crate::workload::{PARTITIONS, Workload};

/// No engine gets longer for one run.
pub(crate) const RUN_LIMIT: Duration = Duration::from_mins(5);
const STOP_LIMIT: Duration = Duration::from_secs(20);
const HEAP_MEGABYTES: u32 = 1_024;

/// A broker of a benchmark's cluster.
pub(crate) fn spec() -> ClusterSpec {
    ClusterSpec {
        heap_megabytes: HEAP_MEGABYTES,
        ..ClusterSpec::single()
    }
    // what a run has copied is gone from the disk before the next has written as much
    .with("log.segment.delete.delay.ms", "0")
}

/// Two clusters, and how engines reach them.
#[derive(Debug)]
pub(crate) struct Bed {
    pub(crate) pair: Pair,
    pub(crate) source: Endpoint,
    pub(crate) target: Endpoint,
    pub(crate) delivery: Delivery,
}

impl Bed {
    /// Starts two clusters of the same settings, reached by their plain listeners.
    pub(crate) fn start(spec: &ClusterSpec, delivery: Delivery) -> Result<Self> {
        Self::start_apart(spec, spec, delivery)
    }

    /// Starts two clusters of different settings.
    pub(crate) fn start_apart(
        source: &ClusterSpec,
        target: &ClusterSpec,
        delivery: Delivery,
    ) -> Result<Self> {
        let pair = Pair {
            source: KafkaCluster::start(source)?,
            target: KafkaCluster::start(target)?,
        };
        Ok(Self {
            source: Endpoint::plain(pair.source.bootstrap_servers()),
            target: Endpoint::plain(pair.target.bootstrap_servers()),
            pair,
            delivery,
        })
    }

    /// Keeps both brokers on cores of their own.
    fn pin_brokers(&self, cores: &Cores) -> Result<()> {
        for (cluster, cores) in [
            (&self.pair.source, &cores.source),
            (&self.pair.target, &cores.target),
        ] {
            if let Some(process) = Self::only_broker(cluster)? {
                pin(process, cores)?;
            }
        }
        Ok(())
    }

    /// The process of a cluster's broker.
    fn only_broker(cluster: &KafkaCluster) -> Result<Option<u32>> {
        Ok(cluster.broker_process_id(1)?)
    }

    /// Kafka's jars.
    pub(crate) fn kafka(&self) -> &Path {
        self.pair.source.installation().home()
    }
}

/// One copy of a workload's topic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Copy<'a> {
    pub(crate) bed: &'a Bed,
    /// How the target is reached, where that is not the bed's own way.
    pub(crate) target: &'a Endpoint,
    /// Where each process has to stay, if anywhere.
    pub(crate) cores: Option<&'a Cores>,
    pub(crate) workload: Workload,
    pub(crate) records: u64,
    /// What a whole copy takes of the machine's memory, where brokers keep their data in it.
    pub(crate) memory_bytes: u64,
    /// Ends a run before all is copied.
    pub(crate) window: Option<Duration>,
    /// Tells the runs of this row from others on the same clusters.
    pub(crate) tag: &'a str,
}

impl Copy<'_> {
    /// The workload, and on which row.
    pub(crate) fn describe(&self) -> String {
        format!("{}, {}", self.workload.describe(), self.tag)
    }

    /// Runs an engine into a fresh topic until it is done or its time is over.
    pub(crate) fn run(&self, engine: Engine, run: u16, setting: Setting) -> Result<Measurement> {
        let workspace = Workspace::create("bench")?;
        let free = free_bytes(workspace.path())?;
        let memory = HeldMemory::take(self.memory_bytes);
        let alias = format!("{}{}{run}", engine.alias(), self.tag);
        let job = Job {
            source: &self.bed.source,
            target: self.target,
            topics: self.workload.topic(),
            codec: self.workload.codec(),
            alias: &alias,
            delivery: self.bed.delivery,
            records: self.records,
            produce_only: setting,
            kafka: self.bed.kafka(),
            workspace: &workspace,
        };
        let topic = job.target_topic(self.workload.topic());
        topics::create(self.target, &[&topic], PARTITIONS)?;
        let end_offsets = EndOffsets::of(self.target, &[&topic], PARTITIONS)?;
        let goal = Goal {
            records: self.records,
            exact: engine != Engine::ProduceOnly,
            window: self.window,
            limit: RUN_LIMIT,
            target_broker: Bed::only_broker(&self.bed.pair.target)?,
        };
        let mut running = match self.cores {
            Some(cores) => {
                // again: brokers start threads when they need them
                self.bed.pin_brokers(cores)?;
                on(&cores.engine, || engine.start(&job))?
            }
            None => engine.start(&job)?,
        };
        let measurement = watch(&mut running, &end_offsets, &goal, || memory.release())?;
        engine.check(&job)?;
        stop(running)?;
        topics::delete(self.target, &[&topic])?;
        if self.memory_bytes > 0 {
            wait_until_free(workspace.path(), free)?;
        }
        Ok(measurement)
    }
}

/// Ends an engine. Nothing of a JVM's run is used again, so it need not take its time.
pub(crate) fn stop(mut running: Running) -> Result<()> {
    if !running.engine.warms_up() {
        running.process.signal(Signal::TERM)?;
        // dropping kills what has not ended
        drop(running.process.wait(STOP_LIMIT));
    }
    Ok(())
}

/// Where brokers keep their logs.
pub(crate) fn data_directory() -> Result<PathBuf> {
    let workspace = Workspace::create("bench")?;
    Ok(workspace
        .path()
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default())
}
