//! Watching an engine from outside: the target's end offsets, and the kernel's books on its process.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde::Serialize;

use crate::engines::{Engine, Running};
use crate::error::{Error, Result};

const SAMPLE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(10);

/// One engine's run over one workload.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Measurement {
    /// From the start of the process to the first sample that saw a record.
    pub(crate) first_record_seconds: f64,
    /// From the last sample that saw none to the first that saw all.
    pub(crate) copy_seconds: f64,
    pub(crate) records_per_second: f64,
    /// User and system time of the process until then, per million records.
    pub(crate) cpu_seconds_per_million: f64,
    pub(crate) peak_rss_bytes: u64,
}

/// Watches an engine until the target holds `records` records.
pub(crate) fn watch(
    engine: Engine,
    running: &mut Running,
    target: &EndOffsets,
    records: u64,
    limit: Duration,
) -> Result<Measurement> {
    let mut last_empty = running.started;
    let mut first_seen = None;
    loop {
        let now = Instant::now();
        let copied = target.total()?;
        // the sample is as old as the moment before it was asked for
        if copied == 0 {
            last_empty = now;
        } else {
            first_seen.get_or_insert_with(Instant::now);
        }
        if copied > records {
            return Err(Error::TooMany {
                engine: engine.describe(),
                copied,
                records,
            });
        }
        if copied == records {
            let done = Instant::now();
            let copy = done.duration_since(last_empty).as_secs_f64();
            let pid = running.process.pid();
            let first_seen = first_seen.unwrap_or(done);
            return Ok(Measurement {
                first_record_seconds: first_seen.duration_since(running.started).as_secs_f64(),
                copy_seconds: copy,
                records_per_second: records as f64 / copy,
                cpu_seconds_per_million: cpu_seconds(pid)? * 1e6 / records as f64,
                peak_rss_bytes: peak_rss(pid)?,
            });
        }
        if let Some(status) = running.process.try_wait()? {
            let output = format!(
                "{status}\n{}{}",
                running.process.stdout(),
                running.process.stderr()
            );
            return Err(Error::EngineEnded {
                engine: engine.describe(),
                copied,
                records,
                output,
            });
        }
        if running.started.elapsed() > limit {
            return Err(Error::TooSlow {
                engine: engine.describe(),
                copied,
                records,
                limit,
            });
        }
        std::thread::sleep(SAMPLE.saturating_sub(now.elapsed()));
    }
}

/// The end offsets of a topic, asked for in one request.
pub(crate) struct EndOffsets {
    client: BaseConsumer,
    topic: String,
    partitions: TopicPartitionList,
}

impl EndOffsets {
    pub(crate) fn of(servers: &str, topic: &str, partitions: i32) -> Result<Self> {
        let failed = |source| Error::Offsets {
            topic: topic.to_owned(),
            source,
        };
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", servers)
            .set("log_level", "0")
            .create()
            .map_err(failed)?;
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            // as a "timestamp", the end is the special value that asks for the end offset
            list.add_partition_offset(topic, partition, Offset::End)
                .map_err(failed)?;
        }
        Ok(Self {
            client,
            topic: topic.to_owned(),
            partitions: list,
        })
    }

    /// The sum over all partitions. Asks again for a while where the broker is not ready: a new topic has no leaders
    /// for a moment.
    pub(crate) fn total(&self) -> Result<u64> {
        let started = Instant::now();
        loop {
            match self.ask() {
                Ok(total) => return Ok(total),
                Err(_) if started.elapsed() < PATIENCE => std::thread::sleep(SAMPLE),
                Err(source) => {
                    return Err(Error::Offsets {
                        topic: self.topic.clone(),
                        source,
                    });
                }
            }
        }
    }

    fn ask(&self) -> Result<u64, KafkaError> {
        let offsets = self
            .client
            .offsets_for_times(self.partitions.clone(), PATIENCE)?;
        let mut total = 0;
        for element in offsets.elements() {
            element.error()?;
            total += element.offset().to_raw().unwrap_or(0).max(0).unsigned_abs();
        }
        Ok(total)
    }
}

/// User and system time of a process, all threads, in seconds.
fn cpu_seconds(pid: u32) -> Result<f64> {
    let path = PathBuf::from(format!("/proc/{pid}/stat"));
    let text = fs::read_to_string(&path).map_err(|source| Error::Process {
        path: path.clone(),
        source,
    })?;
    cpu_ticks(&text)
        .map(|ticks| ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
        .ok_or(Error::ProcessFormat { path })
}

/// `utime + stime` of a line of `/proc/PID/stat`; the name before them may hold spaces and parentheses.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The largest resident set a process has had, in bytes.
fn peak_rss(pid: u32) -> Result<u64> {
    let path = PathBuf::from(format!("/proc/{pid}/status"));
    let text = fs::read_to_string(&path).map_err(|source| Error::Process {
        path: path.clone(),
        source,
    })?;
    text.lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .and_then(|number| number.trim().parse::<u64>().ok())
        .map(|kilobytes| kilobytes * 1024)
        .ok_or(Error::ProcessFormat { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_a_strange_name() {
        let stat = "7 (a ) name) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 9 0 0";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("7 (short) S"), None);
    }

    #[test]
    fn this_process_has_memory_and_time() {
        let pid = std::process::id();
        assert!(peak_rss(pid).expect("a peak") > 100_000);
        assert!(cpu_seconds(pid).expect("a time") >= 0.0);
    }
}
