//! Thousands of partitions with a few records each: memory, and what it costs to wait.

use std::thread;
use std::time::{Duration, Instant};

use e2e::Workspace;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};

use crate::bed::{Bed, RUN_LIMIT, spec, stop};
use crate::cli::Arguments;
use crate::endpoint::Endpoint;
use crate::engines::{Engine, Job, SETTINGS};
use crate::error::{Error, Result};
use crate::progress::{Plan, Progress, result};
use crate::results::{ManyPartitions, Results};
use crate::topics;
use crate::watch::{EndOffsets, Goal, cpu_seconds, peak_rss, watch};

/// Partitions of one of many topics.
const EACH: i32 = 100;
/// Records of one partition.
pub(crate) const RECORDS_EACH: u64 = 20;
/// Bytes of a record.
pub(crate) const RECORD_SIZE: usize = 100;
/// Topics created in one request: controllers refuse more than 10,000 partitions at once.
const TOPICS_A_REQUEST: usize = 20;
/// Until what follows copying has calmed down.
const SETTLE: Duration = Duration::from_secs(5);
const WRITE_LIMIT: Duration = Duration::from_mins(5);

pub(crate) fn plan(arguments: &Arguments) -> Plan {
    Plan {
        steps: if arguments.engines().contains(&Engine::Mirrorctl) {
            2
        } else {
            0
        },
        each: Duration::from_secs(30) + arguments.idle_window() / 2,
    }
}

pub(crate) fn measure(
    arguments: &Arguments,
    progress: &mut Progress,
    results: &mut Results,
) -> Result<()> {
    if !arguments.engines().contains(&Engine::Mirrorctl) {
        return Ok(());
    }
    let plan = plan(arguments);
    let bed = Bed::start(&spec(), arguments.delivery)?;
    let workspace = Workspace::create("bench")?;
    let count = usize::from(arguments.hundred_partitions);
    let partitions = count as u64 * u64::from(EACH.unsigned_abs());
    progress.step(plan, &format!("{partitions} partitions: writing"));
    let names: Vec<String> = (0..count).map(|number| format!("many-{number}")).collect();
    let job = Job {
        source: &bed.source,
        target: &bed.target,
        topics: "many-.*",
        codec: "none",
        alias: "builtinmany",
        delivery: bed.delivery,
        records: partitions * RECORDS_EACH,
        produce_only: SETTINGS[0],
        kafka: bed.kafka(),
        workspace: &workspace,
    };
    let target_names: Vec<String> = names.iter().map(|name| job.target_topic(name)).collect();
    create(&bed.source, &names)?;
    create(&bed.target, &target_names)?;
    write(&bed.source, &names)?;
    let target_topics: Vec<&str> = target_names.iter().map(String::as_str).collect();
    let end_offsets = EndOffsets::of(&bed.target, &target_topics, EACH)?;

    progress.step(
        plan,
        &format!("{partitions} partitions: copying, then idle"),
    );
    let goal = Goal {
        target_broker: None,
        records: job.records,
        exact: true,
        window: None,
        limit: RUN_LIMIT,
    };
    let mut running = Engine::Mirrorctl.start(&job)?;
    let copy = watch(&mut running, &end_offsets, &goal, || ())?;
    thread::sleep(SETTLE);
    let pid = running.process.pid();
    let (began, before) = (Instant::now(), cpu_seconds(pid)?);
    thread::sleep(arguments.idle_window());
    let idle_cpu = (cpu_seconds(pid)? - before) / began.elapsed().as_secs_f64();
    let measured = ManyPartitions {
        partitions,
        topics: count,
        records: job.records,
        copy,
        peak_rss_bytes: peak_rss(pid)?,
        idle_seconds: began.elapsed().as_secs_f64(),
        idle_cpu_share: idle_cpu,
    };
    result(&format!(
        "peak RSS {:.0} MB, {:.2} % of a core when idle, all copied after {:.1} s",
        measured.peak_rss_bytes as f64 / 1e6,
        idle_cpu * 100.0,
        copy.first_record_seconds + copy.copy_seconds
    ));
    results.partitions = Some(measured);
    stop(running)
}

fn create(cluster: &Endpoint, names: &[String]) -> Result<()> {
    names.chunks(TOPICS_A_REQUEST).try_for_each(|names| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        topics::create(cluster, &names, EACH)
    })
}

/// Writes the same few records to every partition.
fn write(cluster: &Endpoint, topics: &[String]) -> Result<()> {
    let failed = |source| Error::Client {
        action: "writing to many partitions",
        source,
    };
    let producer: ThreadedProducer<DefaultProducerContext> = cluster
        .client()
        .set("linger.ms", "500")
        .set("enable.idempotence", "true")
        .set("queue.buffering.max.messages", "1000000")
        .create()
        .map_err(failed)?;
    let value = [b'x'; RECORD_SIZE];
    let started = Instant::now();
    for topic in topics {
        for partition in 0..EACH {
            for _ in 0..RECORDS_EACH {
                let mut record: BaseRecord<'_, (), [u8]> =
                    BaseRecord::to(topic).partition(partition).payload(&value);
                loop {
                    match producer.send(record) {
                        Ok(()) => break,
                        Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back))
                            if started.elapsed() < WRITE_LIMIT =>
                        {
                            record = back;
                            thread::sleep(Duration::from_millis(5));
                        }
                        Err((error, _)) => return Err(failed(error)),
                    }
                }
            }
        }
    }
    producer.flush(WRITE_LIMIT).map_err(failed)
}
