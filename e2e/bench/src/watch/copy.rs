//! One copy: samples of what the target holds, and what follows from them.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{EndOffsets, cpu_seconds, peak_rss};
use crate::engines::Running;
use crate::error::{Error, Result};

const SAMPLE: Duration = Duration::from_millis(20);

/// When a run is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    /// All that is to be copied.
    pub(crate) records: u64,
    /// More than that is an error.
    pub(crate) exact: bool,
    /// Copying for this long is enough, complete or not.
    pub(crate) window: Option<Duration>,
    /// Not to be done by then is an error.
    pub(crate) limit: Duration,
    /// The target broker's process.
    pub(crate) target_broker: Option<u32>,
}

/// One engine's run over one workload.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Measurement {
    /// From the start of the process to the first sample that saw a record.
    pub(crate) first_record_seconds: f64,
    /// What was copied when the run was over.
    pub(crate) records: u64,
    /// From the last sample that saw none to the last.
    pub(crate) copy_seconds: f64,
    pub(crate) records_per_second: f64,
    /// User and system time of the process in that time, per million records.
    pub(crate) cpu_seconds_per_million: f64,
    /// The same two of the later half of that time.
    pub(crate) later_records_per_second: f64,
    pub(crate) later_cpu_seconds_per_million: f64,
    /// User and system time before the first record.
    pub(crate) start_cpu_seconds: f64,
    pub(crate) peak_rss_bytes: u64,
    /// CPU seconds a second of the target broker while copying.
    pub(crate) target_cpu_share: f64,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    copied: u64,
    cpu: f64,
    target_cpu: f64,
}

/// Watches an engine until the goal is reached, and says when the first record has arrived.
pub(crate) fn watch(
    running: &mut Running,
    target: &EndOffsets,
    goal: &Goal,
    arrived: impl FnOnce(),
) -> Result<Measurement> {
    let mut arrived = Some(arrived);
    let engine = running.engine.describe();
    let pid = running.process.pid();
    let mut last_empty = Sample {
        at: running.started,
        copied: 0,
        cpu: 0.0,
        target_cpu: 0.0,
    };
    let mut samples: Vec<Sample> = Vec::new();
    loop {
        let asked = Instant::now();
        let copied = target.total()?;
        let ended = running.process.try_wait()?;
        let sample = Sample {
            at: Instant::now(),
            copied,
            cpu: if ended.is_none() {
                cpu_seconds(pid)?
            } else {
                0.0
            },
            target_cpu: goal.target_broker.map_or(Ok(0.0), cpu_seconds)?,
        };
        if copied == 0 {
            // it is as old as the moment before it was asked for
            last_empty = Sample {
                at: asked,
                ..sample
            };
        } else {
            if let Some(arrived) = arrived.take() {
                arrived();
            }
            samples.push(sample);
        }
        if goal.exact && copied > goal.records {
            return Err(Error::TooMany {
                engine,
                copied,
                records: goal.records,
            });
        }
        if let Some(status) = ended {
            let output = format!(
                "{status}\n{}{}",
                running.process.stdout(),
                running.process.stderr()
            );
            return Err(Error::EngineEnded {
                engine,
                copied,
                records: goal.records,
                output,
            });
        }
        let window_over = goal
            .window
            .is_some_and(|window| copied > 0 && sample.at.duration_since(last_empty.at) >= window);
        if copied >= goal.records || window_over {
            return Ok(Measurement {
                peak_rss_bytes: peak_rss(pid)?,
                ..evaluate(running.started, last_empty, &samples)
            });
        }
        if running.started.elapsed() > goal.limit {
            return Err(Error::TooSlow {
                engine,
                copied,
                records: goal.records,
                limit: goal.limit,
            });
        }
        std::thread::sleep(SAMPLE.saturating_sub(asked.elapsed()));
    }
}

/// What the samples say; there is at least one that saw a record.
fn evaluate(started: Instant, last_empty: Sample, samples: &[Sample]) -> Measurement {
    let last = samples.last().copied().unwrap_or(last_empty);
    let first = samples.first().copied().unwrap_or(last_empty);
    let middle = last_empty.at + last.at.duration_since(last_empty.at) / 2;
    let half = samples
        .iter()
        .rev()
        .find(|sample| sample.at <= middle)
        .copied()
        .unwrap_or(last_empty);
    let (rate, cpu) = between(last_empty, last);
    let (later_rate, later_cpu) = between(half, last);
    Measurement {
        first_record_seconds: first.at.duration_since(started).as_secs_f64(),
        records: last.copied,
        copy_seconds: last.at.duration_since(last_empty.at).as_secs_f64(),
        records_per_second: rate,
        cpu_seconds_per_million: cpu,
        later_records_per_second: later_rate,
        later_cpu_seconds_per_million: later_cpu,
        start_cpu_seconds: last_empty.cpu,
        peak_rss_bytes: 0,
        target_cpu_share: (last.target_cpu - last_empty.target_cpu)
            / last.at.duration_since(last_empty.at).as_secs_f64(),
    }
}

/// Records a second, and CPU seconds per million records.
fn between(from: Sample, to: Sample) -> (f64, f64) {
    let records = to.copied.saturating_sub(from.copied) as f64;
    let seconds = to.at.duration_since(from.at).as_secs_f64();
    (records / seconds, (to.cpu - from.cpu) * 1e6 / records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_does_not_count_and_the_later_half_stands_alone() {
        let started = Instant::now();
        let sample = |seconds: u64, copied: u64, cpu: f64| Sample {
            at: started + Duration::from_secs(seconds),
            copied,
            cpu,
            target_cpu: 2.0 * cpu,
        };
        let samples = [
            sample(11, 10, 9.0),
            sample(12, 100, 10.0),
            sample(14, 500, 11.0),
        ];
        let result = evaluate(started, sample(10, 0, 8.0), &samples);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(close(result.first_record_seconds, 11.0));
        assert!(close(result.records_per_second, 125.0));
        assert!(close(result.cpu_seconds_per_million, 6_000.0));
        assert!(close(result.later_records_per_second, 200.0));
        assert!(close(result.later_cpu_seconds_per_million, 2_500.0));
        assert!(close(result.start_cpu_seconds, 8.0));
        assert!(close(result.target_cpu_share, 1.5));
    }
}
