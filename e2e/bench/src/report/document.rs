//! `RESULTS.md`.

use std::path::{Path, PathBuf};

use super::markdown::markdown;
use super::sections::sections;
use crate::demands::demands;
use crate::error::{Error, Result};
use crate::results::Results;
use crate::rows::{WARM_UPS, WARM_UPS_APART};

/// Writes the results next to the benchmark's sources and returns where that is.
pub(crate) fn write(results: &Results) -> Result<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md");
    std::fs::write(&path, document(results)).map_err(|source| Error::Write {
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

fn document(results: &Results) -> String {
    let machine = &results.machine;
    let arguments = &results.arguments;
    let mut text = format!(
        "# mirrorctl against MirrorMaker 2\n\n\
         Written by `cargo xtask bench -- --write`; not to be edited.\n\n\
         | | |\n| --- | --- |\n\
         | date | {date} |\n\
         | mirrorctl | {revision}, release build, `delivery: {delivery}` |\n\
         | Apache Kafka, MirrorMaker 2 | {kafka} |\n\
         | JVM | {jvm} |\n\
         | kernel | {kernel} |\n\
         | processor | {cpu}, {cores} cores for brokers, engine and benchmark together |\n\
         | memory | {memory:.1} GB |\n\
         | load before | {load} |\n\
         | brokers' data | {data} |\n\
         | runs | medians of {runs}, engines in turn, another one first in every round; {WARM_UPS} copies before that do not count |\n\
         | records | {percent} % of the workloads |\n\
         | took | {minutes:.0} minutes |\n\n",
        date = machine.date,
        revision = machine.revision,
        delivery = arguments.delivery.describe(),
        kafka = machine.kafka,
        jvm = machine.jvm,
        kernel = machine.kernel,
        cpu = machine.cpu,
        cores = machine.cores,
        memory = machine.memory_bytes as f64 / 1e9,
        load = machine.load_before,
        data = machine.data.display(),
        runs = arguments.runs,
        percent = arguments.percent,
        minutes = results.minutes,
    );
    for section in sections(results, &demands(results)) {
        text += &markdown(&section);
    }
    text += &method(results);
    text
}

fn method(results: &Results) -> String {
    format!(
        "## How it was measured\n\n\
         - One broker a side on this machine, loopback, replication factor 1, `-Xmx1g`, 8 partitions unless said \
         otherwise, source batches of 512 KB, records drawn at random from 20,000 JSON events. Other broker settings are \
         Kafka's defaults; on the long links both sides have `socket.receive.buffer.bytes=-1`.\n\
         - *Throughput* and *CPU* count from the last look that saw an empty target to the last look of the run; the \
         target's end offsets are looked at every 20 ms. Starting (a JVM, a group) counts in neither; it is the time to \
         the first record. CPU is user and system time of the engine's process alone.\n\
         - MirrorMaker 2's runs end after {window} s of copying, done or not. A JVM compiles as it goes, so for \
         MirrorMaker 2 the figures are those of the later half of the run where these are better. For mirrorctl the \
         whole run counts.\n\
         - *Tuned* MirrorMaker 2: 4 tasks, 512 KB batches, linger 20 ms, 10,000 records a poll, 4 MB partition fetch, \
         the source's codec, 5 requests in flight, idempotent; looked up in what its clients log. *Default*: nothing \
         set. Both have the heap and collector of Kafka's start script, no heartbeats, no checkpoints. The same tuned \
         settings are used on the long links.\n\
         - mirrorctl runs with its defaults and the delivery named above.\n\
         - *Produce-only*: a program of its own that shares no code with the replicator sends batches of the source, \
         read into memory once, with new sequences, idempotent and `acks=all`, a batch a partition a request. Several \
         numbers of connections and requests in flight are tried before the rounds, and the fastest is used in them. \
         The source broker is idle meanwhile, so this is an upper bound for a copy on the same cores.\n\
         - *Each process on cores of its own*: where all share the cores, a copy runs the source broker too, and takes that \
         time from the target broker, which produce-only leaves to it. So what a copy reaches of produce-only is judged where \
         source broker, engine and target broker are kept on disjoint cores (`sched_setaffinity`: brokers with all their \
         threads, again before every run; engines from their start), the same in both runs, and what it is on shared cores \
         is written beside it. The target broker has so few cores that it is the limit: the table has its user and system \
         time. {WARM_UPS_APART} copies before do not count.\n\
         - A virtual machine gets memory that it gave back to its host only slowly, which would limit whoever writes \
         fastest. So in the throughput rows, where brokers keep their data in memory, as much as a copy takes is held in use \
         before every run, and let go of during it at 2 GB/s, for every engine.\n\
         - *Memory* is the kernel's high-water mark of the resident set (`VmHWM`). 1 MB is 10^6 bytes.\n\
         - *Long links*: the engine is near the source; every connection to the target goes through a forwarder that \
         holds each byte back for half the round trip in each direction, without loss and without a limit of its own. \
         It takes CPU of the same cores.\n\
         - Ratios are rounded down, sizes and times that should be small are rounded up.\n",
        window = results.arguments.window().as_secs(),
    )
}
